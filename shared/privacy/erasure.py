"""A person is erased from an account: by their address, and by their subject in the control panel if they have one.

    find      the person's rows: exception, links of the same identity, and what the trail's references stand for
    plan      a duty that finishes the work if this call cannot, and ends what a sign-in under way has begun meanwhile
    sessions  they end, and their applications are notified
    remove    all rows, in one transaction with the event that lists the references

The event says nothing else, so a trail keeps what happened and not to whom. A row that changes before it is removed is
read again: whoever names the person first comes before the erasure, whoever is late names somebody new.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import ClassVar

from shared.access.roles import OURSELVES, AccountAdministrator, Actor
from shared.accounts.head import find_head, read_head
from shared.accounts.journal import Journal
from shared.connection.connection import Connection
from shared.connection.setup_links import ERASED, SetupLinks
from shared.duties.duties import Duties, Task
from shared.duties.kinds import Backoff, Kind, Outcome
from shared.kernel.names import AccountId, EmailAddress
from shared.kernel.refusals import Unavailable
from shared.policies.policy import Policy
from shared.ports.clock import Clock
from shared.ports.table import TRANSACTION_LIMIT, Operation, Remove, Replace, Row, RowChanged, Table
from shared.privacy.rewriting import rewrite_trail
from shared.privacy.traces import Search, Traces
from shared.provider.end_session import EndSession
from shared.trail.events import Event, Person
from shared.trail.persons import is_text
from shared.users.exemption import PREFIX as EXCEPTIONS
from shared.users.exemption import Exemption
from shared.users.exemption_sets import ExceptionsVersion
from shared.users.people import People
from shared.users.user_key import UserKey

_LATER = timedelta(minutes=2)
"""When the duty looks again: no sign-in that had found the person's link is still under way then."""

_UNDER_WAY = timedelta(minutes=1)
"""For how long after the call a sign-in that was under way may begin a session."""

_MOST_TRIES = 10
_PAGE = 1_000
_IN_THE_LAST = TRANSACTION_LIMIT - 10
"""Rows that are removed in the transaction of the event, which needs some of its own."""


class PersonErased(Event):
    """A person was erased. `references` stand for nobody from now on; `exceptions` and `links` are how many there were.

    The actor who erased themselves keeps role and reference.
    """

    action = "person.erased"

    references: tuple[str, ...]
    exceptions: int
    links: int


class PersonErasure(Task):
    """Finish the erasure of a person, and end the sessions that a sign-in under way has begun meanwhile.

    `panel` are the names (`Person.known_as`) that the person may have in the control panel.
    """

    kind: ClassVar[str] = "person-erasure"

    account_id: AccountId
    user_key: UserKey
    panel: tuple[str, ...]
    asked_at: datetime
    subs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """One per address."""
        return f"{self.account_id}:{self.user_key}"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was removed: how many of each, and the references that stand for nobody from now on."""

    exceptions: int = 0
    links: int = 0
    sessions: int = 0
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Erases people."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail, which names the people."""
    sessions: EndSession
    """Ends their sessions."""
    people: People
    """Whether the people of an earlier tenant are kept, which ends with their links."""
    duties: Duties
    """Plans what is left to do."""
    clock: Clock
    """The time."""

    async def erase(self, administrator: AccountAdministrator, email: EmailAddress, subject: str | None) -> Erased:
        """Erase a person: their exception, the links of their identity, their sessions, and who they are to the trail.

        Safe to repeat: nothing is left to remove then. An address that nobody has is no error.

        Args:
            administrator: the account, and who asks. They may erase themselves.
            email: the person's address. Other addresses of the same identity are found by it.
            subject: the `sub` by which the control panel knows the person, if they administer the account.

        Raises:
            NotFound: there is no such account.
            Unavailable: the store does not respond. What was begun is finished by a duty.
        """
        account_id = administrator.account_id
        await read_head(self.table, account_id)
        await rewrite_trail(self.journal.trail(account_id))
        panel = (Person(subject=each).known_as for each in (email.address, subject) if each)
        task = PersonErasure(
            account_id=account_id,
            user_key=UserKey.of(account_id, email),
            panel=(*panel,),
            asked_at=self.clock.now(),
        )
        found = await self._find(task)
        if not found.rows:
            return Erased()
        task = task.model_copy(update={"subs": (*sorted(found.subs),)})
        await self.duties.plan(_LATER, task)
        try:
            sessions = sum([await self.sessions.end_all_of(account_id, sub) for sub in task.subs])
            done = await self._remove(task, administrator.actor, found)
            await self.people.end_if_all_moved(account_id)
        except Unavailable as refusal:
            raise Unavailable(
                "The storage failed during the erasure. What is left is erased in a few minutes. "
                "You can repeat the call at any time.",
                refusal.retry_after,
            ) from refusal
        return Erased(done.exceptions, done.links, sessions, (*done.references,))

    def kind(self) -> Kind[PersonErasure]:
        """The kind of duty that finishes an erasure."""
        return Kind(
            task=PersonErasure,
            handle=self.finish,
            patience=timedelta(minutes=5),
            backoff=Backoff(first=timedelta(minutes=1), longest=timedelta(hours=1)),
            end=timedelta(days=30),
        )

    async def finish(self, task: PersonErasure) -> Outcome:
        """Remove what is left of what was there when the erasure was asked for. Safe to repeat.

        Whoever has signed in again since is another first sign-in, and stays.
        """
        if await find_head(self.table, task.account_id) is None:
            return Outcome.DONE
        await self._remove(task, OURSELVES, await self._find(task))
        await self.people.end_if_all_moved(task.account_id)
        for sub in task.subs:
            await self.sessions.end_all_of(task.account_id, sub, begun_before=task.asked_at + _UNDER_WAY)
        return Outcome.DONE

    async def _remove(self, task: PersonErasure, actor: Actor, found: Traces) -> Traces:
        """Remove all rows, the last of them with the event; return what was removed with it."""
        await self._forget_author(task.account_id, found.authors)
        for _ in range(_MOST_TRIES):
            if not found.rows:
                return found
            with contextlib.suppress(RowChanged):
                await self._remove_once(task, actor, found)
                return found
            found = await self._find(task)
        raise Unavailable("The person is named by others at this moment. What is left is erased in a few minutes.")

    async def _remove_once(self, task: PersonErasure, actor: Actor, found: Traces) -> None:
        texts = [row for key, row in found.rows.items() if is_text(key)]
        others = [row for key, row in reversed(found.rows.items()) if not is_text(key)]
        rows = [*texts, *others]
        # The last ones as many as possible: the event names who acts, and must not find them half erased.
        early, last = rows[:-_IN_THE_LAST], rows[-_IN_THE_LAST:]
        for some in batched(early, TRANSACTION_LIMIT, strict=False):
            await self.table.write(*map(Remove, some))
        event = PersonErased(references=(*found.references,), exceptions=found.exceptions, links=found.links)
        named = await self._named_in_head(task.account_id, found)
        await self.journal.commit(
            task.account_id, actor, event, ExceptionsVersion.new(task.account_id), *map(Remove, last), *named
        )

    async def _forget_author(self, account_id: AccountId, authors: set[str]) -> None:
        """Take an administrator's name from the exceptions that they have made. Safe to repeat.

        Entries hold the name itself, so those of somebody of the same name lose it, too.
        """
        continuation = None
        while authors:
            page = await self.table.page(account_id, EXCEPTIONS, _PAGE, continuation)
            theirs = [row for row in page.rows if Exemption.read(row).created_by in authors]
            for some in batched(theirs, TRANSACTION_LIMIT, strict=False):
                await self._write_nameless(some)
            continuation = page.continuation
            if continuation is None:
                return

    async def _write_nameless(self, rows: tuple[Row, ...]) -> None:
        nameless = [Exemption.read(row).model_copy(update={"created_by": ERASED}).document() for row in rows]
        try:
            await self.table.write(*map(Replace, rows, nameless))
        except RowChanged:
            for row in rows:
                again = await self.table.get(row.key)
                if again is not None and Exemption.read(again).created_by == Exemption.read(row).created_by:
                    await self._write_nameless((again,))

    async def _named_in_head(self, account_id: AccountId, found: Traces) -> tuple[Operation, ...]:
        """The operations that take the person's name from connection, setup links and policy.

        An integration that they have started is cancelled: once completed, it would name them again.
        """
        head = await read_head(self.table, account_id)
        connection, policy = head.stored(Connection), head.stored(Policy)
        by, attempt, operations = connection.record.connected_by, connection.record.attempt, list[Operation]()
        nameless = connection.record
        if by is not None and Person(subject=by.subject).known_as in found.names:
            nameless = nameless.model_copy(update={"connected_by": Actor(ERASED, None, by.role)})
        if attempt is not None and attempt.by in found.names:
            nameless = nameless.model_copy(update={"attempt": None})
        if nameless != connection.record:
            operations.append(connection.rewrite(nameless))
        links = head.stored(SetupLinks)
        of_nobody = links.record.without(found.names | found.identities, self.clock.now())
        if of_nobody != links.record:
            operations.append(links.rewrite(of_nobody))
        if policy.record.updated_by in found.authors:
            operations.append(policy.rewrite(policy.record.model_copy(update={"updated_by": ERASED})))
        return tuple(operations)

    async def _find(self, task: PersonErasure) -> Traces:
        persons = self.journal.trail(task.account_id).persons
        search = Search(table=self.table, persons=persons, account_id=task.account_id, until=task.asked_at)
        return await search.find(task.user_key, task.panel)

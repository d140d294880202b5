"""A person is erased from an account: by their address, and by their subject in the control panel if they have one.

    find      the person's rows: exception, links of the same identity, and what the trail's references stand for
    plan      a duty that finishes the work if this call cannot, and ends what a sign-in under way has begun meanwhile
    sessions  they end, and their applications are notified
    remove    all rows, in one transaction with the event that lists the references

The event says nothing else, so a trail keeps what happened and not to whom. A row that changes before it is removed is
read again: whoever names the person first comes before the erasure, whoever is late names somebody new.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import ClassVar

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import find_head, read_head
from shared.accounts.journal import Journal
from shared.connection.connection import Connection
from shared.duties.duties import Duties, Task
from shared.duties.kinds import Backoff, Kind, Outcome
from shared.kernel.names import AccountId, EmailAddress, TenantId
from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.table import TRANSACTION_LIMIT, Key, Operation, Remove, Row, RowChanged, Table
from shared.privacy.rewriting import rewrite_trail
from shared.provider.end_session import EndSession
from shared.provider.issuer import subject_of
from shared.trail.events import Event
from shared.trail.persons import PERSON, Entry, Person
from shared.users.exemption import Exemption, exemption_key
from shared.users.links import PREFIX as LINKS
from shared.users.links import Link, link_key
from shared.users.user_key import UserKey

_LATER = timedelta(minutes=2)
"""When the duty looks again: no sign-in that had found the person's link is still under way then."""

_UNDER_WAY = timedelta(minutes=1)
"""For how long after the call a sign-in that was under way may begin a session."""

_MOST_TRIES = 10
_PAGE = 1_000
_USER = "user-"


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
    actor: Actor
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


@dataclass(slots=True)
class _Found:
    """All that an account has of a person. `rows` are in the order in which one leads to the next."""

    rows: dict[Key, Row] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    subs: set[str] = field(default_factory=set)
    exceptions: int = 0
    links: int = 0

    def take(self, name: str, exemption: Row | None, link: Row | None) -> None:
        """Add a user's exception and link."""
        self.names.add(name)
        self.rows |= {row.key: row for row in (exemption, link) if row is not None}
        self.exceptions += exemption is not None
        self.links += link is not None
        if link is not None:
            self.subs.add(subject_of(Link.read(link).tid, Link.read(link).oid))

    def know(self, name: str, entry: Entry) -> None:
        """Add a name of the person, with the rows that say who they are."""
        self.names.add(name)
        self.rows |= {row.key: row for row in entry.rows}
        self.references.append(entry.reference or "")
        person = entry.person.person if entry.person else Person()
        if person.tid is not None and person.oid is not None:
            self.subs.add(subject_of(TenantId(person.tid), person.oid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Erases people."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail, which names the people."""
    sessions: EndSession
    """Ends their sessions."""
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
            actor=administrator.actor,
            asked_at=self.clock.now(),
        )
        found = await self._find(task)
        if not found.rows:
            return Erased()
        task = task.model_copy(update={"subs": (*sorted(found.subs),)})
        await self.duties.plan(_LATER, task)
        try:
            sessions = sum([await self.sessions.end_all_of(account_id, sub) for sub in task.subs])
            done = await self._remove(task, found)
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
        await self._remove(task, await self._find(task))
        for sub in task.subs:
            await self.sessions.end_all_of(task.account_id, sub, begun_before=task.asked_at + _UNDER_WAY)
        return Outcome.DONE

    async def _remove(self, task: PersonErasure, found: _Found) -> _Found:
        """Remove all rows, the last of them with the event; return what was removed with it."""
        for _ in range(_MOST_TRIES):
            if not found.rows:
                return found
            with contextlib.suppress(RowChanged):
                await self._remove_once(task, found)
                return found
            found = await self._find(task)
        raise Unavailable("The person is named by others at this moment. What is left is erased in a few minutes.")

    async def _remove_once(self, task: PersonErasure, found: _Found) -> None:
        texts = [row for key, row in found.rows.items() if _is_text(key)]
        others = [row for key, row in reversed(found.rows.items()) if not _is_text(key)]
        *early, last = batched([*texts, *others], TRANSACTION_LIMIT - 10, strict=False)
        for some in early:
            await self.table.write(*map(Remove, some))
        event = PersonErased(references=(*found.references,), exceptions=found.exceptions, links=found.links)
        named = await self._named_in_connection(task.account_id, found)
        await self.journal.commit(task.account_id, task.actor, event, *map(Remove, last), *named)

    async def _named_in_connection(self, account_id: AccountId, found: _Found) -> tuple[Operation, ...]:
        """The operation that takes the person's name from the connection, if it was they who made it."""
        head = await read_head(self.table, account_id)
        stored = head.stored(Connection)
        by = stored.record.connected_by
        if by is None or Person(subject=by.subject).known_as not in found.names:
            return ()
        nameless = Actor("", None, by.role)
        return (stored.rewrite(stored.record.model_copy(update={"connected_by": nameless})),)

    async def _find(self, task: PersonErasure) -> _Found:
        """Everything that the account had of the person when the erasure was asked for.

        The identity of the address's link leads to its other links. What was linked before counts as theirs, too, if
        nobody has it now: no link, and no exception.
        """
        found, linked = _Found(), await self._linked(task)
        persons, seen = self.journal.trail(task.account_id).persons, set[str]()
        certain, former = [_USER + task.user_key, *task.panel], list[str]()
        while certain or former:
            theirs = bool(certain)
            name = (certain or former).pop(0)
            if name in seen:
                continue
            seen.add(name)
            if name.startswith(_USER):
                exemption, link = await self._user(task, UserKey(name.removeprefix(_USER)))
                if not theirs and (exemption or link):
                    continue
                found.take(name, exemption, link)
                certain += [Link.read(link).identity.known_as] if link else []
            elif not theirs and linked.get(name):
                continue
            certain += linked.get(name, ())
            entry = await persons.look_up(name)
            if entry.reference is not None and entry.since <= task.asked_at:
                found.know(name, entry)
            former += entry.others
        return found

    async def _user(self, task: PersonErasure, user_key: UserKey) -> tuple[Row | None, Row | None]:
        """The user's exception and link, but for what was made later."""
        exemption, link = await asyncio.gather(
            self.table.get(exemption_key(task.account_id, user_key)),
            self.table.get(link_key(task.account_id, user_key)),
        )
        old = exemption is not None and Exemption.read(exemption).created_at <= task.asked_at
        linked = link is not None and Link.read(link).linked_at <= task.asked_at
        return exemption if old else None, link if linked else None

    async def _linked(self, task: PersonErasure) -> dict[str, list[str]]:
        """The users of each identity that had links, by their names in a trail.

        It reads every link of the account, because older links stand in no list of their identity.
        """
        users: dict[str, list[str]] = {}
        continuation = None
        while True:
            page = await self.table.page(task.account_id, LINKS, _PAGE, continuation)
            for link in map(Link.read, page.rows):
                if link.linked_at <= task.asked_at:
                    users.setdefault(link.identity.known_as, []).append(link.person.known_as)
            continuation = page.continuation
            if continuation is None:
                return users


def _is_text(key: Key) -> bool:
    """Whether it is the row of a text about a person."""
    return key.row.startswith(PERSON) and key.row.count(":") > 1

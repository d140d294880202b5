"""The way into the portal: a link for one person, the page behind it, and the button that begins a session."""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.access.roles import OPERATOR, Actor, PortalHost
from shared.accounts.head import Head, read_head
from shared.accounts.journal import Journal
from shared.flows.flows import FlowEnded, Flows, digest, handle_in
from shared.kernel.names import AccountId
from shared.kernel.refusals import FieldFault, Forbidden, Invalid, Stale
from shared.portal.session import (
    LIFETIME,
    PREFIX,
    PortalLinked,
    PortalOpened,
    PortalSession,
    PortalTicket,
    session_id_of,
    session_key,
)
from shared.ports.clock import Clock
from shared.ports.table import Insert, Remove, RowExists, Table
from shared.trail.events import Person

_MOST_REMOVED = 50
"""Sessions that are over, which the beginning of another one removes."""

_CLOCKS_DIFFER_BY = timedelta(minutes=1)
"""Of the instance that made a link, and of another that named its person a moment before."""


@dataclass(frozen=True, slots=True)
class PortalLink:
    """A link to the portal: the handle of its ticket, and until when it can be used."""

    ticket: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PortalInvitation:
    """The facts on the page behind a link: the account, and as whom its visitor will act."""

    account_name: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that was begun: in which account, and the secret by which its browser proves it."""

    account_id: AccountId
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalEntry:
    """Lets people into the portal."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    flows: Flows
    """Tickets."""
    clock: Clock
    """The time."""

    async def invite(self, host: PortalHost, named: Person | None, role: str) -> PortalLink:
        """Make a link for a person.

        Args:
            host: the account, and who asks: an Operator for anybody, a Security Manager for themselves.
            named: the person, as the control panel knows them.
            role: `SecurityManager` or `SecurityReader`.

        Raises:
            NotFound: there is no such account.
            Invalid: an Operator names nobody.
            Forbidden: a Security Manager names somebody else.
            Stale: another writer changed the trail's persons at the same moment, again and again.
        """
        actor = _visitor(host, named, role)
        await read_head(self.table, host.account_id)
        event = PortalLinked(person=Person(subject=actor.subject, name=actor.name), role=role)
        await self.journal.commit(host.account_id, host.actor, event)
        ticket = PortalTicket(expires_at=self.flows.expiry(PortalTicket), account_id=host.account_id, actor=actor)
        return PortalLink(await self.flows.issue(ticket), ticket.expires_at)

    async def look(self, handle: str) -> PortalInvitation:
        """The account of a ticket, and as whom its visitor will act. Nothing is spent.

        Raises:
            FlowSpent: the ticket is unknown, used or expired, or its person was erased.
            NotFound: there is no such account.
        """
        ticket = await self.flows.look(handle, PortalTicket)
        if ticket.session_id is not None:
            raise FlowEnded(ticket, f"This link was already used. {ticket.start}")
        head = await self._head_of(ticket)
        return PortalInvitation(head.account.record.name, ticket.actor)

    async def begin(self, handle: str, shown: str) -> Begun:
        """Begin the session of a ticket: one, however often the button is pressed in the browser that was first.

        The session's secret is made of the ticket and of what only this browser knows, so that two presses at once, and
        one after a crash, come to the same session. One that has ended does not begin again.

        Args:
            handle: the ticket.
            shown: the secret that the browser got with the page.

        Raises:
            FlowSpent: the ticket is unknown or expired, was used in another browser, or its session has ended, or its
                person was erased.
            NotFound: there is no such account.
        """
        secret = digest(f"{handle_in(handle)} {shown}")
        session_id = session_id_of(secret)
        ticket = await self.flows.revise(handle, PortalTicket, lambda ticket: ticket.begun_as(session_id))
        head = await self._head_of(ticket)
        with contextlib.suppress(RowExists):
            await self._write(head, PortalSession.begin(session_id, ticket.actor, self.clock.now()))
            return Begun(ticket.account_id, secret)
        row = await self.table.get(session_key(ticket.account_id, session_id))
        if row is None or not PortalSession.read(row).lives(self.clock.now()):
            raise FlowEnded(ticket, f"The session of this link has ended. {ticket.start}")
        return Begun(ticket.account_id, secret)

    async def _head_of(self, ticket: PortalTicket) -> Head:
        """The head of a ticket's account, which has named the ticket's person since it was made.

        It has not once the person was erased, nor if the account was, and another one has its id now.

        Raises:
            FlowEnded: it has not.
            NotFound: there is no such account.
        """
        persons = self.journal.trail(ticket.account_id).persons
        since = await persons.known_since(Person(subject=ticket.actor.subject))
        head = await read_head(self.table, ticket.account_id)  # read last: an account that is being erased is none
        if since is None or since > ticket.made_at + _CLOCKS_DIFFER_BY:
            raise FlowEnded(ticket, f"The person of this link, or its account, was erased. {ticket.start}")
        return head

    async def _write(self, head: Head, session: PortalSession) -> None:
        """Store a session with its event, and remove some that are over.

        Raises:
            RowExists: it is stored already.
        """
        account_id, now = head.account_id, self.clock.now()
        rows = await self.table.under(account_id, PREFIX)
        over = [row for row in rows if PortalSession.read(row).expires_at + LIFETIME <= now]
        insert = Insert(session_key(account_id, session.session_id), session.document())
        removed = map(Remove, over[:_MOST_REMOVED])
        try:
            await self.journal.commit(
                account_id, session.actor, PortalOpened(session=session.session_id), insert, *removed
            )
        except Stale:
            await self._write(head, session)


def _visitor(host: PortalHost, named: Person | None, role: str) -> Actor:
    own = host.actor
    if own.role == OPERATOR:
        if named is None or named.subject is None:
            fault = FieldFault("actor", "An Operator must say who will act: their subject in the control panel.")
            raise Invalid("The request body is invalid. Fix the fields listed in `errors`.", [fault])
        return Actor(named.subject, named.name, role)
    if named is not None and named.subject != own.subject:
        raise Forbidden("A Security Manager can open the portal for themselves alone. Leave out `actor`.")
    return Actor(own.subject, own.name, role)

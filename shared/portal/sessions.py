"""Sessions in the portal: proven by the secret of a browser, listed, and ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.access.roles import AccountAdministrator, AccountReader, PortalVisitor
from shared.accounts.head import read_head
from shared.accounts.journal import Journal
from shared.kernel.names import AccountId
from shared.kernel.refusals import NotAuthenticated, NotFound, Stale
from shared.portal.session import (
    PREFIX,
    PortalRevoked,
    PortalSession,
    PortalSignedOut,
    session_id_of,
    session_key,
)
from shared.ports.access_tokens import VerifiedAccess, VerifiedSession
from shared.ports.clock import Clock
from shared.ports.table import Replace, Row, RowChanged, Table
from shared.trail.events import Event, Person

_TOUCHED = timedelta(minutes=1)
"""How precisely the last use of a session is stored: a write for each minute, not for each call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSessions:
    """Every session in the portal."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    clock: Clock
    """The time."""

    async def verify(self, account_id: AccountId, unverified_secret: str) -> VerifiedSession:
        """See the port."""
        key = session_key(account_id, session_id_of(unverified_secret))
        while True:
            now, row = self.clock.now(), await self.table.get(key)
            session = PortalSession.read(row) if row else None
            if row is None or session is None or not session.lives(now):
                raise NotAuthenticated("Your session in the portal has ended. Open it again from the control panel.")
            try:
                if now >= session.last_used_at + _TOUCHED:
                    used = session.model_copy(update={"last_used_at": now})
                    await self.table.write(Replace(row, used.document()))
            except RowChanged:
                continue  # used by another call, or ended
            actor = session.actor
            access = VerifiedAccess(sub=actor.subject, name=actor.name, roles=(actor.role,), account_id=account_id)
            return VerifiedSession(access, session.session_id, session.expires_at)

    async def list(self, reader: AccountReader) -> tuple[PortalSession, ...]:
        """The sessions that may be used, the newest first.

        Raises:
            NotFound: there is no such account.
        """
        await read_head(self.table, reader.account_id)
        now, rows = self.clock.now(), await self.table.under(reader.account_id, PREFIX)
        living = (each for each in map(PortalSession.read, rows) if each.lives(now))
        return tuple(sorted(living, key=lambda each: each.began_at, reverse=True))

    async def revoke(self, administrator: AccountAdministrator, session_id: str) -> None:
        """End a session. Safe to repeat.

        Raises:
            NotFound: there is no such account, or no such session.
        """
        await read_head(self.table, administrator.account_id)
        row = await self.table.get(session_key(administrator.account_id, session_id))
        if row is None:
            raise NotFound("There is no such session in the portal.")
        try:
            await self._end(administrator, row, lambda person: PortalRevoked(person=person, session=session_id))
        except Stale:
            await self.revoke(administrator, session_id)

    async def sign_out(self, visitor: PortalVisitor) -> None:
        """End the visitor's own session. Safe to repeat."""
        row = await self.table.get(session_key(visitor.account_id, visitor.session_id))
        try:
            if row is not None:
                await self._end(visitor, row, lambda _: PortalSignedOut(session=visitor.session_id))
        except Stale:
            await self.sign_out(visitor)

    async def _end(self, by: AccountReader, row: Row, event: Callable[[Person], Event]) -> None:
        session, now = PortalSession.read(row), self.clock.now()
        if session.lives(now):
            ended = session.model_copy(update={"ended_at": now})
            person = Person(subject=session.actor.subject, name=session.actor.name)
            await self.journal.commit(by.account_id, by.actor, event(person), Replace(row, ended.document()))

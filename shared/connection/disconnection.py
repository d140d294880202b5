"""How a connection ends: by its Security Manager, or with the account that an operator removes."""

import logging
from dataclasses import dataclass

from shared.access.roles import AccountAdministrator, Actor, Operator
from shared.accounts.head import Head, find_head, read_head
from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister
from shared.connection.connection import AccountClosed, Connection, ConnectionDisconnected, Status
from shared.domains.routing import DomainRouting
from shared.domains.tenant_domains import TenantDomains
from shared.kernel.names import AccountId
from shared.kernel.refusals import NotFound
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.table import Table
from shared.ports.telemetry import ConnectStep, Event, EventName, Telemetry

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnection:
    """Undoes connections. First an account lets go of its tenant, in one transaction; then its claims are released."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    routing: DomainRouting
    """Releases the domains."""
    accounts: AccountRegister
    """The register, from which a closed account is erased."""
    clock: Clock
    """The time."""
    telemetry: Telemetry
    """Where the end of a connection is reported."""

    async def disconnect(self, administrator: AccountAdministrator, expected: Expected) -> None:
        """Undo the connection: domains stop routing; the policy, exceptions and domain switches are kept.

        Repeating it is safe: what is disconnected stays so.

        Raises:
            NotFound: there is no such account.
            Stale: the connection is not the version that the caller has seen, or somebody else was first.
        """
        head = await read_head(self.table, administrator.account_id)
        connection = head.stored(Connection)
        if connection.record.as_of(self.clock.now()).status is Status.DISCONNECTED:
            return
        expected.must_allow(connection.version)
        await self._undo(head, administrator.actor)

    async def close(self, operator: Operator, account_id: AccountId, expected: Expected) -> None:
        """Take an account off the register, with everything that belongs to it.

        The account is marked first: from then on it is not found, and nothing more is written for it. A crash in
        between leaves the mark, and closing again goes on where it ended, whatever version the caller has seen.

        Raises:
            NotFound: there is no such account.
            Stale: the account is not the version that the caller has seen.
            Unavailable: something is left of it; close it again.
        """
        head = await find_head(self.table, account_id, closing=True)
        if head is None:
            raise NotFound("This account does not exist.")
        if not head.account.record.closing:
            expected.must_allow(head.account.version)
        await self._undo(head, operator.actor, closing=True)
        await self.accounts.erase(account_id)
        _log.info("account.closed account=%s by=%s", account_id, operator.actor.subject)

    async def _undo(self, head: Head, actor: Actor, *, closing: bool = False) -> None:
        connection, domains = head.stored(Connection), head.stored(TenantDomains)
        now = self.clock.now()
        account = [head.account.rewrite(head.account.record.model_copy(update={"closing": True}))] if closing else []
        await self.journal.commit(
            head.account_id,
            actor,
            (AccountClosed if closing else ConnectionDisconnected)(tenant_id=connection.record.tenant_id),
            connection.rewrite(Connection()),
            domains.rewrite(domains.record.let_go()),
            *account,
        )
        if connection.record.tenant is not None:
            self.telemetry.note(Event(EventName.CONNECT, ConnectStep.DISCONNECTED, account_id=head.account_id))
        # Not only those that are held: an undoing that was cut off has let go of them, but not released them.
        names = {each.name for each in domains.record.domains}
        release = self.routing.release if closing else self.routing.let_go
        await release(head.account_id, names, now)

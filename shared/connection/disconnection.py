"""How a connection ends: by its Security Manager, or with the account that an operator removes."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.access.roles import OURSELVES, AccountAdministrator, Actor, Operator
from shared.accounts.head import Head, find_head, read_head
from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister
from shared.connection.connection import AccountClosed, Connection, ConnectionDisconnected, Status
from shared.domains.routing import DomainRouting
from shared.domains.tenant_domains import TenantDomains
from shared.duties.duties import Duties, Task
from shared.duties.kinds import Backoff, Kind, Outcome
from shared.kernel.names import AccountId
from shared.kernel.refusals import NotFound
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.table import Table
from shared.ports.telemetry import ConnectStep, Event, EventName, Telemetry

_FIRST_SWEEP = timedelta(minutes=1)

_LATEST_WRITER = timedelta(hours=1)
"""No request that had read the account before it was closed is still writing then: the host ends them much earlier."""

_log = logging.getLogger(__name__)


class Erasure(Task):
    """An account is closed, and nothing must be left of it."""

    kind: ClassVar[str] = "erasure"

    account_id: AccountId
    closed_at: datetime

    @property
    def name(self) -> str:
        """One per account."""
        return self.account_id


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
    duties: Duties
    """Keeps that a closed account is to be swept."""
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

        The account is marked first: from then on it is not found. A crash in between leaves the mark, and closing
        again goes on where it ended, whatever version the caller has seen. So does a duty, which also sweeps what
        requests write that had read the account before.

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
        await self.duties.plan(_FIRST_SWEEP, Erasure(account_id=account_id, closed_at=self.clock.now()))
        await self._undo(head, operator.actor, closing=True)
        await self.accounts.erase(account_id)
        _log.info("account.closed account=%s by=%s", account_id, operator.actor.subject)

    def kind(self) -> Kind[Erasure]:
        """How a closed account is swept."""
        return Kind(
            task=Erasure,
            handle=self.sweep,
            patience=timedelta(minutes=5),
            backoff=Backoff(first=timedelta(minutes=5), longest=timedelta(hours=1)),
            end=timedelta(days=7),
        )

    async def sweep(self, erasure: Erasure) -> Outcome:
        """Remove whatever is left of a closed account, until nobody can still be writing to it. Safe to repeat."""
        account_id = erasure.account_id
        head = await find_head(self.table, account_id, closing=True)
        if head is not None and not head.account.record.closing:
            return Outcome.DONE  # registered anew, which sweeps first, or never marked
        if head is not None:
            await self._undo(head, OURSELVES, closing=True)
            await self.accounts.erase(account_id)
            return Outcome.AGAIN
        now = self.clock.now()
        late = await self.table.get(TenantDomains.key(account_id))
        if late is not None:
            await self.routing.release(account_id, {each.name for each in TenantDomains.read(late).domains}, now)
        await self.accounts.sweep(account_id)
        return Outcome.DONE if now >= erasure.closed_at + _LATEST_WRITER else Outcome.AGAIN

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

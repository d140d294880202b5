"""Ends a connection: for its Security Manager, or when an operator removes the account."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.access.roles import OURSELVES, AccountAdministrator, Actor, Operator
from shared.accounts.head import Head, find_head, read_head
from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister
from shared.connection.connection import AccountClosed, Connection, ConnectionDisconnected, Status
from shared.connection.setup_links import SetupLinks, connection_at
from shared.domains.routing import DomainRouting
from shared.domains.stored_domains import listed_names, stored_domains
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
"""After this no request that read the account before it was closed still writes: the host ends them much earlier."""

_log = logging.getLogger(__name__)


class Erasure(Task):
    """Sweep a closed account, until nothing of it is left."""

    kind: ClassVar[str] = "erasure"

    account_id: AccountId
    closed_at: datetime

    @property
    def name(self) -> str:
        """One per account."""
        return self.account_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnection:
    """Ends connections. First an account leaves its tenant, in one transaction; then its domain claims are released."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    routing: DomainRouting
    """Releases the domains."""
    accounts: AccountRegister
    """The register, from which a closed account is erased."""
    duties: Duties
    """Plans the sweep of a closed account."""
    clock: Clock
    """The time."""
    telemetry: Telemetry
    """Reports the end of a connection."""

    async def disconnect(self, administrator: AccountAdministrator, expected: Expected) -> None:
        """End the connection: domains stop routing; the policy, exceptions and domain switches are kept.

        Safe to repeat.

        Raises:
            NotFound: there is no such account.
            Stale: the connection is not the version that the caller has read, or another writer was first.
        """
        head = await read_head(self.table, administrator.account_id)
        connection = head.stored(Connection)
        if connection_at(head, self.clock.now()).status is Status.DISCONNECTED:
            return
        expected.must_allow(connection.version)
        await self._undo(head, administrator.actor)

    async def close(self, operator: Operator, account_id: AccountId, expected: Expected) -> None:
        """Remove an account from the register, with everything that belongs to it.

        The account is marked first: from then on it is not found. A crash in between leaves the mark, and closing
        again continues from there, whatever version the caller has read. So does a duty, which also removes rows of
        requests that had read the account before.

        Raises:
            NotFound: there is no such account.
            Stale: the account is not the version that the caller has read.
            Unavailable: something of it is left; close it again.
        """
        head = await find_head(self.table, account_id, closing=True)
        if head is None:
            raise NotFound("This account does not exist.")
        if not head.account.record.closing:
            expected.must_allow(head.account.version)
        await self.duties.plan(_FIRST_SWEEP, Erasure(account_id=account_id, closed_at=self.clock.now()))
        await self._undo(head, operator.actor, closing=True)
        await self.accounts.erase(account_id)
        _log.info("account.closed account=%s by=%r", account_id, operator.actor.subject)

    def kind(self) -> Kind[Erasure]:
        """The kind of duty that sweeps closed accounts."""
        return Kind(
            task=Erasure,
            handle=self.sweep,
            patience=timedelta(minutes=5),
            backoff=Backoff(first=timedelta(minutes=5), longest=timedelta(hours=1)),
            end=timedelta(days=7),
        )

    async def sweep(self, erasure: Erasure) -> Outcome:
        """Remove all that is left of a closed account, until no request can still write to it. Safe to repeat."""
        account_id = erasure.account_id
        head = await find_head(self.table, account_id, closing=True)
        if head is not None and not head.account.record.closing:
            return Outcome.DONE  # registered again, which sweeps first, or never marked
        if head is not None:
            await self._undo(head, OURSELVES, closing=True)
            await self.accounts.erase(account_id)
            return Outcome.AGAIN
        now = self.clock.now()
        await self.routing.release(account_id, await listed_names(self.table, account_id), now)
        await self.accounts.sweep(account_id)
        return Outcome.DONE if now >= erasure.closed_at + _LATEST_WRITER else Outcome.AGAIN

    async def _undo(self, head: Head, actor: Actor, *, closing: bool = False) -> None:
        connection, domains, links = head.stored(Connection), stored_domains(head), head.stored(SetupLinks)
        now = self.clock.now()
        revoked = links.record.all_revoked(actor, now)
        account = [head.account.rewrite(head.account.record.model_copy(update={"closing": True}))] if closing else []
        await self.journal.commit(
            head.account_id,
            actor,
            (AccountClosed if closing else ConnectionDisconnected)(tenant_id=connection.record.tenant_id),
            connection.rewrite(Connection()),
            *domains.rewrite(domains.record.let_go()),
            *([] if revoked == links.record else [links.rewrite(revoked)]),
            *account,
        )
        if connection.record.tenant is not None:
            self.telemetry.note(Event(EventName.CONNECT, ConnectStep.DISCONNECTED, account_id=head.account_id))
        # All domains, not only the held ones: an earlier run that crashed has given them up, but not released them.
        names = {each.name for each in domains.record.domains}
        release = self.routing.release if closing else self.routing.let_go
        await release(head.account_id, names, now)

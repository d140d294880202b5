"""A connection after it is made: look at it, check it, undo it, and close the account that it belongs to."""

import contextlib
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.access.roles import OURSELVES, AccountAdministrator, Actor, Operator
from shared.accounts.head import Head, find_head, read_head
from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister
from shared.connection.connection import (
    AccountClosed,
    Check,
    Connection,
    ConnectionChecked,
    ConnectionDisconnected,
    Status,
    connected_tenant,
)
from shared.connection.proof import prove_organization
from shared.domains.routing import DomainRouting
from shared.domains.tenant_domains import DomainStatus, TenantDomains
from shared.kernel.caches import BoundedCache
from shared.kernel.names import AccountId
from shared.kernel.refusals import Conflict, NotFound, Stale, Unavailable
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.identity_provider import ConsentMissing, IdentityProvider
from shared.ports.record import Stored
from shared.ports.table import Table
from shared.ports.telemetry import ConnectStep, Event, EventName, Telemetry

_BETWEEN_PROBES = timedelta(minutes=5)
_PROBES_REMEMBERED = 1_000

_FOUND = {Status.CONNECTED: ConnectStep.RESTORED, Status.CONSENT_REVOKED: ConnectStep.REVOKED}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """Keeps connections."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    routing: DomainRouting
    """Which domains route where."""
    accounts: AccountRegister
    """The register, from which a closed account is erased."""
    provider: IdentityProvider
    """Entra."""
    clock: Clock
    """The time."""
    telemetry: Telemetry
    """Where it is told what befalls a connection."""
    _probed: BoundedCache[AccountId, datetime] = field(
        init=False, repr=False, default_factory=lambda: BoundedCache(_PROBES_REMEMBERED)
    )

    async def read(self, administrator: AccountAdministrator) -> tuple[Connection, str]:
        """The connection as it is now, and the version to change it by.

        Raises:
            NotFound: there is no such account.
        """
        stored = (await read_head(self.table, administrator.account_id)).stored(Connection)
        return stored.record.as_of(self.clock.now()), stored.version

    async def check(self, administrator: AccountAdministrator) -> tuple[Connection, str]:
        """Probe the tenant with a fresh token and write down what was found.

        Raises:
            NotFound: there is no such account.
            Conflict: the account is not connected.
            Stale: somebody else changed the connection meanwhile.
        """
        return await self._probe(administrator.account_id, administrator.actor)

    async def probe(self, account_id: AccountId) -> None:
        """Ask the tenant, when somebody's sign-in was refused as if the consent were gone.

        Any browser can bring such a refusal, so an account is asked for at most once in five minutes an instance, and
        nothing is written unless the consent is found to be gone. What changes meanwhile is left to stand.

        Raises:
            Unavailable: the store does not answer.
        """
        now, before = self.clock.now(), self._probed.get(account_id)
        if before is not None and now - before < _BETWEEN_PROBES:
            return
        self._probed.put(account_id, now)
        with contextlib.suppress(NotFound, Conflict, Stale):
            stored = (await read_head(self.table, account_id)).stored(Connection)
            checked = await self._found(stored.record)
            if checked.status is not stored.record.status:
                await self._write(account_id, OURSELVES, stored, checked)

    async def _probe(self, account_id: AccountId, actor: Actor) -> tuple[Connection, str]:
        stored = (await read_head(self.table, account_id)).stored(Connection)
        checked = await self._found(stored.record)
        await self._write(account_id, actor, stored, checked)
        return checked.as_of(self.clock.now()), stored.then(checked).version

    async def _found(self, connection: Connection) -> Connection:
        """The connection as a fresh token finds it."""
        tenant_id = connected_tenant(connection)
        now = self.clock.now()
        try:
            organization = await self.provider.read_organization(tenant_id)
            prove_organization(organization, tenant_id)
        except ConsentMissing as refusal:
            check = Check(at=now, outcome="consent_revoked", detail=refusal.detail)
            found = {"status": Status.CONSENT_REVOKED, "last_check": check}
        except Unavailable as refusal:
            found = {"last_check": Check(at=now, outcome="unreachable", detail=refusal.detail)}
        else:
            check = Check(at=now, outcome="ok", detail="The tenant answers, and the consent stands.")
            found = {
                "status": Status.CONNECTED,
                "tenant_name": organization.display_name,
                "last_check": check,
            }
        return connection.model_copy(update=found)

    async def _write(
        self, account_id: AccountId, actor: Actor, stored: Stored[Connection], checked: Connection
    ) -> None:
        event = ConnectionChecked(outcome=checked.last_check.outcome if checked.last_check else None)
        await self.journal.commit(account_id, actor, event, stored.rewrite(checked))
        if checked.status is not stored.record.status:
            self._note(_FOUND[checked.status], account_id)

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
            raise NotFound("There is no such account.")
        if not head.account.record.closing:
            expected.must_allow(head.account.version)
        await self._undo(head, operator.actor, closing=True)
        await self.accounts.erase(account_id)
        _log.info("account.closed account=%s by=%s", account_id, operator.actor.subject)

    async def _undo(self, head: Head, actor: Actor, *, closing: bool = False) -> None:
        """First the account lets go of the tenant, in one transaction, then its claims are released."""
        connection, domains = head.stored(Connection), head.stored(TenantDomains)
        now = self.clock.now()
        let_go = tuple(each.model_copy(update={"status": DomainStatus.NOT_ASKED}) for each in domains.record.domains)
        account = [head.account.rewrite(head.account.record.model_copy(update={"closing": True}))] if closing else []
        await self.journal.commit(
            head.account_id,
            actor,
            (AccountClosed if closing else ConnectionDisconnected)(tenant_id=connection.record.tenant_id),
            connection.rewrite(Connection()),
            domains.rewrite(domains.record.model_copy(update={"domains": let_go})),
            *account,
        )
        if connection.record.tenant is not None:
            self._note(ConnectStep.DISCONNECTED, head.account_id)
        # Not only those that are held: an undoing that was cut off has let go of them, but not released them.
        names = {each.name for each in domains.record.domains}
        release = self.routing.release if closing else self.routing.let_go
        await release(head.account_id, names, now)

    def _note(self, step: ConnectStep, account_id: AccountId) -> None:
        self.telemetry.note(Event(EventName.CONNECT, step, account_id=account_id))

"""A connection after it is made: its state, and whether a fresh token shows that the consent is still valid."""

import contextlib
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.access.roles import OURSELVES, AccountAdministrator, Actor
from shared.accounts.head import read_head
from shared.accounts.journal import Journal
from shared.connection.connection import (
    Check,
    Connection,
    ConnectionChecked,
    Status,
    connected_tenant,
)
from shared.connection.proof import prove_organization
from shared.kernel.caches import BoundedCache
from shared.kernel.names import AccountId
from shared.kernel.refusals import Conflict, NotFound, Stale, Unavailable
from shared.ports.clock import Clock
from shared.ports.entra import ConsentMissing
from shared.ports.organizations import Organizations
from shared.ports.record import Stored
from shared.ports.table import Table
from shared.ports.telemetry import ConnectStep, Event, EventName, Telemetry

_BETWEEN_PROBES = timedelta(minutes=5)
_PROBES_REMEMBERED = 1_000

_FOUND = {Status.CONNECTED: ConnectStep.RESTORED, Status.CONSENT_REVOKED: ConnectStep.REVOKED}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChecks:
    """Reads connections, and probes their tenants."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    organizations: Organizations
    """Reads the tenant."""
    clock: Clock
    """The time."""
    telemetry: Telemetry
    """Reports consents that were revoked or restored."""
    _probed: BoundedCache[AccountId, datetime] = field(
        init=False, repr=False, default_factory=lambda: BoundedCache(_PROBES_REMEMBERED)
    )

    async def read(self, administrator: AccountAdministrator) -> tuple[Connection, str]:
        """The connection as it is now, and its version for changes.

        Raises:
            NotFound: there is no such account.
        """
        stored = (await read_head(self.table, administrator.account_id)).stored(Connection)
        return stored.record.as_of(self.clock.now()), stored.version

    async def check(self, administrator: AccountAdministrator) -> tuple[Connection, str]:
        """Probe the tenant with a fresh token, and store the result.

        Raises:
            NotFound: there is no such account.
            Conflict: the account is not connected.
            Stale: another writer changed the connection meanwhile.
        """
        return await self._probe(administrator.account_id, administrator.actor)

    async def probe(self, account_id: AccountId) -> None:
        """Probe the tenant after a sign-in was refused as if the consent were revoked.

        Any browser can send such a refusal, so each instance probes for an account at most once in five minutes, and
        writes only if the status has changed. It never overwrites a change that another writer makes meanwhile.

        Raises:
            Unavailable: the store does not respond.
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
        """The connection as a probe with a fresh token finds it."""
        tenant_id = connected_tenant(connection)
        now = self.clock.now()
        try:
            organization = await self.organizations.read_organization(tenant_id)
            prove_organization(organization, tenant_id)
        except ConsentMissing as refusal:
            check = Check(at=now, outcome="consent_revoked", detail=refusal.detail)
            found = {"status": Status.CONSENT_REVOKED, "last_check": check}
        except Unavailable as refusal:
            found = {"last_check": Check(at=now, outcome="unreachable", detail=refusal.detail)}
        else:
            check = Check(at=now, outcome="ok", detail="The tenant responded, and the consent is valid.")
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
            step = _FOUND[checked.status]
            self.telemetry.note(Event(EventName.CONNECT, step, account_id=account_id))

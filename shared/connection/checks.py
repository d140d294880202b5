"""A connection after it is made: its state, and what a fresh token shows of the consent and of the tenant's domains."""

import contextlib
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from shared.access.roles import OURSELVES, AccountAdministrator, AccountReader, Actor
from shared.accounts.head import Head, read_head
from shared.accounts.journal import Journal
from shared.connection.completion import own_principal
from shared.connection.connection import (
    Check,
    Connection,
    ConnectionChecked,
    Status,
    connected_tenant,
)
from shared.connection.proof import prove_organization
from shared.connection.setup_links import connection_at, pending_or_not
from shared.domains.routing import DomainRouting
from shared.domains.stored_domains import stored_domains
from shared.domains.tenant_domains import MOST_NAMED, TenantDomains
from shared.duties.duties import Duties, Task
from shared.duties.kinds import Backoff, Kind, Outcome
from shared.kernel.caches import BoundedCache
from shared.kernel.names import AccountId, DomainName
from shared.kernel.refusals import Conflict, NotFound, Stale, Unavailable
from shared.ports.clock import Clock
from shared.ports.entra import ConsentMissing, GraphForbidden
from shared.ports.organizations import Organization, Organizations
from shared.ports.table import Table
from shared.ports.telemetry import ConnectStep, Event, EventName, Telemetry

_BEFORE_CONFIRMING = timedelta(minutes=5)
"""A single 403 of Graph proves nothing. A second one after this time does."""

_BETWEEN_PROBES = timedelta(minutes=5)
_PROBES_REMEMBERED = 1_000

_FOUND = {Status.CONNECTED: ConnectStep.RESTORED, Status.CONSENT_REVOKED: ConnectStep.REVOKED}

_log = logging.getLogger(__name__)


class ConsentProbe(Task):
    """Probe an account whose consent is in doubt, or revoked."""

    kind: ClassVar[str] = "consent-probe"

    account_id: AccountId

    @property
    def name(self) -> str:
        """One per account."""
        return self.account_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChecks:
    """Reads connections, and probes their tenants."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    organizations: Organizations
    """Reads the tenant."""
    routing: DomainRouting
    """Releases the domains that have left the tenant."""
    duties: Duties
    """Plans the next probe of an account."""
    clock: Clock
    """The time."""
    telemetry: Telemetry
    """Reports consents that were revoked or restored."""
    _probed: BoundedCache[AccountId, timedelta] = field(
        init=False, repr=False, default_factory=lambda: BoundedCache(_PROBES_REMEMBERED)
    )

    async def read(self, reader: AccountReader) -> tuple[Connection, str]:
        """The connection as it is now, and its version for changes.

        Raises:
            NotFound: there is no such account.
        """
        head = await read_head(self.table, reader.account_id)
        return connection_at(head, self.clock.now()), head.stored(Connection).version

    async def check(self, administrator: AccountAdministrator) -> tuple[Connection, str]:
        """Probe the tenant with a fresh token, and store the result. Domains that have left the tenant stop routing.

        Raises:
            NotFound: there is no such account.
            Conflict: the account is not connected.
            Stale: another writer changed the connection, or domains that have left, meanwhile.
        """
        return await self._probe(administrator.account_id, administrator.actor)

    async def probe(self, account_id: AccountId) -> None:
        """Probe the tenant after a sign-in was refused as if the consent were revoked.

        Any browser can send such a refusal, so each instance probes for an account at most once in five minutes, and
        writes only if something has changed. A 403 of Graph is only a doubt here, however often: a duty or
        an administrator confirms it. The probe never overwrites a change that another writer makes meanwhile.

        Raises:
            Unavailable: the store does not respond.
        """
        now, before = self.clock.monotonic(), self._probed.get(account_id)
        if before is not None and now - before < _BETWEEN_PROBES:
            return
        self._probed.put(account_id, now)
        with contextlib.suppress(NotFound, Conflict, Stale):
            head = await read_head(self.table, account_id)
            found = await self._found(head, confirms=False)
            if found.differs:
                await self._write(OURSELVES, head, found)

    def kind(self) -> Kind[ConsentProbe]:
        """The kind of duty that probes accounts whose consent is in doubt, or revoked."""
        return Kind(
            task=ConsentProbe,
            handle=self.probe_again,
            patience=timedelta(seconds=30),
            backoff=Backoff(first=timedelta(minutes=10), longest=timedelta(hours=6)),
            end=timedelta(days=90),
        )

    async def probe_again(self, task: ConsentProbe) -> Outcome:
        """Confirm a doubt, or detect a restored consent and lost domains; until it is valid, or not connected any more.

        Raises:
            Unavailable: the store does not respond.
        """
        try:
            head = await read_head(self.table, task.account_id)
            found = await self._found(head)
            if found.differs:
                await self._write(OURSELVES, head, found, again=False)
        except Stale:
            return Outcome.AGAIN
        except (NotFound, Conflict):
            return Outcome.DONE
        return Outcome.DONE if _is_well(found.connection) else Outcome.AGAIN

    async def _probe(self, account_id: AccountId, actor: Actor) -> tuple[Connection, str]:
        head = await read_head(self.table, account_id)
        found = await self._found(head)
        await self._write(actor, head, found)
        shown = pending_or_not(head, found.connection, self.clock.now())
        return shown, head.stored(Connection).then(found.connection).version

    async def _found(self, head: Head, *, confirms: bool = True) -> "_Found":
        """What a probe with a fresh token finds."""
        connection = head.stored(Connection).record
        tenant_id = connected_tenant(connection)
        now = self.clock.now()
        left = frozenset[DomainName]()
        try:
            organization = await self.organizations.read_organization(tenant_id)
            prove_organization(organization, tenant_id)
        except ConsentMissing as refusal:
            changes = _refused(connection, refusal, now, confirms=confirms)
        except Unavailable as refusal:
            changes = {"last_check": Check(at=now, outcome="unreachable", detail=refusal.detail)}
        else:
            check = Check(at=now, outcome="ok", detail="The tenant responded, and the consent is valid.")
            left = _left(stored_domains(head).record, organization)
            changes = {
                "status": Status.CONNECTED,
                "tenant_name": organization.display_name,
                "service_principal": own_principal(organization),
                "last_check": check,
                "doubted_at": None,
            }
        checked = connection.model_copy(update=changes)
        return _Found(checked, left, differs=bool(left) or _state(checked) != _state(connection))

    async def _write(self, actor: Actor, head: Head, found: "_Found", *, again: bool = True) -> None:
        """Store the result; with `again`, an account whose consent is not valid is probed until it is.

        Domains that have left the tenant are dropped from the list in the same transaction, and then released.
        """
        account_id, stored, checked = head.account_id, head.stored(Connection), found.connection
        if again and found.differs and not _is_well(checked):
            await self.duties.plan(_BEFORE_CONFIRMING, ConsentProbe(account_id=account_id))
        now, domains = self.clock.now(), stored_domains(head)
        event = ConnectionChecked(
            outcome=checked.last_check.outcome if checked.last_check else None,
            domains_left=tuple(sorted(found.left)[:MOST_NAMED]),
            domains_left_count=len(found.left),
        )
        dropped = domains.rewrite(domains.record.without(found.left)) if found.left else ()
        await self.journal.commit(account_id, actor, event, stored.rewrite(checked), *dropped)
        await self.routing.let_go(account_id, found.left, now)
        if checked.status is not stored.record.status:
            step = _FOUND[checked.status]
            self.telemetry.note(Event(EventName.CONNECT, step, account_id=account_id))


@dataclass(frozen=True, slots=True)
class _Found:
    """What a probe has found: the connection, the domains that have left the tenant, and whether either is news."""

    connection: Connection
    left: frozenset[DomainName]
    differs: bool


def _left(listed: TenantDomains, organization: Organization) -> frozenset[DomainName]:
    """The domains of the list that the tenant, just read, has no more."""
    return frozenset(each.name for each in listed.domains) - frozenset(organization.verified_domains)


def _refused(connection: Connection, refusal: ConsentMissing, now: datetime, *, confirms: bool) -> dict[str, Any]:
    """The changes to a connection whose tenant refuses us.

    If Entra issues no token, the consent is revoked. If Graph refuses one, this is a doubt, until a later second time.
    """
    since = connection.doubted_at or now
    confirmed = confirms and now - since >= _BEFORE_CONFIRMING
    if isinstance(refusal, GraphForbidden) and not confirmed and connection.status is Status.CONNECTED:
        return {"doubted_at": since, "last_check": Check(at=now, outcome="unconfirmed", detail=refusal.detail)}
    check = Check(at=now, outcome="consent_revoked", detail=refusal.detail)
    return {"status": Status.CONSENT_REVOKED, "last_check": check, "doubted_at": None}


def _is_well(connection: Connection) -> bool:
    return connection.status is Status.CONNECTED and connection.doubted_at is None


def _state(connection: Connection) -> tuple[Status, datetime | None]:
    return connection.status, connection.doubted_at

"""The end of a try to connect: the tenant is read, and the connection is written, once; or a refusal is recorded."""

from dataclasses import dataclass
from datetime import datetime

from shared.accounts.head import Head, find_head, read_head
from shared.accounts.journal import Journal
from shared.connection.connection import (
    Check,
    Connection,
    ConnectionConnected,
    ConnectionRefused,
    Consenter,
    Status,
)
from shared.connection.consent_steps import Connected, ConnectState, Ticket
from shared.connection.proof import prove_company, prove_organization
from shared.domains.routing import DomainRouting
from shared.domains.stored_domains import stored_domains
from shared.domains.tenant_domains import held
from shared.kernel.names import TenantId
from shared.kernel.refusals import Conflict, Refusal, Stale
from shared.ports.clock import Clock
from shared.ports.organizations import Organization, Organizations
from shared.ports.table import Table
from shared.ports.telemetry import ConnectStep, Event, EventName, Telemetry
from shared.trail.events import Person


class Finished(Conflict):
    """The integration was completed by another try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Writes connections."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    routing: DomainRouting
    """Claims the domains."""
    organizations: Organizations
    """Verifies that the consent is valid, and whose it is."""
    clock: Clock
    """The time."""
    telemetry: Telemetry
    """Reports a connection to operators."""

    async def counting(self, flow: Ticket | ConnectState) -> Head:
        """The head of the account, if this flow's attempt is the one that counts.

        Raises:
            NotFound: there is no such account.
            Conflict: the attempt is finished, expired, cancelled, or not the newest.
        """
        head = await read_head(self.table, flow.account_id)
        must_count(head.stored(Connection).record, flow.attempt_id, self.clock.now())
        return head

    async def found(self, state: ConnectState) -> tuple[Connection, Connected | None]:
        """The connection as it is, and what its maker sees, if this try made it.

        Raises:
            NotFound: there is no such account.
        """
        head = await read_head(self.table, state.account_id)
        return head.stored(Connection).record, _made(state, head)

    async def connect(self, state: ConnectState, tenant_id: TenantId, consenter: Consenter) -> Connected:
        """Read the tenant, and connect the account to it, unless that has been done.

        Raises:
            NotFound: there is no such account.
            Conflict: the attempt does not count, or the account is connected to another tenant.
            ConsentMissing: the tenant has not consented, as far as Microsoft knows.
            ProofFailed: it is another tenant, or none of this account's.
        """
        head = await read_head(self.table, state.account_id)
        if made := _made(state, head, tenant_id):
            return made
        connection = head.stored(Connection).record
        must_count(connection, state.attempt_id, self.clock.now())
        organization = await self.organizations.read_organization(tenant_id)
        prove_organization(organization, tenant_id)
        prove_company(organization, head.account.record.domains)
        _must_be_free(connection, tenant_id)
        try:
            return await self._write(state, head, organization, consenter)
        except Stale:
            await self._give_back(state, organization)
            return await self.connect(state, tenant_id, consenter)

    async def _write(
        self, state: ConnectState, head: Head, organization: Organization, consenter: Consenter
    ) -> Connected:
        """Claim the domains, then write connection, domains and audit record in one transaction.

        Raises:
            Stale: another writer was first.
        """
        account = head.account.record
        connection, domains = head.stored(Connection), stored_domains(head)
        now = self.clock.now()
        connected = Connection(
            status=Status.CONNECTED,
            tenant_id=organization.tenant_id,
            tenant_name=organization.display_name,
            connected_by=state.actor,
            connected_at=now,
            made_by=state.made,
            last_check=Check(at=now, outcome="ok", detail="The tenant was read when it was connected."),
            keep_people=connection.record.keep_people and connection.record.tenant == organization.tenant_id,
        )
        async with self.routing.claiming(account, organization, domains.record, now) as claimed:
            found = claimed.summary(account.domains)
            event = ConnectionConnected(
                tenant_id=organization.tenant_id,
                tenant_name=organization.display_name,
                consented_by=Person(tid=organization.tenant_id, oid=consenter.oid, name=consenter.name),
                domains=found.domains,
                domain_counts=found.counts,
            )
            changes = connection.rewrite(connected), *domains.rewrite(claimed)
            await self.journal.commit(state.account_id, state.actor, event, *changes)
        self.telemetry.note(Event(EventName.CONNECT, ConnectStep.CONNECTED, account_id=state.account_id))
        await self.routing.let_go(state.account_id, held(domains.record) - held(claimed), now)
        return Connected(account.name, organization.display_name, state.link, state.return_url)

    async def _give_back(self, state: ConnectState, organization: Organization) -> None:
        """Release what was claimed for this tenant, if the account was connected to another one meanwhile."""
        head = await find_head(self.table, state.account_id)
        if head is not None and head.stored(Connection).record.tenant not in {None, organization.tenant_id}:
            names = {*organization.verified_domains} - held(stored_domains(head).record)
            await self.routing.let_go(state.account_id, names, self.clock.now())

    async def write_down(self, state: ConnectState, refusal: Refusal) -> None:
        """Record in the audit trail why a try was refused, while its attempt counts.

        Afterwards it is nobody's concern, and would name who started it, who may have been erased.
        """
        head = await find_head(self.table, state.account_id)
        if head is not None and head.stored(Connection).record.is_at(state.attempt_id, self.clock.now()):
            event = ConnectionRefused(reason=refusal.slug, explanation=refusal.detail)
            await self.journal.commit(state.account_id, state.actor, event)


def _made(state: ConnectState, head: Head, tenant_id: TenantId | None = None) -> Connected | None:
    """The connection, if this try made it; or another try of the same attempt, with the tenant that this one proved."""
    connection = head.stored(Connection).record
    alike = connection.made_by is not None and connection.made_by.attempt_id == state.attempt_id
    if connection.tenant is None or not (state.has_made(connection) or (alike and connection.tenant == tenant_id)):
        return None
    return Connected(head.account.record.name, connection.tenant_name or "", state.link, state.return_url)


def must_count(connection: Connection, attempt_id: str, now: datetime) -> None:
    """Refuse an attempt that is finished, expired, cancelled by disconnecting, or not the newest.

    Raises:
        Finished: it has connected the account.
        Conflict: it is cancelled or expired, or not the newest.
    """
    if connection.made_by is not None and connection.made_by.attempt_id == attempt_id:
        raise Finished("This integration is finished: the account was connected meanwhile.")
    if not connection.is_at(attempt_id, now):
        raise Conflict(
            "This integration was cancelled, started again, or has expired. Start again from the control panel."
        )


def _must_be_free(connection: Connection, tenant_id: TenantId) -> None:
    """Refuse another tenant: a connected account must disconnect first, so that nobody changes it by accident."""
    if connection.tenant not in {None, tenant_id}:
        raise Conflict(
            f"This account is connected to {connection.tenant_name}. Disconnect it first to connect another tenant."
        )

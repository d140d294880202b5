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
    OwnPrincipal,
    Status,
)
from shared.connection.consent_steps import Connected, ConnectState, Ticket
from shared.connection.proof import NoAdministrator, prove_company, prove_organization
from shared.connection.setup_links import LinkRefusal, SetupLinks, SignedIn
from shared.domains.routing import DomainRouting
from shared.domains.stored_domains import stored_domains
from shared.domains.tenant_domains import held
from shared.kernel.names import TenantId
from shared.kernel.refusals import Conflict, Refusal, Stale
from shared.ports.clock import Clock
from shared.ports.organizations import Organization, Organizations
from shared.ports.record import Stored
from shared.ports.table import Operation, Table
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
        must_count(head, flow.attempt_id, self.clock.now())
        return head

    async def found(self, state: ConnectState) -> tuple[Head, Connected | None]:
        """The account's head as it is, and what the connection's maker sees, if this try made it.

        Raises:
            NotFound: there is no such account.
        """
        head = await read_head(self.table, state.account_id)
        return head, _made(state, head)

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
        must_count(head, state.attempt_id, self.clock.now())
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
        """Claim the domains, then write connection, domains, setup links and audit record in one transaction.

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
            service_principal=own_principal(organization),
            connected_by=state.actor,
            connected_at=now,
            made_by=state.made,
            last_check=Check(at=now, outcome="ok", detail="The tenant was read when it was connected."),
            keep_people=connection.record.keep_people and connection.record.tenant == organization.tenant_id,
        )
        async with self.routing.claiming(account, organization, domains.record, now) as claimed:
            found, links = claimed.summary(account.domains), head.stored(SetupLinks)
            person = Person(tid=organization.tenant_id, oid=consenter.oid, name=consenter.name)
            event = ConnectionConnected(
                tenant_id=organization.tenant_id,
                tenant_name=organization.display_name,
                consented_by=person,
                domains=found.domains,
                domain_counts=found.counts,
                **_link_in(links.record, state),
            )
            ended = links.record.connected(state.attempt_id, _signed_in(person), now)
            changes = connection.rewrite(connected), *domains.rewrite(claimed), *_rewritten(links, ended)
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
        """Record why a try was refused, while its attempt counts: in the audit trail, and on its setup link.

        Afterwards it is nobody's concern, and would name who started it, who may have been erased.
        """
        head, now = await find_head(self.table, state.account_id), self.clock.now()
        if head is None or not counts(head, state.attempt_id, now):
            return
        links = head.stored(SetupLinks)
        event = ConnectionRefused(reason=refusal.slug, explanation=refusal.detail, **_link_in(links.record, state))
        refused = links.record.changed(
            state.attempt_id,
            lambda link: link.refused(
                LinkRefusal(at=now, reason=refusal.slug, detail=refusal.detail), _who(state, refusal)
            ),
        )
        try:
            await self.journal.commit(state.account_id, state.actor, event, *_rewritten(links, refused))
        except Stale:
            await self.write_down(state, refusal)


def _link_in(links: SetupLinks, state: ConnectState) -> dict[str, str]:
    """The field of an event that names the setup link of a try, if it is of one."""
    return {"setup_link": state.attempt_id} if links.find(state.attempt_id) else {}


def _rewritten(stored: Stored[SetupLinks], links: SetupLinks) -> tuple[Operation, ...]:
    return () if links == stored.record else (stored.rewrite(links),)


def _who(state: ConnectState, refusal: Refusal) -> SignedIn | None:
    """The person who had signed in when their try was refused; None if it came to no sign-in."""
    if state.proof is None:
        return None
    if state.proven is not None:
        oid, name = state.proven.oid, state.proven.name
    elif isinstance(refusal, NoAdministrator):
        oid, name = refusal.oid, refusal.name
    else:
        return None
    return _signed_in(Person(tid=state.proof.tenant_id, oid=oid, name=name))


def _signed_in(person: Person) -> SignedIn:
    return SignedIn(known_as=person.known_as, name=person.name)


def _made(state: ConnectState, head: Head, tenant_id: TenantId | None = None) -> Connected | None:
    """The connection, if this try made it; or another try of the same attempt, with the tenant that this one proved."""
    connection = head.stored(Connection).record
    alike = connection.made_by is not None and connection.made_by.attempt_id == state.attempt_id
    if connection.tenant is None or not (state.has_made(connection) or (alike and connection.tenant == tenant_id)):
        return None
    return Connected(head.account.record.name, connection.tenant_name or "", state.link, state.return_url)


def counts(head: Head, attempt_id: str, now: datetime) -> bool:
    """Whether this attempt may connect the account: the newest start, or a setup link that is not over."""
    link = head.stored(SetupLinks).record.find(attempt_id)
    return link.counts(now) if link else head.stored(Connection).record.is_at(attempt_id, now)


def must_count(head: Head, attempt_id: str, now: datetime) -> None:
    """Refuse an attempt that is finished, expired, cancelled by disconnecting, revoked, or not the newest.

    Raises:
        Finished: it has connected the account, or another setup link has.
        Conflict: it is cancelled, revoked or expired, or not the newest.
    """
    connection, link = head.stored(Connection).record, head.stored(SetupLinks).record.find(attempt_id)
    made = connection.made_by is not None and connection.made_by.attempt_id == attempt_id
    if made or (link is not None and (link.connected_at or link.ended_at)):
        raise Finished("This integration is finished: the account was connected meanwhile.")
    if link is not None and link.revoked_at is not None:
        raise Conflict("This link was revoked. Ask the account's Security Manager for a new one if you still need it.")
    if not counts(head, attempt_id, now):
        raise Conflict(
            "This integration was cancelled, started again, or has expired. Start again from the control panel."
        )


def _must_be_free(connection: Connection, tenant_id: TenantId) -> None:
    """Refuse another tenant: a connected account must disconnect first, so that nobody changes it by accident."""
    if connection.tenant not in {None, tenant_id}:
        raise Conflict(
            f"This account is connected to {connection.tenant_name}. Disconnect it first to connect another tenant."
        )


def own_principal(organization: Organization) -> OwnPrincipal | None:
    """This service in the tenant, for links: it proves nothing."""
    found = organization.service_principal
    return OwnPrincipal(object_id=found.object_id, app_id=found.app_id) if found else None

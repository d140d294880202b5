"""Start Azure Integration: from the button in the control panel to a proven connection.

    start      the Security Manager gets a ticket, a link that opens once
    open       their browser opens it, is bound to the flow by a cookie, and goes to Microsoft's consent page
    consented  Microsoft answers; the answer proves nothing yet, so the browser goes to sign in at that very tenant
    proven     the sign-in, an app-only token and Graph prove it; domains are claimed, the connection is written

Microsoft returns to one address for both answers; which one it is, our own state tells. A crash at any point leaves
the account as it was: the last write is one transaction, and claims without a connection route nothing.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import JsonValue

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.claims import Claims
from shared.accounts.head import find_head, read_head
from shared.accounts.journal import Journal
from shared.connection.connection import Check, Connection, Status
from shared.connection.proof import Answer, claimed_tenant, prove_administrator, prove_organization
from shared.connection.return_urls import ReturnUrls
from shared.connection.tenant_domains import TenantDomains, claim_domains, held, release_domains
from shared.flows.flows import Flow, Flows, digest
from shared.kernel.names import AccountId, TenantId
from shared.kernel.refusals import Conflict, ConsentRefused, FlowSpent, Refusal, Stale
from shared.ports.clock import Clock
from shared.ports.identity_provider import IdentityProvider, Organization
from shared.ports.record import Record
from shared.ports.table import Table

_TEN_MINUTES = timedelta(minutes=10)


class Ticket(Flow):
    """The right to open one integration in a browser."""

    kind: ClassVar[str] = "connect-ticket"
    lifetime: ClassVar[timedelta] = _TEN_MINUTES

    account_id: AccountId
    actor: Actor
    return_url: str | None = None


class ProofLeg(Record):
    """The sign-in that proves a consent: at which tenant it must be, and what redeems and checks its answer."""

    tenant_id: TenantId
    code_verifier: str
    nonce: str


class ConnectState(Flow):
    """What our `state` stands for: on the way to consent without a proof leg, on the way to sign-in with one."""

    kind: ClassVar[str] = "connect-state"
    lifetime: ClassVar[timedelta] = _TEN_MINUTES

    account_id: AccountId
    actor: Actor
    return_url: str | None = None
    proof: ProofLeg | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A started integration: the handle of its ticket, and until when it can be opened."""

    ticket: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Departure:
    """The browser goes to Microsoft; `browser` is the secret of the cookie that binds it, where one must be set."""

    url: str
    browser: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """The account is connected, and the browser goes back to where the integration was started."""

    account_name: str
    tenant_name: str
    return_url: str | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The integration came to nothing: why, and where the browser may go back to."""

    refusal: Refusal
    return_url: str | None


class Onboarding:
    """Walks one browser through the integration; see the module.

    Args:
        table: the accounts' table.
        journal: the audit trail.
        flows: tickets and states.
        claims: who holds which domain.
        provider: Entra.
        clock: the time.
        return_urls: where browsers may be sent back to.
        redirect_uri: where Microsoft returns to, as the app registration has it.
    """

    def __init__(
        self,
        table: Table,
        journal: Journal,
        flows: Flows,
        claims: Claims,
        provider: IdentityProvider,
        clock: Clock,
        return_urls: ReturnUrls,
        redirect_uri: str,
    ) -> None:
        self._table = table
        self._journal = journal
        self._flows = flows
        self._claims = claims
        self._provider = provider
        self._clock = clock
        self._return_urls = return_urls
        self._redirect_uri = redirect_uri

    async def start(self, administrator: AccountAdministrator, return_url: str | None) -> Start:
        """Start an integration. A connected account may start again, to renew its consent.

        Raises:
            NotFound: there is no such account.
            Invalid: the return address is not allowed.
        """
        account_id, actor = administrator.account_id, administrator.actor
        checked = None if return_url is None else self._return_urls.check(return_url)
        expires_at = self._flows.expiry(Ticket)
        await self._await_answer(administrator, expires_at)
        ticket = Ticket(expires_at=expires_at, account_id=account_id, actor=actor, return_url=checked)
        return Start(await self._flows.issue(ticket), expires_at)

    async def open(self, handle: str) -> Departure:
        """Open a ticket, once, and send the browser to Microsoft's consent page.

        Raises:
            FlowSpent: the ticket is unknown, used or expired.
        """
        ticket = await self._flows.redeem(handle, Ticket)
        browser = secrets.token_urlsafe(32)
        state = await self._flows.issue(
            ConnectState(
                expires_at=self._flows.expiry(ConnectState),
                browser_digest=digest(browser),
                account_id=ticket.account_id,
                actor=ticket.actor,
                return_url=ticket.return_url,
            )
        )
        return Departure(self._provider.admin_consent_url(self._redirect_uri, state), browser)

    async def come_back(self, answer: Answer, browser: str | None) -> Departure | Arrival | Unfinished:
        """Take what the browser brings from Microsoft, for consent and for sign-in alike.

        Args:
            answer: the query of the request; nothing of it is proven.
            browser: the secret in the browser's cookie.

        Raises:
            FlowSpent: the state is unknown, used, expired or another browser's. Nothing is known of the account then.
        """
        if answer.state is None:
            raise FlowSpent("Microsoft's answer carries no state. Start again from the control panel.")
        state = await self._flows.redeem(answer.state, ConnectState, browser)
        try:
            if answer.error is not None:
                raise ConsentRefused(self._provider.explain(answer.error, answer.error_description))
            if state.proof is None:
                return await self._consented(state, answer)
            return await self._proven(state, state.proof, answer)
        except Refusal as refusal:
            await self._write_down(state, refusal)
            return Unfinished(refusal, state.return_url)

    async def _consented(self, state: ConnectState, answer: Answer) -> Departure:
        tenant_id = claimed_tenant(answer)
        handle = self._flows.new_handle()
        request = await self._provider.begin_sign_in(tenant_id, self._redirect_uri, handle, prompt="select_account")
        leg = ProofLeg(tenant_id=tenant_id, code_verifier=request.code_verifier, nonce=request.nonce)
        proof = state.model_copy(update={"expires_at": self._flows.expiry(ConnectState), "proof": leg})
        await self._flows.issue(proof, handle)
        return Departure(request.url)

    async def _proven(self, state: ConnectState, leg: ProofLeg, answer: Answer) -> Arrival:
        if answer.code is None:
            raise ConsentRefused("Microsoft did not report a sign-in. Start again from the control panel.")
        identity = await self._provider.finish_sign_in(
            leg.tenant_id, self._redirect_uri, answer.code, leg.code_verifier, leg.nonce
        )
        prove_administrator(identity, leg.tenant_id)
        organization = await self._provider.read_organization(leg.tenant_id)
        prove_organization(organization, leg.tenant_id)
        return await self._connect(state, organization)

    async def _connect(self, state: ConnectState, organization: Organization) -> Arrival:
        """Claim the domains, then write connection, domains and audit record in one transaction."""
        head = await read_head(self._table, state.account_id)
        account = head.account.record
        connection, domains = head.stored(Connection), head.stored(TenantDomains)
        _must_be_free(connection.record, organization.tenant_id)
        now = self._clock.now()
        listed = await claim_domains(self._claims, self._table, account, organization, domains.record)
        connected = Connection(
            status=Status.CONNECTED,
            tenant_id=organization.tenant_id,
            tenant_name=organization.display_name,
            connected_by=state.actor,
            connected_at=now,
            last_check=Check(at=now, outcome="ok", detail="The tenant was read when it was connected."),
        )
        read = TenantDomains(domains=listed, read_at=now)
        await self._journal.commit(
            state.account_id,
            state.actor,
            "connection.connected",
            {
                "tenantId": organization.tenant_id,
                "tenantName": organization.display_name,
                "domains": {domain.name: domain.state(account).value for domain in listed},
            },
            connection.rewrite(connected),
            domains.rewrite(read),
        )
        await release_domains(self._claims, state.account_id, held(domains.record) - held(read))
        return Arrival(account.name, organization.display_name, state.return_url)

    async def _write_down(self, state: ConnectState, refusal: Refusal) -> None:
        """Let the audit trail say why nothing came of it, unless the account is gone meanwhile."""
        if await find_head(self._table, state.account_id) is not None:
            details: dict[str, JsonValue] = {"reason": refusal.slug, "explanation": refusal.detail}
            await self._journal.commit(state.account_id, state.actor, "connection.refused", details)

    async def _await_answer(self, administrator: AccountAdministrator, until: datetime) -> None:
        """Write down that an integration is under way. Two who start at once both do."""
        account_id, actor = administrator.account_id, administrator.actor
        stored = (await read_head(self._table, account_id)).stored(Connection)
        standing = stored.record.as_of(self._clock.now())
        status = Status.PENDING if standing.status is Status.DISCONNECTED else standing.status
        pending = standing.model_copy(update={"status": status, "pending_until": until})
        try:
            await self._journal.commit(account_id, actor, "connection.started", {}, stored.rewrite(pending))
        except Stale:
            await self._await_answer(administrator, until)


def _must_be_free(connection: Connection, tenant_id: TenantId) -> None:
    """A connected account changes its tenant only by disconnecting first, so that nobody does it by accident."""
    connected = connection.status in {Status.CONNECTED, Status.CONSENT_REVOKED}
    if connected and connection.tenant_id != tenant_id:
        raise Conflict(
            f"This account is connected to {connection.tenant_name}. Disconnect it first to connect another tenant."
        )

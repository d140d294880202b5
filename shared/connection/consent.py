"""Start Azure Integration: from the button in the control panel to a proven connection.

    start      the Security Manager gets a ticket, a link that opens once
    look       an administrator of the tenant, who may be somebody else, sees which account it is for
    open       their browser is bound to the flow, and goes to Microsoft's consent page
    callback   Microsoft's response to the consent proves nothing, so the browser, bound again, signs in at that tenant
    callback   the sign-in, an app-only token and Graph prove it; domains are claimed, the connection is written

Microsoft returns to one address for both responses; our own state tells them apart. A crash at any point leaves the
account as it was: the last write is one transaction, and domain claims without a connection route nothing.
"""

import contextlib
import secrets
from dataclasses import dataclass

from shared.access.roles import AccountAdministrator
from shared.accounts.head import Head, find_head, read_head
from shared.accounts.journal import Journal
from shared.connection.connection import (
    Attempt,
    Check,
    Connection,
    ConnectionConnected,
    ConnectionRefused,
    ConnectionStarted,
    Status,
)
from shared.connection.consent_steps import (
    Connected,
    ConnectState,
    Invitation,
    NotConnected,
    ProofLeg,
    Start,
    Ticket,
    ToMicrosoft,
)
from shared.connection.proof import claimed_tenant, prove_administrator, prove_organization
from shared.connection.return_urls import ReturnUrls
from shared.domains.routing import DomainRouting
from shared.domains.tenant_domains import TenantDomains, held
from shared.flows.flows import Flows, digest
from shared.kernel.names import AccountId, TenantId
from shared.kernel.refusals import Conflict, ConsentRefused, FlowSpent, Refusal, Stale
from shared.ports.clock import Clock
from shared.ports.consent import Consent
from shared.ports.entra import Answer
from shared.ports.organizations import Organization, Organizations
from shared.ports.sign_in import EntraSignIn, VerifiedIdentity
from shared.ports.table import Table
from shared.ports.telemetry import ConnectStep, Event, EventName, Telemetry
from shared.trail.persons import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFlow:
    """Guides one browser through consent and proof; see the module."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    flows: Flows
    """Tickets and states."""
    routing: DomainRouting
    """Claims the domains."""
    consent: Consent
    """Knows the page where an administrator consents."""
    sign_in: EntraSignIn
    """Verifies who has consented."""
    organizations: Organizations
    """Verifies that the consent is valid, and whose it is."""
    clock: Clock
    """The time."""
    telemetry: Telemetry
    """Reports each step to operators."""
    return_urls: ReturnUrls
    """The addresses to which browsers may return."""
    redirect_uri: str
    """The address to which Microsoft returns, as in the app registration."""

    async def start(self, administrator: AccountAdministrator, return_url: str | None) -> Start:
        """Start an integration. A connected account may start again, to renew its consent.

        Raises:
            NotFound: there is no such account.
            Invalid: the return address is not allowed.
        """
        account_id, actor = administrator.account_id, administrator.actor
        checked = None if return_url is None else self.return_urls.check(return_url)
        now = self.clock.now()
        attempt = Attempt(attempt_id=secrets.token_urlsafe(16), until=now + Ticket.lifetime + 2 * ConnectState.lifetime)
        await self._await_answer(administrator, attempt)
        ticket = Ticket(
            expires_at=self.flows.expiry(Ticket),
            account_id=account_id,
            attempt_id=attempt.attempt_id,
            actor=actor,
            return_url=checked,
        )
        handle = await self.flows.issue(ticket)
        self._note(ConnectStep.STARTED, account_id)
        return Start(handle, ticket.expires_at)

    async def look(self, handle: str) -> Invitation:
        """The account that a ticket connects. The administrator may not be the person who started, so they must see it.

        Raises:
            FlowSpent: the ticket is unknown, used or expired.
            Conflict: the integration was cancelled, or started again.
        """
        ticket = await self.flows.look(handle, Ticket)
        head = await self._counting(ticket)
        return Invitation(head.account.record.name, ticket.actor.name or ticket.actor.subject)

    async def open(self, handle: str) -> ToMicrosoft:
        """Open a ticket, once, and send the browser to Microsoft's consent page.

        Raises:
            FlowSpent: the ticket is unknown, used or expired.
            Conflict: the integration was cancelled, or started again.
        """
        ticket = await self.flows.redeem(handle, Ticket)
        await self._counting(ticket)
        state = self.flows.new_handle(ConnectState)
        binding = self.flows.bind(state, ConnectState)
        await self.flows.issue(
            ConnectState(
                expires_at=self.flows.expiry(ConnectState),
                browser_digest=digest(binding.secret),
                account_id=ticket.account_id,
                attempt_id=ticket.attempt_id,
                actor=ticket.actor,
                return_url=ticket.return_url,
            ),
            state,
        )
        self._note(ConnectStep.OPENED, ticket.account_id)
        return ToMicrosoft(self.consent.admin_consent_url(self.redirect_uri, state), binding)

    async def callback(self, answer: Answer, browser: str | None) -> ToMicrosoft | Connected | NotConnected:
        """Handle Microsoft's response, both to the consent and to the sign-in.

        Args:
            answer: the query of the request; nothing in it is verified.
            browser: the secret that the browser sent for this state.

        Raises:
            FlowSpent: the state is unknown, used, expired or another browser's. Nothing is known of the account then.
        """
        if answer.state is None:
            raise FlowSpent("Microsoft's answer carries no state. Start again from the control panel.")
        state = await self.flows.redeem(answer.state, ConnectState, browser)
        try:
            if answer.error is not None:
                raise ConsentRefused(self.consent.explain_consent(answer.error, answer.error_description))
            if state.proof is None:
                return await self._consented(state, answer)
            return await self._proven(state, state.proof, answer)
        except Refusal as refusal:
            self._note(ConnectStep.REFUSED, state.account_id, refusal.reason)
            with contextlib.suppress(Refusal):  # the person must see why the integration failed, whatever else fails
                await self._write_down(state, refusal)
            return NotConnected(refusal, state.return_url)

    async def _counting(self, flow: Ticket | ConnectState) -> Head:
        """The head of the account, if this flow's attempt is the one that counts."""
        head = await read_head(self.table, flow.account_id)
        _must_count(head.stored(Connection).record, flow.attempt_id)
        return head

    async def _consented(self, state: ConnectState, answer: Answer) -> ToMicrosoft:
        tenant_id = claimed_tenant(answer)
        await self._counting(state)
        handle = self.flows.new_handle(ConnectState)
        request = await self.sign_in.begin_sign_in(tenant_id, self.redirect_uri, handle, prompt="select_account")
        leg = ProofLeg(tenant_id=tenant_id, code_verifier=request.code_verifier, nonce=request.nonce)
        binding = self.flows.bind(handle, ConnectState)
        renewed = {"expires_at": self.flows.expiry(ConnectState), "browser_digest": digest(binding.secret)}
        await self.flows.issue(state.model_copy(update={**renewed, "proof": leg}), handle)
        self._note(ConnectStep.CONSENTED, state.account_id)
        return ToMicrosoft(request.url, binding)

    async def _proven(self, state: ConnectState, leg: ProofLeg, answer: Answer) -> Connected:
        if answer.code is None:
            raise ConsentRefused("Microsoft did not report a sign-in. Start again from the control panel.")
        identity = await self.sign_in.finish_sign_in(
            leg.tenant_id, self.redirect_uri, answer.code, leg.code_verifier, leg.nonce
        )
        prove_administrator(identity, leg.tenant_id)
        organization = await self.organizations.read_organization(leg.tenant_id)
        prove_organization(organization, leg.tenant_id)
        return await self._connect(state, organization, identity)

    async def _connect(self, state: ConnectState, organization: Organization, identity: VerifiedIdentity) -> Connected:
        """Claim the domains, then write connection, domains and audit record in one transaction."""
        head = await read_head(self.table, state.account_id)
        account = head.account.record
        connection, domains = head.stored(Connection), head.stored(TenantDomains)
        _must_count(connection.record, state.attempt_id)
        _must_be_free(connection.record, organization.tenant_id)
        now = self.clock.now()
        listed = await self.routing.claim(account, organization, domains.record)
        connected = Connection(
            status=Status.CONNECTED,
            tenant_id=organization.tenant_id,
            tenant_name=organization.display_name,
            connected_by=state.actor,
            connected_at=now,
            last_check=Check(at=now, outcome="ok", detail="The tenant was read when it was connected."),
            keep_people=connection.record.keep_people and connection.record.tenant == organization.tenant_id,
        )
        read = TenantDomains(domains=listed, read_at=now)
        await self.journal.commit(
            state.account_id,
            state.actor,
            ConnectionConnected(
                tenant_id=organization.tenant_id,
                tenant_name=organization.display_name,
                consented_by=Person(tid=organization.tenant_id, oid=identity.oid, name=identity.name),
                domains=read.states(account),
            ),
            connection.rewrite(connected),
            domains.rewrite(read),
        )
        self._note(ConnectStep.CONNECTED, state.account_id)
        await self.routing.let_go(state.account_id, held(domains.record) - held(read), now)
        return Connected(account.name, organization.display_name, state.return_url)

    async def _write_down(self, state: ConnectState, refusal: Refusal) -> None:
        """Record in the audit trail why the attempt failed, and end it, unless the account is gone."""
        head = await find_head(self.table, state.account_id)
        if head is None:
            return
        connection = head.stored(Connection)
        event = ConnectionRefused(reason=refusal.slug, explanation=refusal.detail)
        over = connection.record.model_copy(update={"attempt": None})
        changes = [connection.rewrite(over)] if connection.record.is_at(state.attempt_id) else []
        await self.journal.commit(state.account_id, state.actor, event, *changes)

    async def _await_answer(self, administrator: AccountAdministrator, attempt: Attempt) -> None:
        """Store that an integration is under way. Of two concurrent starts the later one counts."""
        account_id, actor = administrator.account_id, administrator.actor
        stored = (await read_head(self.table, account_id)).stored(Connection)
        pending = stored.record.model_copy(update={"attempt": attempt})
        try:
            await self.journal.commit(account_id, actor, ConnectionStarted(), stored.rewrite(pending))
        except Stale:
            await self._await_answer(administrator, attempt)

    def _note(self, step: ConnectStep, account_id: AccountId, reason: str | None = None) -> None:
        self.telemetry.note(Event(EventName.CONNECT, step, reason, account_id))


def _must_count(connection: Connection, attempt_id: str) -> None:
    """Refuse an attempt that is not the newest, or was cancelled by disconnecting."""
    if not connection.is_at(attempt_id):
        raise Conflict("This integration was finished, cancelled or started again. Start again from the control panel.")


def _must_be_free(connection: Connection, tenant_id: TenantId) -> None:
    """Refuse another tenant: a connected account must disconnect first, so that nobody changes it by accident."""
    if connection.tenant not in {None, tenant_id}:
        raise Conflict(
            f"This account is connected to {connection.tenant_name}. Disconnect it first to connect another tenant."
        )

"""Start Azure Integration: from the button in the control panel to a proven connection.

    start      the Security Manager gets a ticket, a link that opens until the account is connected; one that opens for
               days is a setup link (`setup_links`)
    look       an administrator of the tenant, who may be somebody else, sees which account it is for
    open       each press of the button is a try: the browser is bound to its state, and goes to Microsoft to consent
    callback   Microsoft's response to the consent proves nothing, so the browser, bound again, signs in at that tenant
    callback   the sign-in, an app-only token and Graph prove it; domains are claimed, the connection is written
    resume     where Microsoft was late, the link goes on: Graph is asked again, or the person signs in again

Microsoft returns to one address for both responses; our own state tells them apart. Either can come twice: the states
stay until they expire, and only the connection is single. `tries` has the steps of a try, and `completion` writes the
connection in one transaction. A crash at any point leaves the account as it was, and domain claims without a connection
route nothing. Only a clear no ends a try, and a try that ends leaves the others, and the link, as they are.
"""

import contextlib
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta

from shared.access.roles import AccountAdministrator
from shared.accounts.head import read_head
from shared.accounts.journal import Journal
from shared.connection.asked_tenant import find_tenant
from shared.connection.completion import Completion, counts
from shared.connection.connection import Connection, ConnectionStarted
from shared.connection.consent_steps import (
    ConnectState,
    Fetch,
    Invitation,
    NotConnected,
    Outcome,
    Start,
    Ticket,
    ToMicrosoft,
    Waiting,
)
from shared.connection.progress import Progress
from shared.connection.return_urls import ReturnUrls
from shared.connection.setup_links import SetupLink, SetupLinks
from shared.connection.tries import Tries
from shared.flows.flows import FlowEnded, Flows, digest, name_of
from shared.kernel.names import AccountId, TenantId
from shared.kernel.refusals import FlowSpent, Refusal, Stale
from shared.ports.clock import Clock
from shared.ports.consent import Consent
from shared.ports.entra import Answer
from shared.ports.table import Table
from shared.ports.telemetry import ConnectStep, Event, EventName, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFlow:
    """Guides browsers through consent and proof; see the module."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    flows: Flows
    """Tickets and states."""
    consent: Consent
    """Knows the page where an administrator consents."""
    tries: Tries
    """The steps of a try."""
    completion: Completion
    """Writes the connection."""
    progress: Progress
    """Keeps what becomes of setup links."""
    clock: Clock
    """The time."""
    telemetry: Telemetry
    """Reports each step to operators."""
    return_urls: ReturnUrls
    """The addresses to which browsers may return."""
    redirect_uri: str
    """The address to which Microsoft returns, as in the app registration."""

    async def start(
        self,
        administrator: AccountAdministrator,
        return_url: str | None,
        tenant: str | None = None,
        lifetime: timedelta | None = None,
    ) -> Start:
        """Start an integration. A connected account may start again, to renew its consent.

        Args:
            administrator: the Security Manager who starts it, and the account.
            return_url: where the browser returns; None shows a page.
            tenant: the id or a verified domain of the tenant that consents; None for the home of whoever signs in.
            lifetime: for how long a setup link opens, which is valid beside others; None for a start of ten minutes.

        Raises:
            NotFound: there is no such account.
            Invalid: the return address is not allowed, or there is no such tenant.
            Conflict: too many setup links are open.
            Unavailable: Microsoft cannot be asked for the tenant.
        """
        account_id = administrator.account_id
        checked = None if return_url is None else self.return_urls.check(return_url)
        asked = None if tenant is None else await find_tenant(self.consent, tenant)
        attempt_id, now = secrets.token_urlsafe(16), self.clock.now()
        expires_at = now + (lifetime or Ticket.lifetime)
        link = SetupLink(
            link_id=attempt_id,
            created_at=now,
            created_by=administrator.actor,
            expires_at=expires_at,
            until=expires_at + 2 * ConnectState.lifetime,
            tenant=asked.named if asked else None,
        )
        await self._await_answer(administrator, link, listed=lifetime is not None)
        ticket = Ticket(
            expires_at=expires_at,
            account_id=account_id,
            attempt_id=attempt_id,
            actor=administrator.actor,
            return_url=checked,
            tenant=asked,
        )
        handle = await self.flows.issue(ticket)
        self._note(ConnectStep.STARTED, account_id)
        return Start(handle, expires_at, attempt_id if lifetime else None)

    async def look(self, handle: str) -> Invitation:
        """The account that a ticket connects. The administrator may not be the person who started, so they must see it.

        Raises:
            FlowSpent: the ticket is unknown or expired.
            Conflict: the integration was finished, cancelled, or started again.
        """
        ticket = await self.flows.look(handle, Ticket)
        head = await self.completion.counting(ticket)
        await self.progress.note(head, ticket.attempt_id, lambda link: link.opened(self.clock.now()))
        return Invitation(head.account.record.name, ticket.actor.name or ticket.actor.subject, ticket.tenant)

    async def open(self, handle: str) -> ToMicrosoft:
        """Begin a try, and send its browser to Microsoft's consent page. The ticket can be opened again.

        Raises:
            FlowSpent: the ticket is unknown or expired.
            Throttled: it was opened too often.
            Conflict: the integration was finished, cancelled, or started again.
        """
        ticket = await self.flows.revise(handle, Ticket, Ticket.pressed)
        head = await self.completion.counting(ticket)
        await self.progress.note(head, ticket.attempt_id, lambda link: link.pressed(self.clock.now()))
        tenant_id = ticket.tenant.tenant_id if ticket.tenant else None
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
                tenant_id=tenant_id,
                link=name_of(handle),
                try_id=secrets.token_urlsafe(16),
            ),
            state,
        )
        self._note(ConnectStep.OPENED, ticket.account_id)
        return ToMicrosoft(self.consent.admin_consent_url(self.redirect_uri, state, tenant_id), binding)

    async def callback(self, answer: Answer, browser: str | None) -> Outcome:
        """Handle Microsoft's response, both to the consent and to the sign-in. It may come more than once.

        Args:
            answer: the query of the request; nothing in it is verified.
            browser: the secret that the browser sent for this state.

        Raises:
            FlowSpent: the state is unknown or another browser's. Nothing is known of the account then.
            Unavailable: the store does not respond; the same response can be sent again.
        """
        if answer.state is None:
            raise FlowSpent("Microsoft's answer carries no state. Start again from the control panel.")
        fetch, now = Fetch(answer.state, browser, secrets.token_urlsafe(8)), self.clock.now()
        try:
            state = await self.flows.revise(
                answer.state, ConnectState, lambda state: state.answered(fetch.by, now), browser
            )
        except FlowEnded as ended:
            return _over(ended)
        step = (self.tries.consented if state.proof is None else self.tries.signed_in)(fetch, state, answer)
        return await self._or_stopped(fetch, state, step, _claimed(answer))

    async def resume(self, link: str, handle: str, browser: str | None) -> Outcome | None:
        """Go on where a browser's try stands; None if the browser has to begin another one.

        Args:
            link: the name of the ticket that the browser opens.
            handle: the state of its try.
            browser: the secret that it sent for that state.

        Raises:
            NotFound: there is no such account.
            Unavailable: the store does not respond.
        """
        try:
            state = await self.flows.look(handle, ConnectState, browser)
        except FlowSpent:
            return None
        if state.refused or state.link != link:
            return None
        head, made = await self.completion.found(state)
        now = self.clock.now()
        if made is not None or not counts(head, state.attempt_id, now):
            return made
        if (state.asks_at is not None and now < state.asks_at) or state.is_being_redeemed(now):
            return state.waiting(now)
        fetch = Fetch(handle, browser, secrets.token_urlsafe(8))
        tenant_id = state.proof.tenant_id if state.proof else state.consented
        step: Awaitable[Outcome]
        if state.proven is not None and state.proof is not None:
            step = self.completion.connect(state, state.proof.tenant_id, state.proven)
        elif tenant_id is not None and (state.waits_since or state.turn):
            step = self.tries.sign_in_again(fetch, tenant_id)
        else:
            return None
        return await self._or_stopped(fetch, state, step)

    async def _or_stopped(
        self, fetch: Fetch, state: ConnectState, step: Awaitable[Outcome], consented: TenantId | None = None
    ) -> Outcome:
        """What the step leads to; after a clear no, the end of this try, and after anything else, a page that waits."""
        try:
            return await step
        except Refusal as refusal:
            return await self._stopped(fetch, state, refusal, consented)

    async def _stopped(
        self, fetch: Fetch, before: ConnectState, refusal: Refusal, consented: TenantId | None
    ) -> Waiting | NotConnected:
        now = self.clock.now()

        def stop(state: ConnectState) -> ConnectState:
            return state.stopped(refusal, now, consented)

        stopped = stop(before)
        # The person must see why, whatever else fails; and of several fetches one writes it down.
        with contextlib.suppress(Refusal):
            stopped = await self.flows.revise(fetch.handle, ConnectState, stop, fetch.browser)
            await self._record(before, stopped, refusal)
        if stopped.refused:
            return NotConnected(refusal, stopped.link, stopped.return_url)
        return stopped.waiting(now, refusal)

    async def _record(self, before: ConnectState, stopped: ConnectState, refusal: Refusal) -> None:
        if stopped.refused:
            self._note(ConnectStep.REFUSED, stopped.account_id, refusal.reason)
            await self.completion.write_down(stopped, refusal)
        elif before.waits_since is None:
            self._note(ConnectStep.WAITING, stopped.account_id, refusal.reason)

    async def _await_answer(self, administrator: AccountAdministrator, link: SetupLink, *, listed: bool) -> None:
        """Store that an integration is under way. Of two concurrent starts the later one counts; of links, both do."""
        account_id, actor = administrator.account_id, administrator.actor
        head = await read_head(self.table, account_id)
        if listed:
            links = head.stored(SetupLinks)
            change = links.rewrite(links.record.added(link, link.created_at))
            event = ConnectionStarted(setup_link=link.link_id, expires_at=link.expires_at)
        else:
            connection = head.stored(Connection)
            change = connection.rewrite(connection.record.model_copy(update={"attempt": link.attempt}))
            event = ConnectionStarted()
        try:
            await self.journal.commit(account_id, actor, event, change)
        except Stale:
            await self._await_answer(administrator, link, listed=listed)

    def _note(self, step: ConnectStep, account_id: AccountId, reason: str | None = None) -> None:
        self.telemetry.note(Event(EventName.CONNECT, step, reason, account_id))


def _over(ended: FlowEnded) -> NotConnected:
    state = ConnectState.model_validate(ended.flow)
    return NotConnected(ended, state.link, state.return_url)


def _claimed(answer: Answer) -> TenantId | None:
    """The tenant that has consented, as the answer says; None if it brings an error instead."""
    with contextlib.suppress(ValueError):
        return None if answer.error is not None else TenantId(answer.tenant or "")
    return None

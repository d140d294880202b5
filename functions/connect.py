"""The pages of an integration: a browser opens a ticket, and returns here from Microsoft.

The ticket travels in the query and in the form, never in the path. The host's request telemetry keeps paths and drops
the values of queries (Azure/azure-webjobs-sdk#3026; OpenTelemetry, GHSA-vh2m-22xx-q94f). A reader of that telemetry who
found a ticket there could connect a tenant of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from azure.functions import HttpRequest, HttpResponse

from functions.http.cookies import BrowserCookies, with_cookies
from functions.http.dialects.pages import Pages, Way, redirect
from functions.http.endpoint import Routes
from functions.http.invitations import only, was_invited
from functions.http.parameters import Form, MicrosoftsAnswer, Query, Request
from functions.http.responses import HtmlPage, Redirect, WaitingPage
from functions.http.roles import Anybody
from shared.connection.completion import Finished
from shared.connection.consent_steps import Connected, ConnectState, NotConnected, Outcome, Ticket, ToMicrosoft, Waiting
from shared.connection.return_urls import with_outcome
from shared.flows.flows import Binding, FlowEnded, Flows, handle_in, name_of
from shared.kernel.refusals import ConsentRefused, ProofFailed
from shared.ports.entra import ProviderRefused
from shared.services import Services

_CONNECT = "/v1/connect"

_TRY_AGAIN = (ConsentRefused, ProofFailed, ProviderRefused, FlowEnded)
"""Refusals after which the same link may lead to a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tries:
    """Renders where a try stands."""

    pages: Pages
    """The pages, which lead to the control panel if it is known."""
    cookies: BrowserCookies
    """What browsers keep."""
    endpoint: str
    """The address of links, without their tickets."""

    def shown(self, req: HttpRequest, outcome: Outcome, state: str = "", ticket: str | None = None) -> HttpResponse:
        """Render where a try stands: `state` is its handle, and `ticket` that of the link whose page this is.

        A page that waits is the link's own, so that closing it loses nothing.
        """
        match outcome:
            case ToMicrosoft(url, binding):
                return with_cookies(redirect(url), *self.cookies.connect.bind(req, binding))
            case Connected(account, tenant, link, back):
                page = redirect(with_outcome(back, "connected")) if back else self.pages.connected(account, tenant)
                return with_cookies(page, *self._on_way(req, link, state))
            case Waiting(_, link, seconds) if ticket is not None:
                page = self.pages.waiting(self.endpoint, {"ticket": ticket}, seconds)
                return with_cookies(page, *self._on_way(req, link, state))
            case Waiting(refusal, link):
                known = self.cookies.link.named(req, link)
                page = redirect(self._link_to(known)) if known else self.pages.refusal(refusal)
                return with_cookies(page, *self._on_way(req, link, state))
            case _:
                return self._refused(req, outcome, ticket)

    def _refused(self, req: HttpRequest, outcome: NotConnected, ticket: str | None) -> HttpResponse:
        known, back = ticket or self.cookies.link.named(req, outcome.link), outcome.return_url
        ways = [(Way.CONTROL_PANEL, with_outcome(back, "refused"))] if back else [*self.pages.ways]
        if known and isinstance(outcome.refusal, _TRY_AGAIN):
            ways.append((Way.AGAIN, self._link_to(known)))
        return self.pages.refusal(outcome.refusal, *ways)

    def _link_to(self, ticket: str) -> str:
        return f"{self.endpoint}?{urlencode({'ticket': ticket})}"

    def _on_way(self, req: HttpRequest, link: str, state: str) -> tuple[str, ...]:
        """The cookie with which a browser that opens the link again goes on with this try."""
        return self.cookies.under_way.bind(req, Binding(link, handle_in(state), ConnectState.lifetime))


def connect_routes(services: Services) -> Routes:
    """The pages of an integration."""
    pages = Pages.leading_home(services.edge.branding, services.edge.control_panel)
    routes = Routes("connect", services.edge, pages)
    cookies = BrowserCookies(services.edge.cookie_prefix)
    endpoint = f"{services.edge.public_url}{_CONNECT}"
    shown = _Tries(pages=pages, cookies=cookies, endpoint=endpoint).shown
    consent = services.connection.consent

    async def resumed(req: HttpRequest, link: str, ticket: str | None = None) -> HttpResponse | None:
        """Where this browser's try stands, if it has one that goes on: on the link's page if that is the `ticket`'s."""
        state = cookies.under_way.named(req, link)
        if state is None:
            return None
        outcome = await consent.resume(link, state, cookies.connect.secret(req, state))
        return None if outcome is None else shown(req, outcome, state, ticket)

    async def another_tabs(req: HttpRequest, outcome: Outcome) -> HttpResponse | None:
        """What another tab of this browser has come to, if the account was connected meanwhile."""
        match outcome:
            case NotConnected(Finished(), link):
                return await resumed(req, link)
            case _:
                return None

    async def invite(req: HttpRequest, ticket: str, *, unproven: bool = False) -> HttpResponse:
        invitation = await consent.look(ticket)
        new = Flows.bind(ticket, Ticket)
        # The same for each page of a browser, so that two tabs can run at once.
        binding = replace(new, secret=cookies.invitation.secret(req, ticket) or new.secret)
        kept = {"ticket": ticket, "shown": binding.secret}
        page = pages.connect(
            invitation.account_name,
            invitation.started_by,
            endpoint,
            kept,
            tenant=invitation.tenant.named if invitation.tenant else None,
            unproven=unproven,
        )
        return with_cookies(page, *cookies.invitation.bind(req, binding))

    async def go_on(req: HttpRequest, form: Mapping[str, tuple[str, ...]]) -> HttpResponse:
        ticket = only(form, "ticket")
        if not was_invited(req, ticket, only(form, "shown"), cookies.invitation):
            return await invite(req, ticket, unproven=True)
        if (page := await resumed(req, name_of(ticket))) is not None:
            return page
        departure = shown(req, await consent.open(ticket))
        kept = Binding(name_of(ticket), handle_in(ticket), Ticket.lifetime)
        return with_cookies(departure, *cookies.link.bind(req, kept))

    @routes.get(_CONNECT)
    async def show_connect(_: Anybody, req: Request, ticket: Query) -> Redirect | HtmlPage | WaitingPage:
        """Show an administrator what they are about to do, and for which account, or where their own try stands."""
        opened = ticket or ""
        return await resumed(req, name_of(opened), opened) or await invite(req, opened)

    @routes.post(_CONNECT)
    async def open_connect(_: Anybody, req: Request, form: Form) -> Redirect | HtmlPage:
        """Bind the browser that was shown the page to the flow, and redirect it to Microsoft's consent page."""
        return await go_on(req, form)

    @routes.get(f"{_CONNECT}/callback")
    async def connect_callback(_: Anybody, req: Request, answer: MicrosoftsAnswer) -> Redirect | HtmlPage:
        """Handle Microsoft's response to the consent, and to the sign-in that follows."""
        outcome = await consent.callback(answer, cookies.connect.secret(req, answer.state))
        return await another_tabs(req, outcome) or shown(req, outcome, answer.state or "")

    return routes

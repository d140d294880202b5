"""The pages of an integration: a browser opens a ticket, and returns here from Microsoft.

The ticket travels in the query and in the form, never in the path. The host's request telemetry keeps paths and drops
the values of queries (Azure/azure-webjobs-sdk#3026; OpenTelemetry, GHSA-vh2m-22xx-q94f). A reader of that telemetry who
found a ticket there could connect a tenant of their own.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from azure.functions import HttpRequest, HttpResponse

from functions.http.cookies import BrowserCookies, FlowCookies, with_cookies
from functions.http.dialects.pages import Pages, Way, redirect
from functions.http.endpoint import Routes
from functions.http.parameters import Form, MicrosoftsAnswer, Query, Request
from functions.http.responses import HtmlPage, Redirect
from functions.http.roles import Anybody
from shared.connection.consent_steps import Connected, ConnectState, Outcome, Ticket, ToMicrosoft, Waiting
from shared.connection.return_urls import with_outcome
from shared.flows.flows import Binding, FlowEnded, Flows, handle_in, name_of
from shared.kernel.refusals import ConsentRefused, ProofFailed
from shared.ports.entra import ProviderRefused
from shared.services import Services

_CONNECT = "/v1/connect"

_TRY_AGAIN = (ConsentRefused, ProofFailed, ProviderRefused, FlowEnded)
"""Refusals after which the same link may lead to a connection."""


def connect_routes(services: Services) -> Routes:
    """The pages of an integration."""
    home = ((Way.CONTROL_PANEL, services.edge.control_panel),) if services.edge.control_panel else ()
    pages = Pages(services.edge.branding, home)
    routes = Routes("connect", services.edge, pages)
    cookies = BrowserCookies(services.edge.cookie_prefix)
    endpoint = f"{services.edge.public_url}{_CONNECT}"
    consent = services.connection.consent

    def shown(req: HttpRequest, outcome: Outcome, state: str = "", ticket: str | None = None) -> HttpResponse:
        """Render where a try stands: `state` is its handle, and `ticket` that of the link whose page this is.

        A page that waits is the link's own, so that closing it loses nothing.
        """
        match outcome:
            case ToMicrosoft(url, binding):
                return with_cookies(redirect(url), *cookies.connect.bind(req, binding))
            case Connected(account, tenant, link, back):
                page = redirect(with_outcome(back, "connected")) if back else pages.connected(account, tenant)
                return with_cookies(page, *_on_way(cookies, req, link, state))
            case Waiting(refusal, link, seconds):
                known = cookies.link.named(req, link)
                if ticket is not None:
                    page = pages.waiting(endpoint, {"ticket": ticket}, seconds)
                else:
                    page = redirect(link_to(known)) if known else pages.refusal(refusal)
                return with_cookies(page, *_on_way(cookies, req, link, state))
            case _:
                known = ticket or cookies.link.named(req, outcome.link)
                again = [(Way.AGAIN, link_to(known))] if known and isinstance(outcome.refusal, _TRY_AGAIN) else []
                back = outcome.return_url
                return pages.refusal(
                    outcome.refusal, *([(Way.CONTROL_PANEL, with_outcome(back, "refused"))] if back else home), *again
                )

    def link_to(ticket: str) -> str:
        return f"{endpoint}?{urlencode({'ticket': ticket})}"

    async def resumed(req: HttpRequest, ticket: str, *, posted: bool = False) -> HttpResponse | None:
        """Where this browser's try stands, if it has one that goes on. A form is answered by a redirect to the page."""
        state = cookies.under_way.secret(req, ticket)
        if state is None:
            return None
        outcome = await consent.resume(name_of(ticket), state, cookies.connect.secret(req, state))
        return None if outcome is None else shown(req, outcome, state, None if posted else ticket)

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
        ticket = _only(form, "ticket")
        if not _was_invited(req, ticket, _only(form, "shown"), cookies.invitation):
            return await invite(req, ticket, unproven=True)
        if (page := await resumed(req, ticket, posted=True)) is not None:
            return page
        departure = shown(req, await consent.open(ticket))
        kept = Binding(name_of(ticket), handle_in(ticket), Ticket.lifetime)
        return with_cookies(departure, *cookies.link.bind(req, kept))

    @routes.get(_CONNECT)
    async def show_connect(_: Anybody, req: Request, ticket: Query) -> HtmlPage:
        """Show an administrator what they are about to do, and for which account, or where their own try stands."""
        return await resumed(req, ticket or "") or await invite(req, ticket or "")

    @routes.post(_CONNECT)
    async def open_connect(_: Anybody, req: Request, form: Form) -> Redirect:
        """Bind the browser that was shown the page to the flow, and redirect it to Microsoft's consent page."""
        return await go_on(req, form)

    @routes.get(f"{_CONNECT}/callback")
    async def connect_callback(_: Anybody, req: Request, answer: MicrosoftsAnswer) -> Redirect | HtmlPage:
        """Handle Microsoft's response to the consent, and to the sign-in that follows."""
        outcome = await consent.callback(answer, cookies.connect.secret(req, answer.state))
        return shown(req, outcome, answer.state or "")

    return routes


def _on_way(cookies: BrowserCookies, req: HttpRequest, link: str, state: str) -> tuple[str, ...]:
    """The cookie with which a browser that opens the link again goes on with this try."""
    return cookies.under_way.bind(req, Binding(link, handle_in(state), ConnectState.lifetime))


def _only(form: Mapping[str, tuple[str, ...]], name: str) -> str:
    """The value of a field that the form contains exactly once, else an empty text."""
    values = form.get(name, ())
    return values[0] if len(values) == 1 else ""


def _was_invited(req: HttpRequest, ticket: str, shown: str, invited: FlowCookies) -> bool:
    """Whether the form comes from the page's own button, in the browser that was shown the page.

    Another site can send the same form, but no Lax cookie with it (RFC 6265bis, section 4.1.2.7); a sibling domain can
    make the browser send the cookie, but can neither read nor set its value. `Origin` does not help: it is null for our
    pages, which send no referrer (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
    """
    secret = invited.secret(req, ticket)
    return secret is not None and shown == secret

"""The pages of an integration: a browser opens a ticket, and returns here from Microsoft.

The ticket travels in the query and in the form, never in the path. The host's request telemetry keeps paths and drops
the values of queries (Azure/azure-webjobs-sdk#3026; OpenTelemetry, GHSA-vh2m-22xx-q94f). A reader of that telemetry who
found a ticket there could connect a tenant of their own.
"""

from collections.abc import Mapping
from dataclasses import replace

from azure.functions import HttpRequest, HttpResponse

from functions.http.cookies import BrowserCookies, FlowCookies, with_cookies
from functions.http.dialects.pages import Pages, Way, redirect
from functions.http.endpoint import Routes
from functions.http.parameters import Form, MicrosoftsAnswer, Query, Request
from functions.http.responses import HtmlPage, Redirect
from functions.http.roles import Anybody
from shared.connection.consent_steps import Connected, NotConnected, Ticket, ToMicrosoft
from shared.connection.return_urls import with_outcome
from shared.flows.flows import Flows
from shared.services import Services

_CONNECT = "/v1/connect"


def connect_routes(services: Services) -> Routes:
    """The pages of an integration."""
    pages = Pages(services.edge.branding)
    routes = Routes("connect", services.edge, pages)
    cookies = BrowserCookies(services.edge.cookie_prefix)
    invited, bound = cookies.invitation, cookies.connect

    def shown(req: HttpRequest, outcome: ToMicrosoft | Connected | NotConnected) -> HttpResponse:
        match outcome:
            case ToMicrosoft(url, binding):
                return with_cookies(redirect(url), *bound.bind(req, binding))
            case Connected(_, _, str(return_url)):
                return redirect(with_outcome(return_url, "connected"))
            case Connected(account_name, tenant_name, _):
                return pages.connected(account_name, tenant_name)
            case _:
                back = outcome.return_url
                ways = [(Way.CONTROL_PANEL, with_outcome(back, "refused"))] if back else []
                return pages.refusal(outcome.refusal, *ways)

    async def invite(req: HttpRequest, ticket: str, *, unproven: bool = False) -> HttpResponse:
        invitation = await services.connection.consent.look(ticket)
        action = f"{services.edge.public_url}{_CONNECT}"
        new = Flows.bind(ticket, Ticket)
        binding = replace(new, secret=invited.secret(req, ticket) or new.secret)  # so that two tabs can run at once
        kept = {"ticket": ticket, "shown": binding.secret}
        page = pages.connect(invitation.account_name, invitation.started_by, action, kept, unproven=unproven)
        return with_cookies(page, *invited.bind(req, binding))

    async def go_on(req: HttpRequest, form: Mapping[str, tuple[str, ...]]) -> HttpResponse:
        ticket = _only(form, "ticket")
        if not _was_invited(req, ticket, _only(form, "shown"), invited):
            return await invite(req, ticket, unproven=True)
        return with_cookies(shown(req, await services.connection.consent.open(ticket)), invited.release(ticket))

    @routes.get(_CONNECT)
    async def show_connect(_: Anybody, req: Request, ticket: Query) -> HtmlPage:
        """Show an administrator what they are about to do, and for which account. This does not use up the ticket."""
        return await invite(req, ticket or "")

    @routes.post(_CONNECT)
    async def open_connect(_: Anybody, req: Request, form: Form) -> Redirect:
        """Bind the browser that was shown the page to the flow, and redirect it to Microsoft's consent page."""
        return await go_on(req, form)

    @routes.get(f"{_CONNECT}/callback")
    async def connect_callback(_: Anybody, req: Request, answer: MicrosoftsAnswer) -> Redirect | HtmlPage:
        """Handle Microsoft's response to the consent, and to the sign-in that follows."""
        outcome = await services.connection.consent.callback(answer, bound.secret(req, answer.state))
        return with_cookies(shown(req, outcome), bound.release(answer.state))

    return routes


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

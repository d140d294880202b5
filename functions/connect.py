"""The browser's way through an integration: in by a ticket, and back from Microsoft.

Azure tries routes in the order of their functions' names, whether or not they have parameters: `connect_callback` must
come before `open_connect` and `show_connect`, or every answer of Microsoft would be taken for a ticket.
"""

from dataclasses import replace
from urllib.parse import quote

from azure.functions import HttpRequest, HttpResponse

from functions.edge.cookies import CONNECT, INVITATION, with_cookies
from functions.edge.forms import FORM, parameters_of
from functions.edge.pages import Pages, Way, redirect
from functions.edge.requests import microsofts_answer
from functions.edge.routing import Caller, Routes
from shared.connection.integration import Arrival, Departure, Ticket, Unfinished
from shared.connection.return_urls import with_outcome
from shared.flows.flows import Flows
from shared.wiring import Services

_TICKET = "/v1/connect/{ticket}"
_PAGE = "text/html"


def connect_routes(services: Services) -> Routes:
    """The pages of an integration."""
    pages = Pages(services.branding)
    routes = Routes("connect", services.telemetry, pages)

    def shown(req: HttpRequest, outcome: Departure | Arrival | Unfinished) -> HttpResponse:
        match outcome:
            case Departure(url, binding):
                return with_cookies(redirect(url), *CONNECT.bind(req, binding))
            case Arrival(_, _, str(return_url)):
                return redirect(with_outcome(return_url, "connected"))
            case Arrival(account_name, tenant_name, _):
                return pages.connected(account_name, tenant_name)
            case _:
                back = outcome.return_url
                ways = [(Way.CONTROL_PANEL, with_outcome(back, "refused"))] if back else []
                return pages.refusal(outcome.refusal, *ways)

    async def invite(req: HttpRequest, *, unproven: bool = False) -> HttpResponse:
        ticket = req.route_params["ticket"]
        invitation = await services.onboarding.look(ticket)
        action = f"{services.public_url}/v1/connect/{quote(ticket)}"
        new = Flows.bind(ticket, Ticket)
        binding = replace(new, secret=INVITATION.secret(req, ticket) or new.secret)  # so that two tabs get along
        page = pages.connect(invitation.account_name, invitation.started_by, action, binding.secret, unproven=unproven)
        return with_cookies(page, *INVITATION.bind(req, binding))

    async def go_on(req: HttpRequest) -> HttpResponse:
        ticket = req.route_params["ticket"]
        if not _was_invited(req, ticket):
            return await invite(req, unproven=True)
        return with_cookies(shown(req, await services.onboarding.open(ticket)), INVITATION.release(ticket))

    @routes.add("GET", _TICKET, caller=Caller.ANYBODY, gives={200: _PAGE})
    async def show_connect(req: HttpRequest) -> HttpResponse:
        """Show an administrator what they are about to do, and for whom. Looking spends nothing."""
        return await invite(req)

    @routes.add("POST", _TICKET, caller=Caller.ANYBODY, takes={FORM: None}, gives={303: None})
    async def open_connect(req: HttpRequest) -> HttpResponse:
        """Bind the browser that was shown the page, and send it to Microsoft's consent page."""
        return await go_on(req)

    @routes.add(
        "GET",
        "/v1/connect/callback",
        caller=Caller.ANYBODY,
        gives={303: None, 200: _PAGE},
        parameters=("state", "error", "error_description", "admin_consent", "tenant", "code"),
    )
    async def connect_callback(req: HttpRequest) -> HttpResponse:
        """Take Microsoft's answer, for consent and for sign-in."""
        answer = microsofts_answer(req)
        outcome = await services.onboarding.come_back(answer, CONNECT.secret(req, answer.state))
        return with_cookies(shown(req, outcome), CONNECT.release(answer.state))

    return routes


def _was_invited(req: HttpRequest, ticket: str) -> bool:
    """Whether this is the button of the page, in the browser that was shown it.

    Another site can send the same form, but no Lax cookie with it (RFC 6265bis, section 4.1.2.7); a sibling domain can
    have the cookie sent, but neither read nor set what it holds. `Origin` would not do: our pages' is null, for they
    send no referrer (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
    """
    secret = INVITATION.secret(req, ticket)
    return secret is not None and parameters_of(req).get("shown") == (secret,)

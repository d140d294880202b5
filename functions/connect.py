"""The browser's way through an integration: in by a ticket, and back from Microsoft.

Azure tries routes in the order of their functions' names, whether or not they have parameters: `connect_callback` must
come before `open_connect` and `show_connect`, or every answer of Microsoft would be taken for a ticket.
"""

from urllib.parse import quote

from azure.functions import HttpRequest, HttpResponse

from functions.edge.cookies import CONNECT, with_cookies
from functions.edge.pages import Pages, good_page, invitation_page, redirect, refusal_page
from functions.edge.requests import microsofts_answer
from functions.edge.routing import Caller, Routes
from shared.connection.integration import Arrival, Departure, Unfinished
from shared.connection.return_urls import with_outcome
from shared.wiring import Services

_TICKET = "/v1/connect/{ticket}"
_PAGE = "text/html"


def connect_routes(services: Services) -> Routes:
    """The pages of an integration."""
    routes = Routes("connect", services.telemetry, Pages())

    @routes.add("GET", _TICKET, caller=Caller.ANYBODY, gives={200: _PAGE})
    async def show_connect(req: HttpRequest) -> HttpResponse:
        """Show an administrator what they are about to do, and for whom. Looking spends nothing."""
        ticket = req.route_params["ticket"]
        invitation = await services.onboarding.look(ticket)
        action = f"{services.public_url}/v1/connect/{quote(ticket)}"
        return invitation_page(invitation.account_name, invitation.started_by, action)

    @routes.add("POST", _TICKET, caller=Caller.ANYBODY, gives={303: None})
    async def open_connect(req: HttpRequest) -> HttpResponse:
        """Bind the browser and send it to Microsoft's consent page."""
        return _shown(req, await services.onboarding.open(req.route_params["ticket"]))

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
        return with_cookies(_shown(req, outcome), CONNECT.release(answer.state))

    return routes


def _shown(req: HttpRequest, outcome: Departure | Arrival | Unfinished) -> HttpResponse:
    match outcome:
        case Departure(url, binding):
            return with_cookies(redirect(url), *CONNECT.bind(req, binding))
        case Arrival(_, _, str(return_url)):
            return redirect(with_outcome(return_url, "connected"))
        case Arrival(account_name, tenant_name, _):
            text = f"The account {account_name} is now connected to {tenant_name} at Microsoft."
            return good_page("Connected", text)
        case _:
            back = outcome.return_url
            ways = [("Back to the control panel", with_outcome(back, "refused"))] if back else []
            return refusal_page(outcome.refusal, *ways)

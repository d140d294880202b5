"""The browser's way through an integration: in by a ticket, and back from Microsoft."""

from azure.functions import HttpRequest, HttpResponse

from functions.edge.cookies import CONNECT, bind, browser_of
from functions.edge.pages import Pages, good_page, redirect, refusal_page
from functions.edge.requests import microsofts_answer
from functions.edge.routing import Caller, Routes
from shared.connection.onboarding import Arrival, Departure, Unfinished
from shared.connection.return_urls import with_outcome
from shared.wiring import Services


def connect_routes(services: Services) -> Routes:
    """The pages of an integration."""
    routes = Routes("connect", Pages())

    @routes.add("GET", "/v1/connect/{ticket}", caller=Caller.ANYBODY, status=303, gives="text/html")
    async def open_connect(req: HttpRequest) -> HttpResponse:
        """Bind the browser and send it to Microsoft's consent page."""
        return _shown(await services.onboarding.open(req.route_params["ticket"]))

    @routes.add(
        "GET",
        "/v1/connect/callback",
        caller=Caller.ANYBODY,
        status=303,
        gives="text/html",
        parameters=("state", "error", "error_description", "admin_consent", "tenant", "code"),
    )
    async def connect_callback(req: HttpRequest) -> HttpResponse:
        """Take Microsoft's answer, for consent and for sign-in."""
        return _shown(await services.onboarding.come_back(microsofts_answer(req), browser_of(req, CONNECT)))

    return routes


def _shown(outcome: Departure | Arrival | Unfinished) -> HttpResponse:
    match outcome:
        case Departure(url, browser):
            return redirect(url, bind(CONNECT, browser) if browser else None)
        case Arrival(_, _, str(return_url)):
            return redirect(with_outcome(return_url, "connected"))
        case Arrival(account_name, tenant_name, _):
            text = f"The account {account_name} is now connected to {tenant_name} at Microsoft."
            return good_page("Connected", text)
        case Unfinished(refusal, return_url):
            ways = [("Back to the control panel", with_outcome(return_url, "refused"))] if return_url else []
            return refusal_page(refusal, *ways)

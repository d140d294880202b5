"""The browser's way through an integration: in by a ticket, and back from Microsoft.

The ticket travels in the query and in the form, never in the path. The host's request telemetry keeps paths and drops
the values of queries (Azure/azure-webjobs-sdk#3026; OpenTelemetry, GHSA-vh2m-22xx-q94f), and whoever read a ticket
there could connect a tenant of their own.
"""

from collections.abc import Mapping
from dataclasses import replace

from azure.functions import HttpRequest, HttpResponse

from functions.edge.cookies import BrowserCookies, FlowCookies, with_cookies
from functions.edge.forms import FORM, parameters_of
from functions.edge.pages import Pages, good_page, invitation_page, redirect, refusal_page
from functions.edge.requests import microsofts_answer, query_of
from functions.edge.routing import Caller, Routes
from shared.assembly import Services
from shared.connection.consent_steps import Connected, NotConnected, Ticket, ToMicrosoft
from shared.connection.return_urls import with_outcome
from shared.flows.flows import Flows

_CONNECT = "/v1/connect"
_PAGE = "text/html"

_NOT_SHOWN = (
    "It is not certain that you have seen this page. Press the button once more if you know this account. If you only "
    "come back here, let your browser keep cookies of this address."
)
"""What is said where another site sent the form, or the browser keeps no cookies."""


def connect_routes(services: Services) -> Routes:
    """The pages of an integration."""
    routes = Routes("connect", services.edge.telemetry, Pages())
    cookies = BrowserCookies(services.edge.cookie_prefix)
    invited, bound = cookies.invitation, cookies.connect

    async def invite(req: HttpRequest, ticket: str, fault: str | None = None) -> HttpResponse:
        invitation = await services.connection.consent.look(ticket)
        action = f"{services.edge.public_url}{_CONNECT}"
        new = Flows.bind(ticket, Ticket)
        binding = replace(new, secret=invited.secret(req, ticket) or new.secret)  # so that two tabs get along
        brought_back = {"ticket": ticket, "shown": binding.secret}
        page = invitation_page(invitation.account_name, invitation.started_by, action, brought_back, fault)
        return with_cookies(page, *invited.bind(req, binding))

    async def go_on(req: HttpRequest) -> HttpResponse:
        form = parameters_of(req)
        ticket = _only(form, "ticket")
        if not _was_invited(req, ticket, _only(form, "shown"), invited):
            return await invite(req, ticket, _NOT_SHOWN)
        return with_cookies(_shown(req, await services.connection.consent.open(ticket), bound), invited.release(ticket))

    @routes.add("GET", _CONNECT, caller=Caller.ANYBODY, gives={200: _PAGE}, parameters=("ticket",))
    async def show_connect(req: HttpRequest) -> HttpResponse:
        """Show an administrator what they are about to do, and for whom. Looking spends nothing."""
        return await invite(req, query_of(req).get("ticket", ""))

    @routes.add("POST", _CONNECT, caller=Caller.ANYBODY, takes={FORM: None}, gives={303: None})
    async def open_connect(req: HttpRequest) -> HttpResponse:
        """Bind the browser that was shown the page, and send it to Microsoft's consent page."""
        return await go_on(req)

    @routes.add(
        "GET",
        f"{_CONNECT}/callback",
        caller=Caller.ANYBODY,
        gives={303: None, 200: _PAGE},
        parameters=("state", "error", "error_description", "admin_consent", "tenant", "code"),
    )
    async def connect_callback(req: HttpRequest) -> HttpResponse:
        """Take Microsoft's answer, for consent and for sign-in."""
        answer = microsofts_answer(req)
        outcome = await services.connection.consent.callback(answer, bound.secret(req, answer.state))
        return with_cookies(_shown(req, outcome, bound), bound.release(answer.state))

    return routes


def _only(form: Mapping[str, tuple[str, ...]], name: str) -> str:
    """The value of a field that the form brings once, else nothing."""
    values = form.get(name, ())
    return values[0] if len(values) == 1 else ""


def _was_invited(req: HttpRequest, ticket: str, shown: str, invited: FlowCookies) -> bool:
    """Whether this is the button of the page, in the browser that was shown it.

    Another site can send the same form, but no Lax cookie with it (RFC 6265bis, section 4.1.2.7); a sibling domain can
    have the cookie sent, but neither read nor set what it holds. `Origin` would not do: our pages' is null, for they
    send no referrer (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
    """
    secret = invited.secret(req, ticket)
    return secret is not None and shown == secret


def _shown(req: HttpRequest, outcome: ToMicrosoft | Connected | NotConnected, bound: FlowCookies) -> HttpResponse:
    match outcome:
        case ToMicrosoft(url, binding):
            return with_cookies(redirect(url), *bound.bind(req, binding))
        case Connected(_, _, str(return_url)):
            return redirect(with_outcome(return_url, "connected"))
        case Connected(account_name, tenant_name, _):
            text = f"The account {account_name} is now connected to {tenant_name} at Microsoft."
            return good_page("Connected", text)
        case _:
            back = outcome.return_url
            ways = [("Back to the control panel", with_outcome(back, "refused"))] if back else []
            return refusal_page(outcome.refusal, *ways)

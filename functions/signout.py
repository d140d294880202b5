"""The OpenID provider's endpoints for a browser that signs out, which an application or Microsoft has begun."""

from collections.abc import Mapping
from datetime import timedelta
from secrets import token_urlsafe
from typing import TypedDict

from azure.functions import HttpRequest, HttpResponse

from functions.http.cookies import BrowserCookies, with_cookies
from functions.http.dialects.pages import Pages, redirect
from functions.http.endpoint import Routes
from functions.http.parameters import OAuth, Query, Request
from functions.http.responses import HtmlPage, Redirect
from functions.http.roles import Anybody
from shared.flows.flows import Binding, name_of
from shared.kernel.names import ClientId
from shared.provider.end_session import ToEntra
from shared.services import Services

_LOGOUT = "/oauth2/logout"

_ASKED_FOR = timedelta(minutes=15)
"""How long a person may think about whether to sign out."""


class LogoutParameters(TypedDict, total=False):
    """A logout request (OpenID Connect RP-Initiated Logout 1.0, section 2)."""

    id_token_hint: str
    client_id: ClientId
    post_logout_redirect_uri: str
    state: str


def signout_routes(services: Services) -> Routes:
    """The pages and redirects of a sign-out."""
    pages = Pages.leading_home(services.edge.branding, services.edge.control_panel)
    routes = Routes("sign-out", services.edge, pages)
    browser = BrowserCookies(services.edge.cookie_prefix)

    def left(url: str | None) -> HttpResponse:
        return redirect(url) if url else pages.signed_out()

    async def signed_out(req: HttpRequest, parameters: Mapping[str, tuple[str, ...]]) -> HttpResponse:
        """Redirect to Microsoft's sign-out, or ask the person first, who answers by a form that only our page has."""
        held = browser.sign_out.secret(req, _LOGOUT)
        confirmed = held is not None and parameters.get("shown") == (held,)
        match await services.provider.end_session.begin(parameters, confirmed=confirmed):
            case ToEntra(url, way_back):
                noted = *browser.way_back.keep(way_back), *browser.person.keep(None)
                return with_cookies(redirect(url), *noted, browser.sign_out.release(_LOGOUT))
            case question:
                secret = held or token_urlsafe(32)  # so that two tabs can ask at once
                kept, action = {**question.kept, "shown": secret}, services.edge.public_url + _LOGOUT
                page = pages.sign_out(question.application_name, action, kept, question.fault)
                binding = Binding(name_of(_LOGOUT), secret, _ASKED_FOR)
                return with_cookies(page, *browser.sign_out.bind(req, binding))

    @routes.get(_LOGOUT)
    async def sign_out(_: Anybody, req: Request, parameters: OAuth[LogoutParameters]) -> Redirect | HtmlPage:
        """Sign a person out here, at Microsoft and in the other applications; or ask first, without an ID token."""
        return await signed_out(req, parameters)

    @routes.post(_LOGOUT)
    async def sign_out_by_form(_: Anybody, req: Request, parameters: OAuth[LogoutParameters]) -> Redirect | HtmlPage:
        """Handle a logout request in a form, of an application or of the page that asks the person."""
        return await signed_out(req, parameters)

    @routes.get("/signed-out")
    async def finish_sign_out(_: Anybody, req: Request) -> Redirect | HtmlPage:
        """Redirect the person to the application after Microsoft has signed them out."""
        url = await services.provider.end_session.complete(browser.way_back.text(req))
        return with_cookies(left(url), *browser.way_back.keep(None))

    @routes.get("/signin/front-channel-logout")
    async def end_session(_: Anybody, sid: Query) -> HtmlPage:
        """End a session that Microsoft has ended."""
        await services.provider.end_session.front_channel(sid or "")
        return with_cookies(pages.signed_out_in_frame(), *browser.person.keep(None))

    return routes

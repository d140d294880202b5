"""The OpenID provider's endpoints for browsers: authorization, Microsoft's callback, and sign-out."""

from collections.abc import Mapping
from datetime import timedelta
from secrets import token_urlsafe
from typing import Literal, Required, TypedDict

from azure.functions import HttpRequest, HttpResponse

from functions.http.cookies import BrowserCookies, with_cookies
from functions.http.dialects.pages import Pages, Way, redirect
from functions.http.endpoint import Routes
from functions.http.forms import as_address, is_from_our_own_page
from functions.http.parameters import MicrosoftsAnswer, OAuth, Query, Request
from functions.http.responses import HtmlPage, Redirect
from functions.http.roles import Anybody
from shared.flows.flows import Binding, FlowEnded, name_of
from shared.kernel.names import ClientId
from shared.kernel.refusals import Unavailable
from shared.provider.authorization_response import (
    AuthorizationResponse,
    EmailForm,
    PostToApplication,
    RedirectToApplication,
    RedirectToEntra,
)
from shared.provider.end_session import ToEntra
from shared.provider.reauthentication import SignInTooOld
from shared.services import Services

_AUTHORIZE = "/oauth2/authorize"
_LOGOUT = "/oauth2/logout"

_ASKED_FOR = timedelta(minutes=15)
"""How long a person may think about whether to sign out."""

_AGAIN = {SignInTooOld: Way.SIGN_IN_AGAIN, Unavailable: Way.AGAIN, FlowEnded: Way.SIGN_IN_AGAIN}
"""The link to try again, for refusals that another account does not solve."""


class AuthorizeParameters(TypedDict, total=False):
    """An authorization request (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636, section 4.3).

    If it was pushed, it is `client_id` and `request_uri` alone (RFC 9126, section 4).
    """

    client_id: Required[ClientId]
    request_uri: str
    redirect_uri: str
    response_type: Literal["code"]
    response_mode: Literal["query", "fragment", "form_post"]
    scope: str
    code_challenge: str
    code_challenge_method: Literal["S256"]
    state: str
    nonce: str
    prompt: str
    max_age: int
    login_hint: str
    acr_values: str


class LogoutParameters(TypedDict, total=False):
    """A logout request (OpenID Connect RP-Initiated Logout 1.0, section 2)."""

    id_token_hint: str
    client_id: ClientId
    post_logout_redirect_uri: str
    state: str


def signin_routes(services: Services) -> Routes:
    """The pages and redirects of a sign-in."""
    pages = Pages.leading_home(services.edge.branding, services.edge.control_panel)
    routes = Routes("sign-in", services.edge, pages)
    browser = BrowserCookies(services.edge.cookie_prefix)
    cookies = browser.sign_in

    def rendered(req: HttpRequest, response: AuthorizationResponse) -> HttpResponse:
        match response:
            case RedirectToEntra(url, binding):
                return with_cookies(redirect(url), *cookies.bind(req, binding))
            case RedirectToApplication(url):
                return redirect(url)
            case PostToApplication(url, parameters):
                return pages.post_to_application(url, parameters)
            case EmailForm(application_name, request, fault):
                endpoint = services.edge.public_url + _AUTHORIZE
                return pages.email(application_name, endpoint, request.parameters(), fault)
            case _:
                way = _AGAIN.get(type(response.refusal), Way.OTHER_ACCOUNT)
                ways = (way, response.again_url), (Way.APPLICATION, response.application_url)
                return pages.refusal(response.refusal, *((each, url) for each, url in ways if url))

    def left(url: str | None) -> HttpResponse:
        return redirect(url) if url else pages.signed_out()

    async def signed_out(req: HttpRequest, parameters: Mapping[str, tuple[str, ...]]) -> HttpResponse:
        """Redirect to Microsoft's sign-out, or ask the person first, who answers by a form that only our page has."""
        held = browser.sign_out.secret(req, _LOGOUT)
        confirmed = held is not None and parameters.get("shown") == (held,)
        match await services.provider.end_session.begin(parameters, confirmed=confirmed):
            case ToEntra(url, way_back):
                return with_cookies(redirect(url), *browser.way_back.keep(way_back), browser.sign_out.release(_LOGOUT))
            case question:
                secret = held or token_urlsafe(32)  # so that two tabs can ask at once
                kept, action = {**question.kept, "shown": secret}, services.edge.public_url + _LOGOUT
                page = pages.sign_out(question.application_name, action, kept, question.fault)
                binding = Binding(name_of(_LOGOUT), secret, _ASKED_FOR)
                return with_cookies(page, *browser.sign_out.bind(req, binding))

    async def posted(req: HttpRequest, parameters: Mapping[str, tuple[str, ...]]) -> HttpResponse:
        """Another site's form arrives without Lax cookies, so they cannot be counted; the GET that follows has them.

        A form that is too long for an address is sent again from our own page.
        """
        if is_from_our_own_page(req):
            return rendered(req, await services.provider.sign_in.authorize(parameters))
        endpoint = services.edge.public_url + _AUTHORIZE
        address = as_address(parameters, endpoint)
        return redirect(address) if address else pages.post_again(endpoint, parameters)

    @routes.get(_AUTHORIZE)
    async def authorize(_: Anybody, req: Request, parameters: OAuth[AuthorizeParameters]) -> Redirect | HtmlPage:
        """Handle an authorization request."""
        return rendered(req, await services.provider.sign_in.authorize(parameters))

    @routes.post(_AUTHORIZE)
    async def authorize_by_form(
        _: Anybody, req: Request, parameters: OAuth[AuthorizeParameters]
    ) -> Redirect | HtmlPage:
        """Handle an authorization request sent as a form, by our own page or by an application."""
        return await posted(req, parameters)

    @routes.get("/signin/callback")
    async def complete_sign_in(_: Anybody, req: Request, answer: MicrosoftsAnswer) -> Redirect | HtmlPage:
        """Handle Microsoft's response to a sign-in. The cookie stays as long as the state, in case it comes again."""
        return rendered(req, await services.provider.sign_in.callback(answer, cookies.secret(req, answer.state)))

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
        return pages.signed_out_in_frame()

    return routes

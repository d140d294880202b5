"""The OpenID provider's endpoints for a browser that signs in: authorization, and Microsoft's callback."""

from collections.abc import Mapping
from typing import Literal, Required, TypedDict

from azure.functions import HttpRequest, HttpResponse

from functions.http.cookies import BrowserCookies, with_cookies
from functions.http.dialects.pages import Pages, Way, redirect
from functions.http.endpoint import Routes
from functions.http.forms import as_address, is_from_our_own_page, is_in_foreign_frame
from functions.http.parameters import MicrosoftsAnswer, OAuth, Request
from functions.http.responses import HtmlPage, Redirect
from functions.http.roles import Anybody
from shared.flows.flows import FlowEnded
from shared.kernel.names import ClientId
from shared.kernel.refusals import Unavailable
from shared.provider.authorization_response import (
    AuthorizationResponse,
    EmailForm,
    PostToApplication,
    RedirectToApplication,
    RedirectToEntra,
    Remembering,
)
from shared.provider.errors import SSO_DOES_NOT_APPLY_PATH
from shared.provider.expected_person import FromBrowser
from shared.provider.reauthentication import SignInTooOld
from shared.services import Services

_AUTHORIZE = "/oauth2/authorize"

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
    id_token_hint: str


class StartParameters(TypedDict, total=False):
    """A login that somebody else initiates (OpenID Connect Core 1.0, section 4)."""

    application: Required[ClientId]
    iss: str
    login_hint: str
    target_link_uri: str


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
            case Remembering(inner, note):
                return with_cookies(rendered(req, inner), *browser.person.keep(note))
            case EmailForm(application_name, request, fault):
                endpoint = services.edge.public_url + _AUTHORIZE
                return pages.email(application_name, endpoint, request.parameters(), fault)
            case _:
                way = _AGAIN.get(type(response.refusal), Way.OTHER_ACCOUNT)
                ways = (way, response.again_url), (Way.APPLICATION, response.application_url)
                return pages.refusal(response.refusal, *((each, url) for each, url in ways if url))

    def brought_by(req: HttpRequest) -> FromBrowser:
        return FromBrowser(browser.person.text(req), is_in_foreign_frame(req))

    async def posted(req: HttpRequest, parameters: Mapping[str, tuple[str, ...]]) -> HttpResponse:
        """Another site's form arrives without Lax cookies, so they cannot be counted; the GET that follows has them.

        A form that is too long for an address is sent again from our own page.
        """
        if is_from_our_own_page(req):
            return rendered(req, await services.provider.sign_in.authorize(parameters, brought_by(req)))
        endpoint = services.edge.public_url + _AUTHORIZE
        address = as_address(parameters, endpoint)
        return redirect(address) if address else pages.post_again(endpoint, parameters)

    @routes.get(_AUTHORIZE)
    async def authorize(_: Anybody, req: Request, parameters: OAuth[AuthorizeParameters]) -> Redirect | HtmlPage:
        """Handle an authorization request."""
        return rendered(req, await services.provider.sign_in.authorize(parameters, brought_by(req)))

    @routes.post(_AUTHORIZE)
    async def authorize_by_form(
        _: Anybody, req: Request, parameters: OAuth[AuthorizeParameters]
    ) -> Redirect | HtmlPage:
        """Handle an authorization request sent as a form, by our own page or by an application."""
        return await posted(req, parameters)

    @routes.get("/signin/start")
    async def start_sign_in(_: Anybody, req: Request, parameters: OAuth[StartParameters]) -> Redirect:
        """Send a person who comes from a tile or a link elsewhere to the application, which begins a sign-in."""
        return redirect(await services.provider.initiation.start(parameters, brought_by(req)))

    @routes.get("/signin/callback")
    async def complete_sign_in(_: Anybody, req: Request, answer: MicrosoftsAnswer) -> Redirect | HtmlPage:
        """Handle Microsoft's response to a sign-in. The cookie stays as long as the state, in case it comes again."""
        return rendered(req, await services.provider.sign_in.callback(answer, cookies.secret(req, answer.state)))

    @routes.get(SSO_DOES_NOT_APPLY_PATH)
    async def show_sso_does_not_apply(_: Anybody) -> HtmlPage:
        """Explain the error of that name: the `error_uri` of responses that carry it."""
        return pages.sso_does_not_apply()

    return routes

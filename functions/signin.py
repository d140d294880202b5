"""The OpenID provider as a person's browser passes through it: to Microsoft and back, and out again."""

from azure.functions import HttpRequest, HttpResponse

from functions.edge.cookies import BrowserCookies, with_cookies
from functions.edge.forms import FORM, as_address, is_from_our_own_page, parameters_of
from functions.edge.pages import Pages, email_page, framed_page, good_page, redirect, refusal_page
from functions.edge.requests import microsofts_answer, query_of
from functions.edge.routing import Caller, Routes
from shared.assembly import Services
from shared.kernel.refusals import Refusal, Unavailable
from shared.provider.authorization_response import (
    AuthorizationResponse,
    EmailForm,
    RedirectToApplication,
    RedirectToEntra,
)
from shared.provider.reauthentication import SignInTooOld

_AUTHORIZE = "/oauth2/authorize"
_LOGOUT = "/oauth2/logout"

_AGAIN: dict[type[Refusal], str] = {SignInTooOld: "Sign in again", Unavailable: "Try again"}
"""What the way back to Microsoft is called, where another account is not what is needed."""


def signin_routes(services: Services) -> Routes:
    """The pages and redirects of a sign-in."""
    routes = Routes("sign-in", services.edge.telemetry, Pages())
    cookies = BrowserCookies(services.edge.cookie_prefix).sign_in

    def rendered(req: HttpRequest, response: AuthorizationResponse) -> HttpResponse:
        match response:
            case RedirectToEntra(url, binding):
                return with_cookies(redirect(url), *cookies.bind(req, binding))
            case RedirectToApplication(url):
                return redirect(url)
            case EmailForm(application_name, parameters, fault):
                return email_page(application_name, services.edge.public_url + _AUTHORIZE, parameters, fault)
            case _:
                label = _AGAIN.get(type(response.refusal), "Try again with another account")
                again = [(label, response.again_url)] if response.again_url else []
                return refusal_page(response.refusal, *again, ("Back to the application", response.application_url))

    async def posted(req: HttpRequest) -> HttpResponse:
        """A form of another site brings no Lax cookies, so that nobody could count them; the GET that follows does."""
        if is_from_our_own_page(req):
            return await authorize(req)
        return redirect(as_address(req, services.edge.public_url + _AUTHORIZE))

    @routes.add("GET", _AUTHORIZE, caller=Caller.ANYBODY, gives={303: None, 200: "text/html"})
    async def authorize(req: HttpRequest) -> HttpResponse:
        """Take an authorization request."""
        return rendered(req, await services.provider.sign_in.authorize(parameters_of(req)))

    @routes.add("POST", _AUTHORIZE, caller=Caller.ANYBODY, takes={FORM: None}, gives={303: None, 200: "text/html"})
    async def authorize_by_form(req: HttpRequest) -> HttpResponse:
        """The same from a form: our own page's, or an application's, which is asked for again by GET."""
        return await posted(req)

    @routes.add("GET", "/signin/callback", caller=Caller.ANYBODY, gives={303: None, 200: "text/html"})
    async def complete_sign_in(req: HttpRequest) -> HttpResponse:
        """Take Microsoft's answer."""
        answer = microsofts_answer(req)
        response = await services.provider.sign_in.callback(answer, cookies.secret(req, answer.state))
        return with_cookies(rendered(req, response), cookies.release(answer.state))

    @routes.add("GET", _LOGOUT, caller=Caller.ANYBODY, gives={303: None, 200: "text/html"})
    async def sign_out(req: HttpRequest) -> HttpResponse:
        """Sign a person out, here, at Microsoft and in the other applications."""
        return redirect(await services.provider.end_session.begin(parameters_of(req)))

    @routes.add("POST", _LOGOUT, caller=Caller.ANYBODY, takes={FORM: None}, gives={303: None, 200: "text/html"})
    async def sign_out_by_form(req: HttpRequest) -> HttpResponse:
        """The same from a form."""
        return redirect(await services.provider.end_session.begin(parameters_of(req)))

    @routes.add("GET", "/signed-out", caller=Caller.ANYBODY, gives={303: None, 200: "text/html"}, parameters=("state",))
    async def finish_sign_out(req: HttpRequest) -> HttpResponse:
        """Send the person on, now that Microsoft has signed them out."""
        return _left(await services.provider.end_session.complete(query_of(req).get("state")))

    @routes.add(
        "GET", "/signin/front-channel-logout", caller=Caller.ANYBODY, gives={200: "text/html"}, parameters=("sid",)
    )
    async def end_session(req: HttpRequest) -> HttpResponse:
        """Hear from Microsoft that a session is over."""
        await services.provider.end_session.front_channel(query_of(req).get("sid", ""))
        return framed_page("Signed out", "You are signed out.")

    return routes


def _left(url: str | None) -> HttpResponse:
    return redirect(url) if url else good_page("Signed out", "You are signed out.")

"""The OpenID provider as a person's browser passes through it: to Microsoft and back, and out again."""

from azure.functions import HttpRequest, HttpResponse

from functions.edge.cookies import BrowserCookies, with_cookies
from functions.edge.forms import FORM, as_address, is_from_our_own_page, parameters_of
from functions.edge.pages import Pages, Way, redirect
from functions.edge.requests import microsofts_answer, query_of
from functions.edge.routing import Caller, Routes
from shared.assembly import Services
from shared.kernel.refusals import Unavailable
from shared.provider.authorization import AskForEmail, Outcome, ToApplication, ToMicrosoft
from shared.provider.reauthentication import SignInTooOld

_AUTHORIZE = "/oauth2/authorize"
_LOGOUT = "/oauth2/logout"

_AGAIN = {SignInTooOld: Way.SIGN_IN_AGAIN, Unavailable: Way.AGAIN}
"""What the way back to Microsoft is called, where another account is not what is needed."""


def signin_routes(services: Services) -> Routes:
    """The pages and redirects of a sign-in."""
    pages = Pages(services.edge.branding)
    routes = Routes("sign-in", services.edge.telemetry, pages)
    cookies = BrowserCookies(services.edge.cookie_prefix).sign_in

    def shown(req: HttpRequest, outcome: Outcome) -> HttpResponse:
        match outcome:
            case ToMicrosoft(url, binding):
                return with_cookies(redirect(url), *cookies.bind(req, binding))
            case ToApplication(url):
                return redirect(url)
            case AskForEmail(application_name, parameters, fault):
                return pages.email(application_name, services.edge.public_url + _AUTHORIZE, parameters, fault)
            case _:
                way = _AGAIN.get(type(outcome.refusal), Way.OTHER_ACCOUNT)
                again = [(way, outcome.again_url)] if outcome.again_url else []
                return pages.refusal(outcome.refusal, *again, (Way.APPLICATION, outcome.application_url))

    def left(url: str | None) -> HttpResponse:
        return redirect(url) if url else pages.signed_out()

    async def asked(req: HttpRequest) -> HttpResponse:
        return shown(req, await services.provider.setting_out.authorize(parameters_of(req)))

    async def asked_by_form(req: HttpRequest) -> HttpResponse:
        """A form of another site brings no Lax cookies, so that nobody could count them; the GET that follows does."""
        if is_from_our_own_page(req):
            return await asked(req)
        return redirect(as_address(req, services.edge.public_url + _AUTHORIZE))

    @routes.add("GET", _AUTHORIZE, caller=Caller.ANYBODY, gives={303: None, 200: "text/html"})
    async def authorize(req: HttpRequest) -> HttpResponse:
        """Take an authorization request."""
        return await asked(req)

    @routes.add("POST", _AUTHORIZE, caller=Caller.ANYBODY, takes={FORM: None}, gives={303: None, 200: "text/html"})
    async def authorize_by_form(req: HttpRequest) -> HttpResponse:
        """The same from a form: our own page's, or an application's, which is asked for again by GET."""
        return await asked_by_form(req)

    @routes.add("GET", "/signin/callback", caller=Caller.ANYBODY, gives={303: None, 200: "text/html"})
    async def complete_sign_in(req: HttpRequest) -> HttpResponse:
        """Take Microsoft's answer."""
        answer = microsofts_answer(req)
        outcome = await services.provider.coming_back.complete(answer, cookies.secret(req, answer.state))
        return with_cookies(shown(req, outcome), cookies.release(answer.state))

    @routes.add("GET", _LOGOUT, caller=Caller.ANYBODY, gives={303: None, 200: "text/html"})
    async def sign_out(req: HttpRequest) -> HttpResponse:
        """Sign a person out, here, at Microsoft and in the other applications."""
        return redirect(await services.provider.sign_out.leave(parameters_of(req)))

    @routes.add("POST", _LOGOUT, caller=Caller.ANYBODY, takes={FORM: None}, gives={303: None, 200: "text/html"})
    async def sign_out_by_form(req: HttpRequest) -> HttpResponse:
        """The same from a form."""
        return redirect(await services.provider.sign_out.leave(parameters_of(req)))

    @routes.add("GET", "/signed-out", caller=Caller.ANYBODY, gives={303: None, 200: "text/html"}, parameters=("state",))
    async def finish_sign_out(req: HttpRequest) -> HttpResponse:
        """Send the person on, now that Microsoft has signed them out."""
        return left(await services.provider.sign_out.returned(query_of(req).get("state")))

    @routes.add(
        "GET", "/signin/front-channel-logout", caller=Caller.ANYBODY, gives={200: "text/html"}, parameters=("sid",)
    )
    async def end_session(req: HttpRequest) -> HttpResponse:
        """Hear from Microsoft that a session is over."""
        await services.provider.sign_out.ended_at_entra(query_of(req).get("sid", ""))
        return pages.signed_out_in_frame()

    return routes

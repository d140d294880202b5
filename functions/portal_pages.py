"""The hosted pages of the portal: one with a button, which begins a session, and one with the panel.

The page with the panel is the same for everybody, whoever asks for it: what it shows comes by the API, for those who
have a session. So it opens after a way through Microsoft, too, on which browsers send no `SameSite=Strict` cookie.
"""

from dataclasses import replace

from azure.functions import HttpRequest, HttpResponse

from functions.http.cookies import BrowserCookies, with_cookies
from functions.http.dialects.pages import Pages, redirect
from functions.http.endpoint import Routes
from functions.http.invitations import only, was_invited
from functions.http.parameters import Form, Path, Query, Request
from functions.http.portal_requests import cookie_of
from functions.http.responses import HtmlPage, Redirect
from functions.http.roles import Anybody
from functions.http.scripts import DIST, Scripts
from shared.flows.flows import Binding, Flows
from shared.kernel.names import AccountId
from shared.portal.session import LIFETIME, PortalTicket
from shared.services import Services

_PORTAL = "/portal"


def portal_page_routes(services: Services) -> Routes:
    """The pages of the portal."""
    pages = Pages.leading_home(services.edge.branding, services.edge.control_panel)
    routes = Routes("portal", services.edge, pages)
    cookies, scripts = BrowserCookies(services.edge.cookie_prefix), Scripts(DIST)
    public_url, entry = services.edge.public_url, services.portal.entry

    async def invite(req: HttpRequest, ticket: str, *, unproven: bool = False) -> HttpResponse:
        invitation = await entry.look(ticket)
        new = Flows.bind(ticket, PortalTicket)
        binding = replace(new, secret=cookies.portal_page.secret(req, ticket) or new.secret)
        kept = {"ticket": ticket, "shown": binding.secret}
        page = pages.portal_invitation(
            invitation.account_name, invitation.actor, f"{public_url}{_PORTAL}", kept, unproven=unproven
        )
        return with_cookies(page, *cookies.portal_page.bind(req, binding))

    async def begin(req: HttpRequest, ticket: str, shown: str) -> HttpResponse:
        if not was_invited(req, ticket, shown, cookies.portal_page):
            return await invite(req, ticket, unproven=True)
        begun = await entry.begin(ticket, shown)
        session = Binding(cookie_of(begun.account_id), begun.secret, LIFETIME)
        page = redirect(f"{public_url}{_PORTAL}/{begun.account_id}")
        return with_cookies(page, *cookies.portal.bind(req, session))

    @routes.get(_PORTAL)
    async def show_portal_link(_: Anybody, req: Request, ticket: Query) -> HtmlPage:
        """Show for which account and as whom a link opens the portal. Nothing is spent."""
        return await invite(req, ticket or "")

    @routes.post(_PORTAL)
    async def start_portal_session(_: Anybody, req: Request, form: Form) -> Redirect | HtmlPage:
        """Begin the session of a link, in the browser that was shown the page."""
        return await begin(req, only(form, "ticket"), only(form, "shown"))

    @routes.get(_PORTAL + "/{accountId}")
    async def show_portal(_: Anybody, account_id: Path[AccountId]) -> HtmlPage:
        """Show the panel, which asks for the account as whoever has a session."""
        return pages.portal(
            public_url, account_id, [scripts.pinned("azure-sso-panel"), scripts.pinned("azure-sso-portal")]
        )

    return routes

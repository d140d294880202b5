"""One request of a browser: its cookie, the session behind it, the form it posted.

Without a session it shows the sign-in page. `authorize`, `consent` and `logout` build on it. It identifies the
signed-in person; they decide whether that person may continue.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from starlette.requests import Request
from starlette.responses import Response

from local.entra import pages, parameters
from local.entra.cloud import Cloud, Session
from local.entra.directory import PERSONAL_ACCOUNTS, Tenant, User
from local.entra.refusals import Refusal, aadsts
from local.entra.tokens import hinted_name

COOKIE = "local_entra"


@dataclass
class Visit:
    """One request of one browser."""

    cloud: Cloud
    request: Request
    form: Mapping[str, str]
    cookie: str

    @classmethod
    async def of(cls, cloud: Cloud, request: Request) -> Self:
        """Recognise the browser, and read the form if one was posted.

        Raises:
            Refusal: AADSTS165000, the form was made for another browser or session; AADSTS9002313, it is no form.

        """
        posted = await parameters.form(request) if request.method == "POST" else {}
        visit = cls(cloud, request, posted, request.cookies.get(COOKIE) or secrets.token_urlsafe(24))
        if request.method == "POST" and not hmac.compare_digest(visit.csrf, posted.get("csrf", "")):
            raise aadsts(165000)
        return visit

    @property
    def session(self) -> Session | None:
        """Who is signed in with this browser."""
        return self.cloud.sessions.get(self.cookie)

    @property
    def csrf(self) -> str:
        """The token of this browser's forms; it changes with the session, because the cookie does."""
        return hmac.new(self.cloud.csrf_key, self.cookie.encode(), hashlib.sha256).hexdigest()

    @property
    def action(self) -> str:
        """The button that was pressed, "" where none was."""
        return self.form.get("action", "")

    @property
    def page_form(self) -> pages.Form:
        """A form that comes back to this very address."""
        url = self.request.url
        return pages.Form(f"{url.path}?{url.query}", self.csrf)

    def start_session(self, home: Tenant, user: User) -> Session:
        """Sign a person in, under a new cookie so that no older one can be fixed upon them."""
        self.end_session()
        began_at = self.cloud.clock()
        session = self.cloud.sessions[self.cookie] = Session(home.tenant_id, user.sign_in_name, began_at)
        return session

    def end_session(self) -> None:
        """Forget who was signed in."""
        self.cloud.sessions.pop(self.cookie, None)
        self.cookie = secrets.token_urlsafe(24)

    def finish(self, response: Response) -> Response:
        """Put the cookie on the answer."""
        response.set_cookie(COOKIE, self.cookie, httponly=True, samesite="lax", path="/")
        return response


def person_or_page(
    visit: Visit, *, prompt: str = "", hint: str = "", buttons: frozenset[str] = frozenset()
) -> Session | Response:
    """Who is signed in, or the page that asks.

    `prompt` and `hint` are OpenID Connect's; `buttons` names the actions of the caller's own pages that a signed-in
    person may have pressed.
    """
    session, name = visit.session, hinted_name(hint)
    match visit.action:
        case "sign_in":
            return _checked(visit)
        case "continue" if session is not None and prompt == "select_account":
            return session
        case pressed if session is not None and pressed in buttons:
            return session
        case "" if session is not None and prompt == "" and name.lower() in {"", session.sign_in_name.lower()}:
            return session
        case "" if session is not None and prompt == "select_account":
            return _ask(visit, account=session.sign_in_name)
        case _:
            return _ask(visit, email=name)


def user_in(cloud: Cloud, session: Session, path_tenant: Tenant | None) -> tuple[Tenant, User]:
    """The user object as which a signed-in person acts: in the tenant of the path, or else at home.

    Raises:
        Refusal: AADSTS50020, the person is not in that tenant, or has a personal account; AADSTS50057, disabled there.

    """
    tenant = path_tenant or cloud.tenant(session.tenant_id)
    user = tenant.user_of(session.sign_in_name)
    personal = session.tenant_id == PERSONAL_ACCOUNTS
    stranger = user is None or (personal and not cloud.hostile.personal_accounts)
    if user is None or stranger:
        provider = "live.com" if personal else cloud.addresses.issuer(session.tenant_id)
        raise aadsts(50020, user=session.sign_in_name, provider=provider, tenant=tenant.name)
    if not user.enabled:
        raise aadsts(50057)
    return tenant, user


def _checked(visit: Visit) -> Session | Response:
    email, password = visit.form.get("email", "").strip(), visit.form.get("password", "")
    try:
        home, user = _authenticated(visit.cloud, email, password)
    except Refusal as refusal:
        return _ask(visit, email=email, problem=refusal)
    return visit.start_session(home, user)


def _authenticated(cloud: Cloud, email: str, password: str) -> tuple[Tenant, User]:
    found = cloud.directory.home_of(email)
    if found is None:
        raise aadsts(50034, user=email)
    home, user = found
    if not hmac.compare_digest(user.password.encode(), password.encode()):
        raise aadsts(50126)
    if not user.enabled:
        raise aadsts(50057)
    return home, user


def _ask(visit: Visit, *, email: str = "", account: str | None = None, problem: Refusal | None = None) -> Response:
    application = visit.cloud.directory.application.name
    return pages.sign_in(visit.page_form, application=application, email=email, account=account, problem=problem)

"""AnyMeeting: signs people in through the service, and out again; it has a password page for those who keep theirs.

What a session holds stays here, on the server; the browser has the session's name in a signed cookie. So the service
can end a session, without the browser (OpenID Connect Back-Channel Logout 1.0).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from local.sample_app import pages

CLIENT_ID: Final = "anymeeting"
_SESSION: Final = "session_id"
_LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in: the claims of their ID token, and the token itself, to sign out with."""

    claims: Mapping[str, Any]
    id_token: str


class AnyMeeting:
    """The application.

    Args:
        url: where browsers and the service reach it.
        issuer: the service.
        client_secret: what the service's operator got when registering it.
    """

    def __init__(self, url: str, issuer: str, client_secret: str) -> None:
        self._url: Final = url
        self._sessions: Final[dict[str, Session]] = {}
        self._sso: Final = OAuth().register(
            "sso",
            client_id=CLIENT_ID,
            client_secret=client_secret,
            server_metadata_url=f"{issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256", "trust_env": False},
        )

    def asgi(self) -> Starlette:
        """The application for a web server."""
        routes = [
            Route("/", self.home),
            Route("/sign-in", self.sign_in),
            Route("/signin", self.signed_in),
            Route("/password", self.password),
            Route("/sign-out", self.sign_out, methods=["POST"]),
            Route("/signed-out", self.signed_out),
            Route("/backchannel-logout", self.end_session, methods=["POST"]),
        ]
        cookie = Middleware(SessionMiddleware, secret_key=secrets.token_urlsafe(32), session_cookie="anymeeting")
        faults = {OAuthError: _refused, JoseError: _refused, httpx2.HTTPError: _unreachable}
        return Starlette(routes=routes, middleware=[cookie], exception_handlers=faults)

    async def home(self, request: Request) -> Response:
        """Greet who is signed in; ask the others to."""
        session = self._sessions.get(request.session.get(_SESSION, ""))
        return pages.greeting(session.claims) if session else pages.welcome()

    async def sign_in(self, request: Request) -> Response:
        """Send the person to the service. An address typed here need not be typed again there."""
        email = request.query_params.get("email", "").strip()
        hint = {"login_hint": email} if email else {}
        answer: Response = await self._sso.authorize_redirect(request, f"{self._url}/signin", **hint)
        return answer

    async def signed_in(self, request: Request) -> Response:
        """Take the service's answer. The library checks state, nonce and ID token, and trades the code."""
        token = await self._sso.authorize_access_token(request)
        claims = token["userinfo"]
        session_id = claims.get("sid") or secrets.token_urlsafe()
        self._sessions[session_id] = Session(claims, token["id_token"])
        request.session.clear()
        request.session[_SESSION] = session_id
        return RedirectResponse("/", 303)

    async def password(self, request: Request) -> Response:
        """Where the service sends people who keep the vendor's password."""
        return pages.password(request.query_params.get("login_hint", ""))

    async def sign_out(self, request: Request) -> Response:
        """End the session here, then at the service and at Microsoft (OpenID Connect RP-Initiated Logout 1.0)."""
        session = self._sessions.pop(request.session.pop(_SESSION, ""), None)
        if session is None:
            return RedirectResponse("/", 303)
        answer: Response = await self._sso.logout_redirect(request, f"{self._url}/signed-out", session.id_token)
        return answer

    async def signed_out(self, request: Request) -> Response:
        """Where the service sends people whom it has signed out."""
        await self._sso.validate_logout_response(request)
        return pages.goodbye()

    async def end_session(self, request: Request) -> Response:
        """Receive a logout notice of the service: Back-Channel Logout 1.0, section 2.6."""
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            self._sessions.pop(await self._ended(form.get("logout_token", "")), None)
        except (JoseError, ValueError):
            return Response("This is no logout token of ours.", 400)
        return Response(status_code=200, headers={"Cache-Control": "no-store"})

    async def _ended(self, unverified_logout_token: str) -> str:
        """Name the session that a logout token ends. Authlib leaves this check to its JOSE library."""
        metadata = await self._sso.load_server_metadata()
        keys = KeySet.import_key_set(await self._sso.fetch_jwk_set(force=True))
        token = jwt.decode(unverified_logout_token, keys, algorithms=["RS256"])
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": metadata["issuer"]},
            aud={"essential": True, "value": CLIENT_ID},
            iat={"essential": True},
            exp={"essential": True},
            sid={"essential": True},
        ).validate(token.claims)
        if _LOGOUT_EVENT not in token.claims.get("events", {}) or "nonce" in token.claims:
            raise ValueError("It is a token of another kind.")
        return str(token.claims["sid"])


async def _refused(_request: Request, fault: Exception) -> Response:
    return pages.refused(str(fault))


async def _unreachable(_request: Request, fault: Exception) -> Response:
    return pages.refused(f"The sign-in service does not answer: {fault}")

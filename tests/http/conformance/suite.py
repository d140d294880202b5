"""What the OpenID Foundation's conformance suite does in each of its modules, and what it checks in each of them.

github.com/openid-certification/conformance-suite, `AbstractOIDCCServerTest`: a client that knows discovery, sends
neither PKCE nor `login_hint`, asks for `openid` alone, and looks at every response.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import httpx
import jwt

from local import loopback
from local.cast.browser import Page
from local.cast.person import ALICE, PASSWORD
from tests.http.signing_in import Asked, NewPerson, Person, claims_of, query_of, without_query
from tests.support.service import RunningService

REDIRECT_URI = "https://suite.example/callback"
POST_LOGOUT_REDIRECT_URI = "https://suite.example/post_logout_redirect"
NEITHER = {"code_challenge": None, "code_challenge_method": None}
"""No PKCE."""


@dataclass(frozen=True)
class Client:
    """A client of the suite, which sends its secret in the header or in the body."""

    client_id: str
    secret: str
    in_body: bool = False


@dataclass(frozen=True)
class Returned:
    """What came to the redirect URI, and which pages the person was asked on: `address`, `password`."""

    parameters: dict[str, str]
    pages: list[str]


@dataclass(frozen=True)
class SignedIn:
    """What the client holds after a sign-in in which everything was as it has to be."""

    asked: Asked
    code: str
    tokens: dict[str, Any]
    claims: dict[str, Any]
    userinfo: dict[str, Any]
    pages: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Suite:
    """The suite in front of a running service. `client` has `codeBinding` none, `default_client` the default."""

    service: RunningService
    new_person: NewPerson
    client: Client
    post_client: Client
    default_client: Client

    def discovery(self) -> dict[str, Any]:
        """The configuration of the provider, each endpoint of which is below its issuer."""
        response = loopback.get(f"{self.service.url}/.well-known/openid-configuration").raise_for_status()
        configuration = response.json()
        assert configuration["issuer"] == self.service.url
        endpoints = {name: value for name, value in configuration.items() if name.endswith("_endpoint")}
        assert [name for name, value in endpoints.items() if not value.startswith(self.service.url)] == []
        return dict(configuration)

    def asked(self, client: Client | None = None) -> Asked:
        """An authorization request of a client."""
        return Asked(client_id=(client or self.client).client_id, redirect_uri=REDIRECT_URI)

    def authorize(self, person: Person, asked: Asked, **changes: str | None) -> httpx.Response:
        """Send the person with a request, and go nowhere from there."""
        return person.authorize(asked, **NEITHER | {"login_hint": None, "scope": "openid"} | changes)

    def returned(self, person: Person, response: httpx.Response, username: str = ALICE) -> Returned:
        """Let the person do what the pages ask, until the browser is at the redirect URI."""
        pages: list[str] = []
        for _ in range(12):
            if response.has_redirect_location:
                location = response.headers["location"]
                if without_query(location) == REDIRECT_URI:
                    return Returned(query_of(location), pages)
                response = person.open(location)
                continue
            page = Page.of(response)
            form = next((form for form in page.forms if {"password", "login_hint"} & form.fields.keys()), None)
            assert form is not None, page.html
            pages.append("password" if "password" in form.fields else "address")
            typed = {"email": username, "password": PASSWORD, "login_hint": username, "action": "sign_in"}
            filled = form.fields | {
                name: typed[name] for name in typed if name in form.fields or pages[-1] == "password"
            }
            response = person.browser.send(form.method.upper(), urljoin(page.url, form.action), filled)
        raise AssertionError(f"The way does not end: {pages}")

    def code(self, returned: Returned, asked: Asked) -> str:
        """The code of a successful authorization response."""
        assert returned.parameters.keys() == {"code", "state", "iss"}
        assert (returned.parameters["state"], returned.parameters["iss"]) == (asked.state, self.service.url)
        assert len(returned.parameters["code"]) >= 43, "128 bits and more (RFC 6749, section 10.10)"
        return returned.parameters["code"]

    def error(self, returned: Returned, asked: Asked) -> str:
        """The error of an authorization response."""
        assert returned.parameters.keys() == {"error", "error_description", "state", "iss"}
        assert (returned.parameters["state"], returned.parameters["iss"]) == (asked.state, self.service.url)
        assert returned.parameters["error_description"].isprintable()
        return returned.parameters["error"]

    def exchange(self, code: str, client: Client | None = None, verifier: str | None = None) -> httpx.Response:
        """Call the token endpoint."""
        client = client or self.client
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return self.call_token_endpoint(form | ({"code_verifier": verifier} if verifier else {}), client)

    def call_token_endpoint(self, form: dict[str, str], client: Client) -> httpx.Response:
        """Send a form with the secret of a client, in the header or in the body."""
        credentials = (client.client_id, client.secret)
        in_body = {"client_id": client.client_id, "client_secret": client.secret}
        where: dict[str, Any] = {"data": form | in_body} if client.in_body else {"data": form, "auth": credentials}
        return loopback.post(f"{self.service.url}/oauth2/token", timeout=30, **where)

    def tokens(self, response: httpx.Response) -> dict[str, Any]:
        """The tokens of a successful token response."""
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("application/json")
        assert response.headers["cache-control"] == "no-store"
        tokens = response.json()
        assert tokens["token_type"].casefold() == "bearer"
        assert tokens["expires_in"] > 0
        return dict(tokens)

    def claims(self, tokens: dict[str, Any], asked: Asked, nonce: str | None) -> dict[str, Any]:
        """The claims of the ID token, which passes every standard check (OpenID Connect Core, section 3.1.3.7)."""
        header = jwt.get_unverified_header(tokens["id_token"])
        assert header["alg"] == "RS256"
        claims = claims_of(self.service, tokens["id_token"], asked.client_id)
        now = self.service.clock.now().timestamp()
        assert claims["iat"] - 5 <= now < claims["exp"]
        assert claims.get("nonce") == nonce
        assert 0 < len(claims["sub"]) <= 255
        assert claims.get("azp", asked.client_id) == asked.client_id
        half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(half).decode().rstrip("=")
        assert "c_hash" not in claims
        return claims

    def userinfo(self, access_token: str) -> httpx.Response:
        """Call userinfo with the token in the header."""
        return loopback.get(f"{self.service.url}/oauth2/userinfo", headers={"Authorization": f"Bearer {access_token}"})

    def sign_in(self, person: Person | None = None, client: Client | None = None, **changes: str | None) -> SignedIn:
        """A whole sign-in, in which everything is as it has to be."""
        person, client = person or self.new_person(), client or self.client
        asked = self.asked(client)
        returned = self.returned(person, self.authorize(person, asked, **changes))
        return self.redeemed(returned, asked, client, **changes)

    def redeemed(
        self, returned: Returned, asked: Asked, client: Client | None = None, **changes: str | None
    ) -> SignedIn:
        """What the client gets for the code that was returned to it."""
        code = self.code(returned, asked)
        verifier = asked.verifier if changes.get("code_challenge") else None
        tokens = self.tokens(self.exchange(code, client, verifier))
        claims = self.claims(tokens, asked, changes.get("nonce", asked.nonce))
        response = self.userinfo(tokens["access_token"])
        assert response.status_code == 200
        assert response.json()["sub"] == claims["sub"]
        return SignedIn(asked, code, tokens, claims, response.json(), returned.pages)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.service.clock.advance(timedelta(seconds=seconds))


type Module = Callable[[Suite], None]

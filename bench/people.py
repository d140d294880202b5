"""People in front of browsers: an administrator who connects a company, and a colleague who signs in to an application.

Each request of a browser goes through a `Watch`, which may count and time it. The application is nobody but its
registration, and a page of this machine to come back to.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, override
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from bench.load import LoadError
from local.demo_browser import Browser, Page

ADMINISTRATOR: Final = "ada@contoso.example"
COLLEAGUE: Final = "alice@contoso.example"
_PASSWORD: Final = "Local-pass-1"
_MOST_PAGES: Final = 6

type Watch = Callable[[str, str, Callable[[], httpx.Response]], httpx.Response]
"""Is told the method and address of a request and sends it."""


class WatchedBrowser(Browser):
    """A browser whose every request is watched."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch: Final = watch

    @override
    def send(self, method: str, url: str, data: Mapping[str, str]) -> httpx.Response:
        return self._watch(method, url, lambda: Browser.send(self, method, url, data))

    def walk(self, page: Page, person: str) -> Page:
        """Do what each page asks until one asks nothing: sign in, accept, go on."""
        for _ in range(_MOST_PAGES):
            if not page.forms:
                return page
            form = page.forms[0]
            if "password" in form.fields:
                values = {"email": person, "password": _PASSWORD, "action": "sign_in"}
            elif ("action", "accept") in form.buttons:
                values = {"action": "accept"}
            else:
                values = dict(form.buttons)
            page = self.submit(page, form, values)
        raise LoadError(f"The way of {person} does not end: {page.url}")


@dataclass(frozen=True, slots=True)
class SigningIn:
    """One authorization request of a public client, with what the client keeps of it."""

    client_id: str
    redirect_uri: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def parameters(self) -> dict[str, str]:
        """The request."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")
        return {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid email profile",
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "login_hint": COLLEAGUE,
        }

    def address(self, service_url: str) -> str:
        """Where the application sends the browser."""
        return f"{service_url}/oauth2/authorize?{urlencode(self.parameters())}"

    def redemption(self, page: Page) -> dict[str, str]:
        """What the application sends to the token endpoint when the browser is back. Raises LoadError."""
        code = parse_qs(urlsplit(page.url).query).get("code")
        if code is None:
            raise LoadError(f"The browser should be back at the application with a code: {page.url} {page.title}")
        return {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code": code[0],
            "code_verifier": self.verifier,
        }

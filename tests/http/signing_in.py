"""Signing in step by step: what applications ask and keep, and people whose way is held up wherever a test likes.

A test that holds an answer of Microsoft or of the service can look at it, change it, replay it, or hand it to somebody
else. The conftest takes the fixtures over.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
import pytest

from local import loopback
from local.cast.application import AuthorizationRequest
from local.cast.browser import Browser, Page
from local.cast.panel import Caller
from local.cast.person import ALICE, PASSWORD
from tests.support.integration import press
from tests.support.service import RunningService

REDIRECT_URI = "https://unite.example/callback"
PASSWORD_URI = "https://unite.example/password?theme=dark"
ALICE_OID = "c0c00000-0000-4000-8000-00000000a11c"
ALICE_NAMES = {
    "name": "Alice Archer",
    "given_name": "Alice",
    "family_name": "Archer",
    "preferred_username": ALICE,
}

type Register = Callable[..., httpx.Response]
type Walk = Callable[..., Page]
type NewPerson = Callable[[], "Person"]


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address, each of which stands in it once."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs), url
    return dict(pairs)


def without_query(url: str) -> str:
    """The address up to its query."""
    return url.partition("?")[0]


@dataclass(frozen=True)
class Asked(AuthorizationRequest):
    """A request of the registered application `unite`, for Alice."""

    client_id: str = "unite"
    redirect_uri: str = REDIRECT_URI
    login_hint: str = ALICE


@dataclass(frozen=True)
class Person:
    """Somebody with a browser of their own, in front of the service."""

    service: RunningService
    browser: Browser

    def open(self, url: str) -> httpx.Response:
        """Go to an address, and nowhere from there."""
        return self.browser.send("GET", url, {})

    def authorize(self, asked: Asked, **changes: str | None) -> httpx.Response:
        """Come to the service from an application, and go nowhere from there."""
        return self.open(asked.address(self.service.url, **changes))

    def leave(self, asked: Asked, **changes: str | None) -> str:
        """Come from an application; the address at Microsoft to which the service sends the browser."""
        answer = self.authorize(asked, **changes)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def sign_in_at_microsoft(self, url: str, username: str = ALICE) -> str:
        """Sign in on Microsoft's page, if it asks; Microsoft's answer, held back."""
        answer = self.open(url)
        if not answer.has_redirect_location:
            page = self.browser.open(url)
            page = replace(page, forms=tuple(form for form in page.forms if "email" in form.fields))
            assert page.forms, page.html
            return self.press(page, "sign_in", email=username, password=PASSWORD)
        return str(answer.headers["location"])

    @property
    def cookies(self) -> dict[str, str]:
        """What the service has left in this browser."""
        return {name: value for (_, _, name), value in self.browser._cookies.items() if name.startswith("__Host-")}

    def keep(self, *cookies: str) -> None:
        """Take Set-Cookie lines that came with answers to requests of this browser, or that somebody planted."""
        for cookie in cookies:
            self.browser._keep("localhost", cookie)

    def press(self, page: Page, action: str, **values: str) -> str:
        """Press a button on a page; where it leads, without going there."""
        return press(self.browser, page, action, **values)

    def answer(self, asked: Asked, username: str = ALICE, **changes: str | None) -> str:
        """Walk as far as Microsoft's answer, which is held back."""
        return self.sign_in_at_microsoft(self.leave(asked, **changes), username)

    def come_back(self, asked: Asked, username: str = ALICE, **changes: str | None) -> httpx.Response:
        """Walk all the way; what the service says to Microsoft's answer."""
        return self.open(self.answer(asked, username, **changes))

    def sign_in(self, asked: Asked, username: str = ALICE, **changes: str | None) -> dict[str, str]:
        """Sign in; what the application is answered."""
        return answered(self.come_back(asked, username, **changes), asked.redirect_uri)

    def tokens(self, asked: Asked, username: str = ALICE, **changes: str | None) -> dict[str, Any]:
        """Sign in; what the application, a public client, gets for the code."""
        code = self.sign_in(asked, username, **changes)["code"]
        return redeem(self.service, asked.redemption(code)).raise_for_status().json()


def answered(response: httpx.Response, redirect_uri: str = REDIRECT_URI) -> dict[str, str]:
    """The parameters of an answer to the application, which must be the one that this address belongs to."""
    assert response.status_code == 303, response.text
    location = response.headers["location"]
    assert without_query(location) == redirect_uri
    return query_of(location)


def refused(service: RunningService, response: httpx.Response, asked: Asked) -> str:
    """The OAuth error of an answer to the application, which carries its state and says who answers (RFC 9207)."""
    answer = answered(response, asked.redirect_uri)
    assert answer.keys() - {"error_uri"} == {"error", "error_description", "state", "iss"}
    assert (answer["state"], answer["iss"]) == (asked.state, service.url)
    assert answer.get("error_uri") in {None, f"{service.url}/errors/sso-does-not-apply"}
    return answer["error"]


def redeem(service: RunningService, form: dict[str, str], **more: Any) -> httpx.Response:
    """Call the token endpoint."""
    return loopback.post(f"{service.url}/oauth2/token", data=form, timeout=30, **more)


def claims_of(service: RunningService, token: str, audience: str = "unite") -> dict[str, Any]:
    """What a token of the service says, verified as an application would. Times are the moved clock's, not checked."""
    keys = jwt.PyJWKSet.from_dict(loopback.get(f"{service.url}/oauth2/jwks").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    return jwt.decode(token, key, algorithms=["RS256"], audience=audience, issuer=service.url, options=options)


@pytest.fixture
def register(operator: Caller) -> Register:
    """Registers an application: `register("unite", name="Unite")`; a profile field of None is left out."""

    def put(client_id: str = "unite", **profile: Any) -> httpx.Response:
        document = {
            "name": client_id.title(),
            "redirectUris": [REDIRECT_URI],
            "ssoSupported": True,
            "passwordSignInUri": PASSWORD_URI,
        }
        body = {name: value for name, value in (document | profile).items() if value is not None}
        path = f"/v1/applications/{client_id}"
        return operator("PUT", path, json=body, headers={"If-Match": "*"} if _known(operator, path) else {})

    return put


def _known(operator: Caller, path: str) -> bool:
    return operator("GET", path).status_code == 200


@pytest.fixture
def unite(register: Register) -> Asked:
    """The registered application `unite`, a public client, with one request of its."""
    register("unite").raise_for_status()
    return Asked()


@pytest.fixture
def contoso(acme: Caller, connect: Walk) -> Caller:
    """The Security Manager of `acme`, which is connected to Contoso and has SSO on."""
    connect(acme)
    set_policy(acme, mode="on")
    return acme


def set_policy(manager: Caller, account_id: str = "acme", **changes: Any) -> None:
    """Change an account's policy."""
    path = f"/v1/accounts/{account_id}/policy"
    manager("PATCH", path, json=changes, headers={"If-Match": "*"}).raise_for_status()


@pytest.fixture
def new_person(service: RunningService) -> Iterator[NewPerson]:
    """Makes people, each with a browser of their own."""
    with ExitStack() as browsers:
        yield lambda: Person(service, browsers.enter_context(Browser()))


@pytest.fixture
def person(new_person: NewPerson) -> Person:
    """Somebody who wants to sign in."""
    return new_person()


SCRIPT = "\"'></p></form><script>alert(document.domain)</script><img src=x onerror=alert(1)>"
"""What an attacker would put wherever a page might repeat it."""


@dataclass(frozen=True)
class Element:
    """One element of a page, with the text that stands directly in it."""

    tag: str
    attributes: dict[str, str | None]
    text: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "input", "img", "br"}:
            self._open.append(len(self.elements))
        self.elements.append(Element(tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()].tag == tag, "elements close in the order of their opening"

    def handle_data(self, data: str) -> None:
        if self._open:
            within = self.elements[self._open[-1]]
            self.elements[self._open[-1]] = replace(within, text=within.text + data)


@dataclass(frozen=True)
class Shown:
    """What a person sees, read as a browser reads it."""

    elements: tuple[Element, ...]

    @classmethod
    def by(cls, response: httpx.Response) -> "Shown":
        """Read a page, which must be one that runs nothing, whatever stands in it."""
        assert response.headers["content-type"].startswith("text/html"), response.text
        assert "location" not in response.headers
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        policy = response.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
        assert not any(directive.startswith(("script-src", "img-src")) for directive in policy)
        reader = _Reader()
        reader.feed(response.text)
        reader.close()
        page = cls(tuple(reader.elements))
        assert not page.all("script") + page.all("img") + page.all("iframe")
        assert not [name for element in page.elements for name in element.attributes if name.startswith("on")]
        return page

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def one(self, tag: str, **attributes: str) -> Element:
        """The one element of this tag that has these attributes."""
        (found,) = [element for element in self.all(tag) if attributes.items() <= element.attributes.items()]
        return found

    @property
    def title(self) -> str:
        return self.one("h1").text

    @property
    def told(self) -> str:
        """The paragraphs."""
        return " ".join(element.text for element in self.all("p"))

    @property
    def reference(self) -> str:
        """What a refusal is found by: its kind, and the id of the call."""
        return self.one("code").text

    @property
    def ways(self) -> dict[str, str]:
        """The links: what each says, and where it leads."""
        return {element.text: str(element.attributes["href"]) for element in self.all("a")}

"""The service with everything around it, each part in a process of its own, and two customers who are connected."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from bench.people import code_of
from bench.stage import whole_service
from local import loopback
from local.cast import panel
from local.cast.application import AuthorizationRequest
from local.cast.browser import Browser, Page
from local.cast.panel import Caller
from local.cast.person import PASSWORD
from local.cast.stack import FUNCTION_KEY, MASTER_KEY, FunctionsHost
from local.processes import Azurite, azurite
from tests.support.wire import canned_web

ACCOUNTS: Final = {"contoso": ("sam", "ada@contoso.example"), "northwind": ("norman", "nora@northwind.example")}
"""The customers: the Security Manager of each, and the administrator at Microsoft."""

PUBLIC, CONFIDENTIAL = "unite", "portal"
"""The applications: one that renews and is a public client, and one with a secret."""

EXCEPTED: Final = "carol@contoso-mail.example"
"""Keeps the vendor's password."""

PEOPLE: Final = tuple(f"person-{number}@contoso.example" for number in range(6))
"""Who sign in."""

_TENANT: Final = "c0c00000-0000-4000-8000-000000000000"
_SETUP_LINKS: Final = 20
"""An account keeps this many; from then on a new one takes the place of one that is over."""


class UnexpectedError(Exception):
    """Something was answered otherwise than it should be."""


@dataclass(frozen=True, slots=True)
class World:
    """Where everybody comes to. Every answer with another status than the one that is named is an UnexpectedError."""

    host: FunctionsHost
    store: Azurite
    entra: str
    application: str
    """The address below which applications are called back."""
    client: httpx.Client
    """Shared by whoever has no browser; it is safe to use from several threads."""
    managers: Mapping[str, Caller]
    operator: Caller
    secret: str
    """The confidential application's."""

    @property
    def url(self) -> str:
        """Where the service answers."""
        return self.host.url

    def ask(self, method: str, path: str, status: int = 200, **more: Any) -> httpx.Response:
        """Make one request to the service."""
        return expected(self.client.request(method, path, **more), status)

    def resolve(self, email: str, method: str) -> None:
        """Ask how somebody signs in, which must be by this method."""
        body = {"email": email, "application": PUBLIC}
        answer = self.ask("POST", "/v1/resolve", json=body, headers={"x-functions-key": FUNCTION_KEY}).json()
        if answer["method"] != method:
            raise UnexpectedError(f"Somebody should sign in by {method}: {answer}")

    def request(self, person: str, client_id: str = PUBLIC) -> AuthorizationRequest:
        """A request of an application that somebody signs in."""
        return AuthorizationRequest(client_id, f"{self.application}/callback", person)

    def redeem(self, form: Mapping[str, str], status: int = 200) -> dict[str, Any]:
        """Call the token endpoint."""
        basic = (CONFIDENTIAL, self.secret) if form["client_id"] == CONFIDENTIAL else None
        sent = {name: value for name, value in form.items() if basic is None or name != "client_id"}
        document: dict[str, Any] = self.ask("POST", "/oauth2/token", status, data=sent, auth=basic).json()
        return document

    def sign_in(self, browser: Browser, request: AuthorizationRequest, **changes: str | None) -> dict[str, Any]:
        """Sign somebody in; the tokens."""
        page = browser.walk(browser.open(request.address(self.url, **changes)), request.login_hint)
        return self.redeem(request.redemption(code_of(page)))

    def sign_out(self, browser: Browser, id_token: str) -> None:
        """Sign out of every application of this browser, at Microsoft, and back to the application."""
        goodbye = f"{self.application}/signed-out"
        leaving = httpx.URL(
            f"{self.url}/oauth2/logout", params={"id_token_hint": id_token, "post_logout_redirect_uri": goodbye}
        )
        at_microsoft = browser.open(str(leaving))
        for frame in at_microsoft.frames:
            expected(browser.send("GET", frame, {}), 200)
        must_end_at(browser.open(f"{self.url}/signed-out"), goodbye)

    def run(self, timer: str) -> None:
        """Run a timer's function now, as an operator can."""
        self.ask("POST", f"/admin/functions/{timer}", 202, headers={"x-functions-key": MASTER_KEY}, json={})


def expected(answer: httpx.Response, status: int) -> httpx.Response:
    """The answer, whose status must be this one."""
    if answer.status_code != status:
        request = f"{answer.request.method} {answer.request.url.path}"
        raise UnexpectedError(f"{request} should be answered {status}: {answer.status_code} {answer.text[:500]}")
    return answer


def must_end_at(page: Page, address: str) -> None:
    """Raise UnexpectedError unless the browser has arrived at this address, whatever its query."""
    if page.url.partition("?")[0] != address:
        raise UnexpectedError(f"The browser should be at {address}: {page.status} {page.url} {page.title}")


@contextmanager
def world(directory: Path) -> Generator[World]:
    """Run the service of `directory`, an app that shows its vitals, with an empty store, and prepare it."""
    with (
        azurite() as store,
        canned_web() as web,
        whole_service(store, directory=directory) as whole,
        loopback.client(base_url=whole.host.url, timeout=30) as client,
    ):
        operator = Caller(client, panel.token(whole.entra.http, "olga"))
        managers = {
            account: Caller(client, panel.token(whole.entra.http, manager, account_id=account))
            for account, (manager, _) in ACCOUNTS.items()
        }
        _register(operator, web.url)
        secret = operator.must("POST", f"/v1/applications/{CONFIDENTIAL}/secret", etag="*")["clientSecret"]
        here = World(whole.host, store, whole.entra.http, web.url, client, managers, operator, secret)
        for account, (_, administrator) in ACCOUNTS.items():
            _connect(here, account, administrator)
        _employ(here)
        yield here


def _register(operator: Caller, application: str) -> None:
    shared = {"ssoSupported": True, "redirectUris": [f"{application}/callback"]}
    shared |= {"postLogoutRedirectUris": [f"{application}/signed-out"], "backchannelLogoutUri": f"{application}/heard"}
    public = shared | {"name": "Unite", "refreshTokens": True}
    operator.must("PUT", f"/v1/applications/{PUBLIC}", json=public)
    confidential = shared | {"name": "Portal", "tokenEndpointAuthMethod": "client_secret_basic"}
    operator.must("PUT", f"/v1/applications/{CONFIDENTIAL}", json=confidential)


def _connect(here: World, account: str, administrator: str) -> None:
    manager, connection = here.managers[account], f"/v1/accounts/{account}/connection"
    here.operator.must("PUT", f"/v1/accounts/{account}", json={"name": account.title(), "products": []})
    for _ in range(_SETUP_LINKS):
        link = manager.must("POST", connection, json={"lifetimeMinutes": 60})["linkId"]
        manager.must("DELETE", f"{connection}/links/{link}")
    started = manager.must("POST", connection, json={})
    with Browser() as browser:
        page = browser.walk(browser.open(started["startUrl"]), administrator)
    if page.title != "Connected":
        raise UnexpectedError(f"{account} should be connected: {page.url} {page.title}")
    manager.must("PATCH", f"/v1/accounts/{account}/policy", etag="*", json={"mode": "on"})


def _employ(here: World) -> None:
    """Give the first customer the people who sign in, and one who does not."""
    for number, person in enumerate(PEOPLE):
        address = f"{here.entra}/_local/tenants/{_TENANT}/users/c0c00000-0000-4000-8000-0000000050a{number}"
        user = {"user_principal_name": person, "display_name": person, "mail": person, "password": PASSWORD}
        expected(here.client.put(address, json=user), 200)
    exception = {"email": EXCEPTED, "reason": "Keeps the password"}
    here.managers["contoso"].must("POST", "/v1/accounts/contoso/exceptions", json=exception)

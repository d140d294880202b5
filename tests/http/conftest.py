"""One service, one Azurite and one local Entra for all tests over HTTP; each test finds them as new."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.demo_browser import Browser, Page
from local.entra.server import LocalEntra
from local.processes import azurite, free_port
from shared.wiring import TABLE_NAMES
from tests.support.service import FUNCTION_KEY, RunningService, settings_for

PASSWORD = "Local-pass-1"
CONTOSO = "c0c00000-0000-4000-8000-000000000000"
FABRIKAM = "fab00000-0000-4000-8000-000000000000"
ATTACKER = "bad00000-0000-4000-8000-000000000000"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningService, LocalEntra]]:
    port = free_port()
    url = f"http://localhost:{port}"
    with azurite() as store, LocalEntra(state_dir=tmp_path_factory.mktemp("entra"), service_url=url) as entra:
        store.create_tables(TABLE_NAMES)
        with RunningService(port, settings_for(url, store.connection_string, entra)) as service:
            entra.cloud.clock = service.clock.now
            yield service, entra


@pytest.fixture
def entra(running: tuple[RunningService, LocalEntra]) -> Iterator[LocalEntra]:
    yield running[1]
    running[1].cloud.reset()


@pytest.fixture
def service(running: tuple[RunningService, LocalEntra], entra: LocalEntra) -> Iterator[RunningService]:
    yield running[0]
    running[0].empty()


@pytest.fixture
def control(entra: LocalEntra) -> Iterator[httpx.Client]:
    """Local Entra's control API."""
    with httpx.Client(base_url=f"{entra.http}/_local", trust_env=False) as client:
        yield client


type Switch = Callable[..., None]


@pytest.fixture
def hostile(control: httpx.Client) -> Switch:
    """Switches local Entra's hostile modes; without arguments, all of them off."""

    def switch(**modes: Any) -> None:
        control.put("/hostile", json=modes).raise_for_status()

    return switch


@dataclass
class Caller:
    """Calls the API with one bearer token, and what else a test wants to send."""

    client: httpx.Client
    token: str | None
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers = {**bearer, **self.headers, **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)


@pytest.fixture
def client(service: RunningService) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, trust_env=False, timeout=60) as opened:
        yield opened


type Token = Callable[..., str]


@pytest.fixture
def token(control: httpx.Client, service: RunningService) -> Token:
    """Makes panel tokens: `token("sam", account_id="acme")`; `signature=` forges, a claim of None is left out.

    They live for years, so that a test may let time pass.
    """

    def make(username: str = "sam", *, signature: str | None = None, **claims: Any) -> str:
        lasting = {"exp": int((service.clock.now() + timedelta(days=3_650)).timestamp())}
        body = {"username": username, "claims": lasting | claims, "signature": signature}
        answer = control.post("/control-panel/token", json=body).raise_for_status()
        return str(answer.json()["access_token"])

    return make


@pytest.fixture
def operator(client: httpx.Client, token: Token) -> Caller:
    return Caller(client, token("olga"))


@pytest.fixture
def anybody(client: httpx.Client) -> Caller:
    return Caller(client, None)


@pytest.fixture
def manager(client: httpx.Client, token: Token) -> Callable[[str], Caller]:
    """The Security Manager of an account."""
    return lambda account_id: Caller(client, token("sam", account_id=account_id))


@pytest.fixture
def acme(operator: Caller, manager: Callable[[str], Caller]) -> Caller:
    """The Security Manager of the registered account `acme`; paths are below /v1/accounts/acme."""
    operator("PUT", "/v1/accounts/acme", json={"name": "Acme", "products": ["Unite"]}).raise_for_status()
    return manager("acme")


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


type Walk = Callable[..., Page]


def sign_in(browser: Browser, page: Page, person: str) -> Page:
    """Fill in local Entra's sign-in form."""
    return browser.submit(page, page.forms[0], {"email": person, "password": PASSWORD, "action": "sign_in"})


def go_on(browser: Browser, page: Page) -> Page:
    """Read what the start link is for, and go on to Microsoft."""
    return browser.submit(page, page.forms[0], {"action": "continue"})


def accept(browser: Browser, page: Page) -> Page:
    """Accept local Entra's consent page."""
    return browser.submit(page, page.forms[0], {"action": "accept"})


@pytest.fixture
def connect(browser: Browser) -> Walk:
    """Walks an account through the whole integration in a browser, and returns the last page."""

    def walk(caller: Caller, account_id: str = "acme", admin: str = "ada@contoso.example", **body: Any) -> Page:
        started = caller("POST", f"/v1/accounts/{account_id}/connection", json=body)
        assert started.status_code == 201, started.text
        page = go_on(browser, browser.open(started.json()["startUrl"]))
        page = accept(browser, sign_in(browser, page, admin))
        return sign_in(browser, page, admin) if page.forms else page

    return walk


@dataclass(frozen=True)
class Resolve:
    """An application that asks how somebody signs in."""

    client: httpx.Client

    def __call__(self, email: Any, application: str | None = None, key: str | None = FUNCTION_KEY) -> httpx.Response:
        headers = {"x-functions-key": key} if key else {}
        body = {"email": email} | ({"application": application} if application else {})
        return self.client.post("/v1/resolve", json=body, headers=headers)

    def method(self, email: str, application: str | None = None) -> str:
        answer = self(email, application)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["method"])


@pytest.fixture
def resolve(client: httpx.Client) -> Resolve:
    return Resolve(client)

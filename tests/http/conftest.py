"""One service, one Azurite and one local Entra for all tests over HTTP; each test finds them as new."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local import loopback
from local.cast import panel
from local.cast.browser import Browser, Page
from local.cast.panel import Caller
from local.cast.person import ADA
from local.cast.stack import FUNCTION_KEY
from local.entra.server import LocalEntra
from local.processes import azurite, free_port
from shared.wiring import TABLE_NAMES
from tests.http.signing_in import Walk, contoso, new_person, person, register, unite
from tests.support.measuring import new_threads_unmeasured, own_thread_unmeasured
from tests.support.service import RunningService, settings_for

__all__ = ["Walk", "contoso", "new_person", "person", "register", "unite"]

CONTOSO = "c0c00000-0000-4000-8000-000000000000"
FABRIKAM = "fab00000-0000-4000-8000-000000000000"
ATTACKER = "bad00000-0000-4000-8000-000000000000"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningService, LocalEntra]]:
    port = free_port()
    url = f"http://localhost:{port}"
    with azurite() as store, ExitStack() as stack:
        with new_threads_unmeasured():
            entra = stack.enter_context(LocalEntra(state_dir=tmp_path_factory.mktemp("entra"), service_url=url))
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
    with loopback.client(base_url=f"{entra.http}/_local") as client:
        yield client


type Switch = Callable[..., None]


@pytest.fixture
def hostile(control: httpx.Client) -> Switch:
    """Switches local Entra's hostile modes; without arguments, all of them off."""

    def switch(**modes: Any) -> None:
        control.put("/hostile", json=modes).raise_for_status()

    return switch


@pytest.fixture
def client(service: RunningService) -> Iterator[httpx.Client]:
    """What talks to the service. Coverage then follows the service only: neither the test nor local Entra."""
    with loopback.client(base_url=service.url, timeout=60) as opened, own_thread_unmeasured():
        yield opened


type Token = Callable[..., str]


@pytest.fixture
def token(entra: LocalEntra, service: RunningService) -> Token:
    """Makes panel tokens: `token("sam", account_id="acme")`; `signature=` forges, a claim of None is left out.

    They live for years, so that a test may let time pass.
    """

    def make(username: str, **more: Any) -> str:
        lasting = {"exp": int((service.clock.now() + timedelta(days=3_650)).timestamp())}
        return panel.token(entra.http, username, **(lasting | more))

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


@pytest.fixture
def connect(browser: Browser) -> Walk:
    """Walks an account through the whole integration in a browser, `theirs` or ours, and returns the last page."""

    def walk(
        caller: Caller, account_id: str = "acme", admin: str = ADA, theirs: Browser = browser, **body: Any
    ) -> Page:
        started = caller("POST", f"/v1/accounts/{account_id}/connection", json=body)
        assert started.status_code == 201, started.text
        return theirs.walk(theirs.open(started.json()["startUrl"]), admin)

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

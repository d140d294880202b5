"""One local Entra for all tests of this folder, put back to its directory file after each."""

from collections.abc import Iterator
from typing import Any

import httpx
import msal
import pytest
import requests

from local import loopback
from local.cast.browser import Page
from local.entra.server import LocalEntra
from tests.local_entra.browser import Browser

SERVICE = "http://localhost:7071"
CALLBACK = f"{SERVICE}/v1/connect/callback"
CLIENT_ID = "a5500000-0000-4000-8000-0000000000a5"
SECRET = "local-client-secret"
CONTOSO = "c0c00000-0000-4000-8000-000000000000"
FABRIKAM = "fab00000-0000-4000-8000-000000000000"
NORTHWIND = "d0d00000-0000-4000-8000-000000000000"
ATTACKER = "bad00000-0000-4000-8000-000000000000"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEntra]:
    with LocalEntra(state_dir=tmp_path_factory.mktemp("entra"), service_url=SERVICE) as server:
        yield server


@pytest.fixture
def entra(running: LocalEntra) -> Iterator[LocalEntra]:
    yield running
    running.cloud.reset()


@pytest.fixture
def browser(entra: LocalEntra) -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture
def control(entra: LocalEntra) -> Iterator[httpx.Client]:
    with loopback.client(base_url=f"{entra.http}/_local") as client:
        yield client


@pytest.fixture
def back_channel(entra: LocalEntra) -> Iterator[requests.Session]:
    """What the service hands to MSAL: no proxy or CA from the environment, the throw-away CA only."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(entra.ca_file)
        yield session


class Client:
    """The application as the service builds it: real MSAL, one object per tenant."""

    def __init__(self, entra: LocalEntra, http_client: requests.Session) -> None:
        self.entra, self._http_client = entra, http_client
        self.scope = f"{entra.https}/.default"

    def msal(self, tenant: str, credential: Any = SECRET, client_id: str = CLIENT_ID) -> Any:
        return msal.ConfidentialClientApplication(
            client_id,
            authority=f"{self.entra.https}/{tenant}",
            client_credential=credential,
            instance_discovery=False,
            http_client=self._http_client,
            exclude_scopes=["offline_access"],
        )

    def consent_url(self, tenant: str = "organizations") -> str:
        return f"{self.entra.http}/{tenant}/v2.0/adminconsent"

    def consent_query(self, **changes: str | None) -> dict[str, str]:
        query = {
            "client_id": CLIENT_ID,
            "scope": self.scope,
            "redirect_uri": CALLBACK,
            "state": "the-state",
        } | changes
        return {name: value for name, value in query.items() if value is not None}

    def start(self, tenant: str, **more: Any) -> tuple[Any, dict[str, Any]]:
        """MSAL and the sign-in flow it started."""
        client = self.msal(tenant)
        flow = client.initiate_auth_code_flow(
            ["User.Read", "email"],
            redirect_uri=CALLBACK,
            **{"response_mode": "form_post"} | more,
        )
        return client, flow

    def post(self, path: str, **form: str | None) -> dict[str, Any]:
        data = {name: value for name, value in form.items() if value is not None}
        answer: dict[str, Any] = self._http_client.post(f"{self.entra.https}{path}", data=data, timeout=5).json()
        return answer

    def graph(self, path: str, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = path if path.startswith("https:") else f"{self.entra.https}/v1.0{path}"
        return self._http_client.get(url, headers=headers, timeout=5)


@pytest.fixture
def client(entra: LocalEntra, back_channel: requests.Session) -> Client:
    return Client(entra, back_channel)


@pytest.fixture
def consented(control: httpx.Client) -> None:
    """Contoso's administrator has accepted."""
    control.post(f"/consents/{CONTOSO}/grant").raise_for_status()


def text(page: object) -> str:
    assert isinstance(page, Page), f"no page but {page}"
    return page.html

"""The real things behind the ports, as fixtures: one Azurite, one local Entra, and the adapters on them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from local.cast.person import ADA
from local.entra.server import LocalEntra
from local.processes import Azurite, azurite
from shared.adapters.entra.graph import Graph
from shared.adapters.entra.id_tokens import IdTokens
from shared.adapters.entra.msal_clients import ClientCredential, MsalClients
from shared.adapters.entra.provider import EntraProvider
from shared.adapters.entra.token_requests import TokenRequests
from shared.adapters.web import Web
from shared.kernel.names import TenantId
from shared.ports.sign_in import SignInRequest
from tests.local_entra.browser import Answer, Browser
from tests.support.fakes import FixedClock
from tests.support.measuring import new_threads_unmeasured

SERVICE = "http://localhost:7071"
CALLBACK = f"{SERVICE}/v1/connect/callback"
CLIENT_ID = "a5500000-0000-4000-8000-0000000000a5"
SECRET = "local-client-secret"
CONTOSO = TenantId("c0c00000-0000-4000-8000-000000000000")
HOME = TenantId("5e110000-0000-4000-8000-000000000000")
FABRIKAM = TenantId("fab00000-0000-4000-8000-000000000000")
NOBODYS = TenantId("00000000-0000-4000-8000-000000000000")


@pytest.fixture(scope="session")
def store() -> Iterator[Azurite]:
    with azurite() as running:
        running.create_tables(["rows"])
        yield running


@pytest.fixture(scope="session")
def running_entra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEntra]:
    with ExitStack() as stack:
        with new_threads_unmeasured():
            entra = stack.enter_context(LocalEntra(state_dir=tmp_path_factory.mktemp("entra"), service_url=SERVICE))
        yield entra


@pytest.fixture
def entra(running_entra: LocalEntra) -> Iterator[LocalEntra]:
    yield running_entra
    running_entra.cloud.reset()


@pytest.fixture
async def web(entra: LocalEntra) -> AsyncIterator[Web]:
    opened = Web("Microsoft", str(entra.ca_file))
    yield opened
    await opened.close()


@dataclass(frozen=True)
class RealEntra:
    """Local Entra, the provider that talks to it, and what people do in their browsers."""

    entra: LocalEntra
    provider: EntraProvider

    def consent(self, tenant_id: TenantId = CONTOSO) -> None:
        application = self.entra.cloud.directory.application
        self.entra.cloud.grant(tenant_id, application.delegated_permissions, application.application_permissions)

    def renew_secret(self) -> None:
        """The registration gets another secret, of which the service does not know."""
        cloud = self.entra.cloud
        renewed = cloud.directory.application.model_copy(update={"client_secret": "another"})
        cloud.directory = cloud.directory.model_copy(update={"application": renewed})

    def code(self, request: SignInRequest, person: str = ADA) -> str:
        """Entra's response when this person signs in."""
        with Browser() as browser:
            answer = browser.sign_in(browser.open(request.url), person)
            assert isinstance(answer, Answer), answer
            return answer.parameters["code"]


def provider_on(entra: LocalEntra, web: Web, clients: MsalClients) -> EntraProvider:
    return EntraProvider(
        tokens=TokenRequests(clients=clients, web=web, authority_url=entra.https),
        id_tokens=IdTokens(authority=entra.https, client_id=CLIENT_ID, web=web, clock=FixedClock(entra.cloud.now())),
        graph=Graph(url=entra.https, web=web),
        browser_url=entra.http,
        client_id=CLIENT_ID,
    )


def clients_on(entra: LocalEntra, web: Web, credential: ClientCredential = SECRET) -> MsalClients:
    return MsalClients(authority=entra.https, client_id=CLIENT_ID, credential=credential, web=web)


@pytest.fixture
async def real_entra(entra: LocalEntra, web: Web) -> RealEntra:
    return RealEntra(entra, provider_on(entra, web, clients_on(entra, web)))

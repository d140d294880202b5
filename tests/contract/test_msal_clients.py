"""MSAL in threads: one client a tenant, made once, and nothing remembered that might not hold any more."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator

import msal
import pytest
from urllib3.exceptions import HTTPError

from local.entra.hostile import Hostile
from local.entra.server import LocalEntra
from local.processes import free_port
from shared.adapters.entra import msal_clients, msal_http
from shared.adapters.entra.managed_identity import managed_identity_assertion
from shared.adapters.entra.msal_clients import MsalClients
from shared.adapters.entra.msal_http import MsalHttp, MsalResponse
from shared.adapters.web import Web
from shared.kernel.caches import BoundedCache
from shared.kernel.names import TenantId
from shared.kernel.refusals import Unavailable
from tests.support.real_parts import CLIENT_ID, CONTOSO, FABRIKAM, NOBODYS, SECRET, RealEntra, clients_on, provider_on


class Observed:
    """Clients, and the addresses they have asked for."""

    def __init__(self, clients: MsalClients) -> None:
        self.clients = clients
        self.asked: list[str] = []

        asked = self.asked

        class Noting(MsalHttp):
            def get(self, url: str) -> MsalResponse:
                asked.append(url)
                return super().get(url)

        clients._http = Noting(1, clients._ca_file)

    async def __call__(self, tenant_id: TenantId = CONTOSO) -> msal.ConfidentialClientApplication:
        return await self.clients.call(tenant_id, lambda client: client)


@pytest.fixture
async def observed(entra: LocalEntra) -> AsyncIterator[Observed]:
    clients = clients_on(entra)
    yield Observed(clients)
    await clients.close()


async def test_a_herd_makes_one_client_by_one_discovery(observed: Observed) -> None:
    made = await asyncio.gather(*(observed() for _ in range(20)))
    assert len({id(client) for client in made}) == 1
    assert len(observed.asked) == 1


async def test_each_tenant_has_a_client_of_its_own(observed: Observed) -> None:
    contoso, fabrikam = await observed(CONTOSO), await observed(FABRIKAM)
    assert contoso.authority.tenant == CONTOSO
    assert fabrikam.authority.tenant == FABRIKAM


@pytest.mark.parametrize("status", [302, 429, 503])
async def test_a_failure_is_shared_by_the_herd_and_not_remembered(
    observed: Observed, entra: LocalEntra, status: int
) -> None:
    entra.cloud.hostile = Hostile(discovery_status=status)
    failed = await asyncio.gather(*(observed() for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in failed} == {Unavailable}
    assert len(observed.asked) == 1
    entra.cloud.hostile = Hostile()
    assert (await observed()).client_id == CLIENT_ID


async def test_a_tenant_that_is_not_there_may_come(observed: Observed, entra: LocalEntra) -> None:
    with pytest.raises(ValueError, match="authority"):
        await observed(NOBODYS)
    contoso = entra.cloud.directory.tenant(CONTOSO)
    assert contoso is not None
    fresh = contoso.model_copy(update={"tenant_id": NOBODYS})
    tenants = (*(tenant for tenant in entra.cloud.directory.tenants if tenant is not contoso), fresh)
    entra.cloud.directory = entra.cloud.directory.model_copy(update={"tenants": tenants})
    assert (await observed(NOBODYS)).authority.tenant == NOBODYS


async def test_only_so_many_clients_are_kept(observed: Observed) -> None:
    observed.clients._clients = BoundedCache(1)
    first = await observed(CONTOSO)
    assert await observed(CONTOSO) is first
    await observed(FABRIKAM)
    assert await observed(CONTOSO) is not first


async def test_a_caller_who_leaves_takes_nobody_along(observed: Observed) -> None:
    impatient, patient = asyncio.ensure_future(observed()), asyncio.ensure_future(observed())
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).client_id == CLIENT_ID
    assert impatient.cancelled()


async def test_a_client_that_fails_late_takes_no_younger_one_along(
    entra: LocalEntra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(msal_clients, "_TENANTS_REMEMBERED", 1)
    asked, may_fail, calls = threading.Event(), threading.Event(), itertools.count()

    def credential() -> str:
        if next(calls) == 0:
            asked.set()
            may_fail.wait(10)
            raise HTTPError
        return SECRET

    clients = MsalClients(authority=entra.https, client_id=CLIENT_ID, credential=credential, ca_file=str(entra.ca_file))

    async def client_of(tenant_id: TenantId) -> msal.ConfidentialClientApplication:
        return await clients.call(tenant_id, lambda client: client)

    failing = asyncio.ensure_future(client_of(CONTOSO))
    await asyncio.to_thread(asked.wait, 10)
    await client_of(FABRIKAM)
    younger = await client_of(CONTOSO)
    may_fail.set()
    with pytest.raises(Unavailable):
        await failing
    assert await client_of(CONTOSO) is younger
    await clients.close()


async def test_a_silent_entra_is_not_waited_for_long(
    observed: Observed, entra: LocalEntra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(msal_http, "_READ_SECONDS", 0.2)
    entra.cloud.hostile = Hostile(discovery_delay=30)
    with pytest.raises(Unavailable):
        await observed()


async def test_the_environment_changes_neither_whom_it_trusts_nor_where_it_goes(
    observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/dev/null")
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{free_port()}")
    assert (await observed()).client_id == CLIENT_ID


async def test_an_authority_that_nobody_vouches_for_is_not_spoken_to(entra: LocalEntra) -> None:
    clients = MsalClients(authority=entra.https, client_id=CLIENT_ID, credential=lambda: "secret", ca_file=None)
    with pytest.raises(Unavailable):
        await clients.call(CONTOSO, lambda client: client)
    await clients.close()


async def test_they_can_be_closed_before_they_were_used(entra: LocalEntra) -> None:
    clients = clients_on(entra)
    await clients.close()
    await clients.close()
    with pytest.raises(RuntimeError, match="after shutdown"):
        await clients.call(CONTOSO, lambda client: client)


# -- the managed identity as a federated credential --------------------------------------------------------------------


@pytest.fixture
def identity(entra: LocalEntra, monkeypatch: pytest.MonkeyPatch) -> str:
    """The platform's token endpoint; the client id of the identity that it serves."""
    known = entra.cloud.directory.managed_identity
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{entra.http}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", known.identity_header)
    return known.client_id


async def organization_with(entra: LocalEntra, web: Web, client_id: str, audience: str) -> str:
    """What Contoso is called, asked with an assertion of this identity for this audience."""
    clients = clients_on(entra, managed_identity_assertion(client_id, audience))
    real = RealEntra(entra, provider_on(entra, web, clients))
    real.consent()
    try:
        return (await real.provider.read_organization(CONTOSO)).display_name
    finally:
        await clients.close()


async def test_the_managed_identity_stands_in_for_a_secret(entra: LocalEntra, web: Web, identity: str) -> None:
    assert await organization_with(entra, web, identity, "api://AzureADTokenExchange") == "Contoso"


async def test_an_assertion_for_another_audience_is_the_vendors_mistake(
    entra: LocalEntra, web: Web, identity: str
) -> None:
    with pytest.raises(Unavailable, match="AADSTS700212"):
        await organization_with(entra, web, identity, "api://Elsewhere")


async def test_another_identity_is_the_vendors_mistake(entra: LocalEntra, web: Web, identity: str) -> None:
    with pytest.raises(Unavailable, match="managed identity"):
        await organization_with(entra, web, NOBODYS, "api://AzureADTokenExchange")


async def test_a_platform_that_issues_no_tokens_is_nobodys_refusal(
    entra: LocalEntra, web: Web, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises(Unavailable, match="managed identity"):
        await organization_with(entra, web, identity, "api://AzureADTokenExchange")

"""MSAL without threads: one client a tenant, made once, and nothing remembered that might not hold any more."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qs

import msal
import pytest

from local.entra.hostile import Hostile
from local.entra.server import LocalEntra
from local.processes import free_port
from shared.adapters import web as web_module
from shared.adapters.app_identity import AppIdentity
from shared.adapters.entra import msal_clients
from shared.adapters.entra.managed_identity import managed_identity_assertion
from shared.adapters.entra.msal_clients import MsalClients
from shared.adapters.entra.msal_http import MsalHttp
from shared.adapters.web import Web
from shared.kernel.caches import BoundedCache
from shared.kernel.names import TenantId
from shared.kernel.refusals import Unavailable
from tests.support.real_parts import CALLBACK, CLIENT_ID, CONTOSO, FABRIKAM, NOBODYS, RealEntra, clients_on, provider_on

type Reply = tuple[int, Mapping[str, str], bytes]


class NotingWeb(Web):
    """The real web, and the addresses that were asked."""

    def __init__(self, entra: LocalEntra) -> None:
        super().__init__("Microsoft", str(entra.ca_file))
        self.asked: list[str] = []
        self.bodies: list[bytes | None] = []

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        self.asked.append(url)
        self.bodies.append(body)
        return await super().ask(method, url, headers, body)


class Observed:
    """Clients, and the addresses they have asked for."""

    def __init__(self, clients: MsalClients, web: NotingWeb) -> None:
        self.clients = clients
        self.asked = web.asked

    async def __call__(self, tenant_id: TenantId = CONTOSO) -> msal.ConfidentialClientApplication:
        return await self.clients.client(tenant_id)


@pytest.fixture
async def observed(entra: LocalEntra) -> AsyncIterator[Observed]:
    web = NotingWeb(entra)
    yield Observed(clients_on(entra, web), web)
    await web.close()


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


class Late(Web):
    """A web of which the first request fails, once somebody says so."""

    def __init__(self, entra: LocalEntra) -> None:
        super().__init__("Microsoft", str(entra.ca_file))
        self.asked, self.may_fail = asyncio.Event(), asyncio.Event()

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        if not self.asked.is_set():
            self.asked.set()
            await self.may_fail.wait()
            raise Unavailable("It took too long.")
        return await super().ask(method, url, headers, body)


async def test_a_client_that_fails_late_takes_no_younger_one_along(
    entra: LocalEntra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(msal_clients, "_TENANTS_REMEMBERED", 1)
    web = Late(entra)
    clients = clients_on(entra, web)
    failing = asyncio.ensure_future(clients.client(CONTOSO))
    await web.asked.wait()
    await clients.client(FABRIKAM)
    younger = await clients.client(CONTOSO)
    web.may_fail.set()
    with pytest.raises(Unavailable):
        await failing
    assert await clients.client(CONTOSO) is younger
    await web.close()


async def test_a_silent_entra_is_not_waited_for_long(
    observed: Observed, entra: LocalEntra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_module, "TIMEOUT_SECONDS", 0.2)
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
    web = Web("Microsoft")
    with pytest.raises(Unavailable):
        await clients_on(entra, web).client(CONTOSO)
    await web.close()


# -- MSAL is called again with the answer ------------------------------------------------------------------------------


class Scripted(Web):
    """A web that answers what was asked, when it is told to, and counts."""

    def __init__(self) -> None:
        super().__init__("Microsoft")
        self.asked: list[tuple[str, str, bytes | None]] = []
        self.status = 200

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        self.asked.append((method, url, body))
        await asyncio.sleep(0)
        return self.status, headers, url.encode()


async def test_each_request_is_sent_once_and_each_call_finds_its_own_answers() -> None:
    """Ten callers at once, each of whom has two requests, of which the second depends on the answer to the first."""
    web = Scripted()
    http, calls = MsalHttp(web), list[int]()

    def call(number: int) -> str:
        calls.append(number)
        first = http.get(f"/first/{number}").text
        form = {"code": f"{number} & more"}
        return http.post(f"{first}/second", params={"mkt": "en us"}, data=form, headers={"Accept": "text/html"}).text

    found = await asyncio.gather(*(http.run(lambda number=number: call(number)) for number in range(10)))
    assert found == [f"/first/{number}/second?mkt=en+us" for number in range(10)]
    assert len(calls) == 30
    assert sorted(web.asked) == sorted(
        asked
        for number in range(10)
        for asked in (
            ("GET", f"/first/{number}", None),
            ("POST", f"/first/{number}/second?mkt=en+us", f"code={number}+%26+more".encode()),
        )
    )


async def test_what_msal_raises_is_raised_and_an_answer_is_not_left_for_the_next_call() -> None:
    web = Scripted()
    http = MsalHttp(web)

    def refuse() -> None:
        http.get("/document")
        raise ValueError("MSAL does not like it.")

    with pytest.raises(ValueError, match="does not like it"):
        await http.run(refuse)
    assert (await http.run(lambda: http.get("/other"))).text == "/other"


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_a_redirect_is_no_answer(status: int) -> None:
    web = Scripted()
    web.status = status
    http = MsalHttp(web)
    with pytest.raises(Unavailable):
        await http.run(lambda: http.get("/document"))


async def test_an_answer_is_for_the_request_to_which_it_came() -> None:
    """MSAL that would ask for something else the second time is not given what it has not asked for."""
    web = Scripted()
    http = MsalHttp(web)
    codes = iter(["first", "second"])
    with pytest.raises(AssertionError, match="something else"):
        await http.run(lambda: http.post("/token", params=None, data={"code": next(codes)}, headers={}))
    assert web.asked == [("POST", "/token", b"code=first")]


async def test_each_call_keeps_its_assertion_however_often_it_is_renewed(entra: LocalEntra) -> None:
    assertions = iter(["older", "newer"])

    async def assertion() -> str:
        return next(assertions)

    web = NotingWeb(entra)
    clients = clients_on(entra, web, assertion)
    await clients.client(CONTOSO)
    refused = await asyncio.gather(
        *(clients.call(CONTOSO, lambda client: client.acquire_token_for_client(["scope/.default"])) for _ in range(2))
    )
    assert [each["error"] for each in refused] == ["invalid_client"] * 2
    assert [parse_qs(body.decode())["client_assertion"] for body in web.bodies if body] == [["older"], ["newer"]]
    await web.close()


async def test_a_sign_in_is_requested_as_msal_requests_it(entra: LocalEntra) -> None:
    """The address is ours, and what is random; MSAL would have the answer posted (decision 6)."""
    web = NotingWeb(entra)
    clients = clients_on(entra, web)
    ours = await provider_on(entra, web, clients).begin_sign_in(
        CONTOSO, CALLBACK, "the-state", prompt="login", login_hint="alice@contoso.example"
    )
    theirs = (await clients.client(CONTOSO)).initiate_auth_code_flow(
        ["User.Read", "email"],
        redirect_uri=CALLBACK,
        state="the-state",
        prompt="login",
        login_hint="alice@contoso.example",
        response_mode="form_post",
    )
    (our_endpoint, our_query), (their_endpoint, their_query) = map(asked_at, (ours.url, theirs["auth_uri"]))
    assert our_endpoint == their_endpoint
    assert our_query.pop("response_mode") == ["query"]
    assert their_query.pop("response_mode") == ["form_post"]
    assert set(our_query.pop("scope")[0].split()) == set(their_query.pop("scope")[0].split())
    for random in ("nonce", "code_challenge"):
        assert len(our_query.pop(random)[0]) == len(their_query.pop(random)[0])
    for microsofts_own in ("client_info", "X-AnchorMailbox"):  # for MSAL's own cache, and a copy of the login hint
        del their_query[microsofts_own]
    assert our_query == their_query
    await web.close()


def asked_at(address: str) -> tuple[str, dict[str, list[str]]]:
    """Where a browser is sent, and with what."""
    endpoint, _, query = address.partition("?")
    return endpoint, parse_qs(query)


async def test_a_code_travels_once_however_often_msal_is_called(entra: LocalEntra) -> None:
    """Entra redeems a code once, and would end the tokens of one that comes twice."""
    web = NotingWeb(entra)
    real = RealEntra(entra, provider_on(entra, web, clients_on(entra, web)))
    real.consent()
    request = await real.provider.begin_sign_in(CONTOSO, CALLBACK, "the-state", prompt="select_account")
    code = real.code(request)
    web.asked.clear()
    await real.provider.finish_sign_in(CONTOSO, CALLBACK, code, request.code_verifier, request.nonce)
    assert [url.rpartition("/")[2] for url in web.asked] == ["token", "keys"]
    await web.close()


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
    async with AppIdentity(client_id) as identity:
        clients = clients_on(entra, web, managed_identity_assertion(identity, audience))
        real = RealEntra(entra, provider_on(entra, web, clients))
        real.consent()
        return (await real.provider.read_organization(CONTOSO)).display_name


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

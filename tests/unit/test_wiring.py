"""Settings in, services out: which adapters stand behind the ports, and that nothing is opened before it is needed."""

import logging
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from azure.functions import FunctionApp

from functions.app import build_app, build_routes
from functions.health import health_routes
from functions.http.cookies import BrowserCookies
from functions.http.endpoint import Routes
from functions.http.index import Indexed, register
from local.host import HostSettings, create_host
from shared.adapters.envelope_keys import EnvelopeKeys
from shared.adapters.key_vault import KeyVaultKeys
from shared.adapters.later import _Later, later
from shared.adapters.web import Web
from shared.assembly import assemble
from shared.kernel.names import TenantId
from shared.kernel.refusals import Unavailable
from shared.ports.organizations import Organization
from shared.product_ports import Ports
from shared.services import Services
from shared.settings import Misconfiguration, Settings, read_settings
from shared.wiring import _msal_clients, _signing_keys, _tables, build_services, ports_of
from tests.support.fakes import FakeEntra, FixedClock, InMemoryTable
from tests.support.ports import fakes
from tests.support.wire import canned_web

IN_AZURE = {
    "SSO_PUBLIC_URL": "https://sso.example",
    "SSO_TABLES_URL": "https://127.0.0.1:1",
    "SSO_IDENTITY_CLIENT_ID": "5e110000-0000-4000-8000-0000000001d0",
    "SSO_ENTRA_CLIENT_ID": "a5500000-0000-4000-8000-0000000000a5",
    "SSO_CONTROL_PANEL_ISSUER": "https://panel.example",
    "SSO_CONTROL_PANEL_AUDIENCE": "azure-sso",
    "SSO_SIGNING_KEY_URL": "https://127.0.0.1:1/keys/signing",
    "SSO_PSEUDONYM_KEY": "a pseudonym key of the tests, long enough",
}
NOT_IN_DEVELOPMENT = {"SSO_TABLES_URL", "SSO_IDENTITY_CLIENT_ID", "SSO_SIGNING_KEY_URL"}
IN_DEVELOPMENT = {name: IN_AZURE[name] for name in IN_AZURE if name not in NOT_IN_DEVELOPMENT} | {
    "SSO_SIGNING_KEY_FOLDER": "/nowhere/keys",
    "SSO_TABLES_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;"
    "TableEndpoint=http://127.0.0.1:1/a;",
    "SSO_ENTRA_CLIENT_SECRET": "a secret",
}


def settings(environment: Mapping[str, str]) -> Settings:
    read = read_settings(environment)
    assert isinstance(read, Settings), read
    return read


def services(environment: Mapping[str, str]) -> Services:
    built = build_services(settings(environment))
    assert isinstance(built, Services)
    return built


ENVELOPES = IN_AZURE | {"SSO_WRAPPING_KEY_URL": "https://127.0.0.1:1/keys/wrapping"}


@pytest.mark.parametrize(
    "environment", [IN_AZURE, IN_DEVELOPMENT, ENVELOPES], ids=["azure", "development", "keys of a day"]
)
async def test_services_are_made_without_anybody_to_talk_to(environment: Mapping[str, str]) -> None:
    built = services(environment)
    parts = {name: getattr(built, name) for name in vars(Services) if not name.startswith("_")}
    assert {*parts} > {"edge", "resolution", "provider", "upkeep"}
    assert built.edge.public_url == "https://sso.example"
    await built.upkeep.close()


@pytest.mark.parametrize(
    "environment", [IN_AZURE, IN_DEVELOPMENT, ENVELOPES], ids=["azure", "development", "keys of a day"]
)
async def test_every_adapter_can_be_made_when_it_is_first_used(environment: Mapping[str, str]) -> None:
    ports = ports_of(settings(environment), FixedClock())
    late = {name: port for name in Ports.__slots__ if isinstance(port := getattr(ports, name), _Later)}
    assert [getattr(port, "used", None) for port in late.values()] == [None] * len(late)
    made = {name: port._made for name, port in late.items()}
    assert {*made} == {"sign_in", "consent", "organizations", "access_tokens", "signing_keys", "tokens", "notices"}
    assert made["sign_in"] is made["consent"] is made["organizations"]
    await ports.close()


def test_a_part_is_made_once() -> None:
    built = assemble(fakes())
    assert all(getattr(built, name) is getattr(built, name) for name in vars(Services) if not name.startswith("_"))


async def test_keys_of_a_day_sign_where_a_key_seals_them() -> None:
    async with AsyncExitStack() as closing:
        keys = [_signing_keys(settings(each), InMemoryTable(), FixedClock(), closing) for each in (ENVELOPES, IN_AZURE)]
    assert [*map(type, keys)] == [EnvelopeKeys, KeyVaultKeys]


async def test_a_store_that_is_not_there_shows_in_the_health() -> None:
    built = services(IN_DEVELOPMENT)
    found = await built.health.ask()
    await built.upkeep.close()
    assert found["storage"] is False


PORTS = {
    "access_tokens": "controlPanel",
    "signing_keys": "signingKeys",
    "sign_in": "entra",
    "organizations": "credential",
}


@pytest.mark.parametrize("port", PORTS)
async def test_a_port_that_cannot_be_made_is_down_and_the_others_are_not(port: str) -> None:
    def broken() -> None:
        raise ImportError

    home = Organization(tenant_id=TenantId(IN_AZURE["SSO_ENTRA_CLIENT_ID"]), display_name="Home", verified_domains=())
    ports = fakes(home_tenant=home.tenant_id, entra=FakeEntra(home))
    found = await assemble(replace(ports, **{port: later(broken)})).health.ask()
    assert {part for part, is_up in found.items() if not is_up} == {PORTS[port]}


async def test_the_credential_is_looked_at_where_its_tenant_is_known() -> None:
    home = {
        "SSO_ENTRA_HOME_TENANT": "5e110000-0000-4000-8000-000000000000",
        "SSO_ENTRA_AUTHORITY": "https://127.0.0.1:1",
    }
    for environment, shown in ((IN_DEVELOPMENT | home, True), (IN_DEVELOPMENT, False)):
        built = services(environment)
        assert ("credential" in await built.health.ask()) is shown
        await built.upkeep.close()


def test_a_clock_can_be_handed_in() -> None:
    clock = FixedClock()
    built = build_services(settings(IN_DEVELOPMENT), clock)
    assert isinstance(built, Services)
    assert built.edge.clock is clock


def test_what_is_wrong_with_the_settings_is_handed_on() -> None:
    wrong = read_settings({})
    assert isinstance(wrong, Misconfiguration)
    assert build_services(wrong) is wrong


def test_the_sdk_does_not_log_the_addresses_that_it_asks() -> None:
    services(IN_DEVELOPMENT)
    assert logging.getLogger("azure.core.pipeline.policies.http_logging_policy").getEffectiveLevel() == logging.WARNING


async def test_in_azure_the_tables_are_opened_with_the_managed_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform is asked for a token of this very identity, for storage."""
    with canned_web() as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        async with AsyncExitStack() as closing:
            tables = _tables(settings(IN_AZURE), closing)
            with pytest.raises(Unavailable):
                await tables.table("accounts").under("acme", "")
    query = parse_qs(urlsplit(platform.asked[0]).query)
    assert query["resource"] == ["https://storage.azure.com"]
    assert query["client_id"] == [IN_AZURE["SSO_IDENTITY_CLIENT_ID"]]


@pytest.mark.parametrize(
    ("environment", "kind"), [(IN_AZURE, "client_assertion"), (IN_DEVELOPMENT, "secret")], ids=["azure", "development"]
)
async def test_the_service_proves_itself_to_entra_without_a_secret_in_azure(
    environment: Mapping[str, str], kind: str
) -> None:
    async with AsyncExitStack() as closing:
        clients = _msal_clients(settings(environment), Web("Microsoft"), closing)
    assert kind in clients._credential


def test_every_route_belongs_to_a_resource_and_every_function_has_a_name_of_its_own() -> None:
    endpoints = [endpoint for routes in build_routes(services(IN_DEVELOPMENT)) for endpoint in routes.endpoints]
    names = [endpoint.name for endpoint in endpoints]
    assert len({*names}) == len(names)
    assert len({(endpoint.method, endpoint.path) for endpoint in endpoints}) == len(endpoints)
    assert all(endpoint.tag and endpoint.summary for endpoint in endpoints)


async def test_an_app_without_settings_says_so_on_every_address(caplog: pytest.LogCaptureFixture) -> None:
    wrong = read_settings(IN_DEVELOPMENT | {"SSO_PUBLIC_URL": "ftp://the-value", "SSO_PSEUDONYM_KEY": "the-value"})
    assert isinstance(wrong, Misconfiguration)
    with caplog.at_level(logging.ERROR):
        app = build_app(wrong)
    transport = httpx.ASGITransport(create_host(app, HostSettings(route_prefix="", function_key="f", master_key="m")))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answers = [await client.get("/health"), await client.post("/v1/resolve"), await client.get("/")]
        assert (await client.head("/health")).status_code == 503
    assert {answer.status_code for answer in answers} == {503}
    (told,) = {answer.text for answer in answers}
    for text in (told, caplog.text):
        assert "SSO_PUBLIC_URL" in text
        assert "SSO_PSEUDONYM_KEY" in text
        assert "the-value" not in text


def serving(routes: Routes) -> httpx.AsyncClient:
    app = FunctionApp()
    for each in routes.endpoints:
        level = each.demand.level.name
        indexed = Indexed("of the test", each.name, each.method, each.path, level, each.dialect.name)
        register(app, indexed, routes.answer(each.name))
    transport = httpx.ASGITransport(create_host(app, HostSettings(route_prefix="")))
    return httpx.AsyncClient(transport=transport, base_url="http://sso.example")


@pytest.mark.parametrize(("work", "part"), [(True, {"cookies": "ok"}), (False, {"cookies": "down"}), (None, {})])
async def test_cookies_that_browsers_drop_show_in_the_health_but_it_still_resolves(
    *, work: bool | None, part: dict[str, str]
) -> None:
    async with serving(health_routes(assemble(fakes()), cookies_work=work)) as client:
        answer = await client.get("/health")
    others = dict.fromkeys(("storage", "entra", "controlPanel", "signingKeys"), "ok")
    status = "degraded" if work is False else "ok"
    assert (answer.status_code, answer.json()) == (200, {"status": status, "parts": others | part})


@pytest.mark.parametrize("prefix", ["__Host-", "__Secure-"])
async def test_the_names_of_cookies_begin_as_an_operator_says(prefix: str) -> None:
    built = services(IN_DEVELOPMENT | {"SSO_COOKIE_PREFIX": prefix})
    (health,) = (routes for routes in build_routes(built) if "/health" in {each.path for each in routes.endpoints})
    async with serving(health) as client:
        answer = await client.get("/health/cookie")
    assert re.match(f"{prefix}azure-sso-probe-[0-9a-f]{{16}}=; ", answer.headers["set-cookie"])
    sorts = BrowserCookies(built.edge.cookie_prefix)
    assert [sorts.invitation.prefix, sorts.connect.prefix, sorts.sign_in.prefix] == [
        f"{prefix}azure-sso-{sort}-" for sort in ("invitation", "connect", "sign-in")
    ]


@pytest.mark.parametrize("prefix", ["__host-", "__Http-", "azure-", " __Host-"])
def test_no_other_prefix_is_taken(prefix: str) -> None:
    wrong = read_settings(IN_DEVELOPMENT | {"SSO_COOKIE_PREFIX": prefix})
    assert isinstance(wrong, Misconfiguration)
    assert [fault.field for fault in wrong.faults] == ["SSO_COOKIE_PREFIX"]


def test_an_app_with_settings_has_every_function() -> None:
    app = build_app(services(IN_DEVELOPMENT))
    names = [function.get_function_name() for function in app.get_functions()]
    assert len({*names}) == len(names)
    assert {"resolve_email", "start_connection", "connect_callback", "get_health", "purge_flows"} <= {*names}

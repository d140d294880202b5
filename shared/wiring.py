"""Settings in, services out: the one place where ports meet their adapters."""

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from shared.accounts.claims import Claims
from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister
from shared.adapters.app_identity import AppIdentity
from shared.adapters.azure_tables import AzureTables
from shared.adapters.control_panel_tokens import ControlPanelTokens
from shared.adapters.entra.id_tokens import IdTokens
from shared.adapters.entra.managed_identity import managed_identity_assertion
from shared.adapters.entra.msal_clients import ClientCredential, MsalClients
from shared.adapters.entra.provider import EntraProvider
from shared.adapters.jose import Jose
from shared.adapters.key_vault import KeyVaultKeys
from shared.adapters.local_keys import LocalKeys
from shared.adapters.recent_rows import RecentRows, WatchedTable
from shared.adapters.system_clock import SystemClock
from shared.adapters.telemetry import LinesAndCounters, workers_meter
from shared.adapters.web import Web
from shared.applications.register import ApplicationRegister
from shared.applications.secrets import SecretChecks
from shared.broker.clients import Clients
from shared.broker.coming_back import ComingBack
from shared.broker.issuing import Issuer
from shared.broker.links import Links
from shared.broker.redemption import Redemption
from shared.broker.responses import Responses
from shared.broker.sessions import Sessions
from shared.broker.setting_out import SettingOut
from shared.broker.sign_out import SignOut
from shared.connection.domain_routing import DomainRouting
from shared.connection.lifecycle import Lifecycle
from shared.connection.onboarding import Onboarding
from shared.connection.tenant_domains import has_domain
from shared.flows.flows import Flows
from shared.health import Health, Probe
from shared.kernel.pseudonyms import Pseudonyms
from shared.policies.exemptions import ExemptionList
from shared.policies.policy import PolicyBook
from shared.ports.access_tokens import AccessTokens
from shared.ports.clock import Clock
from shared.ports.signing_keys import SigningKeys
from shared.ports.table import Key
from shared.ports.telemetry import Telemetry
from shared.ports.tokens import Tokens
from shared.resolution.resolver import Resolver, Shelves
from shared.settings import Misconfiguration, Settings

TABLE_NAMES = ("accounts", "domains", "applications", "flows")

STALENESS = timedelta(seconds=10)
"""How long another instance may resolve by what stood before a change."""

_ANSWERS_REMEMBERED = 20_000
_BYTES_REMEMBERED = 64_000_000
"""Of each table, by estimate: of an instance of 2 GB, the four of them take an eighth at most."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that HTTP may call, made once."""

    public_url: str
    clock: Clock
    telemetry: Telemetry
    access_tokens: AccessTokens
    accounts: AccountRegister
    applications: ApplicationRegister
    journal: Journal
    onboarding: Onboarding
    lifecycle: Lifecycle
    routing: DomainRouting
    policies: PolicyBook
    exemptions: ExemptionList
    resolver: Resolver
    flows: Flows
    tokens: Tokens
    links: Links
    setting_out: SettingOut
    coming_back: ComingBack
    sign_out: SignOut
    redemption: Redemption
    health: Health
    close: Callable[[], Awaitable[None]]


def build_services(settings: Settings | Misconfiguration, clock: Clock | None = None) -> Services | Misconfiguration:
    """Make every part and join them. Opens no connection and imports no SDK that is slow.

    Args:
        settings: from `read_settings`; what is wrong with them is handed on, for the app to say.
        clock: the machine's if None.
    """
    if isinstance(settings, Misconfiguration):
        return settings
    clock = clock or SystemClock()
    logging.getLogger("azure").setLevel(logging.WARNING)  # at INFO it writes request URLs
    pseudonyms = Pseudonyms(settings.pseudonym_key.get_secret_value().encode())
    telemetry = LinesAndCounters(pseudonyms, workers_meter if settings.telemetry else None)
    tables, close_tables = _tables(settings)
    recent: dict[str, RecentRows] = {}
    watched: dict[str, WatchedTable] = {}
    for name in TABLE_NAMES:
        table = tables.table(name)
        recent[name] = RecentRows(table, clock, STALENESS, _ANSWERS_REMEMBERED, _BYTES_REMEMBERED)
        watched[name] = WatchedTable(table, recent[name])
    web = Web("Microsoft", settings.entra_ca_file)
    panel_web = Web("The control panel's issuer")
    msal_clients = _msal_clients(settings)
    provider = _provider(settings, msal_clients, web, clock)
    access_tokens = ControlPanelTokens(settings.control_panel_issuer, settings.control_panel_audience, panel_web, clock)
    journal = Journal(watched["accounts"], clock)
    claims = Claims(watched["domains"], clock)
    routing = DomainRouting(watched["accounts"], journal, claims, provider, clock)
    flows = Flows(watched["flows"], clock)
    accounts = AccountRegister(watched["accounts"], journal, clock)
    lifecycle = Lifecycle(watched["accounts"], journal, routing, accounts, provider, clock, telemetry)
    resolver = Resolver(
        Shelves(accounts=recent["accounts"], domains=recent["domains"], applications=recent["applications"]),
        provider,
        clock,
        telemetry,
        f"{settings.public_url}/oauth2/authorize",
    )
    keys, close_keys = _signing_keys(settings, clock)
    tokens = Jose(keys, settings.public_url, clock)
    audiences = (settings.public_url, f"{settings.public_url}/oauth2/token")
    clients = Clients(recent["applications"], watched["flows"], tokens, audiences, SecretChecks(clock))
    issuer = Issuer(settings.public_url, tokens, clock)
    links = Links(watched["accounts"], journal, clock)
    sessions = Sessions(watched["flows"], clock)
    responses = Responses(lifecycle, telemetry, settings.public_url)
    setting_out = SettingOut(clients, resolver, flows, provider, responses, f"{settings.public_url}/signin/callback")

    async def probe_storage() -> None:
        await tables.table("accounts").get(Key("health", "health"))

    async def close() -> None:
        await close_tables()
        await close_keys()
        await web.close()
        await panel_web.close()
        await msal_clients.close()

    return Services(
        public_url=settings.public_url,
        clock=clock,
        telemetry=telemetry,
        access_tokens=access_tokens,
        accounts=accounts,
        applications=ApplicationRegister(watched["applications"], clock),
        journal=journal,
        onboarding=Onboarding(
            watched["accounts"],
            journal,
            flows,
            routing,
            provider,
            clock,
            telemetry,
            settings.return_urls,
            f"{settings.public_url}/v1/connect/callback",
        ),
        lifecycle=lifecycle,
        routing=routing,
        policies=PolicyBook(watched["accounts"], journal, clock, watched["applications"]),
        exemptions=ExemptionList(watched["accounts"], journal, clock, has_domain),
        resolver=resolver,
        flows=flows,
        tokens=tokens,
        links=links,
        setting_out=setting_out,
        coming_back=ComingBack(setting_out, resolver, flows, links, sessions, provider, responses, clock),
        sign_out=SignOut(clients, sessions, flows, provider, tokens, issuer, web),
        redemption=Redemption(clients, flows, issuer, tokens, telemetry),
        health=Health(
            {
                "storage": probe_storage,
                "entra": provider.probe,
                "controlPanel": access_tokens.probe,
                "signingKeys": keys.probe,
            },
            clock,
            costly=_credential_probe(settings, provider),
        ),
        close=close,
    )


def _tables(settings: Settings) -> tuple[AzureTables, Callable[[], Awaitable[None]]]:
    """The storage account, and what closes it."""
    if settings.tables_connection_string is not None:
        tables = AzureTables(connection_string=settings.tables_connection_string.get_secret_value())
        return tables, tables.close
    identity = AppIdentity(settings.identity_client_id)
    tables = AzureTables(settings.tables_url, identity)

    async def close() -> None:
        await tables.close()
        await identity.close()

    return tables, close


def _msal_clients(settings: Settings) -> MsalClients:
    @functools.cache
    def credential() -> ClientCredential:
        if settings.entra_client_secret is not None:
            return settings.entra_client_secret.get_secret_value()
        return managed_identity_assertion(settings.identity_client_id or "", settings.entra_token_audience)

    return MsalClients(settings.entra_authority, settings.entra_client_id, credential, settings.entra_ca_file)


def _provider(settings: Settings, clients: MsalClients, web: Web, clock: Clock) -> EntraProvider:
    return EntraProvider(
        clients,
        IdTokens(settings.entra_authority, settings.entra_client_id, web, clock),
        web,
        authority=settings.entra_authority,
        browser_url=settings.entra_browser_url or settings.entra_authority,
        graph_url=settings.graph_url,
        client_id=settings.entra_client_id,
    )


def _credential_probe(settings: Settings, provider: EntraProvider) -> dict[str, Probe]:
    """Whether Entra believes this service, if it is said at which tenant that can be asked."""
    if settings.entra_home_tenant is None:
        return {}
    return {"credential": functools.partial(provider.probe_credential, settings.entra_home_tenant)}


def _signing_keys(settings: Settings, clock: Clock) -> tuple[SigningKeys, Callable[[], Awaitable[None]]]:
    """The Key Vault key, or for development one in a folder; and what closes it."""
    if settings.signing_key_folder is not None:
        return LocalKeys(Path(settings.signing_key_folder), clock), _nothing
    vault_url, _, key_name = (settings.signing_key_url or "").partition("/keys/")
    identity = AppIdentity(settings.identity_client_id)
    keys = KeyVaultKeys(vault_url, key_name, identity, clock)

    async def close() -> None:
        await keys.close()
        await identity.close()

    return keys, close


async def _nothing() -> None:
    """A folder needs no closing."""

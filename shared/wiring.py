"""Settings in, ports out: the one place where ports meet their adapters. `shared.assembly` does the rest.

The store's adapter is imported at start, since every request needs it. Every other one is imported and made when it is
first used: an instance that is started by one request pays for the adapters of that request.
"""

import logging
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shared.adapters.app_identity import AppIdentity
from shared.adapters.later import later
from shared.adapters.recent_rows import RecentRows, WatchedTable
from shared.adapters.system_clock import SystemClock
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTables
from shared.adapters.telemetry import LinesAndCounters, workers_meter
from shared.assembly import assemble
from shared.kernel.pseudonyms import Pseudonyms
from shared.kernel.seals import Seal
from shared.ports.clock import Clock
from shared.ports.table import Table
from shared.product_ports import Ports
from shared.services import Services
from shared.settings import Misconfiguration, Settings

if TYPE_CHECKING:
    from shared.adapters.control_panel_tokens import ControlPanelTokens
    from shared.adapters.entra.msal_clients import ClientCredential, MsalClients
    from shared.adapters.entra.provider import EntraProvider
    from shared.adapters.jose import Jose
    from shared.adapters.notices import HttpNotices
    from shared.adapters.web import Web
    from shared.ports.signing_keys import SigningKeys

TABLE_NAMES = ("accounts", "domains", "applications", "flows", "duties", "keys")

STALENESS = timedelta(seconds=10)
"""How long another instance may resolve by the state before a change."""

_ANSWERS_REMEMBERED = 20_000
_BYTES_REMEMBERED = 64_000_000
"""For each table, by estimate: all of them take at most an eighth of an instance of 2 GB."""


def build_services(settings: Settings | Misconfiguration, clock: Clock | None = None) -> Services | Misconfiguration:
    """Build the product from settings. Opens no connection and imports no slow SDK.

    Args:
        settings: from `read_settings`; their faults are passed on for the app to report.
        clock: the machine's if None.
    """
    if isinstance(settings, Misconfiguration):
        return settings
    logging.getLogger("azure").setLevel(logging.WARNING)  # at INFO it writes request URLs
    return assemble(ports_of(settings, clock or SystemClock()))


def ports_of(settings: Settings, clock: Clock) -> Ports:
    """Build the ports from settings.

    Adapters open connections at their first use, in the event loop of that use. The stack closes them in reverse order;
    the worker has no shutdown hook, so only tests unwind it.
    """
    closing = AsyncExitStack()
    tables = _tables(settings, closing)
    exact = {name: tables.table(name) for name in TABLE_NAMES}
    recent = {
        name: RecentRows(
            table=table, clock=clock, max_age=STALENESS, most=_ANSWERS_REMEMBERED, most_bytes=_BYTES_REMEMBERED
        )
        for name, table in exact.items()
    }
    watched = {name: WatchedTable(table=table, recent=recent[name]) for name, table in exact.items()}
    signing_keys = later(partial(_signing_keys, settings, exact["keys"], clock, closing))
    entra = later(partial(_entra, settings, clock, closing))
    return Ports(
        public_url=settings.public_url,
        cookie_prefix=settings.cookie_prefix,
        branding=settings.branding,
        return_urls=settings.return_urls,
        limits=settings.limits,
        home_tenant=settings.entra_home_tenant,
        accounts=watched["accounts"],
        domains=watched["domains"],
        applications=watched["applications"],
        flows=watched["flows"],
        duties=exact["duties"],
        recent_accounts=recent["accounts"],
        recent_domains=recent["domains"],
        recent_applications=recent["applications"],
        authority=settings.authority,
        sign_in=entra,
        consent=entra,
        organizations=entra,
        access_tokens=later(partial(_access_tokens, settings, clock, closing)),
        signing_keys=signing_keys,
        tokens=later(partial(_tokens, settings, signing_keys, clock)),
        seal=Seal(settings.remember_keys),
        notices=later(partial(_notices, settings, closing)),
        telemetry=LinesAndCounters(
            Pseudonyms(settings.pseudonym_key.get_secret_value().encode()),
            workers_meter if settings.telemetry else None,
        ),
        clock=clock,
        close=closing.aclose,
    )


def _tables(settings: Settings, closing: AsyncExitStack) -> AzureTables:
    """The storage account."""
    if settings.tables_connection_string is not None:
        account = Account.from_connection_string(settings.tables_connection_string.get_secret_value())
    else:
        account = Account(endpoint=settings.tables_url or "", credential=_identity(settings, closing))
    tables = AzureTables(account)
    closing.push_async_callback(tables.close)
    return tables


def _access_tokens(settings: Settings, clock: Clock, closing: AsyncExitStack) -> "ControlPanelTokens":
    """The control panel's issuer."""
    from shared.adapters.control_panel_tokens import ControlPanelTokens
    from shared.adapters.web import Web

    web = Web("The control panel's issuer")
    closing.push_async_callback(web.close)
    return ControlPanelTokens(
        issuer=settings.control_panel_issuer, audience=settings.control_panel_audience, web=web, clock=clock
    )


def _tokens(settings: Settings, signing_keys: "SigningKeys", clock: Clock) -> "Jose":
    """Our tokens."""
    from shared.adapters.jose import Jose

    return Jose(keys=signing_keys, issuer=settings.public_url, clock=clock)


def _notices(settings: Settings, closing: AsyncExitStack) -> "HttpNotices":
    """Notices to applications."""
    from shared.adapters.notices import HttpNotices

    notices = HttpNotices(anywhere=settings.notices_to_private_addresses, ca_file=settings.entra_ca_file)
    closing.push_async_callback(notices.close)
    return notices


def _signing_keys(settings: Settings, table: Table, clock: Clock, closing: AsyncExitStack) -> "SigningKeys":
    """The Key Vault key, or keys of a day that it certifies, or for development a key in a folder."""
    if settings.signing_key_folder is not None:
        from shared.adapters.local_keys import LocalKeys

        return LocalKeys(Path(settings.signing_key_folder), clock)
    from shared.adapters.key_vault import KeyVaultKeys

    identity = _identity(settings, closing)
    vault_url, _, key_name = (settings.signing_key_url or "").partition("/keys/")
    vault = KeyVaultKeys(vault_url=vault_url, key_name=key_name, credential=identity, clock=clock)
    closing.push_async_callback(vault.close)
    if settings.wrapping_key_url is None:
        return vault
    from shared.adapters.envelope_keys import EnvelopeKeys
    from shared.adapters.key_vault_wrapping import KeyVaultWrapping

    vault_url, _, key_name = settings.wrapping_key_url.partition("/keys/")
    wrapping = KeyVaultWrapping(vault_url=vault_url, key_name=key_name, credential=identity)
    closing.push_async_callback(wrapping.close)
    return EnvelopeKeys(vault=vault, wrapping=wrapping, table=table, clock=clock)


def _identity(settings: Settings, closing: AsyncExitStack) -> AppIdentity:
    """The app's managed identity. It is made before its users, and so it is closed after them."""
    identity = AppIdentity(settings.identity_client_id)
    closing.push_async_callback(identity.close)
    return identity


def _entra(settings: Settings, clock: Clock, closing: AsyncExitStack) -> "EntraProvider":
    """Entra and Graph."""
    from shared.adapters.entra.graph import Graph
    from shared.adapters.entra.id_tokens import IdTokens
    from shared.adapters.entra.provider import EntraProvider
    from shared.adapters.entra.token_requests import TokenRequests
    from shared.adapters.web import Web

    web = Web("Microsoft", settings.entra_ca_file)
    closing.push_async_callback(web.close)
    return EntraProvider(
        tokens=TokenRequests(
            clients=_msal_clients(settings, web, closing), web=web, authority_url=settings.entra_authority
        ),
        id_tokens=IdTokens(
            authority=settings.entra_authority, client_id=settings.entra_client_id, web=web, clock=clock
        ),
        graph=Graph(url=settings.graph_url, web=web),
        browser_url=settings.entra_browser_url or settings.entra_authority,
        client_id=settings.entra_client_id,
    )


def _msal_clients(settings: Settings, web: "Web", closing: AsyncExitStack) -> "MsalClients":
    from shared.adapters.entra.msal_clients import MsalClients

    credential: ClientCredential
    if settings.entra_client_secret is not None:
        credential = settings.entra_client_secret.get_secret_value()
    else:
        from shared.adapters.entra.managed_identity import managed_identity_assertion

        credential = managed_identity_assertion(_identity(settings, closing), settings.entra_token_audience)
    return MsalClients(
        authority=settings.entra_authority, client_id=settings.entra_client_id, credential=credential, web=web
    )

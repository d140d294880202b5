"""What the code asks of its surroundings, read off the code and the documents."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from functions.app import build_routes
from functions.health import report
from local.entra.directory import load
from local.processes import ROOT
from shared.ports.sign_in import VerifiedIdentity
from shared.services import Services
from shared.settings import Settings, read_settings
from shared.wiring import TABLE_NAMES, build_services
from tests.infra.stages import stages
from tests.infra.vocabulary import vocabulary
from tests.unit.test_wiring import IN_DEVELOPMENT

DEVELOPMENT = frozenset(
    {
        "SSO_NOTICES_TO_PRIVATE_ADDRESSES",
        "SSO_TABLES_CONNECTION_STRING",
        "SSO_ENTRA_CLIENT_SECRET",
        "SSO_ENTRA_BROWSER_URL",
        "SSO_ENTRA_CA_FILE",
        "SSO_SIGNING_KEY_FOLDER",
    }
)
"""Settings for development only: two of them are secrets, and none has a place in Azure."""

CLAIMS_OF_EVERY_ID_TOKEN = {"tid", "oid", "name", "preferred_username", "wids"}
"""`wids` comes with groupMembershipClaims. Everything else must be asked for."""

NOT_TO_BE_ASKED_FOR = {"amr"}
"""Entra has no such optional claim: it says it or does not."""

STEP_UP = {"auth_time"}
"""What tells when somebody proved to Entra who they are, for applications that ask for a fresh sign-in."""


@dataclass(frozen=True)
class Expectations:
    """What the code asks of its surroundings."""

    settings: frozenset[str]
    host_settings: Mapping[str, str]
    overrides: frozenset[str]
    tables: frozenset[str]
    roles: frozenset[tuple[str, str]]
    redirect_paths: frozenset[str]
    logout_path: str
    routes: frozenset[str]
    delegated: frozenset[str]
    application: frozenset[str]
    claims: frozenset[str]
    healthy: str
    unwell: str
    code: str
    alerts: frozenset[str]
    vocabulary: Mapping[str, frozenset[str]]


def expectations() -> Expectations:
    """What the code says. Local Entra is as strict as Entra, and the journeys pass there: it knows the registration."""
    services = build_services(read_settings(IN_DEVELOPMENT))
    assert isinstance(services, Services)
    endpoints = [endpoint for routes in build_routes(services) for endpoint in routes.endpoints]
    directory = load(ROOT / "local" / "entra" / "directory.toml")
    known = frozenset(field.alias or name for name, field in Settings.model_fields.items())
    return Expectations(
        settings=known - DEVELOPMENT,
        host_settings=host_settings(),
        overrides=stages()["main.bicep"].takes,
        tables=frozenset(TABLE_NAMES),
        roles=frozenset(
            {
                ("Storage Table Data Contributor", "Microsoft.Storage/storageAccounts"),
                ("Storage Blob Data Owner", "Microsoft.Storage/storageAccounts"),
                ("Key Vault Crypto User", "Microsoft.KeyVault/vaults"),
                ("Key Vault Secrets User", "Microsoft.KeyVault/vaults"),
                ("Monitoring Metrics Publisher", "Microsoft.Insights/components"),
            }
        ),
        redirect_paths=frozenset(directory.application.redirect_paths),
        logout_path=directory.application.front_channel_logout_path,
        routes=frozenset(endpoint.path for endpoint in endpoints if endpoint.method == "GET"),
        delegated=frozenset(directory.application.delegated_permissions),
        application=frozenset(directory.application.application_permissions),
        claims=frozenset(VerifiedIdentity.model_fields) - CLAIMS_OF_EVERY_ID_TOKEN - NOT_TO_BE_ASKED_FOR | STEP_UP,
        healthy=report({"storage": True}).get_body().decode(),
        unwell=report({"storage": True, "entra": False}).get_body().decode(),
        code="\n".join(
            file.read_text(encoding="utf-8") for name in ("shared", "functions") for file in (ROOT / name).rglob("*.py")
        ),
        alerts=frozenset(re.findall(r"^### (.+)$", _section("operations.md", "Alerts"), re.MULTILINE)),
        vocabulary=vocabulary(),
    )


def host_settings() -> dict[str, str]:
    """What docs/configuration.md says that host and worker read in Azure; `…` stands for what only a deployment knows.

    Values begin with what is set as it stands, in code; nothing else is code at the beginning.
    """
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]+)`)?", _section("configuration.md", "In Azure set"), re.MULTILINE)
    return {name: anywhere(value) or "…" for name, value in rows}


def _section(document: str, title: str) -> str:
    """The text below a heading of the second level."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def anywhere(value: str) -> str:
    """A value without what differs from deployment to deployment."""
    return re.sub(r"<[^>]+>|\$\{\w+\}", "…", value)

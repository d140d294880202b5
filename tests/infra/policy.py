"""What `infra/` must say, given what the code needs: pure functions from both to complaints, none if all is well.

Each complaint is a sentence with the name of what is missing or should not be there. `expectations` reads the code and
the documents; the tables below hold what only Microsoft's documentation can say.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from functions.app import build_routes
from functions.health import _told
from local.entra.directory import load
from local.processes import ROOT
from shared.assembly import Services
from shared.ports.identity_provider import VerifiedIdentity
from shared.ports.signing_keys import MINIMUM_BITS, PUBLISHED_AHEAD, TOKENS_LIVE_FOR
from shared.settings import Settings, read_settings
from shared.wiring import TABLE_NAMES, build_services
from tests.infra.bicep_files import INFRA, ROLE_ASSIGNMENT, Infra, Node, Resource, references, texts_in
from tests.infra.stages import stages
from tests.infra.vocabulary import vocabulary
from tests.unit.test_wiring import IN_DEVELOPMENT

DEVELOPMENT = frozenset(
    {
        "SSO_TABLES_CONNECTION_STRING",
        "SSO_ENTRA_CLIENT_SECRET",
        "SSO_ENTRA_BROWSER_URL",
        "SSO_ENTRA_CA_FILE",
        "SSO_SIGNING_KEY_FOLDER",
    }
)
"""Settings for development only: two of them are secrets, and none has a place in Azure."""

FORBIDDEN = (
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_",
    "AzureWebJobsStorage:",
    "AzureWebJobsDashboard",
    "APPINSIGHTS_INSTRUMENTATIONKEY",
    "linuxFxVersion",
    "pythonVersion",
    "alwaysOn",
    "functionAppScaleLimit",
    "minimumElasticInstanceCount",
    "listKeys(",
    "accountKey",
    "AccountKey",
)
"""What Flex Consumption refuses or ignores
(https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations); keys."""

VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.EventGrid/systemTopics": "2025-02-15",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": "2025-02-15",
    "Microsoft.Graph/applications": "v1.0",
    "Microsoft.Graph/applications/federatedIdentityCredentials": "v1.0",
    "Microsoft.Graph/servicePrincipals": "v1.0",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/metricAlerts": "2018-03-01",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/webtests": "2022-06-15",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.KeyVault/vaults": "2024-11-01",
    "Microsoft.KeyVault/vaults/keys": "2024-11-01",
    "Microsoft.KeyVault/vaults/secrets": "2024-11-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2024-05-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2024-05-01",
    "Microsoft.Network/virtualNetworks": "2024-05-01",
    "Microsoft.Network/virtualNetworks/subnets": "2024-05-01",
    "Microsoft.OperationalInsights/workspaces": "2025-02-01",
    "Microsoft.Storage/storageAccounts": "2025-01-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2025-01-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2025-01-01",
    "Microsoft.Storage/storageAccounts/tableServices": "2025-01-01",
    "Microsoft.Storage/storageAccounts/tableServices/tables": "2025-01-01",
    "Microsoft.Web/serverfarms": "2024-11-01",
    "Microsoft.Web/sites": "2024-11-01",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "2024-11-01",
}

PREVIEWS = {"Microsoft.Insights/diagnosticSettings": "no later version knows category groups, and none is stable"}
"""Versions in preview, and why there is no way round each."""

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles."""

PERMISSIONS = {
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
}
"""https://learn.microsoft.com/graph/permissions-reference. User.Read is the delegated one, Organization.Read.All the
application's."""

CLAIMS_OF_EVERY_ID_TOKEN = {"tid", "oid", "name", "preferred_username", "wids"}
"""`wids` comes with groupMembershipClaims. Everything else must be asked for."""

STEP_UP = {"auth_time"}
"""What tells when somebody proved to Entra who they are, for applications that ask for a fresh sign-in."""


def either(condition: str, yes: str, no: str) -> Node:
    """The node of `condition ? yes : no`."""
    operands = {"condition": condition, "true_value": yes, "false_value": no}
    return {"operator": {"type": "conditional", "operands": operands}}


CLOSED = {
    "Microsoft.Storage/storageAccounts": {
        "properties.allowSharedKeyAccess": False,
        "properties.allowBlobPublicAccess": False,
        "properties.allowCrossTenantReplication": False,
        "properties.minimumTlsVersion": "TLS1_2",
        "properties.supportsHttpsTrafficOnly": True,
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"properties.publicAccess": "None"},
    "Microsoft.KeyVault/vaults": {
        "properties.enableRbacAuthorization": True,
        "properties.enableSoftDelete": True,
        "properties.enablePurgeProtection": True,
        "properties.enabledForTemplateDeployment": False,
    },
    "Microsoft.OperationalInsights/workspaces": {"properties.features.disableLocalAuth": True},
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": True},
    "Microsoft.Web/serverfarms": {"sku.name": "FC1", "properties.reserved": True},
    "Microsoft.Web/sites": {
        "identity.type": "UserAssigned",
        "properties.httpsOnly": True,
        "properties.keyVaultReferenceIdentity": "identityId",
        "properties.siteConfig.minTlsVersion": "1.2",
        "properties.siteConfig.scmMinTlsVersion": "1.2",
        "properties.siteConfig.ftpsState": "Disabled",
        "properties.siteConfig.remoteDebuggingEnabled": False,
        "properties.siteConfig.cors.allowedOrigins": "allowedOrigins",
        "properties.siteConfig.cors.supportCredentials": False,
        "properties.functionAppConfig.deployment.storage.authentication.type": "UserAssignedIdentity",
        "properties.functionAppConfig.runtime.name": "python",
        "properties.functionAppConfig.runtime.version": (ROOT / ".python-version").read_text("utf-8").strip(),
        "properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency": "httpConcurrency",
        "properties.functionAppConfig.siteUpdateStrategy.type": either("rollingUpdate", "RollingUpdate", "Recreate"),
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": False},
    "Microsoft.Graph/applications": {
        "signInAudience": "AzureADMultipleOrgs",
        "groupMembershipClaims": "DirectoryRole",
        "isFallbackPublicClient": False,
        "web.implicitGrantSettings.enableAccessTokenIssuance": False,
        "web.implicitGrantSettings.enableIdTokenIssuance": False,
        "authenticationBehaviors.removeUnverifiedEmailClaim": True,
        "servicePrincipalLockConfiguration.isEnabled": True,
        "servicePrincipalLockConfiguration.allProperties": True,
        "passwordCredentials": None,
        "keyCredentials": None,
    },
    "Microsoft.Graph/applications/federatedIdentityCredentials": {
        "subject": "identityPrincipalId",
        "audiences": ["tokenAudience"],
    },
}
"""What keeps each kind of resource shut, or makes it what it must be. None means that it must not be said at all."""

BEHIND_THE_NETWORK = {
    "Microsoft.Storage/storageAccounts": {"properties.publicNetworkAccess", "properties.networkAcls.defaultAction"},
    "Microsoft.KeyVault/vaults": {"properties.publicNetworkAccess", "properties.networkAcls.defaultAction"},
}
"""What private networking turns off."""

LOGGED = (
    "Microsoft.Web/sites",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Storage/storageAccounts/tableServices",
    "Microsoft.Storage/storageAccounts/blobServices",
)


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
        claims=frozenset(VerifiedIdentity.model_fields) - CLAIMS_OF_EVERY_ID_TOKEN | STEP_UP,
        healthy=_told({"storage": True}).get_body().decode(),
        unwell=_told({"storage": True, "entra": False}).get_body().decode(),
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
    return {name: _anywhere(value) or "…" for name, value in rows}


def _section(document: str, title: str) -> str:
    """The text below a heading of the second level."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _anywhere(value: str) -> str:
    """A value without what differs from deployment to deployment."""
    return re.sub(r"<[^>]+>|\$\{\w+\}", "…", value)


def check(infra: Infra, code: Expectations) -> list[str]:
    """Everything that is wrong between the two."""
    return [complaint for rule in POLICY for complaint in rule(infra, code)]


def settings(infra: Infra, code: Expectations) -> Iterator[str]:
    """Every setting that the code reads in Azure is provisioned, once, and no other."""
    service = {*infra.handed("functionApp", "serviceSettings")}
    host = {*infra.variable("modules/function-app.bicep", "hostSettings")}
    provisioned = service | host
    for name in code.settings - provisioned:
        yield f"{name} is read by the service and not provisioned."
    for name in code.host_settings.keys() - host:
        yield f"{name} is read by the Functions host and not provisioned."
    for name in provisioned & DEVELOPMENT:
        yield f"{name} is for development and is provisioned."
    for name in provisioned - code.settings - code.host_settings.keys() - DEVELOPMENT:
        yield f"{name} is provisioned, and neither shared/settings.py nor docs/configuration.md knows it."
    for name in provisioned:
        said = sum(len(re.findall(rf"^\s*{name}:", text, re.MULTILINE)) for text in infra.texts.values())
        if said != 1:
            yield f"{name} is set {said} times."
    for site in infra.resources("Microsoft.Web/sites"):
        if "union(serviceSettings, hostSettings)" not in infra.texts[site.file]:
            yield f"{site.symbol} does not get both the service's and the host's settings."


def host_values(infra: Infra, code: Expectations) -> Iterator[str]:
    """What host and worker are told is what the document says that they are told."""
    for name, value in infra.variable("modules/function-app.bicep", "hostSettings").items():
        told = code.host_settings.get(name, "…")
        if told not in {"…", _anywhere(value)}:
            yield f"{name} is {value} and is told as {told}."


def forbidden(infra: Infra, _: Expectations) -> Iterator[str]:
    """Nothing that Flex Consumption refuses, and no key."""
    for file, text in infra.texts.items():
        said = re.sub(r"//.*", "", text)
        yield from (f"{word} stands in {file}." for word in FORBIDDEN if word in said)


def tables(infra: Infra, code: Expectations) -> Iterator[str]:
    """Every table that the code opens, and no other."""
    (resource,) = infra.resources("Microsoft.Storage/storageAccounts/tableServices/tables") or [None]
    made = {*infra.variable("modules/state-storage.bicep", "tableNames")} if resource else set()
    if resource and resource.loops_over != "tableNames":
        yield "The tables are not those of tableNames."
    yield from (f"The table {name} is opened by the service and not made." for name in code.tables - made)
    yield from (f"The table {name} is made and nobody opens it." for name in made - code.tables)


def roles(infra: Infra, code: Expectations) -> Iterator[str]:
    """Every role that the code needs, on the smallest thing that has it, for the identity, and no other."""
    found = set()
    for each in infra.resources(ROLE_ASSIGNMENT):
        named = [text for text in texts_in(each.at("properties.roleDefinitionId")) if text in ROLES]
        name = ROLES[named[0]] if named else f"unknown to this policy ({each.file}, {each.symbol})"
        found.add((name, _kind_of(infra, each.file, each.at("scope"))))
        if name not in {*texts_in(each.at("name"))}:
            yield f"The role assignment {each.symbol} of {each.file} is not called by its role, {name}."
        if (
            each.at("properties.principalId") != "principalId"
            or each.at("properties.principalType") != "ServicePrincipal"
        ):
            yield f"The role {name} is not given to the identity."
    yield from (f"The role {name} on {scope} is needed and not assigned." for name, scope in code.roles - found)
    yield from (f"The role {name} on {scope} is assigned and not needed." for name, scope in found - code.roles)


def roles_come_first(infra: Infra, _: Expectations) -> Iterator[str]:
    """The app reads an output of every module that assigns a role, so that it starts with all of them."""
    (app,) = [each for each in infra.modules() if each.runs == "modules/function-app.bicep"] or [None]
    read = {module for module, _ in references(app.params)} if app else set()
    for file in {each.file for each in infra.resources(ROLE_ASSIGNMENT)}:
        waited_for = {each.symbol for each in infra.modules() if each.runs == file}
        if not waited_for & read:
            yield f"The app does not wait for the roles of {file}."


def versions(infra: Infra, _: Expectations) -> Iterator[str]:
    """Versions are pinned, and none is a preview without its reason."""
    for each in infra.every_resource():
        if each.version != VERSIONS.get(each.kind):
            yield f"{each.symbol} in {each.file} is {each.kind}@{each.version}, which is not the pinned version."
        if "preview" in each.version and each.kind not in PREVIEWS:
            yield f"{each.kind}@{each.version} is a preview, and nobody says why."
    yield from (
        f"{kind} is pinned and not used." for kind in VERSIONS.keys() - {each.kind for each in infra.every_resource()}
    )


def closed(infra: Infra, _: Expectations) -> Iterator[str]:
    """HTTPS, TLS 1.2, no shared key, public blob, password or secret: each is said, even where it is the default."""
    for kind, wanted in CLOSED.items():
        if not infra.resources(kind):
            yield f"There is no {kind}."
        for each in infra.resources(kind):
            for path, value in wanted.items():
                if each.at(path) != value:
                    yield f"{path} of {each.symbol} in {each.file} is {each.at(path)!r} and not {value!r}."
    policies = {each.at("name") for each in infra.resources("Microsoft.Web/sites/basicPublishingCredentialsPolicies")}
    yield from (f"Publishing by {name} still takes a password." for name in {"ftp", "scm"} - policies)


def private_networking(infra: Infra, _: Expectations) -> Iterator[str]:
    """The option closes each store, and opens a private endpoint for each."""
    for kind, paths in BEHIND_THE_NETWORK.items():
        for each in infra.resources(kind):
            for path in paths:
                if not {"privateOnly"} <= {*texts_in(each.at(path))}:
                    yield f"{path} of {each.symbol} in {each.file} does not follow the option of private networking."
    endpoints = infra.variable("modules/network.bicep", "endpoints") or []
    served = {each["group"] for each in endpoints}
    yield from (f"There is no private endpoint of {group}." for group in {"table", "blob", "vault"} - served)
    if ("network", "appSubnetId") not in references(infra.handed("functionApp", "subnetId")):
        yield "The app does not join the network."


def diagnostics(infra: Infra, _: Expectations) -> Iterator[str]:
    """Vault, storage and app send their logs to the workspace."""
    settings = infra.resources("Microsoft.Insights/diagnosticSettings")
    watched = {(each.file, each.at("scope")) for each in settings if each.at("properties.workspaceId") == "workspaceId"}
    for kind in LOGGED:
        for each in infra.resources(kind):
            if (each.file, each.symbol) not in watched:
                yield f"Nobody sees the logs of {each.symbol} in {each.file}."
    for each in settings:
        wanted = "platformLogs" if each.at("scope") == "site" else True
        for log in each.at("properties.logs"):
            if log["enabled"] != wanted:
                yield f"Whether {log} of {each.file} is kept does not follow {wanted}."


def signing_key(infra: Infra, _: Expectations) -> Iterator[str]:
    """The rotation of the key agrees with the rule by which versions take turns (shared/ports/signing_keys.py)."""
    for key in infra.resources("Microsoft.KeyVault/vaults/keys"):
        if key.at("properties.kty") != "RSA" or (key.at("properties.keySize") or 0) < MINIMUM_BITS:
            yield "The signing key is no RSA key of enough bits for RS256."
        if "sign" not in (key.at("properties.keyOps") or []):
            yield "The signing key may not sign."
        actions = {
            each["action"]["type"]: each["trigger"]
            for each in key.at("properties.rotationPolicy.lifetimeActions") or []
        }
        expires = _days(key.at("properties.rotationPolicy.attributes.expiryTime"))
        rotated = _days(actions.get("rotate", {}).get("timeAfterCreate"))
        warned = _days(actions.get("notify", {}).get("timeBeforeExpiry"))
        if expires is None or rotated is None or warned is None:
            yield "The signing key is not rotated, does not expire, or nobody is warned."
            continue
        outlives = PUBLISHED_AHEAD + TOKENS_LIVE_FOR
        if expires - rotated < outlives:
            yield f"A version of the signing key expires less than {outlives} after the next one came."
        if rotated < outlives:
            yield f"The signing key is rotated more often than every {outlives}."
        if not outlives <= warned < expires - rotated:
            yield "The warning of a missed rotation comes too late, or with every rotation."
    if not infra.resources("Microsoft.KeyVault/vaults/keys"):
        yield "There is no signing key."


def entra(infra: Infra, code: Expectations) -> Iterator[str]:
    """The registration knows the addresses, claims and permissions that the code uses, and no more."""
    (application,) = infra.resources("Microsoft.Graph/applications")
    paths = {str(each).removeprefix("${address}") for each in application.at("web.redirectUris") or []}
    yield from (f"The redirect URI {path} is used and not registered." for path in code.redirect_paths - paths)
    yield from (f"The redirect URI {path} is registered and not used." for path in paths - code.redirect_paths)
    yield from (f"The redirect URI {path} is no call of the service." for path in paths - code.routes)
    if application.at("web.logoutUrl") != f"${{address}}{code.logout_path}" or code.logout_path not in code.routes:
        yield f"The front-channel logout URL is {application.at('web.logoutUrl')}."
    asked = {*(infra.variable("entra.bicep", "optionalClaims") or [])}
    yield from (f"The claim {name} is read and not asked for." for name in code.claims - asked)
    yield from (f"The claim {name} is asked for and not read." for name in asked - code.claims)
    for kind, wanted in (("delegated", code.delegated), ("application", code.application)):
        granted: Mapping[str, str] = infra.variable("entra.bicep", f"{kind}Permissions")
        yield from (f"The {kind} permission {name} is used and not asked for." for name in wanted - granted.keys())
        yield from (f"The {kind} permission {name} is asked for and not used." for name in granted.keys() - wanted)
        for name in granted.keys() & wanted:
            if granted[name] != PERMISSIONS[name]:
                yield f"{granted[name]} is not the permission {name}."
    if not infra.resources("Microsoft.Graph/servicePrincipals"):
        yield "The registration has no service principal in its own tenant."


def joints(infra: Infra, _: Expectations) -> Iterator[str]:
    """Every file is used, what is handed over is declared, and what is declared without a default is handed over."""
    runs = {each.runs for each in infra.modules()}
    for file, tree in infra.trees.items():
        runs |= {str(Path(file).parent / each["file_path"]) for each in tree.get("imports", {}).values()}
    yield from (f"{file} is used by nobody." for file in infra.trees.keys() - runs if file.startswith("modules/"))
    for each in infra.modules():
        declared = infra.trees[each.runs].get("parameters", {})
        needed = {name for name, parameter in declared.items() if parameter["default"] is None}
        yield from (f"{each.symbol} in {each.file} does not get {name}." for name in needed - each.params.keys())
        yield from (f"{each.symbol} in {each.file} knows no {name}." for name in each.params.keys() - declared.keys())
    for file in (file for file in infra.trees if file.startswith("modules/")):
        users = [(each.file, each.symbol) for each in infra.modules() if each.runs == file]
        read = {name for user, mine in users for module, name in references(infra.trees[user]) if module == mine}
        yield from (f"Nobody reads {name} of {file}." for name in infra.trees[file].get("outputs", {}).keys() - read)
    for file, tree in infra.trees.items():
        files = {each.symbol: each.runs for each in infra.modules() if each.file == file}
        for module, output in references([tree.get(part) for part in ("modules", "resources", "outputs", "variables")]):
            if module not in files or output not in infra.trees[files[module]].get("outputs", {}):
                yield f"{module} in {file} gives no {output}."
    loaded = {Path(text).name for tree in infra.trees.values() for text in texts_in(tree) if text.endswith(".kql")}
    yield from (f"{file} is asked by nobody." for file in infra.queries if Path(file).name not in loaded)
    yield from (f"{name} is asked and not there." for name in loaded - {Path(file).name for file in infra.queries})


def descriptions(infra: Infra, _: Expectations) -> Iterator[str]:
    """Whoever deploys is told what each parameter and output is."""
    for file, tree in infra.trees.items():
        for section in ("parameters", "outputs", "functions"):
            for name, each in tree.get(section, {}).items():
                said = [one["argument"] for one in each["decorators"] if one["type"] == "description"]
                if not said or not said[0].rstrip("'").endswith("."):
                    yield f"{name} in {file} is not described."


def alerts(infra: Infra, code: Expectations) -> Iterator[str]:
    """Exactly the alerts that the operators' manual explains, and each tells somebody."""
    file = "modules/alerts.bicep"
    named = [each["name"] for name in ("queries", "storageAlerts") for each in infra.variable(file, name) or []]
    rules = [
        each
        for kind in ("scheduledQueryRules", "metricAlerts")
        for each in infra.resources(f"Microsoft.Insights/{kind}")
    ]
    events = infra.resources("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    named += [str(each.at("name")).removeprefix("${prefix}-") for each in [*rules, *events] if each.loops_over is None]
    yield from (f"There is no alert {name}." for name in code.alerts - {*named})
    yield from (f"The alert {name} is explained nowhere." for name in {*named} - code.alerts)
    yield from (f"There are {count} alerts {name}." for name, count in Counter(named).items() if count > 1)
    for each in [*rules, *events]:
        if "people.id" not in {*texts_in(each.at("properties"))}:
            yield f"{each.symbol} tells nobody."
    for each in infra.resources("Microsoft.Insights/webtests"):
        path = str(each.at("properties.Request.RequestUrl")).removeprefix("${publicUrl}")
        words = str(each.at("properties.ValidationRules.ContentValidation.ContentMatch"))
        if path not in code.routes or words not in code.healthy or words in code.unwell:
            yield f"{each.symbol} takes a sick service for a healthy one, or the other way round."
    looped = {each.loops_over for each in rules}
    yield from (f"Nothing is made of {name}." for name in {"queries", "storageAlerts"} - looped)


def queries(infra: Infra, code: Expectations) -> Iterator[str]:
    """Queries ask in words that the service says."""
    for file, text in infra.queries.items():
        asked = re.sub(r"//.*", "", text)
        if not text.startswith("// "):
            yield f"{file} does not say what it is about."
        for kind, pattern in {
            "metrics": r'"(azure_sso\.\w+)"',
            "dimensions": r"Properties\.(\w+)",
            "fields": r"told\.(\w+)",
        }.items():
            yield from (
                f"{file} asks for {word}, which is none of the {kind}."
                for word in {*re.findall(pattern, asked)} - code.vocabulary[kind]
            )
        for kind, word in (("events", "event"), ("outcomes", "outcome")):
            compared = " ".join(re.findall(rf"\b{word} (?:==|in) \(?[^)|\n]*", asked))
            yield from (
                f"{file} asks for {it}, which is none of the {kind}."
                for it in {*re.findall(r'"(\w+)"', compared)} - code.vocabulary[kind]
            )
        for table in re.findall(r"datatable\(step: int, outcome: string\) \[([^\]]*)\]", asked):
            words = {*re.findall(r'"(\w+)"', table)} - code.vocabulary["outcomes"]
            yield from (f"{file} asks for {word}, which is no outcome." for word in words)
        for line in re.findall(r'Message startswith "((?:\\.|[^"\\])*)"', asked):
            said = line.replace('\\"', '"')
            if said != '{"event":' and said not in code.code:
                yield f"{file} waits for a line that the code never writes: {said}"


def parameter_files(infra: Infra, code: Expectations) -> Iterator[str]:
    """The two parameter files say what main.bicep takes, and together with the script all of it."""
    declared: Mapping[str, Mapping[str, Any]] = infra.trees["main.bicep"]["parameters"]
    needed = {name for name, each in declared.items() if each["default"] is None} - code.overrides
    for environment in ("dev", "prod"):
        file = f"{environment}.parameters.json"
        given = {
            name: each["value"] for name, each in json.loads((INFRA / file).read_text("utf-8"))["parameters"].items()
        }
        yield from (f"{file} does not say {name}." for name in needed - given.keys())
        yield from (f"{file} says {name}, which main.bicep does not take." for name in given.keys() - declared.keys())
        if given.get("environmentName") != environment:
            yield f"{file} is not for {environment}."
        for name in given.keys() & declared.keys():
            yield from (f"{file}: {name} {fault}." for fault in _faults(given[name], declared[name]))


POLICY: tuple[Callable[[Infra, Expectations], Iterator[str]], ...] = (
    settings,
    host_values,
    forbidden,
    tables,
    roles,
    roles_come_first,
    versions,
    closed,
    private_networking,
    diagnostics,
    signing_key,
    entra,
    joints,
    descriptions,
    alerts,
    queries,
    parameter_files,
)


def _kind_of(infra: Infra, file: str, symbol: Node) -> str:
    here: list[Resource] = [each for each in infra.resources() if (each.file, each.symbol) == (file, symbol)]
    return here[0].kind if here else f"nothing that {file} makes"


def _days(duration: str | None) -> timedelta | None:
    found = re.fullmatch(r"P(\d+)D", duration or "")
    return timedelta(days=int(found[1])) if found else None


def _faults(value: object, parameter: Mapping[str, Any]) -> Iterator[str]:
    """What the decorators of a parameter say against a value."""
    limits = {each["type"]: each.get("argument") for each in parameter["decorators"]}
    size = value if isinstance(value, int) else len(str(value) if isinstance(value, str) else list(value))
    if "allowed" in limits and value not in limits["allowed"]:
        yield f"may only be {limits['allowed']}"
    if size < max(limits.get("min_value", size), limits.get("min_length", size)):
        yield "is too little"
    if size > min(limits.get("max_value", size), limits.get("max_length", size)):
        yield "is too much"

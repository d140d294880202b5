"""Deployments and code with one thing changed, so that a test can see the policy notice it.

Each is a name for the test, what is left, and a word that a complaint must say.
"""

from collections.abc import Iterator
from dataclasses import replace

from tests.infra.bicep_files import ROLE_ASSIGNMENT, Infra
from tests.infra.policy import CLOSED, Expectations

type Changed[T] = tuple[str, T, str]

USER_READ_ALL = "df021288-bdef-4463-88db-98f22de89214"
CONCURRENCY = ("functionAppConfig", "scaleAndConcurrency", "triggers", "http", "perInstanceConcurrency")
DELEGATED = ("variables", "delegatedPermissions", "value")
REGISTRATION = ("resources", "application", "config")
ASKED = {
    "metrics": '"{}"',
    "dimensions": "Properties.{}",
    "fields": "told.{}",
    "events": '"{}"',
    "outcomes": '"{}"',
}
"""How a query asks for each kind of word."""
STATE, APP, ALERTS = "modules/state-storage.bicep", "modules/function-app.bicep", "modules/alerts.bicep"


def taken_out_of_bicep(whole: Infra) -> Iterator[Changed[Infra]]:
    """The deployment without one thing that the code needs, or that keeps it shut or watched."""
    for kind in (
        _settings_and_tables,
        _roles_and_logs,
        _what_keeps_it_shut,
        _registration,
        _watch_and_rotation,
        _joints,
    ):
        yield from kind(whole)


def _settings_and_tables(whole: Infra) -> Iterator[Changed[Infra]]:
    way = ("functionApp", "config", "params", "serviceSettings")
    for name in whole.handed("functionApp", "serviceSettings"):
        yield f"setting {name}", whole.without("main.bicep", "modules", *way, name), name
    for name in whole.variable(APP, "hostSettings"):
        yield f"setting {name}", whole.without(APP, "variables", "hostSettings", "value", name), name
    for index, name in enumerate(whole.variable(STATE, "tableNames")):
        yield f"table {name}", whole.without(STATE, "variables", "tableNames", "value", index), f"The table {name} "


def _roles_and_logs(whole: Infra) -> Iterator[Changed[Infra]]:
    for each in whole.resources(ROLE_ASSIGNMENT):
        role = each.at("name")["function"]["parameters"]["extra_string_2"]
        yield f"role {role}", whole.without(each.file, "resources", each.symbol), f"The role {role} "
    for each in whole.resources("Microsoft.Insights/diagnosticSettings"):
        yield f"logs {each.file}", whole.without(each.file, "resources", each.symbol), f"in {each.file}"


def _what_keeps_it_shut(whole: Infra) -> Iterator[Changed[Infra]]:
    for kind, paths in CLOSED.items():
        for each in whole.resources(kind):
            for path in (path for path, value in paths.items() if value is not None):
                rest = whole.without(each.file, "resources", each.symbol, "config", *path.split("."))
                yield f"property {each.file} {each.symbol} {path}", rest, path


def _registration(whole: Infra) -> Iterator[Changed[Infra]]:
    for name in ("delegatedPermissions", "applicationPermissions"):
        for permission in whole.variable("entra.bicep", name):
            rest = whole.without("entra.bicep", "variables", name, "value", permission)
            yield f"permission {permission}", rest, f"permission {permission} "
    for index, claim in enumerate(whole.variable("entra.bicep", "optionalClaims")):
        yield f"claim {claim}", whole.without("entra.bicep", "variables", "optionalClaims", "value", index), claim
    (application,) = whole.resources("Microsoft.Graph/applications")
    for index, uri in enumerate(application.at("web.redirectUris")):
        way = ("application", "config", "web", "redirectUris", index)
        yield f"redirect {uri}", whole.without("entra.bicep", "resources", *way), uri.removeprefix("${address}")


def _watch_and_rotation(whole: Infra) -> Iterator[Changed[Infra]]:
    for name in ("queries", "storageAlerts"):
        for index, alert in enumerate(whole.variable(ALERTS, name)):
            rest = whole.without(ALERTS, "variables", name, "value", index)
            yield f"alert {alert['name']}", rest, alert["name"]
    yield "alert health", whole.without(ALERTS, "resources", "healthAlert"), "no alert health"
    yield (
        "alert signing-key-expiry",
        whole.without(ALERTS, "resources", "signingKeyExpiry"),
        "no alert signing-key-expiry",
    )
    for part in ("attributes", "lifetimeActions"):
        way = ("signingKey", "config", "properties", "rotationPolicy", part)
        rest = whole.without("modules/key-vault.bicep", "resources", *way)
        yield f"rotation {part}", rest, "The signing key is not rotated"


def _joints(whole: Infra) -> Iterator[Changed[Infra]]:
    for file in ("modules/identity.bicep", "modules/key-vault.bicep"):
        unread = whole.with_value({"decorators": []}, file, "outputs", "colour")
        yield f"output {file}", unread, f"Nobody reads colour of {file}"
    for module in whole.modules():
        yield f"module {module.file} {module.symbol}", whole.without(module.file, "modules", module.symbol), module.runs
        for param in module.params:
            config = whole.trees[module.file]["modules"][module.symbol]["config"]
            way = ("config", "config", "params") if "condition" in config else ("config", "params")
            rest = whole.without(module.file, "modules", module.symbol, *way, param)
            yield f"hand-over {module.file} {module.symbol}.{param}", rest, f"does not get {param}."


def said_wrong_in_bicep(whole: Infra) -> Iterator[Changed[Infra]]:
    """The deployment with a value that opens it, breaks it, or fits nothing."""
    vault, app, storage = "modules/key-vault.bicep", APP, STATE
    rotation = ("resources", "signingKey", "config", "properties", "rotationPolicy")
    actions = (*rotation, "lifetimeActions")
    role = ("properties", "roleDefinitionId", "function", "parameters", "resource_name_1")
    owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    site = ("resources", "site", "config", "properties")
    for name, value, path, word in (
        ("expiry too soon", "P97D", (vault, *rotation, "attributes", "expiryTime"), "expires less than"),
        ("rotated too often", "P7D", (vault, *actions, 0, "trigger", "timeAfterCreate"), "rotated more often"),
        ("warned at each rotation", "P90D", (vault, *actions, 1, "trigger", "timeBeforeExpiry"), "with every rotation"),
        ("short key", 1024, (vault, "resources", "signingKey", "config", "properties", "keySize"), "no RSA key"),
        ("owner", owner, (storage, "resources", "tableDataContributor", "config", *role), "unknown to this policy"),
        ("wide scope", "group", (storage, "resources", "tableDataContributor", "config", "scope"), "on nothing that"),
        ("somebody", "me", (vault, "resources", "cryptoUser", "config", "properties", "principalId"), "not given to"),
        ("preview", "2025-07-01-preview", (app, "resources", "site", "api_version"), "is a preview"),
        (
            "row keys told",
            "azure_sdk",
            (app, "variables", "hostSettings", "value", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"),
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS is azure_sdk and is told as azure_sdk,django",
        ),
        (
            "told twice",
            True,
            (app, "resources", "diagnostics", "config", "properties", "logs", 0, "enabled"),
            "does not follow platformLogs",
        ),
        (
            "vault not heard",
            False,
            (vault, "resources", "diagnostics", "config", "properties", "logs", 0, "enabled"),
            "does not follow True",
        ),
        ("any origin", ["*"], (app, *site, "siteConfig", "cors", "allowedOrigins"), "cors.allowedOrigins"),
        ("keys", True, (storage, "resources", "account", "config", "properties", "allowSharedKeyAccess"), "SharedKey"),
        ("one at a time", 1, (app, *site, *CONCURRENCY), "perInstanceConcurrency"),
        (
            "public",
            "Enabled",
            (vault, "resources", "vault", "config", "properties", "publicNetworkAccess"),
            "the option",
        ),
        ("User.Read.All", USER_READ_ALL, ("entra.bicep", *DELEGATED, "User.Read"), "is not the permission User.Read"),
        (
            "anybody",
            "AzureADandPersonalMicrosoftAccount",
            ("entra.bicep", *REGISTRATION, "signInAudience"),
            "signInAud",
        ),
        ("loud logout", "${address}/x", ("entra.bicep", *REGISTRATION, "web", "logoutUrl"), "front-channel logout"),
    ):
        yield name, whole.with_value(value, *path), word


def taken_out_of_the_code(whole: Expectations) -> Iterator[Changed[Expectations]]:
    """The code without one thing that the deployment has."""
    for name in whole.host_settings:
        rest = {other: value for other, value in whole.host_settings.items() if other != name}
        unread = whole.settings - {name}
        yield f"host setting {name}", replace(whole, host_settings=rest, settings=unread), f"{name} is provisioned"
    for name in ("tables", "redirect_paths", "delegated", "application", "claims"):
        for each in getattr(whole, name):
            yield f"{name} {each}", replace(whole, **{name: getattr(whole, name) - {each}}), each
    for name in whole.settings - whole.host_settings.keys():
        yield f"setting {name}", replace(whole, settings=whole.settings - {name}), name
    for role, scope in whole.roles:
        yield f"role {role}", replace(whole, roles=whole.roles - {(role, scope)}), f"The role {role} "


def renamed_in_the_code(whole: Expectations, infra: Infra) -> Iterator[Changed[Expectations]]:
    """The code with another name for something that a query asks for."""
    asked = "\n".join(infra.queries.values())
    for kind, said in ASKED.items():
        for word in (word for word in whole.vocabulary[kind] if said.format(word) in asked):
            words = whole.vocabulary[kind] - {word} | {f"{word}_anew"}
            yield f"{kind} {word}", replace(whole, vocabulary={**whole.vocabulary, kind: words}), f"asks for {word},"


def put_into_the_code(whole: Expectations) -> Iterator[Changed[Expectations]]:
    """The code with one thing that the deployment has not."""
    yield "setting", replace(whole, settings=whole.settings | {"SSO_NEW"}), "SSO_NEW is read"
    yield "table", replace(whole, tables=whole.tables | {"sessions"}), "The table sessions is opened"
    yield "claim", replace(whole, claims=whole.claims | {"ctry"}), "The claim ctry is read"
    yield "permission", replace(whole, application=whole.application | {"User.Read.All"}), "User.Read.All is used"
    yield "redirect", replace(whole, redirect_paths=whole.redirect_paths | {"/elsewhere"}), "/elsewhere is used"

"""Deployments and code with one thing changed, so that a test can see the policy notice it.

Each is a name for the test, what is left, and a word that a complaint must say.
"""

from collections.abc import Iterator
from dataclasses import replace

from tests.infra.plans import DIAGNOSTICS, ROLE_ASSIGNMENT, Infra, Node, Plan, Resource
from tests.infra.policy.azure import (
    CLOSED,
    FOLLOWS,
    GRAPH,
    PERMISSIONS,
    REFUSED_SETTINGS,
    REFUSED_SITE_CONFIG,
    ROLES,
    SCALE,
)
from tests.infra.policy.expectations import Expectations
from tests.infra.policy.watch import EVENTS, METRIC_ALERTS, QUERY_ALERTS, alert_rules

type Changed[T] = tuple[str, T, str]

USER_READ_ALL = "df021288-bdef-4463-88db-98f22de89214"
ASKED = {
    "metrics": '"{}"',
    "dimensions": "Properties.{}",
    "fields": "told.{}",
    "events": '"{}"',
    "outcomes": '"{}"',
}
"""How a query asks for each kind of word."""
SITE, KEY, VAULT = "Microsoft.Web/sites", "Microsoft.KeyVault/vaults/keys", "Microsoft.KeyVault/vaults"
APPLICATION, TRUST = "Microsoft.Graph/applications", "Microsoft.Graph/applications/federatedIdentityCredentials"
TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables"
STORAGE, ENDPOINTS = "Microsoft.Storage/storageAccounts", "Microsoft.Network/privateEndpoints"
TELLS = {
    QUERY_ALERTS: "properties.actions.actionGroups",
    METRIC_ALERTS: "properties.actions",
    EVENTS: "properties.destination.properties.actionGroups",
}
"""Where each kind of alert says whom it tells."""


def taken_out_of_bicep(whole: Infra) -> Iterator[Changed[Infra]]:
    """The deployment without one thing that the code needs, or that keeps it shut or watched."""
    for plan in whole.stage_3():
        for kind in (
            _settings_and_tables,
            _roles_and_logs,
            _what_keeps_it_shut,
            _watch_and_rotation,
        ):
            for name, rest, word in kind(plan):
                yield f"{name} of {plan.name}", whole.put(rest), word
    for name, rest, word in (*_registration(whole.plans["entra"]), *_what_keeps_it_shut(whole.plans["entra"])):
        yield name, whole.put(rest), word
    for file in (file for file in whole.texts if file.startswith("modules/")):
        name = file.rpartition("/")[2]
        texts = {other: text.replace(name, "elsewhere.bicep") for other, text in whole.texts.items()}
        yield f"module {name}", replace(whole, texts=texts), f"{file} is used by nobody"
    for file in whole.queries:
        queries = {**whole.queries, file: f"{whole.queries[file]}// more"}
        yield f"query {file}", replace(whole, queries=queries), f"{file} is asked by nobody"


def _settings_and_tables(plan: Plan) -> Iterator[Changed[Plan]]:
    (site,) = plan.of(SITE)
    for index, name in enumerate(plan.app_settings):
        yield f"setting {name}", plan.without(site, "properties", "siteConfig", "appSettings", index), name
    for table in plan.of(TABLES):
        yield f"table {table.name}", plan.without(table), f"The table {table.name} "


def _roles_and_logs(plan: Plan) -> Iterator[Changed[Plan]]:
    for each in plan.of(ROLE_ASSIGNMENT):
        role = ROLES[each.at("properties.roleDefinitionId").rpartition("/")[2]]
        yield f"role {role}", plan.without(each), f"The role {role} "
    for each in plan.of(DIAGNOSTICS):
        yield f"logs {each.scope}", plan.without(each), f"Nobody sees the logs of {each.scope}."


def _what_keeps_it_shut(plan: Plan) -> Iterator[Changed[Plan]]:
    said = [(kind, path) for kind, paths in CLOSED.items() for path, value in paths.items() if value is not None]
    for kind, path in (*said, *((kind, path) for kind, paths in FOLLOWS.items() for path in paths)):
        for each in plan.of(kind):
            yield f"property {each.name} {path}", plan.without(each, *path.split(".")), f"{path} of {each} "
    for policy in plan.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies"):
        yield f"policy {policy.name}", plan.without(policy), f"Publishing by {policy.name} "
    for endpoint in plan.of(ENDPOINTS):
        (connection,) = endpoint.at("properties.privateLinkServiceConnections")
        (group,) = connection["properties"]["groupIds"]
        yield f"endpoint {group}", plan.without(endpoint), f"There is no private endpoint of {group}"


def _watch_and_rotation(plan: Plan) -> Iterator[Changed[Plan]]:
    for name, alert in alert_rules(plan):
        yield f"alert {name}", plan.without(alert), f"no alert {name}"
        if alert.at("properties.skipQueryValidation"):
            rest = plan.without(alert, "properties", "skipQueryValidation")
            yield f"alert {name} validated", rest, "skipQueryValidation is not set"
    (key,) = plan.of(KEY)
    for part in ("attributes", "lifetimeActions"):
        rest = plan.without(key, "properties", "rotationPolicy", part)
        yield f"rotation {part}", rest, "The signing key is not rotated"
    yield "expiry", plan.without(key, "properties", "attributes", "exp"), "its alert cannot fire"
    yield "key", plan.without(key), "There is no signing key"


def _registration(plan: Plan) -> Iterator[Changed[Plan]]:
    (application,) = plan.of(APPLICATION)
    (trust,) = plan.of(TRUST)
    names = {role_id: name for name, role_id in PERMISSIONS.items()}
    asked = application.at("properties.requiredResourceAccess")[0]["resourceAccess"]
    for index, each in enumerate(asked):
        rest = plan.without(application, "properties", "requiredResourceAccess", 0, "resourceAccess", index)
        yield f"permission {names[each['id']]}", rest, f"permission {names[each['id']]} "
    for index, claim in enumerate(application.at("properties.optionalClaims.idToken")):
        rest = plan.without(application, "properties", "optionalClaims", "idToken", index)
        yield f"claim {claim['name']}", rest, f"The claim {claim['name']} "
    for index, uri in enumerate(application.at("properties.web.redirectUris")):
        rest = plan.without(application, "properties", "web", "redirectUris", index)
        yield f"redirect {uri}", rest, uri.removeprefix(plan.parameters["publicUrl"])
    yield "trust", plan.without(trust), "The registration trusts [], "
    yield "principal", plan.without(plan.of("Microsoft.Graph/servicePrincipals")[0]), "has no service principal"


def said_wrong_in_bicep(whole: Infra) -> Iterator[Changed[Infra]]:
    """The deployment with a value that opens it, breaks it, or fits nothing."""
    for plan in whole.stage_3():
        for name, value, resource, path, word in (*_keys_said_wrong(plan), *_said_wrong(plan)):
            yield f"{name} in {plan.name}", whole.put(plan.with_value(value, resource, *_steps(path))), word
    main = whole.texts["main.bicep"].replace("cookiePrefix string = '__Host-'", "cookiePrefix string = '__Secure-'")
    rest = replace(whole, texts={**whole.texts, "main.bicep": main})
    yield "weaker prefix by default", rest, "takes cookiePrefix for '__Host-' if it is left out"
    plan = whole.plans["entra"]
    for name, value, resource, path, word in _registration_said_wrong(plan):
        yield name, whole.put(plan.with_value(value, resource, *_steps(path))), word


def _steps(path: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in path.split(".")]


type Wrong = tuple[str, Node, Resource, str, str]


def _keys_said_wrong(plan: Plan) -> Iterator[Wrong]:
    (key,) = plan.of(KEY)
    rotation = "properties.rotationPolicy"
    actions = f"{rotation}.lifetimeActions"
    sooner = "[dateTimeToEpoch(dateTimeAdd(utcNow(), 'P30D'))]"
    yield "expiry too soon", "P97D", key, f"{rotation}.attributes.expiryTime", "expires less than"
    yield "first version too soon", sooner, key, "properties.attributes.exp", "its alert cannot fire"
    yield "rotated too often", "P7D", key, f"{actions}.0.trigger.timeAfterCreate", "rotated more often"
    yield "warned at each rotation", "P90D", key, f"{actions}.1.trigger.timeBeforeExpiry", "with every rotation"
    yield "short key", 1024, key, "properties.keySize", "no RSA key"
    yield "key that does not sign", ["verify"], key, "properties.keyOps", "may not sign"


def _said_wrong(plan: Plan) -> Iterator[Wrong]:
    (site,), (vault,), tables = plan.of(SITE), plan.of(VAULT), plan.of(ROLE_ASSIGNMENT)[1]
    owner = "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    logs = {each.scope: each for each in plan.of(DIAGNOSTICS)}
    private, platform_logs = plan.parameters["privateNetworking"], plan.parameters["platformLogs"]
    yield "owner", owner, tables, "properties.roleDefinitionId", "unknown to this policy"
    yield "wide scope", tables.id.replace("statesso", "other"), tables, "id", "on nothing that"
    yield "somebody", "me", tables, "properties.principalId", "not given to"
    yield "preview", "2025-07-01-preview", site, "apiVersion", "is a preview"
    yield (
        "row keys told",
        "azure_sdk",
        site,
        f"properties.siteConfig.appSettings.{[*plan.app_settings].index('OTEL_PYTHON_DISABLED_INSTRUMENTATIONS')}.value",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS is azure_sdk and is told as azure_sdk,django",
    )
    yield (
        "told twice",
        not platform_logs,
        logs[site.id],
        "properties.logs.0.enabled",
        f"does not follow {platform_logs}",
    )
    yield "vault not heard", False, logs[vault.id], "properties.logs.0.enabled", "does not follow True"
    yield "any origin", ["*"], site, "properties.siteConfig.cors.allowedOrigins", "cors.allowedOrigins"
    yield "keys", True, plan.of(STORAGE)[0], "properties.allowSharedKeyAccess", "SharedKey"
    yield "one at a time", 1, site, f"{SCALE}.triggers.http.perInstanceConcurrency", "perInstanceConcurrency"
    yield "public", "Disabled" if not private else "Enabled", vault, "properties.publicNetworkAccess", "publicNetwork"
    yield "off the network", "elsewhere", site, "properties.virtualNetworkSubnetId", "does not join the network"
    yield "another identity", "other", site, "properties.keyVaultReferenceIdentity", "keyVaultReferenceIdentity"
    for name in REFUSED_SITE_CONFIG:
        yield f"siteConfig {name}", "Disabled", site, f"properties.siteConfig.{name}", f"{name} of {site} is refused"
    for name in REFUSED_SETTINGS:
        setting = name.removesuffix(":") + "CONTENTSHARE" * name.endswith("_")
        yield f"app setting {setting}", setting, site, "properties.siteConfig.appSettings.0.name", f"{setting} must not"
    (health,) = plan.of("Microsoft.Insights/webtests")
    words = "properties.ValidationRules.ContentValidation.ContentMatch"
    if plan.name == "prod":  # which is what stage 1 is planned for
        yield "another vault", "kv-sso-prod-other", vault, "name", "Stage 1 tells the keyVaultName kv-sso-prod-"
    yield "blind health test", "status", health, words, "takes a sick service for a healthy one"
    for name, alert in alert_rules(plan):
        yield f"nobody told {name}", [], alert, TELLS[alert.kind], f"{alert} tells nobody"


def _registration_said_wrong(plan: Plan) -> Iterator[Wrong]:
    (application,) = plan.of(APPLICATION)
    (trust,) = plan.of(TRUST)
    asked = "properties.requiredResourceAccess.0"
    permissions = [each["id"] for each in application.at("properties.requiredResourceAccess")[0]["resourceAccess"]]
    place = permissions.index(PERMISSIONS["User.Read"])
    consumers = "AzureADandPersonalMicrosoftAccount"
    yield "User.Read.All", USER_READ_ALL, application, f"{asked}.resourceAccess.{place}.id", "permission User.Read "
    yield "another API", GRAPH.replace("3", "2"), application, f"{asked}.resourceAppId", "of 00000002"
    yield "anybody", consumers, application, "properties.signInAudience", "signInAud"
    yield "loud logout", "https://sso.vendor.example/x", application, "properties.web.logoutUrl", "front-channel logout"
    yield "password", [{}], application, "properties.passwordCredentials", "passwordCredentials"
    yield "key", [{}], application, "properties.keyCredentials", "keyCredentials"
    yield "another subject", "me", trust, "properties.subject", "trusts ['me']"


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

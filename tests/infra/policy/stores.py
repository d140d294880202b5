"""The stores: what is in them, that they are shut, who looks after them, and how the signing key is rotated."""

import re
from collections.abc import Iterator
from datetime import timedelta

from shared.ports.signing_keys import MINIMUM_BITS, PUBLISHED_AHEAD, TOKENS_LIVE_FOR
from tests.infra.plans import DIAGNOSTICS, Infra, Node, Plan, Resource
from tests.infra.policy.azure import CLOSED, LOGGED
from tests.infra.policy.expectations import Expectations


def tables(infra: Infra, code: Expectations) -> Iterator[str]:
    """Every table that the code opens, and no other."""
    for plan in infra.stage_3():
        made = {each.name for each in plan.of("Microsoft.Storage/storageAccounts/tableServices/tables")}
        yield from (f"The table {name} is opened by the service and not made." for name in code.tables - made)
        yield from (f"The table {name} is made and nobody opens it." for name in made - code.tables)


def closed(infra: Infra, _: Expectations) -> Iterator[str]:
    """HTTPS, TLS 1.2, no shared key, public blob, password or secret: each is said, even where it is the default."""
    for kind, wanted in CLOSED.items():
        plans = [infra.plans["entra"]] if kind.startswith("Microsoft.Graph/") else [*infra.stage_3()]
        for plan in plans:
            if not plan.of(kind):
                yield f"There is no {kind} in {plan.name}."
            for each in plan.of(kind):
                for path, value in wanted.items():
                    if each.at(path) != value:
                        yield f"{path} of {each} is {each.at(path)!r} and not {value!r}."
    for plan in infra.stage_3():
        policies = {each.name for each in plan.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")}
        yield from (f"Publishing by {name} still takes a password." for name in {"ftp", "scm"} - policies)


def private_networking(infra: Infra, _: Expectations) -> Iterator[str]:
    """The option opens a private endpoint for each store, and the app joins the network; without it there is none."""
    for plan in infra.stage_3():
        private = plan.parameters["privateNetworking"]
        endpoints = plan.of("Microsoft.Network/privateEndpoints")
        served = {
            (group, connection["properties"]["privateLinkServiceId"])
            for each in endpoints
            for connection in each.at("properties.privateLinkServiceConnections")
            for group in connection["properties"]["groupIds"]
        }
        wanted = _groups(plan) if private else set()
        yield from (f"There is no private endpoint of {group} in {plan.name}." for group, _ in wanted - served)
        yield from (f"There is a private endpoint of {group} in {plan.name}." for group, _ in served - wanted)
        subnet = [site.at("properties.virtualNetworkSubnetId") for site in plan.of("Microsoft.Web/sites")]
        networks = plan.of("Microsoft.Network/virtualNetworks")
        if subnet != [f"{network.id}/subnets/app" for network in networks] + [None] * (not private):
            yield f"The app does not join the network in {plan.name}, or joins one that nobody asked for."


def _groups(plan: Plan) -> set[tuple[str, str]]:
    """What is served by a private endpoint: the tables, the packages, the vault."""
    served = {
        "table": "Microsoft.Storage/storageAccounts/tableServices",
        "blob": "Microsoft.Storage/storageAccounts/blobServices",
        "vault": "Microsoft.KeyVault/vaults",
    }
    return {
        (group, re.sub(r"/(table|blob)Services/default$", "", each.id))
        for group, kind in served.items()
        for each in plan.of(kind)
    }


def diagnostics(infra: Infra, _: Expectations) -> Iterator[str]:
    """Vault, storage and app send their logs to the workspace."""
    for plan in infra.stage_3():
        workspaces = {each.id for each in plan.of("Microsoft.OperationalInsights/workspaces")}
        made = plan.of(DIAGNOSTICS)
        watched = {each.scope for each in made if each.at("properties.workspaceId") in workspaces}
        for each in (each for kind in LOGGED for each in plan.of(kind)):
            if each.id not in watched:
                yield f"Nobody sees the logs of {each.id}."
        for each in made:
            wanted = plan.parameters["platformLogs"] if "/Microsoft.Web/sites/" in each.scope else True
            for log in each.at("properties.logs"):
                if log["enabled"] != wanted:
                    yield f"Whether {log} of {each.scope} is kept does not follow {wanted}."


def signing_key(infra: Infra, _: Expectations) -> Iterator[str]:
    """The rotation of the key agrees with the rule by which versions take turns (shared/ports/signing_keys.py)."""
    for plan in infra.stage_3():
        keys = plan.of("Microsoft.KeyVault/vaults/keys")
        for key in keys:
            yield from _of_the_key(key)
        if not keys:
            yield f"There is no signing key in {plan.name}."


def _of_the_key(key: Resource) -> Iterator[str]:
    if key.at("properties.kty") != "RSA" or (key.at("properties.keySize") or 0) < MINIMUM_BITS:
        yield "The signing key is no RSA key of enough bits for RS256."
    if "sign" not in (key.at("properties.keyOps") or []):
        yield "The signing key may not sign."
    actions = {
        each["action"]["type"]: each["trigger"] for each in key.at("properties.rotationPolicy.lifetimeActions") or []
    }
    expires = _days(key.at("properties.rotationPolicy.attributes.expiryTime"))
    rotated = _days(actions.get("rotate", {}).get("timeAfterCreate"))
    warned = _days(actions.get("notify", {}).get("timeBeforeExpiry"))
    if expires is None or rotated is None or warned is None:
        yield "The signing key is not rotated, does not expire, or nobody is warned."
        return
    # A rotation policy gives no expiry to the version that exists when it is set, and without one no warning comes.
    first = re.fullmatch(
        r"\[dateTimeToEpoch\(dateTimeAdd\(utcNow\(\), '(P\d+D)'\)\)\]", str(key.at("properties.attributes.exp"))
    )
    if first is None or _days(first[1]) != expires:
        yield "The first version of the signing key does not expire when the later ones do: its alert cannot fire."
    outlives = PUBLISHED_AHEAD + TOKENS_LIVE_FOR
    if expires - rotated < outlives:
        yield f"A version of the signing key expires less than {outlives} after the next one came."
    if rotated < outlives:
        yield f"The signing key is rotated more often than every {outlives}."
    if not outlives <= warned < expires - rotated:
        yield "The warning of a missed rotation comes too late, or with every rotation."


def _days(duration: Node) -> timedelta | None:
    found = re.fullmatch(r"P(\d+)D", duration or "")
    return timedelta(days=int(found[1])) if found else None

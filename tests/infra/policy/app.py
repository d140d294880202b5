"""What the function app is told, what it may do, and what Flex Consumption would refuse of it."""

import re
from collections import Counter
from collections.abc import Iterator

from tests.infra.plans import ROLE_ASSIGNMENT, Infra, Plan
from tests.infra.policy.azure import FOLLOWS, FORBIDDEN, KEYS, REFUSED_SETTINGS, REFUSED_SITE_CONFIG, ROLES
from tests.infra.policy.expectations import DEVELOPMENT, Expectations, anywhere

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"


def settings(infra: Infra, code: Expectations) -> Iterator[str]:
    """Every setting that the code reads in Azure is provisioned, once, and no other."""
    said = Counter(name for text in infra.texts.values() for name in re.findall(r"^\s*(\w+):", text, re.MULTILINE))
    for plan in infra.stage_3():
        provisioned = {*plan.app_settings}
        for name in code.settings - provisioned:
            yield f"{name} is read by the service and not provisioned in {plan.name}."
        for name in code.host_settings.keys() - provisioned:
            yield f"{name} is read by the Functions host and not provisioned in {plan.name}."
        for name in provisioned & DEVELOPMENT:
            yield f"{name} is for development and is provisioned in {plan.name}."
        for name in provisioned - code.settings - code.host_settings.keys() - DEVELOPMENT:
            yield f"{name} is provisioned, and neither shared/settings.py nor docs/configuration.md knows it."
        # A plan shows only the last one.
        yield from (f"{name} is set {said[name]} times." for name in provisioned if said[name] != 1)


def host_values(infra: Infra, code: Expectations) -> Iterator[str]:
    """What host and worker are told is what the document says that they are told."""
    for plan in infra.stage_3():
        for name, value in plan.app_settings.items():
            told = code.host_settings.get(name, "…")
            if told not in {"…", _evaluated(value), anywhere(value)}:
                yield f"{name} is {value} and is told as {told}."


def _evaluated(value: str) -> str:
    """A value in which `…` stands for what only Azure knows."""
    found = re.match(r"\[format\('([^']*)'", value)
    return re.sub(r"\{\d+\}", "…", found[1]) if found else value


def forbidden(infra: Infra, _: Expectations) -> Iterator[str]:
    """Nothing that Flex Consumption refuses, and no key: in no plan, and in no branch that no plan takes."""
    for file, text in infra.texts.items():
        said = re.sub(r"//.*", "", text)
        yield from (f"{word} stands in {file}." for word in FORBIDDEN if word in said)
    for plan in infra.plans.values():
        for site in plan.of("Microsoft.Web/sites"):
            named = site.at("properties.siteConfig").keys() & {*REFUSED_SITE_CONFIG}
            yield from (f"{name} of {site} is refused by Flex Consumption." for name in named)
        for name in plan.app_settings:
            if any(word in f"{name}:" for word in REFUSED_SETTINGS):
                yield f"The app setting {name} must not be set on Flex Consumption."
        yield from (f"{word} stands in the plan {plan.name}." for word in KEYS if word in plan.text)


def follows(infra: Infra, _: Expectations) -> Iterator[str]:
    """Each parameter of the deployment decides what it says that it decides."""
    for plan in infra.stage_3():
        for kind, paths in FOLLOWS.items():
            for each in plan.of(kind):
                for path, decided in paths.items():
                    if each.at(path) != decided(plan.parameters):
                        yield f"{path} of {each} is {each.at(path)!r} and does not follow the parameters."


def one_identity(infra: Infra, _: Expectations) -> Iterator[str]:
    """The app is the identity of stage 1, and so is whoever reads its references and its package."""
    for plan in infra.stage_3():
        wanted = identity_of(plan)
        if (made := [each.id for each in infra.plans["identity"].of(IDENTITY)]) != [wanted] and plan.name == "prod":
            yield f"The app of {plan.name} is {wanted}, and stage 1 makes {made}."
        for site in plan.of("Microsoft.Web/sites"):
            authentication = "properties.functionAppConfig.deployment.storage.authentication"
            for path in ("properties.keyVaultReferenceIdentity", f"{authentication}.userAssignedIdentityResourceId"):
                if site.at(path) != wanted:
                    yield f"{path} of {site} is {site.at(path)} and not {wanted}."


def names_come_true(infra: Infra, _: Expectations) -> Iterator[str]:
    """What stage 1 says that things will be called, stage 3 calls them: infra/deploy.sh asks Azure by these names."""
    for output, kind in {"functionAppName": "Microsoft.Web/sites", "keyVaultName": "Microsoft.KeyVault/vaults"}.items():
        told = infra.plans["identity"].outputs.get(output)
        if (made := [each.name for each in infra.plans["prod"].of(kind)]) != [told]:
            yield f"Stage 1 tells the {output} {told}, and prod makes {made}."


def identity_of(plan: Plan) -> str:
    """The id of the identity that the function app runs as; nothing if it is not one."""
    found = [[*(site.at("identity.userAssignedIdentities") or {})] for site in plan.of("Microsoft.Web/sites")]
    return str(found[0][0]) if [len(each) for each in found] == [1] else ""


def roles(infra: Infra, code: Expectations) -> Iterator[str]:
    """Every role that the code needs, on the smallest thing that has it, for the identity, and no other."""
    for plan in infra.stage_3():
        found = set()
        for each in plan.of(ROLE_ASSIGNMENT):
            role_id = str(each.at("properties.roleDefinitionId")).rpartition("/")[2]
            name = ROLES.get(role_id, f"unknown to this policy ({each})")
            scope = plan.called(each.scope)
            found.add((name, scope.kind if scope else f"nothing that {plan.name} makes"))
            if f"'{name}')" not in str(each.at("name")):
                yield f"The role assignment {each} is not called by its role, {name}."
            if (
                not str(each.at("properties.principalId")).startswith(f"[reference('{identity_of(plan)}', ")
                or not str(each.at("properties.principalId")).endswith(").principalId]")
                or each.at("properties.principalType") != "ServicePrincipal"
            ):
                yield f"The role {name} is not given to the identity in {plan.name}."
        yield from (f"The role {name} on {scope} is needed and not assigned." for name, scope in code.roles - found)
        yield from (f"The role {name} on {scope} is assigned and not needed." for name, scope in found - code.roles)

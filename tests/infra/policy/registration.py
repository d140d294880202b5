"""The app registration: the addresses, claims and permissions that customers consent to."""

from collections.abc import Iterator

from tests.infra.plans import Infra, Resource
from tests.infra.policy.azure import GRAPH, PERMISSIONS
from tests.infra.policy.expectations import Expectations


def addresses(infra: Infra, code: Expectations) -> Iterator[str]:
    """The registration knows the addresses that the code uses, and no more."""
    address = infra.plans["entra"].parameters["publicUrl"]
    for application in _applications(infra):
        paths = {uri.removeprefix(address) for uri in application.at("properties.web.redirectUris") or []}
        yield from (f"The redirect URI {path} is used and not registered." for path in code.redirect_paths - paths)
        yield from (f"The redirect URI {path} is registered and not used." for path in paths - code.redirect_paths)
        yield from (f"The redirect URI {path} is no call of the service." for path in paths - code.routes)
        logout = application.at("properties.web.logoutUrl")
        if logout != f"{address}{code.logout_path}" or code.logout_path not in code.routes:
            yield f"The front-channel logout URL is {logout}."


def consent(infra: Infra, code: Expectations) -> Iterator[str]:
    """The registration asks for the claims and permissions that the code uses, and no more."""
    for application in _applications(infra):
        asked = {each["name"] for each in application.at("properties.optionalClaims.idToken") or []}
        yield from (f"The claim {name} is read and not asked for." for name in code.claims - asked)
        yield from (f"The claim {name} is asked for and not read." for name in asked - code.claims)
        for kind, wanted, access in (
            ("delegated", code.delegated, "Scope"),
            ("application", code.application, "Role"),
        ):
            granted = _granted(application, access)
            needed = {PERMISSIONS.get(name, name): name for name in wanted}
            names = {role_id: name for name, role_id in PERMISSIONS.items()} | needed
            for role_id in needed.keys() - granted:
                yield f"The {kind} permission {needed[role_id]} is used and not asked for."
            for role_id in granted - needed.keys():
                yield f"The {kind} permission {names.get(role_id, role_id)} is asked for and not used."


def trust(infra: Infra, _: Expectations) -> Iterator[str]:
    """The registration trusts the managed identity alone, and exists in its own tenant."""
    plan = infra.plans["entra"]
    if not plan.of("Microsoft.Graph/servicePrincipals"):
        yield "The registration has no service principal in its own tenant."
    subjects = [
        each.at("properties.subject") for each in plan.of("Microsoft.Graph/applications/federatedIdentityCredentials")
    ]
    if subjects != [plan.parameters["identityPrincipalId"]]:
        yield f"The registration trusts {subjects}, and not the managed identity alone."


def _applications(infra: Infra) -> list[Resource]:
    return infra.plans["entra"].of("Microsoft.Graph/applications")


def _granted(application: Resource, access: str) -> set[str]:
    """The ids of what is asked of Microsoft Graph, and of anybody else."""
    return {
        each["id"] if resource["resourceAppId"] == GRAPH else f"{each['id']} of {resource['resourceAppId']}"
        for resource in application.at("properties.requiredResourceAccess") or []
        for each in resource["resourceAccess"]
        if each["type"] == access
    }

"""What a `scope` parameter asks for, as Microsoft Graph permissions and OpenID Connect scopes.

Graph is the one resource here. It says what is asked; what was granted is in `cloud`. Source:
https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc
"""

from dataclasses import dataclass

from local.entra.directory import Application
from local.entra.refusals import aadsts

OPENID = frozenset({"openid", "profile", "email", "offline_access"})
GRAPH_DELEGATED = frozenset(
    {
        "User.Read",
        "User.ReadBasic.All",
        "User.Read.All",
        "Organization.Read.All",
        "Directory.Read.All",
        "Group.Read.All",
    },
)


@dataclass(frozen=True)
class Asked:
    """The delegated permissions named one by one, and whether `/.default` asks for all that are registered."""

    named: frozenset[str]
    everything: bool


def asked(scope: str, *, graph: str, application: Application) -> Asked:
    """Read a `scope` parameter; `graph` is Graph's base URL, the resource.

    Raises:
        Refusal: AADSTS70011, 500011 or 650053.

    """
    named: set[str] = set()
    everything = False
    for word in scope.split():
        name = word.removeprefix(f"{graph}/")
        if "/" in name:
            raise aadsts(500011, resource=word.rpartition("/")[0], tenant=application.name)
        if name == ".default":
            everything = True
        elif name in OPENID | GRAPH_DELEGATED:
            named.add(name)
        else:
            raise aadsts(650053, name=application.name, scope=name)
    if everything and named - OPENID:
        raise aadsts(70011, reason=".default scope can't be combined with resource-specific scopes.")
    return Asked(frozenset(named), everything)

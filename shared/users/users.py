"""The facade of the users package: the exception list and the links."""

from dataclasses import dataclass

from shared.users.exemptions import ExemptionList
from shared.users.links import Links


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """The users of every account, as far as this service knows them."""

    exemptions: ExemptionList
    """The users who keep the vendor's password although SSO is on."""
    links: Links
    """The users' links to Entra identities."""

"""The product: its parts, as HTTP and timers see them. `shared.assembly` makes them."""

from dataclasses import dataclass

from shared.accounts.accounts import Accounts
from shared.applications.register import ApplicationRegister
from shared.connection.connections import Connections
from shared.edge_ports import EdgePorts
from shared.overview import Overviews
from shared.policies.book import PolicyBook
from shared.portal.portal import Portal
from shared.privacy.privacy import Privacy
from shared.provider.openid_provider import OpenIdProvider
from shared.resolution.resolver import Resolver
from shared.upkeep import Upkeep
from shared.users.users import Users


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The product: the parts that HTTP and timers may call."""

    edge: EdgePorts
    """What HTTP itself needs."""
    accounts: Accounts
    """The vendor's customers, and the audit trail of each."""
    applications: ApplicationRegister
    """The vendor's applications."""
    connection: Connections
    """The link between an account and its tenant, and the tenant's domains."""
    policies: PolicyBook
    """Whether SSO is on."""
    users: Users
    """The exception list, and the links to Entra identities."""
    portal: Portal
    """Hosted pages with the panel, and the sessions there."""
    overviews: Overviews
    """What a Security Manager sees first."""
    privacy: Privacy
    """What is kept of people, and its end."""
    resolution: Resolver
    """Resolves how a person signs in."""
    provider: OpenIdProvider
    """The OpenID provider towards the applications."""
    upkeep: Upkeep
    """What timers run and probes ask."""

"""The product: its parts, as HTTP and timers see them. `shared.assembly` makes them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.accounts.accounts import Accounts
from shared.applications.register import ApplicationRegister
from shared.connection.connected_domains import ConnectedDomains
from shared.connection.connections import Connections
from shared.duties.runner import DutyRunner
from shared.edge_ports import EdgePorts
from shared.flows.flows import Flows
from shared.health import Health
from shared.overview import Overviews
from shared.policies.book import PolicyBook
from shared.privacy.privacy import Privacy
from shared.provider.openid_provider import OpenIdProvider
from shared.resolution.resolver import Resolver
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
    """The link between an account and its tenant."""
    domains: ConnectedDomains
    """The domains of each tenant, and which of them route to its account."""
    policies: PolicyBook
    """Whether SSO is on."""
    users: Users
    """The exception list, and the links to Entra identities."""
    overviews: Overviews
    """What a Security Manager sees first."""
    privacy: Privacy
    """What is kept of people, and its end."""
    resolution: Resolver
    """Resolves how a person signs in."""
    provider: OpenIdProvider
    """The OpenID provider towards the applications."""
    flows: Flows
    """What browsers carry for a time, such as tickets, states and codes; a timer purges the expired ones."""
    duties: DutyRunner
    """Work that is due at a time; a timer runs it."""
    health: Health
    """Reports which parts respond."""
    close: Callable[[], Awaitable[None]]
    """Closes the connections behind the product."""

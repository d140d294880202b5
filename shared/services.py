"""The product: its parts, as HTTP and timers see them. `shared.assembly` makes them.

The parts are named here and imported nowhere: whoever only passes the product on does not import it.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.accounts.accounts import Accounts
    from shared.applications.register import ApplicationRegister
    from shared.connection.connections import Connections
    from shared.edge_ports import EdgePorts
    from shared.health import Health
    from shared.overview import Overviews
    from shared.policies.book import PolicyBook
    from shared.portal.portal import Portal
    from shared.privacy.privacy import Privacy
    from shared.provider.openid_provider import OpenIdProvider
    from shared.resolution.resolver import Resolver
    from shared.upkeep import Upkeep
    from shared.users.users import Users


class Services(ABC):
    """The product: the parts that HTTP and timers may call."""

    @property
    @abstractmethod
    def edge(self) -> "EdgePorts":
        """What HTTP itself needs."""

    @property
    @abstractmethod
    def accounts(self) -> "Accounts":
        """The vendor's customers, and the audit trail of each."""

    @property
    @abstractmethod
    def applications(self) -> "ApplicationRegister":
        """The vendor's applications."""

    @property
    @abstractmethod
    def connection(self) -> "Connections":
        """The link between an account and its tenant, and the tenant's domains."""

    @property
    @abstractmethod
    def policies(self) -> "PolicyBook":
        """Whether SSO is on."""

    @property
    @abstractmethod
    def users(self) -> "Users":
        """The exception list, and the links to Entra identities."""

    @property
    @abstractmethod
    def portal(self) -> "Portal":
        """Hosted pages with the panel, and the sessions there."""

    @property
    @abstractmethod
    def overviews(self) -> "Overviews":
        """What a Security Manager sees first."""

    @property
    @abstractmethod
    def privacy(self) -> "Privacy":
        """What is kept of people, and its end."""

    @property
    @abstractmethod
    def resolution(self) -> "Resolver":
        """Resolves how a person signs in."""

    @property
    @abstractmethod
    def provider(self) -> "OpenIdProvider":
        """The OpenID provider towards the applications."""

    @property
    @abstractmethod
    def health(self) -> "Health":
        """Reports which parts respond."""

    @property
    @abstractmethod
    def upkeep(self) -> "Upkeep":
        """What timers run, and the end of an instance."""

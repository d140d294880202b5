"""Ports in, the product out: the parts of the product, and what each is made of.

It knows no settings and no SDK: `shared.wiring` and the tests make the ports. A part's fields list what it needs.

A part is imported and made when it is first asked for, and then kept. The import is the cold start: an instance that
is started by one request pays for the parts of that request, not for the product. So the imports stand in the parts.
"""

from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol

from shared.edge_ports import EdgePorts
from shared.kernel.names import AccountId
from shared.product_ports import Ports
from shared.services import Services

if TYPE_CHECKING:
    from shared.accounts.accounts import Accounts
    from shared.accounts.journal import Journal
    from shared.accounts.register import AccountRegister
    from shared.applications.register import ApplicationRegister
    from shared.connection.connections import Connections
    from shared.duties.duties import Duties
    from shared.flows.flows import Flows
    from shared.health import Health
    from shared.overview import Overviews
    from shared.policies.book import PolicyBook
    from shared.portal.portal import Portal
    from shared.ports.access_tokens import VerifiedSession
    from shared.privacy.privacy import Privacy
    from shared.provider.openid_provider import OpenIdProvider
    from shared.resolution.resolver import Resolver
    from shared.upkeep import Upkeep
    from shared.users.users import Users


def assemble(ports: Ports) -> Services:
    """Join the parts. Does no I/O, opens nothing, and makes a part only when it is asked for."""
    return _Product(ports)


class _Product(Services):
    """The parts, each made once."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @cached_property
    def edge(self) -> EdgePorts:
        ports = self._ports
        return EdgePorts(
            public_url=ports.public_url,
            cookie_prefix=ports.cookie_prefix,
            control_panel=ports.return_urls.home,
            branding=ports.branding,
            access_tokens=ports.access_tokens,
            portal_access=_PortalOf(self),
            telemetry=ports.telemetry,
            clock=ports.clock,
        )

    @cached_property
    def accounts(self) -> "Accounts":
        from shared.accounts.accounts import Accounts

        return Accounts(register=self._register, journal=self._journal)

    @cached_property
    def applications(self) -> "ApplicationRegister":
        from shared.applications.register import ApplicationRegister

        return ApplicationRegister(table=self._ports.applications, clock=self._ports.clock)

    @cached_property
    def connection(self) -> "Connections":
        from shared.connection.connections import Connections
        from shared.domains.domain_claims import DomainClaims
        from shared.domains.routing import DomainRouting

        ports = self._ports
        claims = DomainClaims(table=ports.domains, clock=ports.clock)
        return Connections.assemble(
            table=ports.accounts,
            journal=self._journal,
            register=self._register,
            flows=self._flows,
            duties=self._duties,
            routing=DomainRouting(table=ports.accounts, journal=self._journal, claims=claims),
            consent=ports.consent,
            sign_in=ports.sign_in,
            organizations=ports.organizations,
            clock=ports.clock,
            telemetry=ports.telemetry,
            return_urls=ports.return_urls.and_below(f"{ports.public_url}/portal/"),
            redirect_uri=f"{ports.public_url}/v1/connect/callback",
        )

    @cached_property
    def policies(self) -> "PolicyBook":
        from shared.policies.book import PolicyBook

        ports = self._ports
        return PolicyBook(
            table=ports.accounts, journal=self._journal, clock=ports.clock, applications=ports.applications
        )

    @cached_property
    def users(self) -> "Users":
        from shared.connection.connected_domains import has_domain
        from shared.users.users import Users

        ports = self._ports
        return Users.assemble(
            accounts=ports.accounts,
            recent_accounts=ports.recent_accounts,
            domains=ports.domains,
            journal=self._journal,
            clock=ports.clock,
            has_domain=has_domain,
        )

    @cached_property
    def portal(self) -> "Portal":
        from shared.portal.portal import Portal

        ports = self._ports
        return Portal.assemble(accounts=ports.accounts, journal=self._journal, flows=self._flows, clock=ports.clock)

    @cached_property
    def overviews(self) -> "Overviews":
        from shared.overview import Overviews

        return Overviews(table=self._ports.accounts, applications=self.applications, clock=self._ports.clock)

    @cached_property
    def privacy(self) -> "Privacy":
        from shared.privacy.privacy import Privacy

        ports = self._ports
        return Privacy.assemble(
            accounts=ports.accounts,
            journal=self._journal,
            applications=self.applications,
            sessions=self.provider.end_session,
            people=self.users.people,
            duties=self._duties,
            limits=ports.limits,
            clock=ports.clock,
        )

    @cached_property
    def resolution(self) -> "Resolver":
        from shared.resolution.facts import Readers
        from shared.resolution.resolver import Resolver
        from shared.users.exemption_sets import ExemptionSets

        ports = self._ports
        return Resolver(
            readers=Readers(
                accounts=ports.recent_accounts,
                domains=ports.recent_domains,
                applications=ports.recent_applications,
                exemptions=ExemptionSets(table=ports.accounts, clock=ports.clock),
            ),
            authority=ports.authority,
            clock=ports.clock,
            authorize_url=f"{ports.public_url}/oauth2/authorize",
        )

    @cached_property
    def provider(self) -> "OpenIdProvider":
        from shared.provider.openid_provider import OpenIdProvider

        ports = self._ports
        return OpenIdProvider.assemble(
            public_url=ports.public_url,
            accounts=ports.accounts,
            flows_table=ports.flows,
            recent_accounts=ports.recent_accounts,
            recent_applications=ports.recent_applications,
            flows=self._flows,
            duties=self._duties,
            resolver=self.resolution,
            admission=self.users.admission,
            checks=self.connection.checks,
            entra=ports.sign_in,
            tokens=ports.tokens,
            seal=ports.seal,
            notices=ports.notices,
            telemetry=ports.telemetry,
            clock=ports.clock,
        )

    @cached_property
    def health(self) -> "Health":
        """The probes. Entra's acceptance of this service's credential is probed only if the home tenant is set.

        Each uses its port when it is asked: a port that cannot be made is down, and hides no other.
        """
        from shared.health import Health
        from shared.ports.table import Key

        ports, tenant = self._ports, self._ports.home_tenant
        return Health(
            {
                "storage": partial(ports.accounts.get, Key("health", "health")),
                "entra": partial(_probe, ports.sign_in),
                "controlPanel": partial(_probe, ports.access_tokens),
                "signingKeys": partial(_probe, ports.signing_keys),
            },
            ports.clock,
            costly={"credential": lambda: ports.organizations.probe_credential(tenant)} if tenant else {},
        )

    @cached_property
    def upkeep(self) -> "Upkeep":
        from shared.duties.runner import DutyRunner
        from shared.upkeep import Upkeep

        kinds = (self.provider.end_session.notices.kind(), *self.connection.kinds(), *self.privacy.kinds())
        return Upkeep(
            flows=self._flows,
            duties=DutyRunner(table=self._ports.duties, clock=self._ports.clock, kinds=kinds),
            privacy=self.privacy,
            close=self._ports.close,
        )

    @cached_property
    def _journal(self) -> "Journal":
        from shared.accounts.journal import Journal

        return Journal(table=self._ports.accounts, clock=self._ports.clock)

    @cached_property
    def _register(self) -> "AccountRegister":
        from shared.accounts.register import AccountRegister

        return AccountRegister(table=self._ports.accounts, journal=self._journal, clock=self._ports.clock)

    @cached_property
    def _flows(self) -> "Flows":
        from shared.flows.flows import Flows

        return Flows(table=self._ports.flows, clock=self._ports.clock)

    @cached_property
    def _duties(self) -> "Duties":
        from shared.duties.duties import Duties

        return Duties(table=self._ports.duties, clock=self._ports.clock)


class _PortalOf:
    """Verifies sessions of a product's portal, which is imported when a browser sends one."""

    def __init__(self, product: _Product) -> None:
        self._product = product

    async def verify(self, account_id: AccountId, unverified_secret: str) -> "VerifiedSession":
        return await self._product.portal.sessions.verify(account_id, unverified_secret)


class _Probed(Protocol):
    async def probe(self) -> None:
        """Raise an error if it is down."""
        ...


async def _probe(port: _Probed) -> None:
    await port.probe()

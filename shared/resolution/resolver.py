"""Gathers what the decision needs: at most four reads, in two rounds.

    round 1   who claims the domain          which application asks
    round 2   the account's head rows        the user's exception

Its readers may be some seconds old; see `shared.adapters.recent_rows` for how old. A resolution is remembered for as
long as everything that it rests on, so it is no older than that.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from shared.accounts.head import Head, find_head
from shared.applications.register import Application, find_application
from shared.connection.connection import Connection
from shared.domains.domain_claims import find_domain_claim
from shared.domains.tenant_domains import DomainState, TenantDomains
from shared.kernel.names import AccountId, ClientId, DomainName, EmailAddress, TenantId
from shared.kernel.refusals import FieldFault, Invalid
from shared.policies.policy import Policy
from shared.ports.clock import Clock
from shared.ports.table import Lease, RecentReader
from shared.ports.telemetry import Event, EventName, Telemetry
from shared.resolution.decision import Method, Situation, decide
from shared.resolution.remembered import Remembered
from shared.users.exemptions import Exemption, find_exemption

_MOST = 10_000
"""Resolutions that are remembered."""


@dataclass(frozen=True, slots=True)
class Sso:
    """Where this person signs in: at `sign_in_url`, or by the application's own MSAL at `authority`."""

    tenant_id: TenantId
    authority: str
    sign_in_url: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """How this person signs in: by SSO as it says, or by password if that is None; and the rule that chose it."""

    because: str
    account_id: AccountId | None = None
    sso: Sso | None = None


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where resolution reads: the rows of accounts, domains and applications."""

    accounts: RecentReader
    domains: RecentReader
    applications: RecentReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Resolves emails."""

    shelves: Shelves
    """Where to read."""
    authority: Callable[[TenantId], str]
    """Where an application that uses MSAL itself signs people of a tenant in."""
    clock: Clock
    """The time, for exceptions that expire."""
    telemetry: Telemetry
    """Where resolutions are told."""
    authorize_url: str
    """This service's authorization endpoint."""
    _remembered: Remembered[tuple[str, ClientId | None], Resolution] = field(
        init=False, repr=False, default_factory=lambda: Remembered(_MOST)
    )

    async def resolve(self, email: EmailAddress, client_id: ClientId | None) -> Resolution:
        """Tell an application how this person signs in, there or in general.

        Raises:
            Invalid: the application is unknown.
            Unavailable: the store does not answer.
        """
        resolution = await self.decide(email, client_id)
        method = Method.SSO if resolution.sso else Method.PASSWORD
        self.telemetry.note(
            Event(EventName.RESOLVE, method, resolution.because, resolution.account_id, client_id, email)
        )
        return resolution

    async def decide(self, email: EmailAddress, client_id: ClientId | None) -> Resolution:
        """The same for a sign-in, which decides when it begins and when it ends, and tells what became of it itself."""
        question = (email.address, client_id)
        resolution = self._remembered.find(question, self.clock.now())
        if resolution is None:
            leases: list[Lease] = []
            resolution = await self._look_up(email, client_id, leases)
            self._remembered.keep(question, resolution, leases)
        return resolution

    async def _look_up(self, email: EmailAddress, client_id: ClientId | None, leases: list[Lease]) -> Resolution:
        """Read and decide. The leases of all that the decision rests on are added to `leases`."""
        claim, application = await asyncio.gather(
            find_domain_claim(self.shelves.domains.noting(leases), email.domain), self._application(client_id, leases)
        )
        head, exemption = None, None
        if claim is not None:
            accounts = self.shelves.accounts.noting(leases)
            head, exemption = await asyncio.gather(
                find_head(accounts, claim.account_id), find_exemption(accounts, claim.account_id, email)
            )
        if exemption is not None and exemption.expires_at is not None and exemption.in_force(self.clock.now()):
            leases.append(Lease(exemption.expires_at))
        return self._resolution(email, application, head, exemption)

    async def _application(self, client_id: ClientId | None, leases: list[Lease]) -> Application | None:
        if client_id is None:
            return None
        application = await find_application(self.shelves.applications.noting(leases), client_id)
        if application is None:
            fault = FieldFault("application", "It is not registered.")
            raise Invalid("No application is registered with this client id. An Operator can register it.", [fault])
        return application

    def _resolution(
        self, email: EmailAddress, application: Application | None, head: Head | None, exemption: Exemption | None
    ) -> Resolution:
        decision = decide(self._situation(email.domain, application, head, exemption))
        connection = head.stored(Connection).record if head else Connection()
        account_id = head.account_id if head else None
        if decision.method is Method.PASSWORD or connection.tenant is None:
            return Resolution(decision.because, account_id)
        asked = {"client_id": application.client_id} if application else {}
        sign_in_url = f"{self.authorize_url}?{urlencode({**asked, 'login_hint': email.address})}"
        sso = Sso(connection.tenant, self.authority(connection.tenant), sign_in_url)
        return Resolution(decision.because, account_id, sso)

    def _situation(
        self, domain: DomainName, application: Application | None, head: Head | None, exemption: Exemption | None
    ) -> Situation:
        if head is None:
            return Situation()
        account = head.account.record
        policy = head.stored(Policy).record.settings
        verified = head.stored(TenantDomains).record.find(domain)
        return Situation(
            domain_routes=verified is not None and verified.state(account) is DomainState.ROUTED,
            status=head.stored(Connection).record.status,
            when_connection_fails=policy.when_connection_fails,
            mode=policy.mode,
            application_serves=application is None or application.serves(account.products),
            application_on=application is None or application.client_id not in policy.applications_off,
            excepted=exemption is not None and exemption.in_force(self.clock.now()),
        )

"""Resolves from the cache, or by reading the facts and deciding, and reports each resolution.

A resolution is cached as long as everything that it was computed from is valid, so it is no older than its rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from shared.connection.connection import Status
from shared.kernel.names import AccountId, ClientId, EmailAddress, TenantId
from shared.ports.clock import Clock
from shared.ports.table import Lease
from shared.ports.telemetry import Event, EventName, Telemetry
from shared.resolution.decision import Method, decide
from shared.resolution.facts import Facts, Readers, read_facts
from shared.resolution.leased_cache import LeasedCache

_MOST = 10_000
"""Resolutions in the cache."""


@dataclass(frozen=True, slots=True)
class Sso:
    """The addresses for SSO: `sign_in_url`, or `authority` for an application that uses MSAL itself.

    `consented`: the tenant's consent stands, as far as we know. Whoever signs in hears from Microsoft whether it does.
    """

    tenant_id: TenantId
    authority: str
    sign_in_url: str
    consented: bool


@dataclass(frozen=True, slots=True)
class Resolution:
    """How this person signs in: by SSO, or by password if `sso` is None; and the rule that chose it."""

    because: str
    account_id: AccountId | None = None
    sso: Sso | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Resolves emails."""

    readers: Readers
    """Read the facts."""
    authority: Callable[[TenantId], str]
    """Returns a tenant's authority, for an application that uses MSAL itself."""
    clock: Clock
    """The time, for exceptions that expire."""
    telemetry: Telemetry
    """Reports resolutions to operators."""
    authorize_url: str
    """This service's authorization endpoint."""
    _cache: LeasedCache[tuple[str, ClientId | None], Resolution] = field(
        init=False, repr=False, default_factory=lambda: LeasedCache(_MOST)
    )

    async def resolve(self, email: EmailAddress, client_id: ClientId | None) -> Resolution:
        """Resolve how this person signs in to an application, or in general, and report it.

        Raises:
            Invalid: the application is unknown.
            Unavailable: the store does not respond.
        """
        resolution = await self.decide(email, client_id)
        method = Method.SSO if resolution.sso else Method.PASSWORD
        self.telemetry.note(
            Event(EventName.RESOLVE, method, resolution.because, resolution.account_id, client_id, email)
        )
        return resolution

    async def decide(self, email: EmailAddress, client_id: ClientId | None) -> Resolution:
        """Resolve without a report: a sign-in resolves when it begins and when it ends, and reports both itself.

        Raises:
            Invalid: the application is unknown.
            Unavailable: the store does not respond.
        """
        question, now = (email.address, client_id), self.clock.monotonic()
        resolution = self._cache.find(question, now)
        if resolution is None:
            facts = await read_facts(self.readers, email, client_id, now)
            resolution, leases = self._resolution(facts, email, client_id)
            self._cache.keep(question, resolution, leases)
        return resolution

    def _resolution(
        self, facts: Facts, email: EmailAddress, client_id: ClientId | None
    ) -> tuple[Resolution, Sequence[Lease]]:
        """The resolution, and how long it is valid."""
        now, leases = self.clock.now(), facts.leases
        if end := facts.end(now):
            leases = [*leases, Lease(self.clock.monotonic() + (end - now))]
        situation, domain = facts.situation(now), facts.domain
        decision = decide(situation)
        if decision.method is Method.PASSWORD or domain.tenant_id is None:
            return Resolution(decision.because, domain.account_id), leases
        asked = f"client_id={client_id}&" if client_id else ""  # nothing in a client id needs to be encoded
        sign_in_url = f"{self.authorize_url}?{asked}login_hint={quote_plus(email.address)}"
        consented = situation.status is Status.CONNECTED
        sso = Sso(domain.tenant_id, self.authority(domain.tenant_id), sign_in_url, consented)
        return Resolution(decision.because, domain.account_id, sso), leases

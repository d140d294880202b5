"""Resolves: finds the facts in the cache or reads them, and decides.

Everybody at a domain who asks from one application has the same resolution, but for exceptions. It is worked out once
and cached as long as everything that it was computed from is valid, so it is no older than its rows. Nothing is cached
for a single person: their exception is looked up each time, and no address stays in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import quote_plus

from shared.connection.connection import Status
from shared.kernel.names import AccountId, ClientId, DomainName, EmailAddress, TenantId
from shared.ports.clock import Clock
from shared.ports.table import Lease
from shared.ports.telemetry import Event, EventName
from shared.resolution.decision import Method, decide
from shared.resolution.facts import DomainFacts, Readers, read_account, read_domain, read_exemption
from shared.resolution.leased_cache import LeasedCache
from shared.users.exemption import Term

_MOST = 10_000
"""Domains in the cache, each by every application that asks."""

_QUOTED = {each: quote_plus(chr(each)) for each in range(128)}
"""What `quote_plus` makes of each character, which takes it three times as long for an address."""


@dataclass(frozen=True, slots=True)
class Sso:
    """The tenant that a person signs in at, and its `authority` for an application that uses MSAL itself.

    `consented`: the tenant's consent stands, as far as we know. Whoever signs in hears from Microsoft whether it does.
    """

    tenant_id: TenantId
    authority: str
    consented: bool


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a person signs in: by SSO, or by password if `sso` is None; and the rule that chose it.

    `leases` is how long it is valid.
    """

    because: str
    account_id: AccountId | None = None
    sso: Sso | None = None
    leases: tuple[Lease, ...] = ()

    def event(self, email: EmailAddress, client_id: ClientId | None) -> Event:
        """The event that reports it to operators."""
        method = Method.SSO if self.sso else Method.PASSWORD
        return Event(EventName.RESOLVE, method, self.because, self.account_id, client_id, email)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Resolves emails."""

    readers: Readers
    """Read the facts."""
    authority: Callable[[TenantId], str]
    """Returns a tenant's authority, for an application that uses MSAL itself."""
    clock: Clock
    """The time, for exceptions that expire."""
    authorize_url: str
    """This service's authorization endpoint."""
    _known: LeasedCache[tuple[DomainName, ClientId | None], tuple[DomainFacts, Resolution]] = field(
        init=False, repr=False, default_factory=lambda: LeasedCache(_MOST)
    )
    """The facts about everybody at a domain, and the resolution of those without an exception."""

    async def decide(self, email: EmailAddress, client_id: ClientId | None) -> Resolution:
        """Resolve how this person signs in to an application, or in general.

        Raises:
            Invalid: the application is unknown.
            Unavailable: the store does not respond.
        """
        question = (email.domain, client_id)
        known = self._known.find(question, self.clock.monotonic())
        if known is None:
            read = await read_domain(self.readers, email, client_id)
            known = read, self._resolution(read, read.leases)
            self._known.keep(question, known, read.leases)
        facts, usual = known
        term, leases = await read_exemption(self.readers, email, facts)
        if term is not None and term.in_force(self.clock.now()):
            return self._resolution(facts, (*leases, *self._until_end(term)), excepted=True)
        return usual if leases is facts.leases else replace(usual, leases=leases)

    async def read_ahead(self, email: EmailAddress, account_id: AccountId) -> None:
        """Read what a decision that is taken at the same time reads last, if the email still routes to this account.

        It costs no call that the decision would not make, and saves it a round.

        Raises:
            Unavailable: the store does not respond.
        """
        await read_account(self.readers, email, account_id, [])

    def sign_in_url(self, email: EmailAddress, client_id: ClientId | None) -> str:
        """The address at which this person signs in by SSO."""
        asked = f"client_id={client_id}&" if client_id else ""  # nothing in a client id needs to be encoded
        address = email.address
        hint = address.translate(_QUOTED) if address.isascii() else quote_plus(address)
        return f"{self.authorize_url}?{asked}login_hint={hint}"

    def _until_end(self, term: Term) -> tuple[Lease, ...]:
        """A resolution by an exception ends with it."""
        if term.expires_at is None:
            return ()
        return (Lease(self.clock.monotonic() + (term.expires_at - self.clock.now())),)

    def _resolution(self, facts: DomainFacts, leases: tuple[Lease, ...], *, excepted: bool = False) -> Resolution:
        situation, tenant_id = replace(facts.situation, excepted=excepted), facts.tenant_id
        decision = decide(situation)
        if decision.method is Method.PASSWORD or tenant_id is None:
            return Resolution(decision.because, facts.account_id, None, leases)
        sso = Sso(tenant_id, self.authority(tenant_id), consented=situation.status is Status.CONNECTED)
        return Resolution(decision.because, facts.account_id, sso, leases)

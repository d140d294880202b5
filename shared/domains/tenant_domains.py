"""The domains that an account's tenant has verified, and which of them route to the account.

The account's own row is the truth about them; a claim in `shared.domains.domain_claims` keeps two accounts from routing
one domain. Both must agree before anything routes.
"""

from datetime import datetime
from enum import StrEnum
from functools import cached_property

from pydantic import Field

from shared.accounts.head import Account, Head, HeadRecord
from shared.domains.domain_claims import DomainClaim
from shared.domains.public_domains import is_routable
from shared.kernel.names import DomainName, TenantId
from shared.kernel.refusals import Conflict, NotFound
from shared.ports.record import Record
from shared.trail.events import Event


class DomainState(StrEnum):
    """Where a verified domain stands."""

    ROUTED = "routed"
    OFF = "off"
    CONFLICT = "conflict"
    NOT_LISTED = "not_listed"
    NOT_ROUTABLE = "not_routable"


class DomainStatus(StrEnum):
    """Who held the claim of a domain when the tenant was last read."""

    OURS = "ours"
    ANOTHERS = "anothers"
    NOT_ASKED = "not_asked"


class TenantDomain(Record):
    """One verified domain: whether the account holds its claim, and whether the Security Manager lets it route."""

    name: DomainName
    status: DomainStatus = Field(alias="hold")
    enabled: bool = True

    def state(self, account: Account) -> DomainState:
        """Where it stands, given what the vendor says of the account."""
        if not is_routable(self.name):
            return DomainState.NOT_ROUTABLE
        if not account.lists(self.name) or self.status is DomainStatus.NOT_ASKED:
            return DomainState.NOT_LISTED
        if self.status is DomainStatus.ANOTHERS:
            return DomainState.CONFLICT
        return DomainState.ROUTED if self.enabled else DomainState.OFF


class DomainSwitch(Record):
    """What a Security Manager decides about a domain."""

    enabled: bool


class TenantDomains(HeadRecord):
    """The verified domains of the account's tenant, as they were when it was last read."""

    row = "domains"

    domains: tuple[TenantDomain, ...] = ()
    read_at: datetime | None = None

    @cached_property
    def _by_name(self) -> dict[str, TenantDomain]:
        return {domain.name: domain for domain in self.domains}

    def find(self, name: DomainName) -> TenantDomain | None:
        """The domain, if the tenant has verified it."""
        return self._by_name.get(name)

    def switch(self, name: DomainName) -> "DomainSwitch":
        """The switch of a domain, as it is set.

        Raises:
            NotFound: the tenant has not verified this domain.
            Conflict: it cannot route, so there is nothing to switch.
        """
        domain = self.find(name)
        if domain is None:
            raise NotFound("Your tenant has not verified this domain. Verify it at Microsoft, then refresh the list.")
        if domain.status is not DomainStatus.OURS:
            raise Conflict("This domain does not route to your account, so it cannot be switched. See its state.")
        return DomainSwitch(enabled=domain.enabled)

    def switched(self, name: DomainName, switch: "DomainSwitch") -> "TenantDomains":
        """The same list, with the switch of one domain set."""
        return self._with(self._by_name[name].model_copy(update={"enabled": switch.enabled}))

    def lost(self, name: DomainName) -> "TenantDomains":
        """The same list, with one domain that another account has from now on."""
        domain = self.find(name)
        return self._with(domain.model_copy(update={"status": DomainStatus.ANOTHERS})) if domain else self

    def let_go(self) -> "TenantDomains":
        """The same list for an account that leaves its tenant: nothing is held, and the switches are kept."""
        free = {"status": DomainStatus.NOT_ASKED}
        return TenantDomains(domains=tuple(each.model_copy(update=free) for each in self.domains), read_at=self.read_at)

    def states(self, account: Account) -> dict[str, DomainState]:
        """Where each domain stands for the account that is connected to the tenant."""
        return {each.name: each.state(account) for each in self.domains}

    def _with(self, changed: TenantDomain) -> "TenantDomains":
        # Made anew: a copy of a model brings along what was cached of it.
        domains = tuple(changed if each.name == changed.name else each for each in self.domains)
        return TenantDomains(domains=domains, read_at=self.read_at)


class DomainSwitched(Event):
    """A domain may route from now on, or may not."""

    action = "domain.switched"

    domain: DomainName
    enabled: bool


class DomainsRefreshed(Event):
    """The tenant's domains were read again. `domains` is where each of them stands."""

    action = "domains.refreshed"

    domains: dict[str, DomainState]


class DomainLost(Event):
    """Another account has the domain from now on."""

    action = "domain.lost"

    domain: DomainName


def held(domains: TenantDomains) -> set[DomainName]:
    """The domains whose claims the account holds."""
    return {domain.name for domain in domains.domains if domain.status is DomainStatus.OURS}


class _ConnectedTenant(HeadRecord):
    """Of an account's connection only its tenant, for claims that name none yet. Goes when there are none left."""

    row = "connection"

    tenant_id: TenantId | None = None


def stands_by(holder: Head, name: DomainName, claim: DomainClaim, tenant_id: TenantId) -> bool:
    """Whether an account's own rows say that the domain is its, against another account with a fresh proof.

    Entra lets one tenant verify a domain at a time. So a holder whose claim was proven by another tenant than the one
    which has just been proven to have the domain has lost it there; and what the vendor does not list for the holder is
    not its.

    Args:
        holder: the account that holds the claim.
        name: the domain.
        claim: the holder's.
        tenant_id: the tenant of the other account, which has verified the domain just now.
    """
    return (
        (claim.tenant_id or holder.stored(_ConnectedTenant).record.tenant_id) == tenant_id
        and name in held(holder.stored(TenantDomains).record)
        and holder.account.record.lists(name)
    )

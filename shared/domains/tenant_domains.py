"""The domains that an account's tenant has verified, and which of them route to the account.

The account's own row is the source of truth; a claim in `shared.domains.domain_claims` keeps two accounts from routing
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
    """The state of a verified domain."""

    ROUTED = "routed"
    OFF = "off"
    CONFLICT = "conflict"
    NOT_LISTED = "not_listed"
    NOT_ROUTABLE = "not_routable"


class DomainStatus(StrEnum):
    """The holder of a domain's claim when the tenant was last read."""

    OURS = "ours"
    ANOTHERS = "anothers"
    NOT_ASKED = "not_asked"


class TenantDomain(Record):
    """One verified domain: whether the account holds its claim, and whether the Security Manager lets it route."""

    name: DomainName
    status: DomainStatus = Field(alias="hold")
    enabled: bool = True

    def state(self, account: Account) -> DomainState:
        """Its state, given the vendor's entry of the account."""
        if not is_routable(self.name):
            return DomainState.NOT_ROUTABLE
        if not account.lists(self.name) or self.status is DomainStatus.NOT_ASKED:
            return DomainState.NOT_LISTED
        if self.status is DomainStatus.ANOTHERS:
            return DomainState.CONFLICT
        return DomainState.ROUTED if self.enabled else DomainState.OFF


class DomainSwitch(Record):
    """A Security Manager's setting for a domain."""

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
        """The current switch of a domain.

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
        """The list with the switch of one domain set."""
        return self._with(self._by_name[name].model_copy(update={"enabled": switch.enabled}))

    def lost(self, name: DomainName) -> "TenantDomains":
        """The list with one domain marked as another account's."""
        domain = self.find(name)
        return self._with(domain.model_copy(update={"status": DomainStatus.ANOTHERS})) if domain else self

    def let_go(self) -> "TenantDomains":
        """The list for an account that leaves its tenant: no claim is held, and the switches are kept."""
        free = {"status": DomainStatus.NOT_ASKED}
        return TenantDomains(domains=tuple(each.model_copy(update=free) for each in self.domains), read_at=self.read_at)

    def states(self, account: Account) -> dict[str, DomainState]:
        """The state of each domain, for the account that is connected to the tenant."""
        return {each.name: each.state(account) for each in self.domains}

    def _with(self, changed: TenantDomain) -> "TenantDomains":
        # A new model: a copy would keep the old one's cached properties.
        domains = tuple(changed if each.name == changed.name else each for each in self.domains)
        return TenantDomains(domains=domains, read_at=self.read_at)


class DomainSwitched(Event):
    """A domain may route from now on, or may not."""

    action = "domain.switched"

    domain: DomainName
    enabled: bool


class DomainsRefreshed(Event):
    """The tenant's domains were read again. `domains` has the state of each."""

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
    """Only the tenant of an account's connection, for older claims that name none. Remove it when none are left."""

    row = "connection"

    tenant_id: TenantId | None = None


def stands_by(holder: Head, name: DomainName, claim: DomainClaim, tenant_id: TenantId) -> bool:
    """Whether an account's own rows confirm its claim, against another account with a fresh proof.

    Entra lets one tenant verify a domain at a time. If the fresh proof is of another tenant than the one that proved
    the holder's claim, the holder's tenant has lost the domain. A domain that the vendor does not list for the holder
    is not the holder's.

    Args:
        holder: the account that holds the claim.
        name: the domain.
        claim: the holder's claim.
        tenant_id: the tenant of the other account, just proven to have verified the domain.
    """
    return (
        (claim.tenant_id or holder.stored(_ConnectedTenant).record.tenant_id) == tenant_id
        and name in held(holder.stored(TenantDomains).record)
        and holder.account.record.lists(name)
    )

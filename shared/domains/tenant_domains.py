"""The domains that an account's tenant has verified, and which of them route to the account.

The account's own list is the source of truth; a claim in `shared.domains.domain_claims` keeps two accounts from routing
one domain. Both must agree before anything routes. `shared.domains.stored_domains` writes the list.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from pydantic import Field

from shared.accounts.head import Head, HeadRecord
from shared.domains.public_domains import is_routable
from shared.kernel.names import AccountId, DomainName
from shared.kernel.refusals import Conflict, NotFound
from shared.ports.record import Record
from shared.ports.table import Key
from shared.trail.events import Event

MOST_NAMED = 100
"""Domains that one event names. It counts all of them, so that an event of thousands fits its row."""


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

    def state(self, named: Collection[DomainName] | None) -> DomainState:
        """Its state, given the domains that the vendor names for the account; None if the vendor names none.

        A domain that was claimed before it came onto the list of public ones routes until the tenant is read again, so
        that a newer list stops nobody's sign-ins unseen, and resolution does not need it.
        """
        is_named = named is not None and self.name in named
        if not is_routable(self.name, named=is_named or self.status is DomainStatus.OURS):
            return DomainState.NOT_ROUTABLE
        if not (is_named or named is None) or self.status is DomainStatus.NOT_ASKED:
            return DomainState.NOT_LISTED
        if self.status is DomainStatus.ANOTHERS:
            return DomainState.CONFLICT
        return DomainState.ROUTED if self.enabled else DomainState.OFF


class DomainSwitch(Record):
    """A Security Manager's setting for a domain."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class DomainSummary:
    """What an event reports of a list: the state of at most `MOST_NAMED` domains, and how many are in each state."""

    domains: Mapping[str, DomainState]
    counts: Mapping[str, int]


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

    def lost(self, names: Collection[DomainName]) -> "TenantDomains":
        """The list with these domains marked as another account's."""
        return self._with(*(self._by_name[name].model_copy(update=_ANOTHERS) for name in names))

    def without(self, names: Collection[DomainName]) -> "TenantDomains":
        """The list without these domains, which have left the tenant."""
        domains = tuple(each for each in self.domains if each.name not in names)
        return TenantDomains(domains=domains, read_at=self.read_at)

    def let_go(self) -> "TenantDomains":
        """The list for an account that leaves its tenant: no claim is held, and the switches are kept."""
        return self._with(*(each.model_copy(update=_FREE) for each in self.domains))

    def states(self, named: Collection[DomainName] | None) -> dict[DomainName, DomainState]:
        """The state of each domain, given the domains that the vendor names for the account; see `TenantDomain`."""
        looked_up = None if named is None else frozenset(named)
        return {each.name: each.state(looked_up) for each in self.domains}

    def summary(self, named: Collection[DomainName] | None, before: "TenantDomains | None" = None) -> DomainSummary:
        """What an event reports of this list. Domains that were not so in the list `before` come first."""
        states, old = self.states(named), before.states(named) if before else {}
        changed_first = sorted(states, key=lambda name: old.get(name) is states[name])
        return DomainSummary({name: states[name] for name in changed_first[:MOST_NAMED]}, Counter(states.values()))

    def _with(self, *changed: TenantDomain) -> "TenantDomains":
        # A new model: a copy would keep the old one's cached properties.
        new = {each.name: each for each in changed}
        return TenantDomains(domains=tuple(new.get(each.name, each) for each in self.domains), read_at=self.read_at)


_ANOTHERS, _FREE = {"status": DomainStatus.ANOTHERS}, {"status": DomainStatus.NOT_ASKED}


class PackedDomains(HeadRecord):
    """A row of a packed list. `rows` counts the rows of the list, and is 0 in a row that is not packed.

    `on` has the domains whose switch is on, `off` the others.
    """

    row = "domains"

    rows: int = 0
    read_at: datetime | None = None
    on: Mapping[DomainStatus, str] = Field(default_factory=dict)
    off: Mapping[DomainStatus, str] = Field(default_factory=dict)

    def domains(self) -> Iterator[TenantDomain]:
        """Each domain of this row."""
        for name, (status, enabled) in self._by_name.items():
            yield TenantDomain(name=DomainName(name), status=status, enabled=enabled)

    def find(self, name: DomainName) -> TenantDomain | None:
        """The domain, if it is in this row."""
        found = self._by_name.get(name)
        return TenantDomain(name=name, status=found[0], enabled=found[1]) if found else None

    @cached_property
    def _by_name(self) -> dict[str, tuple[DomainStatus, bool]]:
        return {
            name: (status, enabled)
            for enabled, names in ((True, self.on), (False, self.off))
            for status, text in names.items()
            for name in text.split()
        }


def packed_rows(head: Head) -> tuple[PackedDomains, ...]:
    """The rows of a packed list; none if the list is not packed."""
    first = head.stored(PackedDomains).record
    keys = [domains_key(head.account_id, number).row for number in range(1, first.rows + 1)]
    return tuple(PackedDomains.read(head.rows[key]) for key in keys if key in head.rows)


def find_domain(head: Head, name: DomainName) -> TenantDomain | None:
    """One domain of the account's list, if the tenant has verified it. Reads no other domain of a packed list."""
    packed = packed_rows(head)
    if not packed:
        return head.stored(TenantDomains).record.find(name)
    return next((found for part in packed if (found := part.find(name)) is not None), None)


def domains_key(account_id: AccountId, number: int) -> Key:
    """The key of a list's row; the first is numbered 1."""
    first = TenantDomains.key(account_id)
    return first if number == 1 else Key(account_id, f"{first.row}-{number}")


class DomainSwitched(Event):
    """A domain may route from now on, or may not."""

    action = "domain.switched"

    domain: DomainName
    enabled: bool


class DomainsRefreshed(Event):
    """The tenant's domains were read again. `domains` has the states of up to 100, changed ones first."""

    action = "domains.refreshed"

    domains: Mapping[str, DomainState]
    domain_counts: Mapping[str, int] = Field(default_factory=dict)


class DomainLost(Event):
    """Another account has the domain from now on."""

    action = "domain.lost"

    domain: DomainName


class DomainsLost(Event):
    """Another account has several domains from now on. `domains` names up to 100 of them."""

    action = "domains.lost"

    domains: tuple[DomainName, ...]
    count: int


def loss_of(names: Collection[DomainName]) -> DomainLost | DomainsLost:
    """The event of an account that has lost these domains, one at least."""
    first, *others = sorted(names)
    if not others:
        return DomainLost(domain=first)
    return DomainsLost(domains=(first, *others)[:MOST_NAMED], count=len(names))


def held(domains: TenantDomains) -> set[DomainName]:
    """The domains whose claims the account holds."""
    return {domain.name for domain in domains.domains if domain.status is DomainStatus.OURS}

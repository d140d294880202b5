"""The domains that a connected tenant has verified, and which of them route to the account.

The account's own row is the truth about them; a claim in `shared.accounts.claims` keeps two accounts from routing one
domain. Both must agree before anything routes.
"""

import asyncio
from datetime import datetime
from enum import StrEnum

from shared.accounts.claims import Claims
from shared.accounts.head import Account, Head, HeadRecord, find_head
from shared.connection.connection import Connection, Status
from shared.connection.public_domains import is_routable
from shared.kernel.names import AccountId, DomainName
from shared.kernel.refusals import Conflict, NotFound
from shared.ports.identity_provider import Organization
from shared.ports.record import Record
from shared.ports.table import RowReader

_AT_ONCE = 8
"""Claims that are asked for at the same time, so that a tenant of thousands of domains floods nobody."""


class DomainState(StrEnum):
    """Where a verified domain stands."""

    ROUTED = "routed"
    OFF = "off"
    CONFLICT = "conflict"
    NOT_LISTED = "not_listed"
    NOT_ROUTABLE = "not_routable"


class Hold(StrEnum):
    """What became of claiming a domain when the tenant was last read."""

    OURS = "ours"
    ANOTHERS = "anothers"
    NOT_ASKED = "not_asked"


class TenantDomain(Record):
    """One verified domain: whether the account holds its claim, and whether the Security Manager lets it route."""

    name: DomainName
    hold: Hold
    enabled: bool = True

    def state(self, account: Account) -> DomainState:
        """Where it stands, given what the vendor says of the account."""
        if not is_routable(self.name):
            return DomainState.NOT_ROUTABLE
        if not account.lists(self.name) or self.hold is Hold.NOT_ASKED:
            return DomainState.NOT_LISTED
        if self.hold is Hold.ANOTHERS:
            return DomainState.CONFLICT
        return DomainState.ROUTED if self.enabled else DomainState.OFF


class TenantDomains(HeadRecord):
    """The verified domains of the account's tenant, as they were when it was last read."""

    row = "domains"

    domains: tuple[TenantDomain, ...] = ()
    read_at: datetime | None = None

    def find(self, name: DomainName) -> TenantDomain | None:
        """The domain, if the tenant has verified it."""
        return next((domain for domain in self.domains if domain.name == name), None)

    def switched(self, name: DomainName, *, enabled: bool) -> "TenantDomains":
        """The same list with one switch set.

        Raises:
            NotFound: the tenant has not verified this domain.
            Conflict: it cannot route, so there is nothing to switch.
        """
        domain = self.find(name)
        if domain is None:
            raise NotFound("Your tenant has not verified this domain. Verify it at Microsoft, then refresh the list.")
        if domain.hold is not Hold.OURS:
            raise Conflict("This domain does not route to your account, so it cannot be switched. See its state.")
        changed = domain.model_copy(update={"enabled": enabled})
        return self.model_copy(
            update={"domains": tuple(changed if each.name == name else each for each in self.domains)}
        )


async def claim_domains(
    claims: Claims, reader: RowReader, account: Account, organization: Organization, before: TenantDomains
) -> tuple[TenantDomain, ...]:
    """Claim what the tenant has verified and may route to the account. Safe to repeat, and to crash in.

    Args:
        claims: where to claim.
        reader: where other accounts' heads are read.
        account: for whom.
        organization: what the tenant has verified.
        before: the list that stood before, whose switches are kept.
    """
    slots = asyncio.Semaphore(_AT_ONCE)

    async def claim(name: DomainName) -> TenantDomain:
        known = before.find(name)
        enabled = known.enabled if known else True
        if not is_routable(name) or not account.lists(name):
            return TenantDomain(name=name, hold=Hold.NOT_ASKED, enabled=enabled)
        async with slots:
            ours = await claims.claim(name, account.account_id) or await _take_over(claims, reader, name, account)
        return TenantDomain(name=name, hold=Hold.OURS if ours else Hold.ANOTHERS, enabled=enabled)

    return tuple(await asyncio.gather(*map(claim, sorted({*organization.verified_domains}))))


async def release_domains(claims: Claims, account_id: AccountId, names: set[DomainName]) -> None:
    """Let other accounts claim these. Safe to repeat, and to crash in."""
    for name in sorted(names):
        await claims.release(name, account_id)


def held(domains: TenantDomains) -> set[DomainName]:
    """The domains whose claims the account holds."""
    return {domain.name for domain in domains.domains if domain.hold is Hold.OURS}


async def _take_over(claims: Claims, reader: RowReader, name: DomainName, account: Account) -> bool:
    """Take a domain whose holder does not stand by it: it is gone, not connected, or has another tenant by now."""
    claim = await claims.holder(name)
    if claim is None:
        return await claims.claim(name, account.account_id)
    holder = await find_head(reader, claim.account_id)
    if holder is not None and stands_by(holder, name):
        return False
    return await claims.take_over(name, account.account_id, claim)


def stands_by(holder: Head, name: DomainName) -> bool:
    """Whether an account's own rows say that the domain is its."""
    connection = holder.stored(Connection).record
    return connection.status in {Status.CONNECTED, Status.CONSENT_REVOKED} and name in held(
        holder.stored(TenantDomains).record
    )

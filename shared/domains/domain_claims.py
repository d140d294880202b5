"""Domain claims: an email domain routes to one account at most, decided by create-only insert.

A claim alone routes nothing: resolution also reads the account itself, whose own list must confirm the domain. So a
crash between claiming and connecting leaves nothing half-done, and the next account that proves the domain may take
such a claim over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.kernel.names import AccountId, DomainName, TenantId
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import Insert, Key, Remove, Replace, RowChanged, RowExists, RowReader, Table

_ROW = "claim"

SETTLING_TIME = timedelta(minutes=5)
"""How long a claim is left alone although its account does not confirm it yet: it may be connecting just now."""


class DomainClaim(Record):
    """The domain routes to this account, whose tenant has verified it.

    `tenant_id` is that tenant; None in older rows, which did not name it, until the account's domains are read again.
    """

    account_id: AccountId
    tenant_id: TenantId | None = None
    claimed_at: datetime


async def find_domain_claim(reader: RowReader, domain: DomainName) -> DomainClaim | None:
    """The domain's claim: one point read."""
    row = await reader.get(Key(domain, _ROW))
    return DomainClaim.read(row) if row else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainClaims:
    """The claims of all domains. Of any number of accounts that claim one at once, exactly one gets it."""

    table: Table
    """The domains' table."""
    clock: Clock
    """Dates the claims."""

    async def holder(self, domain: DomainName) -> DomainClaim | None:
        """The domain's claim as it is now."""
        return await find_domain_claim(self.table, domain)

    async def claim(self, domain: DomainName, account_id: AccountId, tenant_id: TenantId) -> bool:
        """Claim the domain if it is free; True if this account has it now. Safe to repeat.

        The settling time starts again; otherwise an account that connects again could lose a claim that it once
        abandoned.

        Args:
            domain: the domain to claim.
            account_id: the account that claims it.
            tenant_id: the tenant that has just been proven to have verified the domain.
        """
        claim = DomainClaim(account_id=account_id, tenant_id=tenant_id, claimed_at=self.clock.now())
        try:
            await self.table.write(Insert(Key(domain, _ROW), claim.document()))
        except RowExists:
            return await self._renew(domain, claim)
        return True

    def has_settled(self, claim: DomainClaim) -> bool:
        """Whether the claim is old enough to be taken over if its account does not confirm it."""
        return claim.claimed_at <= self.clock.now() - SETTLING_TIME

    async def take_over(
        self, domain: DomainName, account_id: AccountId, tenant_id: TenantId, abandoned: DomainClaim
    ) -> bool:
        """Take the domain from an account that does not confirm its claim; True if this account has it now.

        Fails if the claim has changed since `abandoned` was read, or is younger than the settling time.
        """
        row = await self.table.get(Key(domain, _ROW))
        if row is None or DomainClaim.read(row) != abandoned or not self.has_settled(abandoned):
            return False
        claim = DomainClaim(account_id=account_id, tenant_id=tenant_id, claimed_at=self.clock.now())
        try:
            await self.table.write(Replace(row, claim.document()))
        except RowChanged:
            return await self._is_held_by(claim, domain)
        return True

    async def release(self, domain: DomainName, account_id: AccountId, as_of: datetime) -> None:
        """Release the domain if this account has it, and has not claimed it again since `as_of`. Safe to repeat."""
        row = await self.table.get(Key(domain, _ROW))
        if row is None:
            return
        claim = DomainClaim.read(row)
        if claim.account_id != account_id or claim.claimed_at > as_of:
            return
        try:
            await self.table.write(Remove(row))
        except RowChanged:
            return  # another writer released it or took it over at the same moment

    async def _renew(self, domain: DomainName, claim: DomainClaim) -> bool:
        """Replace an older claim of the same account. A concurrent change counts as the outcome."""
        row = await self.table.get(Key(domain, _ROW))
        if row is None or DomainClaim.read(row).account_id != claim.account_id:
            return False
        try:
            await self.table.write(Replace(row, claim.document()))
        except RowChanged:
            return await self._is_held_by(claim, domain)
        return True

    async def _is_held_by(self, claim: DomainClaim, domain: DomainName) -> bool:
        """Whether the domain is claimed so, perhaps by the very write that was refused when it was repeated."""
        holder = await self.holder(domain)
        return holder is not None and (holder.account_id, holder.tenant_id) == (claim.account_id, claim.tenant_id)

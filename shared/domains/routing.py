"""Keeps claims in step with what tenants have verified: claimed, taken over, released."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime

from shared.access.roles import OURSELVES
from shared.accounts.head import Account, find_head
from shared.accounts.journal import Journal
from shared.domains.domain_claims import DomainClaims
from shared.domains.public_domains import is_routable
from shared.domains.tenant_domains import DomainLost, DomainStatus, TenantDomain, TenantDomains, held, stands_by
from shared.kernel.names import AccountId, DomainName
from shared.kernel.refusals import Stale, Unavailable
from shared.ports.organizations import Organization
from shared.ports.table import Table

_AT_ONCE = 8
"""Claims that are asked for at the same time, so that a tenant of thousands of domains floods nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRouting:
    """Claims domains for accounts, and lets them go."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail, in which an account reads that it has lost a domain."""
    claims: DomainClaims
    """Who holds which domain."""

    async def claim(
        self, account: Account, organization: Organization, before: TenantDomains
    ) -> tuple[TenantDomain, ...]:
        """Claim what the tenant has verified and may route to the account. Safe to repeat, and to crash in.

        Args:
            account: for whom.
            organization: what the tenant has verified, just read and proven to be that tenant's.
            before: the list that stood before, whose switches are kept.
        """
        slots = asyncio.Semaphore(_AT_ONCE)

        async def claim(name: DomainName) -> TenantDomain:
            known = before.find(name)
            enabled = known.enabled if known else True
            if not is_routable(name) or not account.lists(name):
                return TenantDomain(name=name, status=DomainStatus.NOT_ASKED, enabled=enabled)
            async with slots:
                ours = await self._claim(name, account.account_id, organization)
            return TenantDomain(name=name, status=DomainStatus.OURS if ours else DomainStatus.ANOTHERS, enabled=enabled)

        return tuple(await asyncio.gather(*map(claim, sorted({*organization.verified_domains}))))

    async def release(self, account_id: AccountId, names: set[DomainName], as_of: datetime) -> None:
        """Let other accounts claim these, unless they were claimed anew after `as_of`. Safe to repeat, and to crash in.

        Raises:
            Unavailable: not all of them could be released.
        """
        for name in sorted(names):
            await self.claims.release(name, account_id, as_of)

    async def let_go(self, account_id: AccountId, names: set[DomainName], as_of: datetime) -> None:
        """Release these as far as it can be done now, for an account that has let go of them in its own rows.

        What cannot be released routes nothing, and may be taken over after the settling time.
        """
        with contextlib.suppress(Unavailable):
            await self.release(account_id, names, as_of)

    async def _claim(self, name: DomainName, account_id: AccountId, organization: Organization) -> bool:
        """Take a domain that nobody has, or whose holder does not stand by it any more."""
        tenant_id = organization.tenant_id
        if await self.claims.claim(name, account_id, tenant_id):
            return True
        claim = await self.claims.holder(name)
        if claim is None:
            return await self.claims.claim(name, account_id, tenant_id)
        holder = await find_head(self.table, claim.account_id)
        if holder is not None and stands_by(holder, name, claim, tenant_id):
            return False
        if not await self.claims.take_over(name, account_id, tenant_id, claim):
            return False
        if holder is not None and name in held(holder.stored(TenantDomains).record):
            stored = holder.stored(TenantDomains)
            with contextlib.suppress(Stale):  # it is being read anew, which finds the same
                await self.journal.commit(
                    claim.account_id,
                    OURSELVES,
                    DomainLost(domain=name),
                    stored.rewrite(stored.record.lost(name)),
                )
        return True

"""Keeps domain claims in step with the domains that tenants have verified: claimed, taken over, released."""

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
"""Concurrent claims, so that a tenant with thousands of domains does not flood the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRouting:
    """Claims domains for accounts, and releases them."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail, which shows an account that it has lost a domain."""
    claims: DomainClaims
    """The domain claims."""

    async def claim(
        self, account: Account, organization: Organization, before: TenantDomains
    ) -> tuple[TenantDomain, ...]:
        """Claim the tenant's verified domains that may route to the account. Safe to repeat, also after a crash.

        Args:
            account: the account that claims them.
            organization: the tenant with its verified domains, just read, and proven to be this tenant.
            before: the previous list, whose switches are kept.
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
        """Release these for other accounts, unless claimed again after `as_of`. Safe to repeat, also after a crash.

        Raises:
            Unavailable: not all of them could be released.
        """
        for name in sorted(names):
            await self.claims.release(name, account_id, as_of)

    async def let_go(self, account_id: AccountId, names: set[DomainName], as_of: datetime) -> None:
        """Release as many of these as possible now, for an account that has given them up in its own rows.

        A claim that cannot be released routes nothing, and may be taken over after the settling time.
        """
        with contextlib.suppress(Unavailable):
            await self.release(account_id, names, as_of)

    async def _claim(self, name: DomainName, account_id: AccountId, organization: Organization) -> bool:
        """Claim a domain that is free, or whose holder no longer confirms it."""
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
            with contextlib.suppress(Stale):  # a concurrent refresh finds the same
                await self.journal.commit(
                    claim.account_id,
                    OURSELVES,
                    DomainLost(domain=name),
                    stored.rewrite(stored.record.lost(name)),
                )
        return True

"""Keeps domain claims in step with the domains that tenants have verified: claimed, taken over, released.

A tenant can have thousands of domains, so everything here is linear in their number, with a bounded number of storage
calls at a time. A crash at any point routes nothing wrongly: a claim routes only while its account's list confirms it.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.access.roles import OURSELVES
from shared.accounts.head import Account, find_head
from shared.accounts.journal import Journal
from shared.domains.domain_claims import DomainClaim, DomainClaims
from shared.domains.public_domains import is_routable
from shared.domains.stored_domains import Holding, stored_domains
from shared.domains.tenant_domains import DomainStatus, TenantDomain, TenantDomains, held, loss_of
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.kernel.refusals import Stale, Unavailable
from shared.ports.organizations import Organization
from shared.ports.table import Table

_AT_ONCE = 16
"""Concurrent storage calls, so that a tenant with thousands of domains does not flood the store."""

_ROUNDS = 3
"""How often a domain is asked for if others release it, or change its claim, at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRouting:
    """Claims domains for accounts, and releases them."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail, which shows an account that it has lost domains."""
    claims: DomainClaims
    """The domain claims."""

    @contextlib.asynccontextmanager
    async def claiming(
        self, account: Account, organization: Organization, before: TenantDomains, read_at: datetime
    ) -> AsyncIterator[TenantDomains]:
        """Claim the tenant's verified domains that may route to the account, while the caller writes the new list.

        Safe to repeat, also after a crash. If the account is removed or leaves its tenant meanwhile, the claims are
        released again.

        Args:
            account: the account that claims them.
            organization: the tenant with its verified domains, just read, and proven to be this tenant.
            before: the previous list, whose switches are kept, and whose claims are not rewritten.
            read_at: when the tenant was read.

        Raises:
            Unavailable: not all of them could be claimed.
        """
        claimable = _claimable(account, organization)
        ours = await self._claimed(claimable, account.account_id, organization.tenant_id, before)

        def listed(name: DomainName) -> TenantDomain:
            known = before.find(name)
            status = DomainStatus.NOT_ASKED if name not in claimable else DomainStatus.ANOTHERS
            status = DomainStatus.OURS if name in ours else status
            return TenantDomain(name=name, status=status, enabled=known.enabled if known else True)

        names = sorted({*organization.verified_domains})
        try:
            yield TenantDomains(domains=tuple(map(listed, names)), read_at=read_at)
        except Stale:
            await self._give_back(account.account_id, ours)
            raise

    async def release(self, account_id: AccountId, names: Collection[DomainName], as_of: datetime) -> None:
        """Release these for other accounts, unless claimed again after `as_of`. Safe to repeat, also after a crash.

        Raises:
            Unavailable: not all of them could be released.
        """
        await _each(names, lambda name: self.claims.release(name, account_id, as_of))

    async def let_go(self, account_id: AccountId, names: Collection[DomainName], as_of: datetime) -> None:
        """Release as many of these as possible now, for an account that has given them up in its own rows.

        A claim that cannot be released routes nothing, and may be taken over after the settling time.
        """
        with contextlib.suppress(Unavailable):
            await self.release(account_id, names, as_of)

    async def _give_back(self, account_id: AccountId, names: Collection[DomainName]) -> None:
        """Release what was claimed for an account that is gone by now, or holds nothing: it has left its tenant."""
        now = self.claims.clock.now()
        with contextlib.suppress(Unavailable):
            head = await find_head(self.table, account_id)
            if head is None or not held(stored_domains(head).record):
                await self.release(account_id, names, now)

    async def _claimed(
        self, names: Collection[DomainName], account_id: AccountId, tenant_id: TenantId, before: TenantDomains
    ) -> set[DomainName]:
        """Claim the names that are free, or whose holder no longer confirms its claim; return those that are ours."""
        ours, open_names = set[DomainName](), names
        lost = defaultdict[AccountId, set[DomainName]](set)
        for _ in range(_ROUNDS):
            claims = await _each(open_names, lambda name: self._ask(name, account_id, tenant_id, before))
            ours |= {name for name, claim in claims.items() if claim is None}
            contested = {name: claim for name, claim in claims.items() if isinstance(claim, DomainClaim)}
            abandoned = await self._abandoned(contested, tenant_id)
            taken = await _each(abandoned, lambda each: self.claims.take_over(each[0], account_id, tenant_id, each[1]))
            for name, claim in (each for each in abandoned if taken[each]):
                ours.add(name)
                lost[claim.account_id].add(name)
            released = {name for name, claim in claims.items() if claim is _FREE}
            open_names = released | {each[0] for each in abandoned if not taken[each]}
            if not open_names:
                break
        for holder, its in lost.items():
            await self._report_loss(holder, its)
        return ours

    async def _ask(
        self, name: DomainName, account_id: AccountId, tenant_id: TenantId, before: TenantDomains
    ) -> "DomainClaim | _Free | None":
        """Claim a domain unless another account has it: the claim that stands in the way, or None if it is ours now.

        A claim that the previous list knows is read first, and left as it is if it is ours and names this tenant.
        """
        known = before.find(name)
        if known is not None and known.status is not DomainStatus.NOT_ASKED:
            claim = await self.claims.holder(name)
            if claim is not None and claim.account_id != account_id:
                return claim
            if claim is not None and claim.tenant_id == tenant_id and known.status is DomainStatus.OURS:
                return None
        if await self.claims.claim(name, account_id, tenant_id):
            return None
        return await self.claims.holder(name) or _FREE

    async def _abandoned(
        self, contested: Mapping[DomainName, DomainClaim], tenant_id: TenantId
    ) -> list[tuple[DomainName, DomainClaim]]:
        """The domains whose holder no longer confirms its claim, and that claim. Each holder is read once."""
        settled = {name: claim for name, claim in contested.items() if self.claims.has_settled(claim)}
        heads = await _each(
            {claim.account_id for claim in settled.values()}, lambda holder: find_head(self.table, holder)
        )
        holdings = {holder: Holding.of(head) for holder, head in heads.items() if head is not None}
        return [
            (name, claim)
            for name, claim in settled.items()
            if claim.account_id not in holdings or not holdings[claim.account_id].stands_by(name, claim, tenant_id)
        ]

    async def _report_loss(self, holder: AccountId, names: set[DomainName]) -> None:
        """Write into the holder's list that another account has these domains. The claims route, not the list."""
        for _ in range(_ROUNDS):
            head = await find_head(self.table, holder)
            stored = stored_domains(head) if head else None
            lost = names & held(stored.record) if stored else set()
            if stored is None or not lost:
                return
            with contextlib.suppress(Stale):
                await self.journal.commit(holder, OURSELVES, loss_of(lost), *stored.rewrite(stored.record.lost(lost)))
                return


class _Free:
    """A claim that was released between two reads."""


_FREE = _Free()


def _claimable(account: Account, organization: Organization) -> frozenset[DomainName]:
    """The tenant's domains that may route to the account."""
    verified, named = frozenset(organization.verified_domains), account.domains
    allowed = verified if named is None else verified & frozenset(named)
    return frozenset(name for name in allowed if is_routable(name, named=named is not None))


async def _each[K, V](names: Collection[K], work: Callable[[K], Awaitable[V]]) -> dict[K, V]:
    """Do the work for each name, `_AT_ONCE` at a time. The first failure ends it.

    Raises:
        Exception: the first that one of them has raised.
    """
    found: dict[K, V] = {}
    waiting = iter(names)

    async def take_turns() -> None:
        for name in waiting:
            found[name] = await work(name)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(names))):
                group.create_task(take_turns())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return found

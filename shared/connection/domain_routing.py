"""Which domains of a tenant route to its account: listed, switched, read anew, claimed and let go."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.access.roles import OURSELVES, AccountAdministrator
from shared.accounts.claims import Claims
from shared.accounts.head import Account, find_head, read_head
from shared.accounts.journal import Journal
from shared.connection.connection import Connection
from shared.connection.proof import prove_organization
from shared.connection.public_domains import is_routable
from shared.connection.tenant_domains import (
    DomainLost,
    DomainsRefreshed,
    DomainState,
    DomainSwitch,
    DomainSwitched,
    Hold,
    TenantDomain,
    TenantDomains,
    held,
    stands_by,
    states,
)
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.kernel.refusals import Conflict, Stale, Unavailable
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.identity_provider import IdentityProvider, Organization
from shared.ports.table import Table

_AT_ONCE = 8
"""Claims that are asked for at the same time, so that a tenant of thousands of domains floods nobody."""


@dataclass(frozen=True, slots=True)
class DomainList:
    """The verified domains of an account's tenant: how each stands, when they were read, the version to change by."""

    states: dict[DomainName, DomainState]
    read_at: datetime | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRouting:
    """Keeps each account's list of domains in step with its tenant and with the claims of others."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    claims: Claims
    """Who holds which domain."""
    provider: IdentityProvider
    """Entra."""
    clock: Clock
    """The time."""

    async def list(self, administrator: AccountAdministrator) -> DomainList:
        """How the domains stand.

        Raises:
            NotFound: there is no such account.
        """
        head = await read_head(self.table, administrator.account_id)
        stored = head.stored(TenantDomains)
        return DomainList(states(head), stored.record.read_at, stored.version)

    async def switch(
        self,
        administrator: AccountAdministrator,
        domain: DomainName,
        expected: Expected,
        change: Callable[[DomainSwitch], DomainSwitch],
    ) -> DomainList:
        """Let a domain route, or stop it.

        Args:
            administrator: who switches it, and for which account.
            domain: one that the tenant has verified.
            expected: the versions of the list that the caller has seen.
            change: makes the new setting of the one that stands. It may refuse.

        Raises:
            NotFound: there is no such account, or the tenant has not verified the domain.
            Conflict: the account is not connected, or the domain cannot route to it.
            Stale: the list is not the version that the caller has seen, or somebody else was first.
        """
        account_id = administrator.account_id
        head = await read_head(self.table, account_id)
        connected_tenant(head.stored(Connection).record)
        stored = head.stored(TenantDomains)
        expected.must_allow(stored.version)
        switch = change(stored.record.switch(domain))
        switched = stored.record.switched(domain, switch)
        event = DomainSwitched(domain=domain, enabled=switch.enabled)
        await self.journal.commit(account_id, administrator.actor, event, stored.rewrite(switched))
        return await self.list(administrator)

    async def refresh(self, administrator: AccountAdministrator) -> DomainList:
        """Read the tenant's domains again, claim what is new and release what is gone.

        Raises:
            NotFound: there is no such account.
            Conflict: the account is not connected, or its consent no longer stands.
            Stale: somebody else changed the list meanwhile.
        """
        account_id = administrator.account_id
        head = await read_head(self.table, account_id)
        tenant_id = connected_tenant(head.stored(Connection).record)
        organization = await self.provider.read_organization(tenant_id)
        prove_organization(organization, tenant_id)
        account, stored = head.account.record, head.stored(TenantDomains)
        now = self.clock.now()
        read = TenantDomains(domains=await self.claim(account, organization, stored.record), read_at=now)
        event = DomainsRefreshed(domains=read.states(account))
        await self.journal.commit(account_id, administrator.actor, event, stored.rewrite(read))
        await self.let_go(account_id, held(stored.record) - held(read), now)
        return await self.list(administrator)

    async def claim(
        self, account: Account, organization: Organization, before: TenantDomains
    ) -> tuple[TenantDomain, ...]:
        """Claim what the tenant has verified and may route to the account. Safe to repeat, and to crash in.

        Args:
            account: for whom.
            organization: what the tenant has verified, just read.
            before: the list that stood before, whose switches are kept.
        """
        slots = asyncio.Semaphore(_AT_ONCE)

        async def claim(name: DomainName) -> TenantDomain:
            known = before.find(name)
            enabled = known.enabled if known else True
            if not is_routable(name) or not account.lists(name):
                return TenantDomain(name=name, hold=Hold.NOT_ASKED, enabled=enabled)
            async with slots:
                ours = await self.claims.claim(name, account.account_id) or await self._take_over(
                    name, account, organization.tenant_id
                )
            return TenantDomain(name=name, hold=Hold.OURS if ours else Hold.ANOTHERS, enabled=enabled)

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

    async def _take_over(self, name: DomainName, account: Account, tenant_id: TenantId) -> bool:
        """Take a domain whose holder does not stand by it any more, and let the holder's list say so."""
        claim = await self.claims.holder(name)
        if claim is None:
            return await self.claims.claim(name, account.account_id)
        holder = await find_head(self.table, claim.account_id)
        if holder is not None and stands_by(holder, name, tenant_id):
            return False
        if not await self.claims.take_over(name, account.account_id, claim):
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


def connected_tenant(connection: Connection) -> TenantId:
    """The connected tenant.

    Raises:
        Conflict: there is none.
    """
    if connection.tenant is None:
        raise Conflict("This account is not connected. Start the Azure integration first.")
    return connection.tenant

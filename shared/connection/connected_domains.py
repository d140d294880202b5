"""The domains of the connected tenant, for the account's Security Manager: list, switch, refresh."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.access.roles import AccountAdministrator, AccountReader
from shared.accounts.head import Account, Head, read_head
from shared.accounts.journal import Journal
from shared.connection.connection import Connection, connected_tenant
from shared.connection.proof import prove_organization
from shared.domains.routing import DomainRouting
from shared.domains.stored_domains import stored_domains, version_after
from shared.domains.tenant_domains import (
    DomainsRefreshed,
    DomainState,
    DomainSwitch,
    DomainSwitched,
    TenantDomains,
    find_domain,
    held,
)
from shared.kernel.names import DomainName
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.organizations import Organizations
from shared.ports.table import Table


@dataclass(frozen=True, slots=True)
class DomainList:
    """The verified domains of an account's tenant: their states, when they were read, and the version for changes."""

    states: dict[DomainName, DomainState]
    read_at: datetime | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedDomains:
    """Each account's list of domains, kept in step with its tenant."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    routing: DomainRouting
    """Claims and releases domains."""
    organizations: Organizations
    """Reads the tenant."""
    clock: Clock
    """The time."""

    async def list(self, reader: AccountReader) -> DomainList:
        """The domains and their states.

        Raises:
            NotFound: there is no such account.
        """
        head = await read_head(self.table, reader.account_id)
        stored = stored_domains(head)
        if head.stored(Connection).record.tenant is None:
            return DomainList({}, stored.record.read_at, stored.version)
        return _shown(head.account.record, stored.record, stored.version)

    async def switch(
        self,
        administrator: AccountAdministrator,
        domain: DomainName,
        expected: Expected,
        change: Callable[[DomainSwitch], DomainSwitch],
    ) -> DomainList:
        """Switch whether a domain routes.

        Args:
            administrator: the Security Manager who switches it, and the account.
            domain: one that the tenant has verified.
            expected: the versions of the list that the caller has read.
            change: returns the new setting for the current one. It may refuse.

        Raises:
            NotFound: there is no such account, or the tenant has not verified the domain.
            Conflict: the account is not connected, or the domain cannot route to it.
            Stale: the list is not the version that the caller has read, or another writer was first.
        """
        account_id = administrator.account_id
        head = await read_head(self.table, account_id)
        connected_tenant(head.stored(Connection).record)
        stored = stored_domains(head)
        expected.must_allow(stored.version)
        switch = change(stored.record.switch(domain))
        switched = stored.record.switched(domain, switch)
        event = DomainSwitched(domain=domain, enabled=switch.enabled)
        await self.journal.commit(account_id, administrator.actor, event, *stored.rewrite(switched))
        return _shown(head.account.record, switched, version_after(switched))

    async def refresh(self, administrator: AccountAdministrator) -> DomainList:
        """Read the tenant's domains again, claim the new ones and release those that are gone.

        Raises:
            NotFound: there is no such account.
            Conflict: the account is not connected, or its consent is no longer valid.
            Stale: another writer changed the list meanwhile.
        """
        account_id = administrator.account_id
        head = await read_head(self.table, account_id)
        tenant_id = connected_tenant(head.stored(Connection).record)
        organization = await self.organizations.read_organization(tenant_id)
        prove_organization(organization, tenant_id)
        account, stored = head.account.record, stored_domains(head)
        now = self.clock.now()
        async with self.routing.claiming(account, organization, stored.record, now) as read:
            found = read.summary(account.domains, stored.record)
            event = DomainsRefreshed(domains=found.domains, domain_counts=found.counts)
            await self.journal.commit(account_id, administrator.actor, event, *stored.rewrite(read))
        await self.routing.let_go(account_id, held(stored.record) - held(read), now)
        return _shown(account, read, version_after(read))


def _shown(account: Account, domains: TenantDomains, version: str) -> DomainList:
    return DomainList(domains.states(account.domains), domains.read_at, version)


def has_domain(head: Head, name: DomainName) -> bool:
    """Whether the account has the domain: its connected tenant has verified it, or the vendor's entry lists it."""
    connected = head.stored(Connection).record.tenant is not None
    verified = connected and find_domain(head, name) is not None
    return verified or name in (head.account.record.domains or ())

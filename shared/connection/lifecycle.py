"""A connection after it is made: look at it, check it, undo it, and keep its domains."""

import contextlib

from pydantic import JsonValue

from shared.access.roles import AccountAdministrator, Actor, Operator
from shared.accounts.claims import Claims
from shared.accounts.head import Head, read_head
from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister
from shared.connection.connection import Check, Connection, Status
from shared.connection.proof import prove_organization
from shared.connection.tenant_domains import (
    DomainState,
    Hold,
    TenantDomains,
    claim_domains,
    held,
    release_domains,
)
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.kernel.refusals import Conflict, NotFound, Stale, Unavailable
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.identity_provider import ConsentMissing, IdentityProvider
from shared.ports.record import Stored
from shared.ports.table import Table

_OURSELVES = Actor("azure-sso", "Azure SSO", "Service")


class Lifecycle:
    """Keeps connections.

    Args:
        table: the accounts' table.
        journal: the audit trail.
        claims: who holds which domain.
        accounts: the register, from which a closed account is erased.
        provider: Entra.
        clock: the time.
    """

    def __init__(
        self,
        table: Table,
        journal: Journal,
        claims: Claims,
        accounts: AccountRegister,
        provider: IdentityProvider,
        clock: Clock,
    ) -> None:
        self._table = table
        self._journal = journal
        self._claims = claims
        self._accounts = accounts
        self._provider = provider
        self._clock = clock

    async def read(self, administrator: AccountAdministrator) -> tuple[Connection, str]:
        """The connection as it is now, and the version to change it by.

        Raises:
            NotFound: there is no such account.
        """
        stored = (await read_head(self._table, administrator.account_id)).stored(Connection)
        return stored.record.as_of(self._clock.now()), stored.version

    async def check(self, administrator: AccountAdministrator) -> tuple[Connection, str]:
        """Probe the tenant with a fresh token and write down what was found.

        Raises:
            NotFound: there is no such account.
            Conflict: the account is not connected.
            Stale: somebody else changed the connection meanwhile.
        """
        return await self._probe(administrator.account_id, administrator.actor)

    async def probe(self, account_id: AccountId) -> None:
        """The same, when somebody's sign-in was refused as if the consent were gone. What stands is left to stand.

        Raises:
            Unavailable: the store does not answer.
        """
        with contextlib.suppress(NotFound, Conflict, Stale):
            await self._probe(account_id, _OURSELVES)

    async def _probe(self, account_id: AccountId, actor: Actor) -> tuple[Connection, str]:
        stored = (await read_head(self._table, account_id)).stored(Connection)
        tenant_id = _tenant(stored.record)
        now = self._clock.now()
        try:
            organization = await self._provider.read_organization(tenant_id)
            prove_organization(organization, tenant_id)
        except ConsentMissing as refusal:
            check = Check(at=now, outcome="consent_revoked", detail=refusal.detail)
            found = {"status": Status.CONSENT_REVOKED, "last_check": check}
        except Unavailable as refusal:
            found = {"last_check": Check(at=now, outcome="unreachable", detail=refusal.detail)}
        else:
            check = Check(at=now, outcome="ok", detail="The tenant answers, and the consent stands.")
            found = {
                "status": Status.CONNECTED,
                "tenant_name": organization.display_name,
                "last_check": check,
            }
        checked = stored.record.model_copy(update=found)
        details: dict[str, JsonValue] = {"outcome": checked.last_check.outcome if checked.last_check else None}
        await self._journal.commit(
            account_id,
            actor,
            "connection.checked",
            details,
            stored.rewrite(checked),
        )
        return checked.as_of(now), stored.then(checked).version

    async def disconnect(self, administrator: AccountAdministrator, expected: Expected) -> None:
        """Undo the connection: domains stop routing; the policy, exceptions and domain switches are kept.

        Repeating it is safe: what is disconnected stays so.

        Raises:
            NotFound: there is no such account.
            Stale: the connection is not the version that the caller has seen, or somebody else was first.
        """
        head = await read_head(self._table, administrator.account_id)
        connection = head.stored(Connection)
        if connection.record.as_of(self._clock.now()).status is Status.DISCONNECTED:
            return
        expected.must_allow(connection.version)
        await self._undo(head, administrator.actor)

    async def close(self, operator: Operator, account_id: AccountId, expected: Expected) -> None:
        """Take an account off the register, with everything that belongs to it.

        A crash in between leaves the account registered and disconnected; closing again goes on where it ended.

        Raises:
            NotFound: there is no such account.
            Stale: the account is not the version that the caller has seen.
        """
        head = await read_head(self._table, account_id)
        expected.must_allow(head.account.version)
        await self._undo(head, operator.actor)
        await self._accounts.erase(account_id)

    async def domains(self, administrator: AccountAdministrator) -> tuple[Head, Stored[TenantDomains]]:
        """The tenant's domains, with the head that says how they stand.

        Raises:
            NotFound: there is no such account.
        """
        head = await read_head(self._table, administrator.account_id)
        return head, head.stored(TenantDomains)

    async def switch_domain(
        self, administrator: AccountAdministrator, domain: DomainName, *, enabled: bool, expected: Expected
    ) -> tuple[Head, Stored[TenantDomains]]:
        """Let a domain route, or stop it.

        Raises:
            NotFound: there is no such account, or the tenant has not verified the domain.
            Conflict: the account is not connected, or the domain cannot route to it.
            Stale: the list is not the version that the caller has seen, or somebody else was first.
        """
        head, stored = await self.domains(administrator)
        _tenant(head.stored(Connection).record)
        expected.must_allow(stored.version)
        switched = stored.record.switched(domain, enabled=enabled)
        await self._journal.commit(
            administrator.account_id,
            administrator.actor,
            "domain.switched",
            {"domain": domain, "enabled": enabled},
            stored.rewrite(switched),
        )
        return head, stored.then(switched)

    async def refresh_domains(self, administrator: AccountAdministrator) -> tuple[Head, Stored[TenantDomains]]:
        """Read the tenant's domains again, claim what is new and release what is gone.

        Raises:
            NotFound: there is no such account.
            Conflict: the account is not connected, or its consent no longer stands.
            Stale: somebody else changed the list meanwhile.
        """
        head, stored = await self.domains(administrator)
        tenant_id = _tenant(head.stored(Connection).record)
        organization = await self._provider.read_organization(tenant_id)
        prove_organization(organization, tenant_id)
        account = head.account.record
        listed = await claim_domains(self._claims, self._table, account, organization, stored.record)
        read = TenantDomains(domains=listed, read_at=self._clock.now())
        details: dict[str, JsonValue] = {"domains": {each.name: each.state(account).value for each in listed}}
        await self._journal.commit(
            administrator.account_id, administrator.actor, "domains.refreshed", details, stored.rewrite(read)
        )
        await release_domains(self._claims, administrator.account_id, held(stored.record) - held(read))
        return head, stored.then(read)

    async def _undo(self, head: Head, actor: Actor) -> None:
        """First the account lets go of the tenant, in one transaction, then its claims are released."""
        connection, domains = head.stored(Connection), head.stored(TenantDomains)
        let_go = tuple(each.model_copy(update={"hold": Hold.NOT_ASKED}) for each in domains.record.domains)
        await self._journal.commit(
            head.account_id,
            actor,
            "connection.disconnected",
            {"tenantId": connection.record.tenant_id},
            connection.rewrite(Connection()),
            domains.rewrite(domains.record.model_copy(update={"domains": let_go})),
        )
        await release_domains(self._claims, head.account_id, held(domains.record))


def _tenant(connection: Connection) -> TenantId:
    """The connected tenant.

    Raises:
        Conflict: there is none.
    """
    if connection.status in {Status.CONNECTED, Status.CONSENT_REVOKED} and connection.tenant_id is not None:
        return connection.tenant_id
    raise Conflict("This account is not connected. Start the Azure integration first.")


def domain_states(head: Head, domains: TenantDomains) -> dict[DomainName, DomainState]:
    """Where each domain of the connected tenant stands; empty where none is connected."""
    connection = head.stored(Connection).record
    if connection.status not in {Status.CONNECTED, Status.CONSENT_REVOKED}:
        return {}
    return {each.name: each.state(head.account.record) for each in domains.domains}

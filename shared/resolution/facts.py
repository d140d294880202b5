"""The facts for the decision: at most four reads, in two rounds.

    round 1   the domain claim               the application that asks
    round 2   the account's head rows        the user's exception

All but the last are the same for everybody at a domain, who share them as `DomainFacts`. Of an account whose exception
list is in memory (`shared.users.exemption_sets`), the user's exception is not read either.

The rows may be some seconds old; see `shared.adapters.recent_rows` for how old.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from shared.accounts.head import Head, find_head
from shared.applications.application import Application, application_key, find_application
from shared.connection.connection import Connection
from shared.domains.domain_claims import find_domain_claim
from shared.domains.tenant_domains import DomainState, find_domain
from shared.kernel.names import AccountId, ClientId, DomainName, EmailAddress, TenantId
from shared.kernel.refusals import FieldFault, Invalid
from shared.policies.policy import Policy
from shared.ports.table import Lease, RecentReader
from shared.resolution.decision import Situation
from shared.users.exemption import Term, exemption_key, find_exemption
from shared.users.exemption_sets import ExemptionSets, ListVersion
from shared.users.user_key import UserKey


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """The facts about everybody at a domain, and the application that asks: copies, since their rows may be large."""

    situation: Situation
    """The situation of a user without an exception."""
    leases: tuple[Lease, ...]
    """How long the facts are valid."""
    account_id: AccountId | None = None
    """The account to which the domain's claim belongs; None if there is none."""
    exceptions: ListVersion | None = None
    """The version of the account's exception list."""
    tenant_id: TenantId | None = None
    """The account's tenant, whether connected or with its consent revoked; else None."""

    @classmethod
    def of(
        cls, head: Head | None, domain: DomainName, application: Application | None, leases: Sequence[Lease]
    ) -> Self:
        """The facts that these rows have. `head` is None if the domain has no claim, or the account is gone."""
        if head is None:
            return cls(situation=Situation(), leases=tuple(leases))
        account = head.account.record
        connection = head.stored(Connection).record
        policy = head.stored(Policy).record.settings
        verified = find_domain(head, domain)
        return cls(
            situation=Situation(
                domain_routes=verified is not None and verified.state(account.domains) is DomainState.ROUTED,
                status=connection.status,
                when_connection_fails=policy.when_connection_fails,
                mode=policy.mode,
                application_serves=application is None or application.serves(account.products),
                application_on=application is None or application.client_id not in policy.applications_off,
            ),
            leases=tuple(leases),
            account_id=account.account_id,
            exceptions=ListVersion.at(head),
            tenant_id=connection.tenant,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """The readers of the facts."""

    accounts: RecentReader
    """Heads and exceptions."""
    domains: RecentReader
    """Domain claims."""
    applications: RecentReader
    """The vendor's applications."""
    exemptions: ExemptionSets
    """The exception lists in memory."""


async def read_domain(readers: Readers, email: EmailAddress, client_id: ClientId | None) -> DomainFacts:
    """Both rounds.

    Args:
        readers: read them.
        email: the email whose method of signing in is asked for.
        client_id: the application that asks; None if none was named.

    Raises:
        Invalid: the application is unknown.
        Unavailable: the store does not respond.
    """
    leases: list[Lease] = []
    if client_id is not None:
        readers.applications.begin(application_key(client_id))
    claim = await find_domain_claim(readers.domains.noting(leases), email.domain)
    application = await _read_application(readers, client_id, leases)
    if claim is None:
        return DomainFacts.of(None, email.domain, application, leases)
    head = await read_account(readers, email, claim.account_id, leases)
    return DomainFacts.of(head, email.domain, application, leases)


async def read_account(
    readers: Readers, email: EmailAddress, account_id: AccountId, leases: list[Lease]
) -> Head | None:
    """The second round: the head. The user's exception, if its row has to be read, is begun, to be at hand then.

    Args:
        readers: read them.
        email: the user's.
        account_id: the account.
        leases: receives how long the head is valid.

    Raises:
        Unavailable: the store does not respond.
    """
    if not readers.exemptions.knows(account_id):
        readers.accounts.begin(exemption_key(account_id, UserKey.of(account_id, email)))
    return await find_head(readers.accounts.noting(leases), account_id)


async def read_exemption(
    readers: Readers, email: EmailAddress, domain: DomainFacts
) -> tuple[Term | None, tuple[Lease, ...]]:
    """How long this user's exception lasts, in force or not, and how long that is valid: from memory, or from its row.

    Args:
        readers: read it.
        email: the user's.
        domain: the facts about the user's domain.

    Raises:
        Unavailable: the store does not respond.
    """
    if domain.exceptions is None:
        return None, domain.leases
    account_id = domain.exceptions.account_id
    user = UserKey.of(account_id, email)
    terms = readers.exemptions.of(domain.exceptions, user)
    if terms is not None:
        return terms.get(user), domain.leases
    leases = [*domain.leases]
    exemption = await find_exemption(readers.accounts.noting(leases), account_id, user)
    return exemption.term if exemption else None, tuple(leases)


async def _read_application(readers: Readers, client_id: ClientId | None, leases: list[Lease]) -> Application | None:
    if client_id is None:
        return None
    application = await find_application(readers.applications.noting(leases), client_id)
    if application is None:
        fault = FieldFault("application", "It is not registered.")
        raise Invalid("No application is registered with this client id. An Operator can register it.", [fault])
    return application

"""The facts for the decision: at most four reads, in two rounds.

    round 1   the domain claim               the application that asks
    round 2   the account's head rows        the user's exception

Of an account whose exception list is in memory (`shared.users.exemption_sets`), the user's exception is not read.

The rows may be some seconds old; see `shared.adapters.recent_rows` for how old.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from shared.accounts.head import Head, find_head
from shared.applications.application import Application, find_application
from shared.connection.connection import Connection
from shared.domains.domain_claims import find_domain_claim
from shared.domains.tenant_domains import DomainState, find_domain
from shared.kernel.names import AccountId, ClientId, EmailAddress
from shared.kernel.refusals import FieldFault, Invalid
from shared.policies.policy import Policy
from shared.ports.table import Lease, RecentReader
from shared.resolution.decision import Situation
from shared.users.exemption import Term, find_exemption
from shared.users.exemption_sets import ExemptionSets
from shared.users.user_key import UserKey


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts about a person and the application that asks."""

    email: EmailAddress
    """The email whose method of signing in is asked for."""
    application: Application | None
    """The application that asks; None if none was named."""
    head: Head | None
    """The account that holds the domain claim; None if none does."""
    exemption: Term | None
    """How long the user's exception lasts, in force or not; None if there is none."""

    @property
    def connection(self) -> Connection:
        """The account's connection; the default where there is no account."""
        return self.head.stored(Connection).record if self.head else Connection()

    def end(self, now: datetime) -> datetime | None:
        """When the facts become outdated by time alone: at the end of an exception that is in force."""
        exemption = self.exemption
        return exemption.expires_at if exemption is not None and exemption.in_force(now) else None

    def situation(self, now: datetime) -> Situation:
        """The part of the facts that the decision depends on."""
        if self.head is None:
            return Situation()
        account = self.head.account.record
        policy = self.head.stored(Policy).record.settings
        verified = find_domain(self.head, self.email.domain)
        application = self.application
        return Situation(
            domain_routes=verified is not None and verified.state(account.domains) is DomainState.ROUTED,
            status=self.connection.status,
            when_connection_fails=policy.when_connection_fails,
            mode=policy.mode,
            application_serves=application is None or application.serves(account.products),
            application_on=application is None or application.client_id not in policy.applications_off,
            excepted=self.exemption is not None and self.exemption.in_force(now),
        )


async def read_facts(readers: Readers, email: EmailAddress, client_id: ClientId | None, leases: list[Lease]) -> Facts:
    """Read the facts, and add the lease of every read to `leases`.

    Raises:
        Invalid: the application is unknown.
        Unavailable: the store does not respond.
    """
    claim, application = await asyncio.gather(
        find_domain_claim(readers.domains.noting(leases), email.domain), _read_application(readers, client_id, leases)
    )
    if claim is None:
        return Facts(email=email, application=application, head=None, exemption=None)
    head, exemption = await _read_account(readers, claim.account_id, email, leases)
    return Facts(email=email, application=application, head=head, exemption=exemption)


async def _read_account(
    readers: Readers, account_id: AccountId, email: EmailAddress, leases: list[Lease]
) -> tuple[Head | None, Term | None]:
    """The account's head, and the user's exception: from memory, or from its row."""
    accounts, user = readers.accounts.noting(leases), UserKey.of(account_id, email)
    if not readers.exemptions.knows(account_id):
        head, exemption = await asyncio.gather(
            find_head(accounts, account_id), find_exemption(accounts, account_id, user)
        )
        if head is not None:
            readers.exemptions.of(head)
        return head, exemption.term if exemption else None
    head = await find_head(accounts, account_id)
    terms = readers.exemptions.of(head) if head else {}
    if terms is not None:
        return head, terms.get(user)
    exemption = await find_exemption(accounts, account_id, user)
    return head, exemption.term if exemption else None


async def _read_application(readers: Readers, client_id: ClientId | None, leases: list[Lease]) -> Application | None:
    if client_id is None:
        return None
    application = await find_application(readers.applications.noting(leases), client_id)
    if application is None:
        fault = FieldFault("application", "It is not registered.")
        raise Invalid("No application is registered with this client id. An Operator can register it.", [fault])
    return application

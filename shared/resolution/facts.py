"""The facts for the decision: at most four reads, in two rounds.

    round 1   the domain claim               the application that asks
    round 2   the account's head rows        the user's exception

All but the last are the same for everybody at a domain, who share them as `DomainFacts`. Of an account whose exception
list is in memory (`shared.users.exemption_sets`), the user's exception is not read either.

The rows may be some seconds old; see `shared.adapters.recent_rows` for how old.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from shared.accounts.head import Head, find_head
from shared.applications.application import Application, find_application
from shared.connection.connection import Connection
from shared.domains.domain_claims import find_domain_claim
from shared.domains.tenant_domains import DomainState, find_domain
from shared.kernel.names import AccountId, ClientId, DomainName, EmailAddress, TenantId
from shared.kernel.refusals import FieldFault, Invalid
from shared.policies.policy import Policy
from shared.ports.table import Lease, RecentReader
from shared.resolution.decision import Situation
from shared.resolution.leased_cache import LeasedCache
from shared.users.exemption import Term, find_exemption
from shared.users.exemption_sets import ExemptionSets, ListVersion
from shared.users.user_key import UserKey

_MOST = 10_000
"""Domains in the cache, each by every application that asks."""


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
    known: LeasedCache[tuple[DomainName, ClientId | None], DomainFacts] = field(
        init=False, repr=False, default_factory=lambda: LeasedCache(_MOST)
    )
    """The facts about domains that were asked for a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts about a person and the application that asks."""

    domain: DomainFacts
    """The facts about everybody at the person's domain."""
    exemption: Term | None
    """How long the person's exception lasts, in force or not; None if there is none."""
    leases: Sequence[Lease]
    """How long all of these facts are valid."""

    def end(self, now: datetime) -> datetime | None:
        """When the facts become outdated by time alone: at the end of an exception that is in force."""
        return self.exemption.expires_at if self._excepted(now) and self.exemption else None

    def situation(self, now: datetime) -> Situation:
        """The part of the facts that the decision depends on."""
        return replace(self.domain.situation, excepted=True) if self._excepted(now) else self.domain.situation

    def _excepted(self, now: datetime) -> bool:
        return self.exemption is not None and self.exemption.in_force(now)


async def read_facts(readers: Readers, email: EmailAddress, client_id: ClientId | None, now: timedelta) -> Facts:
    """Read the facts.

    Args:
        readers: read them.
        email: the email whose method of signing in is asked for.
        client_id: the application that asks; None if none was named.
        now: by the monotonic clock.

    Raises:
        Invalid: the application is unknown.
        Unavailable: the store does not respond.
    """
    question = (email.domain, client_id)
    known = readers.known.find(question, now)
    if known is None:
        known = await _read_domain(readers, email, client_id)
        readers.known.keep(question, known, known.leases)
    return await _with_exemption(readers, email, known)


async def _read_domain(readers: Readers, email: EmailAddress, client_id: ClientId | None) -> DomainFacts:
    """Both rounds. The user's exception, if its row has to be read, is read in the second one, to be at hand then."""
    leases: list[Lease] = []
    claim, application = await asyncio.gather(
        find_domain_claim(readers.domains.noting(leases), email.domain), _read_application(readers, client_id, leases)
    )
    if claim is None:
        return DomainFacts.of(None, email.domain, application, leases)
    reading = find_head(readers.accounts.noting(leases), claim.account_id)
    if readers.exemptions.knows(claim.account_id):
        head = await reading
    else:
        user = UserKey.of(claim.account_id, email)
        head, _ = await asyncio.gather(reading, find_exemption(readers.accounts, claim.account_id, user))
    return DomainFacts.of(head, email.domain, application, leases)


async def _with_exemption(readers: Readers, email: EmailAddress, domain: DomainFacts) -> Facts:
    """The facts with the user's exception: from memory, or from its row."""
    if domain.exceptions is None:
        return Facts(domain=domain, exemption=None, leases=domain.leases)
    account_id = domain.exceptions.account_id
    user, terms = UserKey.of(account_id, email), readers.exemptions.of(domain.exceptions)
    if terms is not None:
        return Facts(domain=domain, exemption=terms.get(user), leases=domain.leases)
    leases = [*domain.leases]
    exemption = await find_exemption(readers.accounts.noting(leases), account_id, user)
    return Facts(domain=domain, exemption=exemption.term if exemption else None, leases=leases)


async def _read_application(readers: Readers, client_id: ClientId | None, leases: list[Lease]) -> Application | None:
    if client_id is None:
        return None
    application = await find_application(readers.applications.noting(leases), client_id)
    if application is None:
        fault = FieldFault("application", "It is not registered.")
        raise Invalid("No application is registered with this client id. An Operator can register it.", [fault])
    return application

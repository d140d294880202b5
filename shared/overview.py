"""What a Security Manager sees first: where the account stands, and what to do next.

Everything here is read, and nothing decided: the rules are those of `shared.resolution.decision`.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from shared.access.roles import AccountReader
from shared.accounts.head import Head, read_head
from shared.applications.application import Application
from shared.applications.register import ApplicationRegister
from shared.connection.connection import Connection, Status
from shared.connection.setup_links import connection_at
from shared.domains.stored_domains import stored_domains
from shared.domains.tenant_domains import DomainState
from shared.kernel.names import AccountId
from shared.policies.policy import Mode, Policy
from shared.ports.clock import Clock
from shared.ports.table import Table
from shared.resolution.decision import Method, Situation, decide
from shared.users.exemption import PREFIX as EXCEPTIONS
from shared.users.link import PREFIX as LINKS
from shared.users.user_key import UserKey

_LEAST = 64.0**-4
"""The first position that is not 0, so that no list is taken for an endless one."""

_COUNTED = 1_000
"""Rows that are counted one by one. Of longer lists the number is estimated, so that it costs one call, too."""


class NextStep(StrEnum):
    """What the account needs next before its people can sign in with Microsoft."""

    CONNECT = "connect"
    FINISH_CONSENT = "finish_consent"
    RENEW_CONSENT = "renew_consent"
    ROUTE_A_DOMAIN = "route_a_domain"
    KEEP_AN_ADMINISTRATOR = "keep_an_administrator"
    SWITCH_ON = "switch_on"


_BY_STATUS = {
    Status.DISCONNECTED: NextStep.CONNECT,
    Status.PENDING: NextStep.FINISH_CONSENT,
    Status.CONSENT_REVOKED: NextStep.RENEW_CONSENT,
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are; an estimate, good to some per cent, if it is not `exact`."""

    count: int
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Where an account stands."""

    account_id: AccountId
    """The account."""
    name: str
    """Its name."""
    connection: Connection
    """Its connection at this time."""
    policy: Policy
    """Its policy."""
    domains: dict[DomainState, int]
    """How many of the tenant's domains are in each state."""
    exceptions: Tally
    """How many exceptions there are, in force or not."""
    links: Tally
    """How many links there are."""
    next_step: NextStep | None
    """What to do next; None if nothing is missing."""


class Incompatible(StrEnum):
    """Why SSO cannot be in force in an application for an account, whatever its policy says."""

    NOT_SUPPORTED = "not_supported"
    PRODUCT_MISSING = "product_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationOverview:
    """An application as an account sees it: whether SSO is in force there, and the rule that says no otherwise."""

    application: Application
    """The application."""
    in_force: bool
    """Whether SSO is in force there."""
    because: str
    """The rule that decides it."""
    incompatible: Incompatible | None
    """Why SSO does not work there for this account, even while other rules come first; None if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overviews:
    """Overviews of every account."""

    table: Table
    """The accounts' table."""
    applications: ApplicationRegister
    """The vendor's applications."""
    clock: Clock
    """The time."""

    async def read(self, reader: AccountReader) -> Overview:
        """Where the account stands.

        Raises:
            NotFound: there is no such account.
        """
        account_id = reader.account_id
        head, exceptions, links = await asyncio.gather(
            read_head(self.table, account_id), self._tally(account_id, EXCEPTIONS), self._tally(account_id, LINKS)
        )
        connection = connection_at(head, self.clock.now())
        domains = _domains(head)
        policy = head.stored(Policy).record
        return Overview(
            account_id=account_id,
            name=head.account.record.name,
            connection=connection,
            policy=policy,
            domains=domains,
            exceptions=exceptions,
            links=links,
            next_step=_next_step(connection.status, domains, exceptions, policy.settings.mode),
        )

    async def read_applications(self, reader: AccountReader) -> tuple[ApplicationOverview, ...]:
        """Every application, and whether SSO is in force there for users of routed domains who are no exceptions.

        Raises:
            NotFound: there is no such account.
        """
        head, applications = await asyncio.gather(
            read_head(self.table, reader.account_id), self.applications.all(reader)
        )
        return tuple(_as_seen_by(head, each) for each in applications)

    async def _tally(self, account_id: AccountId, prefix: str) -> Tally:
        page = await self.table.page(account_id, prefix, _COUNTED, None)
        count = len(page.rows)
        if page.continuation is None or not count:
            return Tally(count, exact=page.continuation is None)
        last = UserKey(page.rows[-1].key.row.removeprefix(prefix))
        return Tally(round(count / max(last.position, _LEAST) / 100) * 100, exact=False)


def _domains(head: Head) -> dict[DomainState, int]:
    """How many domains of the connected tenant are in each state."""
    connected = head.stored(Connection).record.tenant is not None
    states = stored_domains(head).record.states(head.account.record.domains) if connected else {}
    return dict.fromkeys(DomainState, 0) | Counter(states.values())


def _next_step(status: Status, domains: dict[DomainState, int], exceptions: Tally, mode: Mode) -> NextStep | None:
    if status is not Status.CONNECTED:
        return _BY_STATUS[status]
    if not domains[DomainState.ROUTED]:
        return NextStep.ROUTE_A_DOMAIN
    if not exceptions.count:
        return NextStep.KEEP_AN_ADMINISTRATOR
    return NextStep.SWITCH_ON if mode is Mode.OFF else None


def _as_seen_by(head: Head, application: Application) -> ApplicationOverview:
    settings = head.stored(Policy).record.settings
    decision = decide(
        Situation(
            domain_routes=True,
            status=head.stored(Connection).record.status,
            when_connection_fails=settings.when_connection_fails,
            mode=settings.mode,
            application_serves=application.serves(head.account.record.products),
            application_on=application.client_id not in settings.applications_off,
        )
    )
    return ApplicationOverview(
        application=application,
        in_force=decision.method is Method.SSO,
        because=decision.because,
        incompatible=_incompatible(application, head),
    )


def _incompatible(application: Application, head: Head) -> Incompatible | None:
    if not application.profile.sso_supported:
        return Incompatible.NOT_SUPPORTED
    return None if application.serves(head.account.record.products) else Incompatible.PRODUCT_MISSING

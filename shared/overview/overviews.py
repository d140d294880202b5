"""Reads what a Security Manager sees first: the account at a glance, and the vendor's applications as it has them."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.access.roles import AccountAdministrator
from shared.accounts.head import read_head
from shared.applications.application import Application
from shared.applications.register import every_application
from shared.connection.connected_domains import states_of
from shared.connection.connection import Connection, Status
from shared.domains.tenant_domains import DomainState, TenantDomains
from shared.kernel.names import ClientId
from shared.overview.next_steps import Standing, Step, next_steps
from shared.policies.policy import Policy
from shared.ports.clock import Clock
from shared.ports.table import Table
from shared.users import exemption, links
from shared.users.exemption import Exemption

MOST_COUNTED = 1_000
"""Rows that an overview counts: one page of the store, whatever the length of the list."""

SOON = timedelta(days=14)
"""How long before its end an exception is worth a look."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are; with `more`, at least so many."""

    count: int
    more: bool


@dataclass(frozen=True, slots=True)
class ExemptionCount(Count):
    """The exception list: how many of the counted entries are in force, and how many of those end soon."""

    in_force: int
    ending_soon: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An account at one moment."""

    account_name: str
    """As the vendor has it."""
    connection: Connection
    """As of this moment: an attempt that has expired does not count."""
    policy: Policy
    """The SSO settings."""
    domains: dict[DomainState, int]
    """How many domains are in each state."""
    domains_read_at: datetime | None
    """When they were read from the connected tenant."""
    exceptions: ExemptionCount
    """The exception list."""
    links: Count
    """The links of people to their Entra identities."""
    next: tuple[Step, ...]
    """What has to be done next."""


class Bar(StrEnum):
    """Why people of an account do not sign in to an application by SSO, whatever else is set."""

    NOT_SUPPORTED = "not_supported"
    PRODUCT_MISSING = "product_missing"
    SWITCHED_OFF = "switched_off"
    SSO_OFF = "sso_off"
    NOT_CONNECTED = "not_connected"


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """An application as an account has it. `because` is the first reason why SSO is not in force there, or None."""

    client_id: ClientId
    name: str
    requires_product: str | None
    because: Bar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overviews:
    """Reads every account at a glance."""

    table: Table
    """The accounts' table."""
    applications: Table
    """The applications' table."""
    clock: Clock
    """The time."""

    async def read(self, administrator: AccountAdministrator) -> Overview:
        """The account at this moment: three reads at once, whatever the length of its lists.

        Raises:
            NotFound: there is no such account.
        """
        account_id, now = administrator.account_id, self.clock.now()
        head, entries, linked = await asyncio.gather(
            read_head(self.table, account_id),
            self.table.page(account_id, exemption.PREFIX, MOST_COUNTED, None),
            self.table.page(account_id, links.PREFIX, MOST_COUNTED, None),
        )
        policy, connection = head.stored(Policy).record, head.stored(Connection).record.as_of(now)
        domains = dict(Counter(states_of(head).values()))
        listed = _counted(tuple(map(Exemption.read, entries.rows)), now, more=entries.continuation is not None)
        standing = Standing(
            connection=connection,
            mode=policy.settings.mode,
            domains=domains,
            in_force=listed.in_force,
            ending=listed.ending_soon,
        )
        return Overview(
            account_name=head.account.record.name,
            connection=connection,
            policy=policy,
            domains=domains,
            domains_read_at=head.stored(TenantDomains).record.read_at if connection.tenant else None,
            exceptions=listed,
            links=Count(len(linked.rows), linked.continuation is not None),
            next=next_steps(standing),
        )

    async def read_applications(self, administrator: AccountAdministrator) -> tuple[ApplicationView, ...]:
        """Every application of the vendor, and whether SSO is in force there for this account.

        Raises:
            NotFound: there is no such account.
        """
        head, applications = await asyncio.gather(
            read_head(self.table, administrator.account_id), every_application(self.applications)
        )
        policy = head.stored(Policy).record.settings
        connection = head.stored(Connection).record

        def bar(application: Application) -> Bar | None:
            reasons = (
                (Bar.NOT_SUPPORTED, not application.profile.sso_supported),
                (Bar.PRODUCT_MISSING, not application.serves(head.account.record.products)),
                (Bar.SWITCHED_OFF, application.client_id in policy.applications_off),
                (Bar.SSO_OFF, policy.mode == "off"),
                (Bar.NOT_CONNECTED, connection.status is not Status.CONNECTED),
            )
            return next((reason for reason, applies in reasons if applies), None)

        return tuple(
            ApplicationView(each.client_id, each.profile.name, each.profile.requires_product, bar(each))
            for each in applications
        )


def _counted(entries: tuple[Exemption, ...], now: datetime, *, more: bool) -> ExemptionCount:
    in_force = [each for each in entries if each.in_force(now)]
    ending = [each for each in in_force if each.expires_at is not None and each.expires_at <= now + SOON]
    return ExemptionCount(len(entries), more, len(in_force), len(ending))

"""The facade of the users package: the exception list, the links, and who may sign in by them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from shared.accounts.head import Head
from shared.accounts.journal import Journal
from shared.kernel.names import DomainName
from shared.ports.clock import Clock
from shared.ports.table import RecentReader, Table
from shared.users.admission import Admission
from shared.users.exemptions import ExemptionList
from shared.users.links import Links
from shared.users.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """The users of every account, as far as this service knows them."""

    exemptions: ExemptionList
    """The users who keep the vendor's password although SSO is on."""
    links: Links
    """The users' links to Entra identities."""
    admission: Admission
    """Who may sign in as whom."""
    people: People
    """Whether they stay the same people when their account changes its tenant."""

    @classmethod
    def assemble(
        cls,
        *,
        accounts: Table,
        recent_accounts: RecentReader,
        domains: Table,
        journal: Journal,
        clock: Clock,
        has_domain: Callable[[Head, DomainName], bool],
    ) -> Self:
        """Make the parts and join them, as `shared.assembly` does for the product."""
        people = People(table=accounts, domains=domains, journal=journal)
        return cls(
            exemptions=ExemptionList(table=accounts, journal=journal, clock=clock, has_domain=has_domain),
            links=Links(table=accounts, journal=journal, people=people),
            admission=Admission(table=accounts, recent=recent_accounts, journal=journal, people=people, clock=clock),
            people=people,
        )

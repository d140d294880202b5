"""The facade of the privacy package: who is erased, and the duties that end what is kept."""

from dataclasses import dataclass, field
from typing import Any, Self

from shared.accounts.journal import Journal
from shared.applications.register import ApplicationRegister
from shared.duties.duties import Duties
from shared.duties.kinds import Kind
from shared.ports.clock import Clock
from shared.ports.table import Table
from shared.privacy.erasure import Erasure
from shared.privacy.limits import Limits
from shared.privacy.retention import Retention, RetentionRun
from shared.privacy.rewriting import Rewriting, TrailRewriting
from shared.provider.end_session import EndSession
from shared.users.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What is kept of people, and its end."""

    erasure: Erasure
    """Erases people from an account."""
    rewriting: Rewriting
    """Names the persons of older events by reference."""

    retention: Retention
    """Ends what was kept for long enough."""
    duties: Duties
    """Plans the work of both."""
    clock: Clock
    """The time."""
    _begun: list[bool] = field(init=False, repr=False, default_factory=list)

    @classmethod
    def assemble(
        cls,
        *,
        accounts: Table,
        journal: Journal,
        applications: ApplicationRegister,
        sessions: EndSession,
        people: People,
        duties: Duties,
        limits: Limits,
        clock: Clock,
    ) -> Self:
        """Make the parts and join them, as `shared.assembly` does for the product."""
        return cls(
            erasure=Erasure(
                table=accounts, journal=journal, sessions=sessions, people=people, duties=duties, clock=clock
            ),
            rewriting=Rewriting(table=accounts, journal=journal, applications=applications, clock=clock),
            retention=Retention(
                table=accounts, journal=journal, applications=applications, people=people, limits=limits, clock=clock
            ),
            duties=duties,
            clock=clock,
        )

    def kinds(self) -> tuple[Kind[Any], ...]:
        """The kinds of duties."""
        return self.erasure.kind(), self.rewriting.kind(), self.retention.kind()

    async def begin(self) -> None:
        """Plan the duties that nothing else plans. Safe to repeat; asks the store once in the life of an instance."""
        if not self._begun:
            await self.duties.plan_once(TrailRewriting(planned_at=self.clock.now()))
            await self.duties.plan_once(RetentionRun())
            self._begun.append(True)

"""Events of before name persons by reference, too: a duty rewrites them where they stand, once.

It reads every trail, and replaces each event that is still of before under its ETag, in one transaction with the rows
of its persons. What is rewritten stays so, and a run that was cut short goes on with what is left. It ends when a run
finds nothing, a day after it was planned: by then no instance of an earlier release writes events any more. A backup of
before can bring such events back; an erasure rewrites those of its account first.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.accounts.journal import PREFIX as ACCOUNTS_TRAIL
from shared.accounts.journal import Journal
from shared.applications.register import ApplicationRegister
from shared.duties.duties import Task
from shared.duties.kinds import Backoff, Kind, Outcome
from shared.kernel.names import AccountId
from shared.ports.clock import Clock
from shared.ports.table import Table
from shared.trail.trail import Trail

_BEYOND_EVERY_PARTITION = "~"
_LATEST_OLD_RELEASE = timedelta(days=1)
_PAGE = 1_000

_log = logging.getLogger(__name__)


class TrailRewriting(Task):
    """Rewrite the events of before, in every trail."""

    kind: ClassVar[str] = "trail-rewriting"

    planned_at: datetime

    @property
    def name(self) -> str:
        """There is one."""
        return "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """Rewrites events of before."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The accounts' trails."""
    applications: ApplicationRegister
    """The applications, whose trails it rewrites, too."""
    clock: Clock
    """The time."""

    def kind(self) -> Kind[TrailRewriting]:
        """The kind of duty that rewrites events of before: once, or until it is done."""
        return Kind(
            task=TrailRewriting,
            handle=self.rewrite,
            patience=timedelta(minutes=10),
            backoff=Backoff(first=timedelta(hours=6), longest=timedelta(hours=6)),
            end=timedelta(days=90),
        )

    async def rewrite(self, task: TrailRewriting) -> Outcome:
        """Rewrite what is still of before. Safe to repeat."""
        count = 0
        async for row in self.table.partitions_before(_BEYOND_EVERY_PARTITION):
            if row.key.row.startswith(ACCOUNTS_TRAIL):
                count += await self.journal.trail(AccountId(row.key.partition)).rewrite(row)
        for trail in await self.applications.trails():
            count += await rewrite_trail(trail)
        if count:
            _log.info("trail_rewriting events=%d", count)
        done = count == 0 and self.clock.now() >= task.planned_at + _LATEST_OLD_RELEASE
        return Outcome.DONE if done else Outcome.AGAIN


async def rewrite_trail(trail: Trail) -> int:
    """Rewrite the events of before in one trail; return their number."""
    count, continuation = 0, None
    while True:
        page = await trail.table.page(trail.partition, trail.prefix, _PAGE, continuation)
        for row in page.rows:
            count += await trail.rewrite(row)
        continuation = page.continuation
        if continuation is None:
            return count

"""Plan duties; see the package."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import TRANSACTION_LIMIT, Key, Put, Remove, RowChanged, Table


def partition_of(due_at: datetime) -> str:
    """The partition of the duties that are due in this minute. Names sort like times."""
    return due_at.astimezone(UTC).strftime("%Y%m%dT%H%M")


_PLANNED = "planned"
"""The partition of marks. Its name sorts after every minute, so they are never due."""


class Task(Record, ABC):
    """The work of one duty. A subclass names its kind and has a field for everything that its handler must know.

    It has ids and no copies of data that may change: its handler reads that again.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str:
        """Identifies it among the tasks of its kind, and is part of the row key. The same name means the same work."""

    @property
    def lane(self) -> str:
        """The queue that it waits in: few tasks of one lane run at a time, so that no lane delays another."""
        return self.kind


class Duty(Record):
    """A row: the task, since when it is planned, how often it was tried, and until when a runner has taken it."""

    kind: str
    task: str
    lane: str
    planned_at: datetime
    attempts: int = 0
    taken_until: datetime | None = None

    def key(self, due_at: datetime, name: str) -> Key:
        """The key of its row if it is due at this time."""
        return Key(partition_of(due_at), f"{self.kind}:{name}")

    def is_taken(self, now: datetime) -> bool:
        """Whether a runner has taken it, and its lease is valid."""
        return self.taken_until is not None and now < self.taken_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """Plans work for later.

    A duty cannot be written in one transaction with the rows that it concerns. So plan it first and change the other
    row afterwards: a crash in between leaves a duty whose handler finds nothing to do.
    """

    table: Table
    """The duties' table."""
    clock: Clock
    """Dates the duties."""

    async def plan(self, after: timedelta, *tasks: Task) -> tuple[Key, ...]:
        """Plan these for when `after` has passed, to the minute and never before. Safe to repeat.

        Args:
            after: how long to wait.
            tasks: the work, each with a name of its own.

        Returns: the key of each, to withdraw it.
        """
        now = self.clock.now()
        planned = [_planned(task, now, now + after) for task in tasks]
        for start in range(0, len(planned), TRANSACTION_LIMIT):
            await self.table.write(*planned[start : start + TRANSACTION_LIMIT])
        return tuple([operation.key for operation in planned])

    async def plan_once(self, task: Task) -> None:
        """Plan a task that nothing else plans, unless this was done before, by this release or an earlier one.

        A mark says that it was. A crash before the mark is written plans it again, which does no harm.
        """
        mark = Key(_PLANNED, task.kind)
        if await self.table.get(mark) is None:
            await self.plan(timedelta(), task)
            await self.table.write(Put(mark, "{}"))

    async def withdraw(self, key: Key) -> None:
        """Remove a duty whose work was done otherwise. One that was just taken, or planned again, is left."""
        row = await self.table.get(key)
        if row is None or Duty.read(row).is_taken(self.clock.now()):
            return
        try:
            await self.table.write(Remove(row))
        except RowChanged:
            return  # a runner took it at the same moment


def _planned(task: Task, now: datetime, due_at: datetime) -> Put:
    duty = Duty(kind=task.kind, task=task.document(), lane=task.lane, planned_at=now)
    return Put(duty.key(due_at, task.name), duty.document())

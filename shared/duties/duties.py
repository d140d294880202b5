"""Plan duties; see the package."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import TRANSACTION_LIMIT, Key, Put, Remove, RowChanged, Table


def partition_of(due_at: datetime) -> str:
    """The partition of everything that is due in this minute. Names sort as times do."""
    return due_at.astimezone(UTC).strftime("%Y%m%dT%H%M")


class Task(Record, ABC):
    """What one duty is about. A subclass names its kind and has a field for everything that its handler must know.

    It holds ids and no copies of what may change: its handler reads anew.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str:
        """What tells it apart from other tasks of its kind, fit for a row key. The same name is the same work."""

    @property
    def lane(self) -> str:
        """What it may have to wait for: few tasks of one lane are done at a time, so that no lane holds up another."""
        return self.kind


class Duty(Record):
    """A row: what is to be done, since when, how often it was tried, and until when somebody has taken it."""

    kind: str
    task: str
    lane: str
    planned_at: datetime
    attempts: int = 0
    taken_until: datetime | None = None

    def key(self, due_at: datetime, name: str) -> Key:
        """Where it stands if it is due then."""
        return Key(partition_of(due_at), f"{self.kind}:{name}")

    def is_taken(self, now: datetime) -> bool:
        """Whether somebody is at it."""
        return self.taken_until is not None and now < self.taken_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """Plans work for later.

    A duty cannot be written in one transaction with what it is about. So plan it first and change the other row
    afterwards: a crash in between leaves a duty whose handler finds nothing to do.
    """

    table: Table
    """The duties' table."""
    clock: Clock
    """Dates the duties."""

    async def plan(self, after: timedelta, *tasks: Task) -> tuple[Key, ...]:
        """Have these done once `after` has passed, to the minute and never before. Safe to repeat.

        Args:
            after: how long to wait.
            tasks: the work, each with a name of its own.

        Returns: the key of each, by which it can be withdrawn.
        """
        now = self.clock.now()
        planned = [_planned(task, now, now + after) for task in tasks]
        for start in range(0, len(planned), TRANSACTION_LIMIT):
            await self.table.write(*planned[start : start + TRANSACTION_LIMIT])
        return tuple([operation.key for operation in planned])

    async def withdraw(self, key: Key) -> None:
        """Take a duty back that has been done otherwise. One that somebody has just taken, or planned anew, is left."""
        row = await self.table.get(key)
        if row is None or Duty.read(row).is_taken(self.clock.now()):
            return
        try:
            await self.table.write(Remove(row))
        except RowChanged:
            return  # taken at the same moment


def _planned(task: Task, now: datetime, due_at: datetime) -> Put:
    duty = Duty(kind=task.kind, task=task.document(), lane=task.lane, planned_at=now)
    return Put(duty.key(due_at, task.name), duty.document())

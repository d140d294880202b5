"""Finds the duties that are due and runs them; see the package."""

import asyncio
import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.duties.duties import Duty, Task, partition_of
from shared.duties.kinds import Kind, Outcome
from shared.kernel.failures import log_failure
from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.table import Key, Put, Remove, Replace, Row, RowChanged, Table

_log = logging.getLogger(__name__)

_MOST = 5_000
"""Duties of one run, by far more than it can do. The next run finds the rest."""

_MOST_OF_A_LANE = 500
"""Duties of one lane in one run, so that a lane whose duties pile up leaves room for the others."""

_MOST_READ = 50_000
"""Rows that one run reads to find them."""

_AT_A_TIME = 4
"""Duties of one lane that run at the same time."""

_RUN = timedelta(seconds=45)
"""The time after which a run takes no further duty, so that it ends before the next one starts."""

_MARGIN = timedelta(minutes=1)
"""How much longer a lease is than an attempt may take: the clocks of two instances may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyRunner:
    """Runs the duties that are due."""

    table: Table
    """The duties' table."""
    clock: Clock
    """The time."""
    kinds: tuple[Kind[Any], ...]
    """Every kind of duty."""

    async def run(self) -> int:
        """Run the duties that are due, as time allows; return how many it took on. Any number of runs may overlap.

        Every duty of a past minute is due, however long ago that was, so nothing is missed while no instance was up,
        and nothing depends on the clock of the instance that planned it.
        """
        now = self.clock.now()
        due = await self._due(now)
        lanes: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_A_TIME))
        latest = self.clock.monotonic() + _RUN
        await asyncio.gather(*(self._in_turn(row, lanes, latest) for row in due))
        return len(due)

    async def do(self, key: Key) -> None:
        """Take one duty and run it.

        Does nothing if it is gone, not due, taken, or of a kind that this release does not know.

        A message queue would only have to call this method.

        Raises:
            Unavailable: the store does not respond. If the duty was taken, it is due again when the lease ends.
        """
        row = await self.table.get(key)
        if row is None or key.partition >= partition_of(self.clock.now()):
            return
        duty = Duty.read(row)
        kind = next((kind for kind in self.kinds if kind.task.kind == duty.kind), None)
        if kind is None:
            _log.warning("duty of an unknown kind kind=%s", duty.kind)
            return
        taken = await self._take(row, duty, kind)
        if taken is not None:
            await self._finish(taken, kind, await _attempt(kind, duty))

    async def _due(self, now: datetime) -> list[Row]:
        """The duties of this run: the oldest of each lane, up to its share."""
        due: list[Row] = []
        read, lanes = 0, Counter[str]()
        async for row in self.table.partitions_before(partition_of(now)):
            read += 1
            if _is_free(row, now) and lanes[lane := Duty.read(row).lane] < _MOST_OF_A_LANE:
                lanes[lane] += 1
                due.append(row)
            if len(due) == _MOST or read == _MOST_READ:
                break
        return due

    async def _in_turn(self, row: Row, lanes: dict[str, asyncio.Semaphore], latest: timedelta) -> None:
        async with lanes[Duty.read(row).lane]:
            if self.clock.monotonic() >= latest:
                return
            try:
                await self.do(row.key)
            except Unavailable:
                _log.warning("duty not finished kind=%s: the store does not answer", Duty.read(row).kind)

    async def _take(self, row: Row, duty: Duty, kind: Kind[Any]) -> Row | None:
        """The row under a lease; None if another runner has it. Of any number that try, one gets it."""
        now = self.clock.now()
        if duty.is_taken(now):
            return None
        until = now + kind.patience + _MARGIN
        taken = duty.model_copy(update={"attempts": duty.attempts + 1, "taken_until": until})
        try:
            await self.table.write(Replace(row, taken.document()))
        except RowChanged:
            return None
        found = await self.table.get(row.key)
        return found if found is not None and Duty.read(found) == taken else None  # it was planned anew meanwhile

    async def _finish(self, row: Row, kind: Kind[Any], outcome: Outcome) -> None:
        """Remove it, or move it to its next due time: it is inserted there first, so that a crash loses nothing."""
        duty, now = Duty.read(row), self.clock.now()
        if outcome is Outcome.AGAIN:
            due_at = now + kind.backoff.after(duty.attempts)
            if due_at < duty.planned_at + kind.end:
                again = duty.model_copy(update={"taken_until": None})
                key = Key(partition_of(due_at), row.key.row)
                await self.table.write(Put(key, again.document()))
            else:
                _log.warning("duty given up kind=%s attempts=%d", duty.kind, duty.attempts)
        try:
            await self.table.write(Remove(row))
        except RowChanged:
            _log.warning("duty taken by another kind=%s: its lease had ended", duty.kind)


def _is_free(row: Row, now: datetime) -> bool:
    """Whether no runner has it. A row that cannot be read must not stop the others."""
    try:
        return not Duty.read(row).is_taken(now)
    except ValueError as error:
        # The rest of the key may name a person.
        log_failure(_log, f"reading duty kind={row.key.row.partition(':')[0]} due={row.key.partition}", error)
        return False


async def _attempt[T: Task](kind: Kind[T], duty: Duty) -> Outcome:
    """Make one attempt. An error in it affects this duty alone."""
    try:
        async with asyncio.timeout(kind.patience.total_seconds()):
            return await kind.handle(kind.task.model_validate_json(duty.task))
    except (Unavailable, TimeoutError):
        return Outcome.AGAIN
    except Exception as error:  # noqa: BLE001 - one duty that fails must not stop the others
        log_failure(_log, f"duty kind={duty.kind}", error)
        return Outcome.AGAIN

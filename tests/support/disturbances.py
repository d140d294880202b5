"""Storage calls that are disturbed: the k-th call of an operation, for every k, in each way that a call can be.

`Disturbed` tables wrap the real ones and share one `Script`, which counts the calls of one operation. They do only what
a real store and its SDK can do: a request that does not arrive, a response that does not arrive, a write that the SDK
repeats, at once or long after it has answered, or another caller's whole operation in between.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.kernel.refusals import AlreadyExists, Stale, Unavailable
from shared.ports.table import Key, Operation, Page, Row, Table

type Act = Callable[[], Awaitable[object]]


class Disturbance(StrEnum):
    """The disturbance of one storage call."""

    NOT_MADE = "does not arrive"
    LOST = "takes place and its answer is lost"
    REPEATED = "takes place and is repeated"
    OVERTAKEN = "comes after somebody else's operation"


@dataclass
class Script:
    """The disturbance of call number `at` of the current operation; `made` counts its calls so far."""

    at: int = 0
    how: Disturbance | None = None
    others: Act | None = None
    made: int = 0
    under_way: bool = False
    answers: list[object] = field(default_factory=list)
    """What each of its calls has read; a write equals nothing."""
    reached: Table | None = None
    """The table of the call that was disturbed."""
    written: list[tuple[Table, tuple[Operation, ...]]] = field(default_factory=list)
    """Every write that has arrived so far, of every operation, whatever has come of it."""

    def disturb(self, at: int, how: Disturbance | None, others: Act | None = None) -> None:
        """Disturb call number `at` of the next operation."""
        self.at, self.how, self.others = at, how, others

    async def play(self, operation: Act) -> object:
        """Perform an operation, whose calls count."""
        self.made, self.under_way, self.answers = 0, True, []
        try:
            return await operation()
        finally:
            self.under_way = False

    async def repeat_late(self) -> None:
        """The store does every write so far once more, one after the other, each under its own condition.

        So it may, if it gets a request a second time: by a way that took long, after its sender had sent it again.
        """
        for table, operations in tuple(self.written):
            with suppress(AlreadyExists, Stale):
                await table.write(*operations)

    async def call[T](self, table: Table, perform: Callable[[], Awaitable[T]]) -> T:
        """Make one storage call, disturbed if the script demands it."""
        if not self.under_way:
            return await perform()
        self.made += 1
        number = self.made
        self.answers.append(object())
        if number == self.at:
            self.reached = table
            await self._disturb(perform)
        answer = await perform()
        self.answers[number - 1] = answer
        return answer

    async def _disturb(self, perform: Act) -> None:
        match self.how:
            case Disturbance.NOT_MADE:
                raise Unavailable("It does not answer. Try again in a few seconds.")
            case Disturbance.LOST:
                await perform()
                raise Unavailable("It does not answer. Try again in a few seconds.")
            case Disturbance.REPEATED:
                await perform()
            case Disturbance.OVERTAKEN:
                assert self.others is not None
                self.under_way = False
                await self.others()
                self.under_way = True


@dataclass(frozen=True, eq=False)
class _Written:
    """What a write has answered, which equals nothing."""

    etags: tuple[str, ...]


@dataclass(frozen=True)
class Disturbed:
    """The table behind it, reached as the script says."""

    table: Table
    script: Script

    async def get(self, key: Key) -> Row | None:
        return await self.script.call(self.table, lambda: self.table.get(key))

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        return await self.script.call(self.table, lambda: self.table.under(partition, prefix))

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        return await self.script.call(self.table, lambda: self.table.page(partition, prefix, size, continuation))

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        return (await self.script.call(self.table, lambda: self._write(operations))).etags

    async def expired(self, now: datetime, first: str = "") -> AsyncIterator[Row]:
        for row in await self.script.call(self.table, lambda: _all(self.table.expired(now, first))):
            yield row

    async def partitions_before(self, partition: str) -> AsyncIterator[Row]:
        for row in await self.script.call(self.table, lambda: _all(self.table.partitions_before(partition))):
            yield row

    async def _write(self, operations: tuple[Operation, ...]) -> "_Written":
        self.script.written.append((self.table, operations))
        return _Written(await self.table.write(*operations))


async def _all(rows: AsyncIterator[Row]) -> list[Row]:
    return [row async for row in rows]

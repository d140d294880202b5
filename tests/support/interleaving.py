"""Tables on which something happens between two of a caller's steps, so that a race is lost the same way each time."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from shared.ports.table import Key, Operation, Page, Row, Table

type Act = Callable[[], Awaitable[object]]


class Interleaved:
    """Wraps a table; a given action runs once, before the next read or write."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._to_read: list[Act] = []
        self._to_write: list[Act] = []

    def before_reading(self, act: Act) -> None:
        self._to_read.append(act)

    def before_writing(self, act: Act) -> None:
        self._to_write.append(act)

    async def get(self, key: Key) -> Row | None:
        await _act(self._to_read)
        return await self._table.get(key)

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        await _act(self._to_read)
        return await self._table.under(partition, prefix)

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        await _act(self._to_read)
        return await self._table.page(partition, prefix, size, continuation)

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        await _act(self._to_write)
        return await self._table.write(*operations)

    def expired(self, now: datetime, first: str = "") -> AsyncIterator[Row]:
        return self._table.expired(now, first)

    def partitions_before(self, partition: str) -> AsyncIterator[Row]:
        return self._table.partitions_before(partition)


async def _act(waiting: list[Act]) -> None:
    acts = waiting.copy()
    waiting.clear()
    for act in acts:
        await act()


class LostAnswers(Interleaved):
    """Each write takes place, its response is lost, and the SDK repeats it: the caller gets the repeat's response."""

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        await super().write(*operations)
        return await super().write(*operations)

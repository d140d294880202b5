"""Reads in front of a table that remember what was read, for the readers who can live with it.

`recent` answers reads from memory for up to `max_age`. Whatever is written through this table is forgotten at once;
a write through another instance is seen when the memory has aged out. Errors are never remembered, and callers who
ask for one unknown thing at the same time share one read.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.ports.clock import Clock
from shared.ports.table import Key, Operation, Page, Row, Table

type _Question = tuple[str, str, bool]
"""Partition, row key or prefix, and whether it is a prefix."""


@dataclass(frozen=True, slots=True, eq=False)
class _Memory:
    until: datetime
    rows: asyncio.Future[tuple[Row, ...]]


class RecentRows:
    """Reads that may be a little old; see the module.

    Args:
        table: where to read what is not remembered.
        clock: the time.
        max_age: how old an answer may be.
        most: how many answers are remembered; the ones that were asked for longest ago go first.
    """

    def __init__(self, table: Table, clock: Clock, max_age: timedelta, most: int) -> None:
        self._table = table
        self._clock = clock
        self._max_age = max_age
        self._most = most
        self._memories: OrderedDict[_Question, _Memory] = OrderedDict()
        self._prefixes: set[str] = set()

    def __len__(self) -> int:
        return len(self._memories)

    async def get(self, key: Key) -> Row | None:
        """See the port."""
        rows = await self._recall((key.partition, key.row, False), lambda: self._one(key))
        return rows[0] if rows else None

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        """See the port."""
        self._prefixes.add(prefix)
        return await self._recall((partition, prefix, True), lambda: self._table.under(partition, prefix))

    def forget(self, key: Key) -> None:
        """Forget every answer in which this row stands, or might have stood."""
        self._memories.pop((key.partition, key.row, False), None)
        for prefix in self._prefixes:
            if key.row.startswith(prefix):
                self._memories.pop((key.partition, prefix, True), None)

    async def _one(self, key: Key) -> tuple[Row, ...]:
        row = await self._table.get(key)
        return (row,) if row else ()

    async def _recall(
        self, question: _Question, read: Callable[[], Coroutine[None, None, tuple[Row, ...]]]
    ) -> tuple[Row, ...]:
        now = self._clock.now()
        memory = self._memories.get(question)
        if memory is None or memory.until <= now:
            memory = self._memories[question] = _Memory(now + self._max_age, asyncio.ensure_future(read()))
            memory.rows.add_done_callback(lambda _: self._drop_failed(question, memory))
            while len(self._memories) > self._most:
                self._memories.popitem(last=False)
        self._memories.move_to_end(question)
        return await asyncio.shield(memory.rows)

    def _drop_failed(self, question: _Question, memory: _Memory) -> None:
        failed = memory.rows.cancelled() or memory.rows.exception() is not None
        if failed and self._memories.get(question) is memory:
            del self._memories[question]


class WatchedTable:
    """A table whose writes make `recent` forget, whether or not they are known to have taken place."""

    def __init__(self, table: Table, recent: RecentRows) -> None:
        self._table = table
        self._recent = recent

    async def get(self, key: Key) -> Row | None:
        """See the port."""
        return await self._table.get(key)

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        """See the port."""
        return await self._table.under(partition, prefix)

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        """See the port."""
        return await self._table.page(partition, prefix, size, continuation)

    async def write(self, *operations: Operation) -> None:
        """See the port."""
        try:
            await self._table.write(*operations)
        finally:
            for operation in operations:
                self._recent.forget(operation.key)

    def expired(self, now: datetime) -> AsyncIterator[Row]:
        """See the port."""
        return self._table.expired(now)

"""A read cache in front of a table, for readers that tolerate slightly old rows.

`recent` answers reads from memory for up to `max_age`. A write through this table invalidates what it touches at once;
a write through another instance is seen when the cached answer has expired. Errors are never cached, and concurrent
callers for one uncached row share one read. A cached answer returns without a turn of the event loop, and as the same
row objects, so that records parsed from them are parsed already.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from shared.kernel.caches import BoundedCache
from shared.ports.clock import Clock
from shared.ports.table import Key, Lease, Operation, Page, Row, Table

type _Question = tuple[str, str, bool]
"""Partition, row key or prefix, and whether it is a prefix."""

_FRAME = 2_000
"""Bytes that an answer takes, whatever its content."""

_PER_CHARACTER = 12
"""Bytes that each character of its documents takes, with the records that are parsed from them.

Measured with tracemalloc: 1,100 for no row, 3,100 for an exception of 232 characters, 8,400 for a head of 534, and 3.4
million for a head of 309,000, which is one of 5,000 domains. The estimate is never lower.
"""


@dataclass(slots=True, eq=False)
class _Memory:
    """An answer, possibly still being read."""

    lease: Lease
    rows: asyncio.Task[tuple[Row, ...]]

    async def answer(self) -> tuple[Row, ...]:
        return self.rows.result() if self.rows.done() else await asyncio.shield(self.rows)


class RecentRows:
    """Reads that may be a little old; see the module.

    Args:
        table: read for everything that is not cached.
        clock: the time.
        max_age: how old an answer may be.
        most: the number of cached answers; the least recently used go first.
        most_bytes: their estimated memory, limited the same way.
    """

    def __init__(self, *, table: Table, clock: Clock, max_age: timedelta, most: int, most_bytes: int) -> None:
        self._table = table
        self._clock = clock
        self._max_age = max_age
        self._memories = BoundedCache[_Question, _Memory](most, most_bytes, _end_lease)
        self._prefixes: set[str] = set()

    def __len__(self) -> int:
        return len(self._memories)

    @property
    def size(self) -> int:
        """Estimated bytes of the cached answers."""
        return self._memories.weight

    async def get(self, key: Key) -> Row | None:
        """See the port."""
        return _only(await self.recall(key).answer())

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        """See the port."""
        return await self.recall_under(partition, prefix).answer()

    def noting(self, leases: list[Lease]) -> "LeasedReader":
        """See the port."""
        return LeasedReader(recent=self, leases=leases)

    def begin(self, key: Key) -> None:
        """See the port."""
        self.recall(key)

    async def anew(self, key: Key) -> Row | None:
        """See the port."""
        self.forget(key)
        return await self.get(key)

    def recall(self, key: Key) -> _Memory:
        """The cached answer for a row, or the read in progress."""
        return self._recall((key.partition, key.row, False), lambda: self._one(key))

    def recall_under(self, partition: str, prefix: str) -> _Memory:
        """The cached answer for a prefix of rows, or the read in progress."""
        self._prefixes.add(prefix)
        return self._recall((partition, prefix, True), lambda: self._table.under(partition, prefix))

    def forget(self, key: Key) -> None:
        """Drop every answer that contains this row, or could have contained it."""
        self._memories.drop((key.partition, key.row, False))
        for prefix in self._prefixes:
            if key.row.startswith(prefix):
                self._memories.drop((key.partition, prefix, True))

    async def _one(self, key: Key) -> tuple[Row, ...]:
        row = await self._table.get(key)
        return (row,) if row else ()

    def _recall(self, question: _Question, read: Callable[[], Coroutine[None, None, tuple[Row, ...]]]) -> _Memory:
        now = self._clock.monotonic()
        memory = self._memories.get(question)
        if memory is None or not memory.lease.holds(now):
            memory = _Memory(Lease(now + self._max_age), asyncio.create_task(read()))
            self._memories.put(question, memory)
            memory.rows.add_done_callback(partial(self._weigh, question, memory))
        return memory

    def _weigh(self, question: _Question, memory: _Memory, rows: asyncio.Task[tuple[Row, ...]]) -> None:
        failed = rows.cancelled() or rows.exception() is not None
        if self._memories.get(question) is not memory:
            return
        if failed:
            self._memories.drop(question)
            return
        size = _FRAME + _PER_CHARACTER * sum(len(row.document) for row in rows.result())
        self._memories.weigh(question, size)


def _end_lease(memory: _Memory) -> None:
    """End the lease of an answer that is no longer cached: a write would not reach it."""
    memory.lease.ended = True


def _only(rows: tuple[Row, ...]) -> Row | None:
    return rows[0] if rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedReader:
    """`RecentRows` for a reader that must know how long the answers are valid: their leases are added to `leases`."""

    recent: RecentRows
    """The reads."""
    leases: list[Lease]
    """Receives the leases of the answers."""

    async def get(self, key: Key) -> Row | None:
        """See the port."""
        return _only(await self._noted(self.recent.recall(key)))

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        """See the port."""
        return await self._noted(self.recent.recall_under(partition, prefix))

    async def _noted(self, memory: _Memory) -> tuple[Row, ...]:
        self.leases.append(memory.lease)
        return await memory.answer()


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedTable:
    """A table whose writes invalidate `recent`, even when it is unknown whether they took place."""

    table: Table
    """The table itself."""
    recent: RecentRows
    """The cache that its writes invalidate."""

    async def get(self, key: Key) -> Row | None:
        """See the port."""
        return await self.table.get(key)

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        """See the port."""
        return await self.table.under(partition, prefix)

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        """See the port."""
        return await self.table.page(partition, prefix, size, continuation)

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        """See the port."""
        try:
            return await self.table.write(*operations)
        finally:
            for operation in operations:
                self.recent.forget(operation.key)

    def expired(self, now: datetime, first: str = "") -> AsyncIterator[Row]:
        """See the port."""
        return self.table.expired(now, first)

    def partitions_before(self, partition: str) -> AsyncIterator[Row]:
        """See the port."""
        return self.table.partitions_before(partition)

"""Reads that are remembered for a while: what is forgotten when, and who shares a read with whom."""

import asyncio
from datetime import timedelta

import pytest

from shared.adapters.recent_rows import RecentRows, WatchedTable
from shared.kernel.refusals import Unavailable
from shared.ports.table import Insert, Key, Lease, Put, Row
from tests.support.fakes import NEW_YEAR, FixedClock, InMemoryTable

MAX_AGE = timedelta(seconds=10)
MOST = 3
MOST_BYTES = 100_000
KEY = Key("acme", "policy")


class SlowTable(InMemoryTable):
    """Counts what it is asked, says when it has looked, and answers what it saw then when the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.looked: asyncio.Queue[Key] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()
        self.doomed = False

    async def get(self, key: Key) -> Row | None:
        self.reads += 1
        row, doomed = await super().get(key), self.doomed
        self.looked.put_nowait(key)
        await self.gate.wait()
        if doomed:
            raise Unavailable("The answer was lost.")
        return row

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        self.reads += 1
        return await super().under(partition, prefix)


@pytest.fixture
def table() -> SlowTable:
    return SlowTable()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def recent(table: SlowTable, clock: FixedClock) -> RecentRows:
    return RecentRows(table=table, clock=clock, max_age=MAX_AGE, most=MOST, most_bytes=MOST_BYTES)


@pytest.fixture
def watched(table: SlowTable, recent: RecentRows) -> WatchedTable:
    return WatchedTable(table=table, recent=recent)


async def read(reader: RecentRows | WatchedTable, key: Key = KEY) -> str | None:
    row = await reader.get(key)
    return row.document if row else None


async def test_an_answer_is_remembered_until_it_is_too_old(
    table: SlowTable, recent: RecentRows, clock: FixedClock
) -> None:
    await table.write(Put(KEY, "old"))
    assert await read(recent) == "old"
    await table.write(Put(KEY, "new"))
    clock.advance(MAX_AGE - timedelta(microseconds=1))
    assert await read(recent) == "old"
    clock.advance(timedelta(microseconds=1))
    assert await read(recent) == "new"
    assert table.reads == 2


async def test_an_answer_is_no_younger_for_being_asked_for(
    table: SlowTable, recent: RecentRows, clock: FixedClock
) -> None:
    await table.write(Put(KEY, "old"))
    await read(recent)
    await table.write(Put(KEY, "new"))
    for _ in range(10):
        clock.advance(MAX_AGE / 10)
        answer = await read(recent)
    assert answer == "new"


async def test_a_row_that_is_read_anew_is_as_it_is_now_and_remembered_from_then_on(
    table: SlowTable, recent: RecentRows, clock: FixedClock
) -> None:
    await table.write(Put(KEY, "old"))
    lease = recent.recall(KEY).lease
    await recent.get(KEY)
    await table.write(Put(KEY, "new"))
    clock.advance(MAX_AGE / 2)
    row = await recent.anew(KEY)
    assert row is not None
    assert (row.document, lease.ended) == ("new", True)
    reads = table.reads
    clock.advance(MAX_AGE - timedelta(microseconds=1))
    assert await read(recent) == "new"
    assert table.reads == reads


async def test_absence_is_remembered_too(table: SlowTable, recent: RecentRows) -> None:
    assert [await read(recent), await read(recent)] == [None, None]
    assert await recent.under("acme", "exception:") == await recent.under("acme", "exception:") == ()
    assert table.reads == 2


async def test_only_so_many_answers_are_remembered(table: SlowTable, recent: RecentRows) -> None:
    keys = [Key("acme", f"{number}") for number in range(MOST)]
    for key in keys:
        await read(recent, key)
    await read(recent, keys[0])
    await read(recent, KEY)
    assert len(recent) == MOST
    reads = table.reads
    await read(recent, keys[0])
    assert table.reads == reads, "what was asked for a moment ago is still known"
    await read(recent, keys[1])
    assert table.reads == reads + 1, "what was asked for longest ago is forgotten"


async def test_only_so_many_bytes_are_remembered(table: SlowTable, recent: RecentRows) -> None:
    keys = [Key("acme", f"{number}") for number in range(MOST)]
    for key in keys:
        await table.write(Put(key, "x" * 3_000))
        await read(recent, key)
    await asyncio.sleep(0)
    assert (len(recent), recent.size) == (2, 2 * 38_000)
    reads = table.reads
    await read(recent, keys[2])
    assert table.reads == reads, "what was asked for a moment ago is still known"
    await read(recent, keys[0])
    assert table.reads == reads + 1, "what was asked for longest ago is forgotten"


async def test_an_answer_that_would_take_all_the_room_is_given_and_not_remembered(
    table: SlowTable, recent: RecentRows
) -> None:
    await table.write(Put(KEY, "x" * 10_000))
    assert await read(recent) == "x" * 10_000
    await asyncio.sleep(0)
    assert (len(recent), recent.size) == (0, 0)


async def test_what_is_forgotten_makes_room(recent: RecentRows, watched: WatchedTable, clock: FixedClock) -> None:
    for number in range(10):
        await watched.write(Put(KEY, "x" * 3_000))
        clock.advance(MAX_AGE * (number % 2))
        await read(recent)
        await recent.under("acme", "")
    await asyncio.sleep(0)
    assert (len(recent), recent.size) == (2, 2 * 38_000)
    await watched.write(Put(KEY, "y"))
    assert (len(recent), recent.size) == (0, 0)


async def test_what_is_remembered_is_the_same_row_so_that_it_is_parsed_once(
    table: SlowTable, recent: RecentRows
) -> None:
    await table.write(Put(KEY, "x"))
    assert await recent.get(KEY) is await recent.get(KEY)
    assert await recent.under("acme", "") is await recent.under("acme", "")


async def test_an_answers_lease_ends_when_it_is_too_old(recent: RecentRows, clock: FixedClock) -> None:
    leases: list[Lease] = []
    noting = recent.noting(leases)
    assert (await noting.get(KEY), await noting.under("acme", "pol")) == (None, ())
    clock.advance(MAX_AGE - timedelta(microseconds=1))
    assert [lease.holds(clock.monotonic()) for lease in leases] == [True, True]
    clock.advance(timedelta(microseconds=1))
    assert [lease.holds(clock.monotonic()) for lease in leases] == [False, False]


async def test_an_answers_lease_ends_with_a_write(recent: RecentRows, watched: WatchedTable, clock: FixedClock) -> None:
    leases: list[Lease] = []
    noting = recent.noting(leases)
    await noting.get(KEY)
    await noting.under("acme", "pol")
    await noting.get(Key("acme", "account"))
    await watched.write(Put(KEY, "new"))
    assert [lease.holds(clock.monotonic()) for lease in leases] == [False, False, True]


async def test_what_is_forgotten_for_want_of_room_gives_no_lease(recent: RecentRows, clock: FixedClock) -> None:
    """Or nobody would know that it ends when the row is written."""
    leases: list[Lease] = []
    noting = recent.noting(leases)
    for number in range(MOST + 1):
        await noting.get(Key("acme", f"{number}"))
    assert [lease.holds(clock.monotonic()) for lease in leases] == [False, *[True] * MOST]


async def test_a_write_is_seen_at_once(recent: RecentRows, watched: WatchedTable) -> None:
    await watched.write(Insert(KEY, "old"))
    assert await read(recent) == "old"
    assert [row.document for row in await recent.under("acme", "pol")] == ["old"]
    await watched.write(Put(KEY, "new"), Insert(Key("acme", "audit:1"), "x"))
    assert await read(recent) == "new"
    assert [row.document for row in await recent.under("acme", "pol")] == ["new"]


async def test_a_write_lets_other_answers_be(table: SlowTable, recent: RecentRows, watched: WatchedTable) -> None:
    questions = [
        recent.under("acme", "exception:"),
        recent.get(Key("acme", "account")),
        recent.get(Key("fab", "policy")),
    ]
    for question in questions:
        await question
    await watched.write(Put(KEY, "new"))
    reads = table.reads
    await recent.under("acme", "exception:")
    await recent.get(Key("acme", "account"))
    await recent.get(Key("fab", "policy"))
    assert table.reads == reads


async def test_a_write_of_which_nobody_knows_is_forgotten_all_the_same(
    table: SlowTable, recent: RecentRows, watched: WatchedTable
) -> None:
    await table.write(Put(KEY, "old"))
    await read(recent)
    await table.write(Put(KEY, "new"))
    table.available = False
    with pytest.raises(Unavailable):
        await watched.write(Put(KEY, "whatever"))
    table.available = True
    assert await read(recent) == "new"


async def test_a_herd_makes_one_read(table: SlowTable, recent: RecentRows) -> None:
    await table.write(Put(KEY, "x"))
    assert await asyncio.gather(*(read(recent) for _ in range(64))) == ["x"] * 64
    assert table.reads == 1


async def test_a_failure_is_shared_by_the_herd_and_not_remembered(table: SlowTable, recent: RecentRows) -> None:
    table.available = False
    answers = await asyncio.gather(*(read(recent) for _ in range(64)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}
    assert (table.reads, len(recent)) == (1, 0)
    table.available = True
    assert await read(recent) is None


async def test_a_caller_who_leaves_takes_nobody_along(table: SlowTable, recent: RecentRows) -> None:
    await table.write(Put(KEY, "x"))
    table.gate.clear()
    impatient, patient = asyncio.ensure_future(read(recent)), asyncio.ensure_future(read(recent))
    await table.looked.get()
    impatient.cancel()
    table.gate.set()
    assert await patient == "x"
    assert impatient.cancelled()
    assert (await read(recent), table.reads) == ("x", 1)


async def test_what_was_read_before_a_write_is_not_told_after_it(
    table: SlowTable, recent: RecentRows, watched: WatchedTable
) -> None:
    await table.write(Put(KEY, "old"))
    table.gate.clear()
    before = asyncio.ensure_future(read(recent))
    await table.looked.get()
    await watched.write(Put(KEY, "new"))
    after = asyncio.ensure_future(read(recent))
    await table.looked.get()
    table.gate.set()
    assert (await before, await after, await read(recent)) == ("old", "new", "new")


async def test_a_read_that_fails_late_takes_no_younger_answer_along(table: SlowTable, recent: RecentRows) -> None:
    await table.write(Put(KEY, "x"))
    table.gate.clear()
    table.doomed = True
    failing = asyncio.ensure_future(read(recent))
    await table.looked.get()
    recent.forget(KEY)
    table.doomed = False
    succeeding = asyncio.ensure_future(read(recent))
    await table.looked.get()
    table.gate.set()
    with pytest.raises(Unavailable):
        await failing
    assert await succeeding == "x"
    assert (await read(recent), table.reads) == ("x", 2)


async def test_a_watched_table_reads_what_stands_now(table: SlowTable, watched: WatchedTable) -> None:
    await watched.write(Insert(KEY, "old", NEW_YEAR))
    await watched.get(KEY)
    await table.write(Put(KEY, "new", NEW_YEAR))
    assert await read(watched) == "new"
    assert [row.document for row in await watched.under("acme", "")] == ["new"]
    assert [row.document for row in (await watched.page("acme", "", 10, None)).rows] == ["new"]
    assert [row.document async for row in watched.expired(NEW_YEAR + MAX_AGE)] == ["new"]
    assert [row.document async for row in watched.partitions_before("b")] == ["new"]

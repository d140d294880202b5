"""Flows are redeemed once, in time, by the browser that they are bound to."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.flows.flows import Flow, FlowEnded, Flows, ForeignFlow, digest, name_of
from shared.kernel.refusals import FlowSpent, Unavailable
from shared.ports.table import Key, Operation, Put, Remove, Row
from tests.support.disturbances import Disturbance, Disturbed, Script
from tests.support.fakes import FixedClock, InMemoryTable
from tests.support.interleaving import Interleaved

ONE_MINUTE = timedelta(minutes=1)


class Errand(Flow):
    kind: ClassVar[str] = "errand"
    lifetime: ClassVar[timedelta] = ONE_MINUTE

    purpose: str = "a test"


class Voucher(Flow):
    kind: ClassVar[str] = "voucher"
    lifetime: ClassVar[timedelta] = ONE_MINUTE


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def table() -> InMemoryTable:
    return InMemoryTable()


@pytest.fixture
def flows(table: InMemoryTable, clock: FixedClock) -> Flows:
    return Flows(table=table, clock=clock)


async def purged(flows: Flows, table: InMemoryTable) -> int:
    """How many rows are left of flows that are over: none for longer than three minutes."""
    flows.clock.advance(3 * ONE_MINUTE)  # type: ignore[attr-defined]
    removed = await flows.purge()
    assert len(table) == 0
    return removed


def errand(flows: Flows, browser: str | None = None) -> Errand:
    return Errand(expires_at=flows.expiry(Errand), browser_digest=digest(browser) if browser else None)


async def test_of_many_who_redeem_at_once_exactly_one_gets_it(flows: Flows, table: InMemoryTable) -> None:
    handle = await flows.issue(errand(flows))
    answers = await asyncio.gather(*(flows.redeem(handle, Errand) for _ in range(50)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Errand) == 1
    assert [type(answer) for answer in answers].count(FlowSpent) == 49
    assert await purged(flows, table) == 1


async def test_what_is_redeemed_is_what_was_issued(flows: Flows) -> None:
    issued = errand(flows)
    handle = await flows.issue(issued)
    assert re.fullmatch(r"20260101T0002\.[A-Za-z0-9_-]{43}", handle)
    assert await flows.redeem(handle, Errand) == issued


async def test_a_handle_may_be_known_before_its_flow(flows: Flows) -> None:
    handle = flows.new_handle(Errand)
    assert await flows.issue(errand(flows), handle) == handle
    assert await flows.redeem(handle, Errand)


async def test_text_behind_the_handle_is_ignored(flows: Flows) -> None:
    handle = await flows.issue(errand(flows))
    for appended in ("#appended", ".appended", "appended", " "):
        assert (await flows.find(handle + appended, Errand)).flow == errand(flows)
        assert name_of(handle + appended) == name_of(handle)
    assert await flows.redeem(handle + "#", Errand)


async def test_a_flow_of_one_kind_is_none_of_another(flows: Flows) -> None:
    handle = await flows.issue(errand(flows))
    with pytest.raises(FlowSpent):
        await flows.redeem(handle, Voucher)
    assert await flows.redeem(handle, Errand)


@pytest.mark.parametrize(("age", "alive"), [(timedelta(seconds=59), True), (ONE_MINUTE, False)])
async def test_a_flow_lives_until_its_last_moment(
    flows: Flows, table: InMemoryTable, clock: FixedClock, *, age: timedelta, alive: bool
) -> None:
    handle = await flows.issue(errand(flows))
    clock.advance(age)
    if alive:
        assert await flows.redeem(handle, Errand)
    else:
        with pytest.raises(FlowSpent):
            await flows.redeem(handle, Errand)
    assert await purged(flows, table) == 1


async def test_a_flow_may_be_looked_at_as_long_as_it_lives_and_that_spends_nothing(
    flows: Flows, clock: FixedClock
) -> None:
    issued = errand(flows)
    handle = await flows.issue(issued)
    clock.advance(timedelta(seconds=59))
    assert [await flows.look(handle, Errand) for _ in range(3)] == [issued] * 3
    assert await flows.redeem(handle, Errand) == issued
    with pytest.raises(FlowSpent):
        await flows.look(handle, Errand)


async def test_what_has_expired_cannot_be_looked_at(flows: Flows, clock: FixedClock) -> None:
    handle = await flows.issue(errand(flows))
    clock.advance(ONE_MINUTE)
    with pytest.raises(FlowSpent):
        await flows.look(handle, Errand)


@pytest.mark.parametrize("browser", [None, "", "another", "own "])
async def test_another_browser_cannot_spend_a_flow_for_its_owner(flows: Flows, browser: str | None) -> None:
    handle = await flows.issue(errand(flows, browser="own"))
    with pytest.raises(FlowSpent, match="another browser"):
        await flows.redeem(handle, Errand, browser)
    assert await flows.redeem(handle, Errand, "own")


@given(handle=st.text())
async def test_an_invented_handle_redeems_nothing(handle: str) -> None:
    flows = Flows(table=InMemoryTable(), clock=FixedClock())
    await flows.issue(errand(flows))
    with pytest.raises(FlowSpent):
        await flows.redeem(handle, Errand)


async def test_the_store_never_sees_a_handle(flows: Flows, table: InMemoryTable, clock: FixedClock) -> None:
    handle = await flows.issue(errand(flows, browser="own"))
    clock.advance(2 * ONE_MINUTE)
    (row,) = [row async for row in table.partitions_before("0")]
    assert row.key == Key(f"-20260101T0002-{digest(handle)[0]}", f"errand:{digest(handle)}")
    assert handle not in repr(row)
    assert "own" not in row.document


async def test_the_purge_removes_what_has_expired_and_counts_it(
    flows: Flows, table: InMemoryTable, clock: FixedClock
) -> None:
    for _ in range(3):
        await flows.issue(errand(flows))
    clock.advance(3 * ONE_MINUTE)
    handle = await flows.issue(errand(flows))
    assert await flows.purge() == 3
    assert await flows.redeem(handle, Errand)
    assert len(table) == 1


async def test_of_many_purges_at_once_each_counts_its_own(
    flows: Flows, table: InMemoryTable, clock: FixedClock
) -> None:
    for _ in range(20):
        await flows.issue(errand(flows))
    clock.advance(3 * ONE_MINUTE)
    assert sum(await asyncio.gather(*(flows.purge() for _ in range(4)))) == 20
    assert len(table) == 0


async def test_a_flow_that_goes_before_the_purge_takes_it_is_not_counted(
    table: InMemoryTable, clock: FixedClock
) -> None:
    # By hand: the disturbances have no two rows in one transaction of the purge.
    raced = Interleaved(table)
    flows = Flows(table=raced, clock=clock)
    keys = [Key("-20251231T2359-a", f"errand:{number}") for number in range(3)]
    await table.write(*(Put(key, "{}") for key in keys))

    async def taken_by_another() -> None:
        row = await table.get(keys[1])
        assert row is not None
        await table.write(Remove(row))

    raced.before_writing(taken_by_another)
    assert await flows.purge() == 2
    assert len(table) == 0


class Counted(InMemoryTable):
    """Counts the calls that a purge makes, and the rows that it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.writes, self.rows_read = 0, 0

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        self.writes += 1
        return await super().write(*operations)

    async def partitions_before(self, partition: str) -> AsyncIterator[Row]:
        async for row in super().partitions_before(partition):
            self.rows_read += 1
            yield row


async def test_a_purge_reads_what_has_expired_and_nothing_else_and_removes_up_to_100_at_a_time() -> None:
    clock, table = FixedClock(), Counted()
    flows = Flows(table=table, clock=clock)
    for number in range(1_000):
        clock.advance(timedelta(milliseconds=1))
        await (flows.issue(errand(flows)) if number % 2 else flows.issue(Voucher(expires_at=flows.expiry(Voucher))))
    clock.advance(3 * ONE_MINUTE)
    for _ in range(1_000):
        await flows.issue(errand(flows))
    table.writes = table.rows_read = 0
    assert await flows.purge() == 1_000
    assert table.rows_read == 1_000
    assert table.writes <= 16 + 1_000 // 100, "one for what is left in each of sixteen shards, and one for each hundred"
    assert len(table) == 1_000


async def test_flows_of_an_earlier_release_are_redeemed_once_and_purged(
    flows: Flows, table: InMemoryTable, clock: FixedClock
) -> None:
    """The hash of the handle is their partition, and they say when they expire."""
    row, expiry = errand(flows).document(), flows.expiry(Errand)
    first, second = "h" * 43, "i" * 43
    for handle in (first, second):
        await table.write(Put(Key(digest(handle), "errand"), row, expiry))
    answers = await asyncio.gather(
        *(flows.redeem(first + "#appended", Errand) for _ in range(9)), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(Errand) == 1
    assert len(table) == 1
    assert await flows.purge() == 0
    clock.advance(2 * ONE_MINUTE)
    assert await flows.purge() == 1


@pytest.mark.parametrize("how", [Disturbance.NOT_MADE, Disturbance.LOST, Disturbance.REPEATED])
async def test_a_flow_whose_answer_was_lost_is_its_takers(
    table: InMemoryTable, clock: FixedClock, how: Disturbance
) -> None:
    """At each storage call: it is taken, or can still be taken; and nobody else gets it."""
    for k in range(1, 4):
        script = Script()
        flows = Flows(table=Disturbed(table, script), clock=clock)
        handle = await flows.issue(errand(flows))
        script.disturb(k, how)
        redeem = partial(flows.redeem, handle, Errand)
        try:
            taken = await script.play(redeem)
        except Unavailable:
            assert (k, how) in {(1, Disturbance.NOT_MADE), (1, Disturbance.LOST), (2, Disturbance.NOT_MADE)}
            taken = await redeem()
        assert taken == errand(flows)
        with pytest.raises(FlowSpent):
            await redeem()


async def test_hundreds_of_one_partition_are_removed_by_the_hundred() -> None:
    table = Counted()
    for number in range(250):
        await table.write(Put(Key("-20251231T2359-a", f"errand:{number}"), "{}"))
    table.writes = 0
    assert await Flows(table=table, clock=FixedClock()).purge() == 250
    assert table.writes == 3


def and_more(flow: Errand) -> Errand:
    return flow.model_copy(update={"purpose": flow.purpose + "+"})


async def test_of_many_who_revise_a_flow_at_once_each_starts_from_the_last(flows: Flows) -> None:
    handle = await flows.issue(errand(flows))
    found = await asyncio.gather(*(flows.revise(handle, Errand, and_more) for _ in range(20)))
    assert sorted(len(flow.purpose) for flow in found) == [len("a test") + each for each in range(1, 21)]


@pytest.mark.parametrize("how", [Disturbance.NOT_MADE, Disturbance.LOST, Disturbance.REPEATED])
async def test_a_flow_is_revised_once_whatever_happens_to_the_answers(
    table: InMemoryTable, clock: FixedClock, how: Disturbance
) -> None:
    for k in range(1, 4):
        script = Script()
        flows = Flows(table=Disturbed(table, script), clock=clock)
        handle = await flows.issue(errand(flows))
        script.disturb(k, how)
        revise = partial(flows.revise, handle, Errand, and_more)
        try:
            revised = await script.play(revise)
        except Unavailable:
            assert (k, how) in {(1, Disturbance.NOT_MADE), (1, Disturbance.LOST), (2, Disturbance.NOT_MADE)}
            revised = await revise()
        assert isinstance(revised, Errand)
        assert revised.purpose == (await flows.look(handle, Errand)).purpose == "a test+"


async def test_each_revision_starts_from_the_one_before_and_keeps_the_browser_and_the_time(
    flows: Flows, clock: FixedClock
) -> None:
    handle = await flows.issue(errand(flows, "own"))

    def counted(flow: Errand) -> Errand:
        return flow.model_copy(update={"purpose": flow.purpose + "!"})

    await asyncio.gather(*(flows.revise(handle + "#appended", Errand, counted, "own") for _ in range(9)))
    assert (await flows.look(handle, Errand, "own")).purpose == "a test" + 9 * "!"
    with pytest.raises(ForeignFlow):
        await flows.revise(handle, Errand, counted, "another")
    with pytest.raises(ForeignFlow):
        await flows.look(handle, Errand)
    clock.advance(ONE_MINUTE)
    with pytest.raises(FlowEnded) as ended:
        await flows.revise(handle, Errand, counted, "own")
    assert ended.value.flow == await _as_stored(flows, handle)


async def _as_stored(flows: Flows, handle: str) -> Flow:
    with pytest.raises(FlowEnded) as ended:
        await flows.look(handle, Errand, "own")
    return ended.value.flow


async def test_what_was_revised_can_be_taken_and_then_revised_no_more(flows: Flows, table: InMemoryTable) -> None:
    handle = await flows.issue(errand(flows))
    same = await flows.revise(handle, Errand, lambda flow: flow)
    assert same == await flows.revise(handle, Errand, lambda flow: flow.model_copy(update={"purpose": "a test"}))
    assert await flows.redeem(handle, Errand) == same
    with pytest.raises(FlowEnded):
        await flows.revise(handle, Errand, lambda flow: flow)


async def test_a_flow_of_an_earlier_release_keeps_its_expiry_when_it_is_revised(
    flows: Flows, table: InMemoryTable, clock: FixedClock
) -> None:
    handle = "h" * 43
    await table.write(Put(Key(digest(handle), "errand"), errand(flows).document(), flows.expiry(Errand)))
    revised = await flows.revise(handle, Errand, lambda flow: flow.model_copy(update={"purpose": "another"}))
    assert await flows.look(handle, Errand) == revised
    clock.advance(2 * ONE_MINUTE)
    assert await flows.purge() == 1

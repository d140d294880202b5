"""Flows are redeemed once, in time, by the browser that they are bound to."""

import asyncio
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.flows.flows import HANDLE_LENGTH, Flow, Flows, digest
from shared.kernel.refusals import FlowSpent
from shared.ports.table import Key, Remove
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


def errand(flows: Flows, browser: str | None = None) -> Errand:
    return Errand(expires_at=flows.expiry(Errand), browser_digest=digest(browser) if browser else None)


async def test_of_many_who_redeem_at_once_exactly_one_gets_it(flows: Flows, table: InMemoryTable) -> None:
    handle = await flows.issue(errand(flows))
    answers = await asyncio.gather(*(flows.redeem(handle, Errand) for _ in range(50)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Errand) == 1
    assert [type(answer) for answer in answers].count(FlowSpent) == 49
    assert len(table) == 0


async def test_what_is_redeemed_is_what_was_issued(flows: Flows) -> None:
    issued = errand(flows)
    handle = await flows.issue(issued)
    assert len(handle) == HANDLE_LENGTH
    assert await flows.redeem(handle, Errand) == issued


async def test_a_handle_may_be_known_before_its_flow(flows: Flows) -> None:
    handle = flows.new_handle()
    assert await flows.issue(errand(flows), handle) == handle
    assert await flows.redeem(handle, Errand)


async def test_text_behind_the_handle_is_ignored(flows: Flows) -> None:
    assert await flows.redeem(await flows.issue(errand(flows)) + "#appended", Errand)


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
    assert len(table) == 0


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
    (row,) = [row async for row in table.expired(clock.now())]
    assert row.key == Key(digest(handle), "errand")
    assert handle not in repr(row)
    assert "own" not in row.document


async def test_the_purge_removes_what_has_expired_and_counts_it(
    flows: Flows, table: InMemoryTable, clock: FixedClock
) -> None:
    for _ in range(3):
        await flows.issue(errand(flows))
    clock.advance(2 * ONE_MINUTE)
    handle = await flows.issue(errand(flows))
    assert await flows.purge() == 3
    assert await flows.redeem(handle, Errand)
    assert len(table) == 0


async def test_of_many_purges_at_once_each_counts_its_own(
    flows: Flows, table: InMemoryTable, clock: FixedClock
) -> None:
    for _ in range(20):
        await flows.issue(errand(flows))
    clock.advance(2 * ONE_MINUTE)
    assert sum(await asyncio.gather(*(flows.purge() for _ in range(4)))) == 20
    assert len(table) == 0


async def test_a_flow_that_goes_before_the_purge_takes_it_is_not_counted(
    table: InMemoryTable, clock: FixedClock
) -> None:
    # By hand: the disturbances have no purge, which belongs to no account.
    raced = Interleaved(table)
    flows = Flows(table=raced, clock=clock)
    key = Key(digest(await flows.issue(errand(flows))), "errand")
    clock.advance(2 * ONE_MINUTE)

    async def redeemed_by_another() -> None:
        row = await table.get(key)
        assert row is not None
        await table.write(Remove(row))

    raced.before_writing(redeemed_by_another)
    assert await flows.purge() == 0

"""A list that somebody else keeps is trusted for minutes, and for an hour while its keeper is out."""

import asyncio
from datetime import timedelta

import pytest

from shared.adapters.trusted_list import FRESH, PATIENCE, TrustedList
from shared.kernel.refusals import Unavailable
from shared.ports.signing_keys import KNOWN_FOR
from tests.support.fakes import FixedClock

MOMENT = timedelta(seconds=1)


class Keeper:
    """Gives 1, 2, 3 and so on, each good for a time, or nothing at all. Readings are counted."""

    def __init__(self) -> None:
        self.readings = 0
        self.good_for = FRESH
        self.out = False

    async def read(self) -> tuple[int, timedelta]:
        self.readings += 1
        number = self.readings
        await asyncio.sleep(0)
        if self.out:
            raise Unavailable("Nobody is there.")
        return number, self.good_for


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def listed(keeper: Keeper, clock: FixedClock) -> TrustedList[int]:
    return TrustedList(keeper.read, clock)


async def test_a_list_is_read_once_by_all_who_come_at_the_same_time(listed: TrustedList[int], keeper: Keeper) -> None:
    assert await asyncio.gather(*(listed.entries() for _ in range(10))) == [1] * 10
    assert keeper.readings == 1


async def test_it_is_read_again_when_it_is_no_longer_fresh(
    listed: TrustedList[int], keeper: Keeper, clock: FixedClock
) -> None:
    for good_for in (FRESH, PATIENCE, timedelta()):
        keeper.good_for = good_for
        read = await listed.renewed()
        clock.advance(max(good_for - MOMENT, timedelta()))
        assert await listed.entries() == (read if good_for else read + 1)
        clock.advance(MOMENT)
        assert await listed.entries() > read


async def test_it_is_kept_for_an_hour_while_its_keeper_is_out_who_is_asked_twice_a_minute(
    listed: TrustedList[int], keeper: Keeper, clock: FixedClock
) -> None:
    assert await listed.entries() == 1
    keeper.out = True
    clock.advance(FRESH)
    while clock.monotonic() < KNOWN_FOR:
        asked = keeper.readings
        assert [await listed.entries() for _ in range(3)] == [1] * 3
        assert keeper.readings == asked + 1
        clock.advance(PATIENCE)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await listed.entries()
    keeper.out = False
    assert await listed.entries() == keeper.readings


async def test_without_a_list_its_keeper_is_asked_every_time(listed: TrustedList[int], keeper: Keeper) -> None:
    keeper.out = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            await listed.entries()
    assert keeper.readings == 2


async def test_a_list_in_doubt_is_read_by_the_next_caller(listed: TrustedList[int]) -> None:
    assert await listed.entries() == 1
    listed.doubt()
    assert [await listed.entries() for _ in range(2)] == [2, 2]


async def test_who_wants_to_know_it_now_hears_that_it_cannot_be_read(listed: TrustedList[int], keeper: Keeper) -> None:
    assert await listed.entries() == 1
    assert await listed.renewed() == 2
    keeper.out = True
    with pytest.raises(Unavailable):
        await listed.renewed()
    assert await listed.entries() == 2

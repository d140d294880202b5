"""Health: which parts answer, asked for cheaply."""

import asyncio
from datetime import timedelta

import pytest

from shared.health import Health
from shared.kernel.refusals import Unavailable
from tests.support.fakes import FixedClock


class Part:
    """A part that answers, refuses or hangs, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.refuses = False
        self.hangs = False
        self.breaks = False

    async def probe(self) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.refuses:
            raise Unavailable("It is out.")
        if self.breaks:
            raise RuntimeError("Nobody foresaw alice@contoso.example.")
        if self.hangs:
            await asyncio.Event().wait()


def health_of(clock: FixedClock, **parts: Part) -> Health:
    return Health({name: part.probe for name, part in parts.items()}, clock, patience=timedelta(milliseconds=10))


async def test_each_part_is_told_by_its_name() -> None:
    well, ill, hanging = Part(), Part(), Part()
    ill.refuses = hanging.hangs = True
    answers = await health_of(FixedClock(), well=well, ill=ill, hanging=hanging).ask()
    assert answers == {"well": True, "ill": False, "hanging": False}


async def test_a_crowd_that_asks_at_once_costs_one_probe() -> None:
    part = Part()
    health = health_of(FixedClock(), part=part)
    assert await asyncio.gather(*(health.ask() for _ in range(50))) == [{"part": True}] * 50
    assert part.asked == 1


async def test_a_costly_part_is_asked_once_a_minute_whatever_it_answers() -> None:
    cheap, costly, clock = Part(), Part(), FixedClock()
    costly.refuses = True
    health = Health({"cheap": cheap.probe}, clock, costly={"costly": costly.probe})
    for _ in range(12):
        assert await health.ask() == {"cheap": True, "costly": False}
        costly.refuses = False
        clock.advance(timedelta(seconds=5))
    assert await health.ask() == {"cheap": True, "costly": True}
    assert (cheap.asked, costly.asked) == (13, 2)


async def test_a_fault_that_nobody_foresaw_is_one_parts_own_and_costs_one_probe_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cheap, costly, clock = Part(), Part(), FixedClock()
    costly.breaks = True
    health = Health({"cheap": cheap.probe}, clock, costly={"costly": costly.probe})
    for _ in range(12):
        assert await health.ask() == {"cheap": True, "costly": False}
        clock.advance(timedelta(seconds=4.9))
    assert costly.asked == 1
    assert caplog.messages == ["costly is down: RuntimeError"]


async def test_why_a_part_is_down_is_told_once_until_it_answered_again(caplog: pytest.LogCaptureFixture) -> None:
    ill, hanging, clock = Part(), Part(), FixedClock()
    ill.refuses = hanging.hangs = True
    health = health_of(clock, ill=ill, hanging=hanging)
    for refuses in (True, True, False, True):
        ill.refuses = refuses
        await health.ask()
        clock.advance(timedelta(seconds=5))
    assert sorted(caplog.messages) == [
        "hanging is down: it does not respond in time",
        "ill is down: It is out.",
        "ill is down: It is out.",
    ]


async def test_an_answer_is_good_for_five_seconds() -> None:
    part, clock = Part(), FixedClock()
    health = health_of(clock, part=part)
    assert await health.ask() == {"part": True}
    part.refuses = True
    clock.advance(timedelta(seconds=4.9))
    assert await health.ask() == {"part": True}
    clock.advance(timedelta(seconds=0.1))
    assert await health.ask() == {"part": False}
    assert part.asked == 2

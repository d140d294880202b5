"""The clock port: whoever tells the time tells it aware, in UTC, and never backwards."""

from datetime import timedelta

import pytest

from shared.adapters.system_clock import SystemClock
from shared.ports.clock import Clock
from tests.support.fakes import NEW_YEAR, FixedClock


@pytest.fixture(params=[FixedClock, SystemClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_the_time_is_in_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta()


def test_the_time_does_not_run_backwards(clock: Clock) -> None:
    earlier = clock.now()
    assert clock.now() >= earlier


def test_ages_are_measured_by_a_clock_that_nobody_sets(clock: Clock) -> None:
    earlier = clock.monotonic()
    assert clock.monotonic() >= earlier


def test_a_fixed_clock_that_is_set_measures_the_same_ages() -> None:
    clock = FixedClock()
    clock.jump(timedelta(hours=-1))
    assert (clock.now(), clock.monotonic()) == (NEW_YEAR - timedelta(hours=1), timedelta())
    clock.advance(timedelta(hours=1))
    assert (clock.now(), clock.monotonic()) == (NEW_YEAR, timedelta(hours=1))


def test_a_fixed_clock_moves_when_it_is_moved() -> None:
    clock = FixedClock()
    earlier = clock.now()
    clock.advance(timedelta(hours=1))
    assert clock.now() - earlier == timedelta(hours=1)

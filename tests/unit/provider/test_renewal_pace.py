"""A family of refresh tokens renews some times at once, and then once in ten seconds."""

from datetime import timedelta

import pytest

from shared.kernel.refusals import Throttled
from shared.provider.renewal_pace import AT_ONCE, INTERVAL, RenewalPace
from tests.support.fakes import FixedClock

MOMENT = timedelta(milliseconds=1)


def renewals(pace: RenewalPace, family: str = "family:one") -> int:
    """How many there may be now."""
    count = 0
    while True:
        try:
            pace.renew(family)
        except Throttled:
            return count
        count += 1


def test_so_many_at_once_and_then_one_in_each_interval() -> None:
    clock = FixedClock()
    pace = RenewalPace(clock=clock)
    assert renewals(pace) == AT_ONCE
    clock.advance(INTERVAL - MOMENT)
    assert renewals(pace) == 0
    clock.advance(MOMENT)
    assert renewals(pace) == 1
    clock.advance(3 * INTERVAL)
    assert renewals(pace) == 3
    clock.advance(1_000 * INTERVAL)
    assert renewals(pace) == AT_ONCE


def test_who_is_refused_hears_when_to_come_again_and_is_not_refused_then() -> None:
    clock = FixedClock()
    pace = RenewalPace(clock=clock)
    for waited in (timedelta(), timedelta(seconds=3.5), timedelta(seconds=9.999)):
        renewals(pace)
        clock.advance(waited)
        with pytest.raises(Throttled) as refusal:
            pace.renew("family:one")
        clock.advance(timedelta(seconds=refusal.value.retry_after))
        pace.renew("family:one")
        clock.advance(INTERVAL * AT_ONCE)


def test_each_family_has_a_pace_of_its_own() -> None:
    pace = RenewalPace(clock=FixedClock())
    assert renewals(pace, "family:one") == renewals(pace, "family:other") == AT_ONCE

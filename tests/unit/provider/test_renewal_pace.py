"""A family of refresh tokens renews some times at once, and then once in ten seconds, on all instances together."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.kernel.refusals import Throttled
from shared.provider.renewal_pace import AT_ONCE, INTERVAL, RenewalPace
from tests.support.fakes import FixedClock
from tests.unit.provider.walk import redeemed, renewed, signed_in
from tests.unit.provider.world import Provider

MOMENT = timedelta(milliseconds=1)


def renewals(pace: RenewalPace, family: str = "family:one", spent_until: datetime | None = None) -> int:
    """How many there may be now, if the row stays as it is."""
    count = 0
    while True:
        try:
            pace.renew(family, spent_until)
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
            pace.renew("family:one", None)
        clock.advance(timedelta(seconds=refusal.value.retry_after))
        pace.renew("family:one", None)
        clock.advance(INTERVAL * AT_ONCE)


def test_each_family_has_a_pace_of_its_own() -> None:
    pace = RenewalPace(clock=FixedClock())
    assert renewals(pace, "family:one") == renewals(pace, "family:other") == AT_ONCE


def test_what_the_row_says_counts_as_what_this_instance_has_seen() -> None:
    clock = FixedClock()
    for spent in range(AT_ONCE + 1):
        assert renewals(RenewalPace(clock=clock), spent_until=clock.now() + spent * INTERVAL) == AT_ONCE - spent
    assert renewals(RenewalPace(clock=clock), spent_until=clock.now() - INTERVAL) == AT_ONCE


def test_a_row_that_was_written_by_a_clock_that_was_wrong_bars_nobody() -> None:
    clock = FixedClock()
    assert renewals(RenewalPace(clock=clock), spent_until=clock.now() + timedelta(hours=1)) == AT_ONCE
    behind = clock.now() + AT_ONCE * INTERVAL + timedelta(seconds=30)
    assert renewals(RenewalPace(clock=clock), spent_until=behind) == 0


def test_memory_is_bounded_and_what_has_not_renewed_for_longest_makes_room() -> None:
    pace = RenewalPace(clock=FixedClock())
    assert renewals(pace) == AT_ONCE
    for number in range(20_000 - 1):
        pace.renew(f"family:early {number}", None)
    assert renewals(pace) == 0
    for number in range(20_000):
        pace.renew(f"family:late {number}", None)
    assert renewals(pace) == AT_ONCE


async def test_instances_count_together_and_a_new_one_knows_what_was_spent() -> None:
    """A loop in an application uses each token for the next one, wherever its requests arrive."""
    instance = Provider()
    await instance.switch_on()
    await instance.add(refresh_tokens=True)
    instances = [instance, replace(instance)]
    token = (await redeemed(instance, await signed_in(instance))).refresh_token
    for number in range(AT_ONCE):
        token = (await renewed(instances[number % 2], token)).refresh_token
    for each in (*instances, replace(instance)):
        with pytest.raises(Throttled):
            await renewed(each, token)
    instance.clock.advance(INTERVAL)
    token = (await renewed(replace(instance), token)).refresh_token
    with pytest.raises(Throttled):
        await renewed(instance, token)

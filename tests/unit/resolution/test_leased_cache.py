"""Answers that are remembered for as long as all that they rest on holds."""

from datetime import timedelta

from shared.ports.table import Lease
from shared.resolution.leased_cache import LeasedCache

SECOND = timedelta(seconds=1)
NOW = timedelta(hours=1)
LATER = NOW + SECOND


def test_an_answer_is_known_until_the_first_of_its_leases_ends() -> None:
    cache = LeasedCache[str, int](10)
    cache.keep("six times seven", 42, (Lease(LATER + SECOND), Lease(LATER)))
    assert cache.find("six times seven", LATER - timedelta(microseconds=1)) == 42
    assert cache.find("six times seven", LATER) is None
    assert len(cache) == 0


def test_an_answer_is_forgotten_when_something_that_it_rests_on_has_changed() -> None:
    cache = LeasedCache[str, int](10)
    changing, staying = Lease(LATER), Lease(LATER)
    cache.keep("six times seven", 42, (staying, changing))
    cache.keep("six times six", 36, (staying,))
    changing.ended = True
    assert cache.find("six times seven", NOW) is None
    assert cache.find("six times six", NOW) == 36


def test_a_newer_answer_stands_in_the_place_of_the_older_one() -> None:
    cache = LeasedCache[str, int](2)
    for question, answer in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        cache.keep(question, answer, (Lease(LATER),))
    assert [cache.find(question, NOW) for question in "abc"] == [3, None, 4]


def test_what_rests_on_nothing_is_not_kept() -> None:
    cache = LeasedCache[str, int](10)
    cache.keep("six times seven", 42, ())
    assert cache.find("six times seven", NOW) is None


def test_only_so_many_answers_are_remembered() -> None:
    cache = LeasedCache[int, int](3)
    for number in range(10):
        cache.keep(number, number, (Lease(LATER),))
    assert len(cache) == 3
    assert [cache.find(number, NOW) for number in (6, 7, 8, 9)] == [None, 7, 8, 9]


def test_everything_can_be_forgotten() -> None:
    cache = LeasedCache[str, int](3)
    cache.keep("six times seven", 42, (Lease(LATER),))
    cache.clear()
    assert cache.find("six times seven", NOW) is None

"""Answers that are remembered for as long as all that they rest on holds."""

from datetime import timedelta

from shared.ports.table import Lease
from shared.resolution.remembered import Remembered
from tests.support.fakes import NEW_YEAR

SECOND = timedelta(seconds=1)
LATER = NEW_YEAR + SECOND


def test_an_answer_is_known_until_the_first_of_its_leases_ends() -> None:
    remembered = Remembered[str, int](10)
    remembered.keep("six times seven", 42, [Lease(LATER + SECOND), Lease(LATER)])
    assert remembered.find("six times seven", LATER - timedelta(microseconds=1)) == 42
    assert remembered.find("six times seven", LATER) is None
    assert len(remembered) == 0


def test_an_answer_is_forgotten_when_something_that_it_rests_on_has_changed() -> None:
    remembered = Remembered[str, int](10)
    changing, staying = Lease(LATER), Lease(LATER)
    remembered.keep("six times seven", 42, [staying, changing])
    remembered.keep("six times six", 36, [staying])
    changing.ended = True
    assert remembered.find("six times seven", NEW_YEAR) is None
    assert remembered.find("six times six", NEW_YEAR) == 36


def test_a_newer_answer_stands_in_the_place_of_the_older_one() -> None:
    remembered = Remembered[str, int](2)
    for question, answer in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        remembered.keep(question, answer, [Lease(LATER)])
    assert [remembered.find(question, NEW_YEAR) for question in "abc"] == [3, None, 4]


def test_what_rests_on_nothing_is_not_kept() -> None:
    remembered = Remembered[str, int](10)
    remembered.keep("six times seven", 42, [])
    assert remembered.find("six times seven", NEW_YEAR) is None


def test_only_so_many_answers_are_remembered() -> None:
    remembered = Remembered[int, int](3)
    for number in range(10):
        remembered.keep(number, number, [Lease(LATER)])
    assert len(remembered) == 3
    assert [remembered.find(number, NEW_YEAR) for number in (6, 7, 8, 9)] == [None, 7, 8, 9]

"""What a bounded cache keeps, and whom it tells of what it does not keep."""

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.caches import BoundedCache


def test_what_nobody_has_used_for_the_longest_time_makes_room() -> None:
    cache = BoundedCache[str, int](3)
    for number, key in enumerate("abc"):
        cache.put(key, number)
    assert cache.get("a") == 0
    cache.put("d", 3)
    assert [*cache] == ["c", "a", "d"]
    assert cache.get("b") is None


def test_a_newer_value_stands_in_the_place_of_the_older_one_and_weighs_nothing_yet() -> None:
    cache = BoundedCache[str, int](3, 100)
    cache.put("a", 1)
    cache.weigh("a", 60)
    cache.weigh("a", 70)
    assert cache.weight == 70
    cache.put("a", 2)
    assert (cache.get("a"), cache.weight, len(cache)) == (2, 0, 1)


def test_what_is_too_heavy_for_all_the_room_does_not_stay() -> None:
    cache = BoundedCache[str, int](3, 100)
    cache.put("a", 1)
    cache.weigh("a", 100)
    assert cache.get("a") == 1
    cache.weigh("a", 101)
    assert (len(cache), cache.weight) == (0, 0)


def test_who_wants_to_know_hears_of_every_value_that_is_not_kept_any_longer() -> None:
    heard: list[int] = []
    cache = BoundedCache[str, int](2, 100, heard.append)
    for number, key in enumerate("aabc"):
        cache.put(key, number)
    cache.drop("b")
    cache.drop("b")
    cache.weigh("c", 101)
    assert heard == [0, 1, 2, 3]


@given(st.lists(st.tuples(st.sampled_from("pgdw"), st.sampled_from("abcde"), st.integers(0, 60))))
def test_whatever_is_done_it_never_holds_more_than_it_may_and_knows_what_that_weighs(
    steps: list[tuple[str, str, int]],
) -> None:
    weights: dict[int, int] = {}
    cache = BoundedCache[str, int](3, 100, weights.pop)
    for number, (step, key, weight) in enumerate(steps):
        match step, cache.get(key):
            case "p", _:
                weights[number] = 0
                cache.put(key, number)
            case "w", int(value):
                weights[value] = weight
                cache.weigh(key, weight)
            case "d", _:
                cache.drop(key)
        kept = {value for key in [*cache] if (value := cache.get(key)) is not None}
        assert kept == {*weights}
        assert len(cache) == len(kept) <= 3
        assert cache.weight == sum(weights.values()) <= 100

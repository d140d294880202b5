"""Answers to bodies that come again: which are kept, how long, and how many."""

import asyncio
from datetime import timedelta

import pytest

from shared.ports.table import Lease
from shared.resolution.leased_cache import Repetitions

NOW = timedelta(hours=1)
LATER = NOW + timedelta(seconds=10)


def keep(kept: Repetitions[str], body: bytes, times: int = 1) -> Lease:
    lease = Lease(LATER)
    for _ in range(times):
        kept.keep(body, body.decode().upper(), (lease,))
    return lease


async def test_an_answer_is_kept_from_the_second_time_on() -> None:
    kept = Repetitions[str]()
    keep(kept, b"alice")
    assert kept.find(b"alice", NOW) is None
    keep(kept, b"alice")
    assert kept.find(b"alice", NOW) == "ALICE"
    assert kept.find(b"bob", NOW) is None


async def test_an_answer_is_known_as_long_as_what_it_was_computed_from_is_valid() -> None:
    kept = Repetitions[str]()
    lease = keep(kept, b"alice", times=2)
    assert kept.find(b"alice", LATER - timedelta(microseconds=1)) == "ALICE"
    lease.ended = True
    assert kept.find(b"alice", NOW) is None


async def test_a_long_body_is_not_kept() -> None:
    kept = Repetitions[str]()
    for body in (b"x" * 1_024, b"x" * 1_025):
        keep(kept, body, times=3)
    assert kept.find(b"x" * 1_024, NOW) is not None
    assert kept.find(b"x" * 1_025, NOW) is None


async def test_so_many_others_make_a_body_a_new_one() -> None:
    kept = Repetitions[str]()
    keep(kept, b"alice")
    for number in range(1_000):
        keep(kept, b"%d" % number)
    keep(kept, b"alice")
    assert kept.find(b"alice", NOW) is None
    keep(kept, b"alice")
    assert kept.find(b"alice", NOW) == "ALICE"


async def test_nothing_is_in_memory_after_some_seconds_even_if_no_other_body_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.resolution.leased_cache._SECONDS", 0)
    kept = Repetitions[str]()
    keep(kept, b"alice", times=2)
    assert kept.find(b"alice", NOW) == "ALICE"
    for _ in range(2):
        await asyncio.sleep(0.001)
        assert kept.find(b"alice", NOW) is None
        keep(kept, b"alice")
        assert kept.find(b"alice", NOW) is None
        keep(kept, b"alice")
        assert kept.find(b"alice", NOW) == "ALICE"


async def test_so_many_others_take_nothing_from_an_answer_that_is_kept_and_hasten_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Repetitions[str]()
    keep(kept, b"alice", times=2)
    monkeypatch.setattr("shared.resolution.leased_cache._SECONDS", 0)
    for number in range(1_100):
        keep(kept, b"%d" % number)
    await asyncio.sleep(0.001)
    assert kept.find(b"alice", NOW) == "ALICE"

"""Client secrets: known to the client alone, and checked at a bounded cost."""

import asyncio
import hashlib
import threading
from dataclasses import dataclass, field, fields
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.applications.secrets import (
    AT_ONCE,
    MOST_REMEMBERED,
    REMEMBERED_FOR,
    UNDER_WAY,
    SecretChecks,
    hash_secret,
    new_secret,
    verify_secret,
)
from shared.kernel.names import ClientId
from shared.kernel.refusals import Throttled
from tests.support.fakes import FixedClock

UNITE, OTHER = ClientId("unite"), ClientId("other")
A_MOMENT = timedelta(microseconds=1)


async def test_a_secret_is_known_by_what_was_kept_of_it() -> None:
    secret = new_secret()
    kept = await hash_secret(secret)
    assert await verify_secret(secret, kept)
    assert not await verify_secret(secret + "x", kept)
    assert not await verify_secret("", kept)
    assert secret not in kept


async def test_nobody_sees_that_two_secrets_are_the_same() -> None:
    assert await hash_secret("same") != await hash_secret("same")


def test_no_two_new_secrets_are_the_same() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(new_secret()) == 43


@settings(max_examples=10, deadline=None)  # slow on purpose
@given(secret=st.text(), other=st.text())
async def test_only_the_secret_itself_is_known(secret: str, other: str) -> None:
    assert await verify_secret(other, await hash_secret(secret)) is (other == secret)


@pytest.mark.parametrize("secret", ["é", "a:b", "\x00", "x" * 2_000])
async def test_any_text_may_be_a_secret(secret: str) -> None:
    assert await verify_secret(secret, await hash_secret(secret))


# -- what a check costs -----------------------------------------------------------------------------------------------


@dataclass
class Scrypt:
    """In the place of the slow hash: a quick one that is counted, and held up while the gate is shut."""

    made: int = 0
    under_way: int = 0
    most_at_once: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    busy: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, password: bytes, *, salt: bytes, **_: int) -> bytes:
        with self.lock:
            self.made += 1
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            if self.under_way == AT_ONCE:
                self.busy.set()
        assert self.gate.wait(30)
        with self.lock:
            self.under_way -= 1
        return hashlib.sha512(salt + password).digest()


@pytest.fixture
def scrypt(monkeypatch: pytest.MonkeyPatch) -> Scrypt:
    counted = Scrypt()
    monkeypatch.setattr(hashlib, "scrypt", counted)
    return counted


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def checks(clock: FixedClock) -> SecretChecks:
    return SecretChecks(clock=clock)


async def hashes(scrypt: Scrypt, checks: SecretChecks, secret: str, kept: str, client_id: ClientId = UNITE) -> int:
    """How many slow hashes it costs to show the right secret."""
    before = scrypt.made
    assert await checks.verify(client_id, secret, kept)
    return scrypt.made - before


async def test_a_right_secret_is_hashed_once_as_long_as_it_is_used(
    scrypt: Scrypt, checks: SecretChecks, clock: FixedClock
) -> None:
    kept = await hash_secret("right")
    assert await hashes(scrypt, checks, "right", kept) == 1
    for _ in range(5):
        clock.advance(REMEMBERED_FOR - A_MOMENT)
        assert await hashes(scrypt, checks, "right", kept) == 0
    clock.advance(REMEMBERED_FOR)
    assert await hashes(scrypt, checks, "right", kept) == 1


async def test_a_wrong_secret_is_hashed_each_time_and_never_becomes_right(scrypt: Scrypt, checks: SecretChecks) -> None:
    kept = await hash_secret("right")
    await checks.verify(UNITE, "right", kept)
    before = scrypt.made
    assert [await checks.verify(UNITE, wrong, kept) for wrong in ("wrong", "wrong", "right ", "")] == [False] * 4
    assert scrypt.made - before == 4


async def test_a_renewed_secret_counts_at_once_and_the_one_before_no_more(scrypt: Scrypt, checks: SecretChecks) -> None:
    old, new = await hash_secret("old"), await hash_secret("new")
    assert await checks.verify(UNITE, "old", old)
    assert not await checks.verify(UNITE, "old", new)
    assert await hashes(scrypt, checks, "new", new) == 1


async def test_what_is_known_of_one_client_is_not_known_of_another(scrypt: Scrypt, checks: SecretChecks) -> None:
    kept = await hash_secret("right")
    assert await hashes(scrypt, checks, "right", kept) == 1
    assert await hashes(scrypt, checks, "right", kept, OTHER) == 1


async def test_what_one_process_knows_is_nothing_to_another(clock: FixedClock) -> None:
    kept = await hash_secret("right")
    ours, theirs = SecretChecks(clock=clock), SecretChecks(clock=clock)
    for checks in (ours, theirs):
        await checks.verify(UNITE, "right", kept)
    assert {*ours._proven}.isdisjoint(theirs._proven)
    assert "right" not in repr([[*ours._proven], *(getattr(ours, each.name) for each in fields(ours))])


async def test_the_secret_that_was_used_longest_ago_makes_room(scrypt: Scrypt, checks: SecretChecks) -> None:
    kept = await hash_secret("right")
    for number in range(MOST_REMEMBERED):
        await checks.verify(ClientId(f"client-{number}"), "right", kept)
    assert await hashes(scrypt, checks, "right", kept, ClientId("client-0")) == 0
    assert await hashes(scrypt, checks, "right", kept, ClientId("one-more")) == 1
    assert await hashes(scrypt, checks, "right", kept, ClientId("client-0")) == 0
    assert await hashes(scrypt, checks, "right", kept, ClientId("client-1")) == 1


async def test_those_who_show_one_secret_at_the_same_time_share_a_hash(scrypt: Scrypt, checks: SecretChecks) -> None:
    kept = await hash_secret("right")
    before = scrypt.made
    assert await asyncio.gather(*(checks.verify(UNITE, "right", kept) for _ in range(50))) == [True] * 50
    assert await asyncio.gather(*(checks.verify(UNITE, "wrong", kept) for _ in range(50))) == [False] * 50
    assert scrypt.made - before == 2


async def test_however_many_wrong_secrets_are_tried_few_are_hashed_and_known_clients_go_on(
    scrypt: Scrypt, checks: SecretChecks
) -> None:
    kept = await hash_secret("right")
    await checks.verify(UNITE, "right", kept)
    before = scrypt.made
    scrypt.gate.clear()
    guesses = [asyncio.ensure_future(checks.verify(UNITE, f"guess {number}", kept)) for number in range(100)]
    try:
        assert await asyncio.to_thread(scrypt.busy.wait, 30)
        assert await hashes(scrypt, checks, "right", kept) == 0
        with pytest.raises(Throttled) as refused:
            await checks.verify(OTHER, "right", kept)
        assert refused.value.retry_after == 1
    finally:
        scrypt.gate.set()
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert [answers.count(False), len(answers)] == [UNDER_WAY, 100]
    assert {type(answer) for answer in answers} == {bool, Throttled}
    assert (scrypt.made - before, scrypt.most_at_once) == (UNDER_WAY, AT_ONCE)
    assert await checks.verify(OTHER, "right", kept), "there is room again"


async def test_who_stops_waiting_for_a_check_leaves_it_to_the_others(scrypt: Scrypt, checks: SecretChecks) -> None:
    kept = await hash_secret("right")
    scrypt.gate.clear()
    impatient, patient = (asyncio.ensure_future(checks.verify(UNITE, "right", kept)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    scrypt.gate.set()
    assert await patient
    assert impatient.cancelled()

"""A domain routes to at most one account, whoever asks when."""

import asyncio
from datetime import timedelta

import pytest

from shared.accounts.claims import SETTLING_TIME, Claim, Claims
from shared.kernel.names import AccountId, DomainName
from tests.support.fakes import FixedClock, InMemoryTable
from tests.support.interleaving import Interleaved, LostAnswers

CONTOSO = DomainName("contoso.example")
ACME, BETA, GAMMA = AccountId("acme"), AccountId("beta"), AccountId("gamma")
A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def table() -> InMemoryTable:
    return InMemoryTable()


@pytest.fixture
def raced(table: InMemoryTable) -> Interleaved:
    return Interleaved(table)


@pytest.fixture
def claims(table: InMemoryTable, clock: FixedClock) -> Claims:
    return Claims(table=table, clock=clock)


async def holder(claims: Claims) -> AccountId | None:
    claim = await claims.holder(CONTOSO)
    return claim.account_id if claim else None


async def abandoned(claims: Claims, clock: FixedClock) -> Claim:
    """A claim of `acme` that has settled."""
    assert await claims.claim(CONTOSO, ACME)
    clock.advance(SETTLING_TIME)
    claim = await claims.holder(CONTOSO)
    assert claim is not None
    return claim


async def test_of_many_accounts_that_claim_at_once_exactly_one_has_it(claims: Claims) -> None:
    accounts = [AccountId(f"account-{number}") for number in range(50)]
    won = await asyncio.gather(*(claims.claim(CONTOSO, account) for account in accounts))
    assert won.count(True) == 1
    assert await holder(claims) == accounts[won.index(True)]


async def test_a_claim_may_be_repeated_by_its_holder_only(claims: Claims) -> None:
    assert [await claims.claim(CONTOSO, account) for account in (ACME, ACME, BETA)] == [True, True, False]
    assert await holder(claims) == ACME


async def test_many_repeats_at_once_all_hold(claims: Claims) -> None:
    assert set(await asyncio.gather(*(claims.claim(CONTOSO, ACME) for _ in range(10)))) == {True}


async def test_a_claim_whose_answer_was_lost_holds(table: InMemoryTable, clock: FixedClock) -> None:
    assert await Claims(table=LostAnswers(table), clock=clock).claim(CONTOSO, ACME)


async def test_a_claim_that_is_released_at_the_same_moment_is_not_taken_for_ones_own(
    claims: Claims, raced: Interleaved, clock: FixedClock
) -> None:
    await claims.claim(CONTOSO, BETA)
    raced.before_reading(lambda: claims.release(CONTOSO, BETA, clock.now()))
    assert not await Claims(table=raced, clock=clock).claim(CONTOSO, ACME)
    assert await holder(claims) is None


async def test_an_abandoned_claim_is_taken_over(claims: Claims, clock: FixedClock) -> None:
    claim = await abandoned(claims, clock)
    assert await claims.take_over(CONTOSO, BETA, claim)
    assert await claims.holder(CONTOSO) == Claim(account_id=BETA, claimed_at=clock.now())


async def test_a_claim_is_left_alone_until_it_has_settled(claims: Claims, clock: FixedClock) -> None:
    claim = await abandoned(claims, clock)
    clock.advance(-A_MOMENT)
    assert not await claims.take_over(CONTOSO, BETA, claim)
    assert await holder(claims) == ACME


async def test_of_many_who_take_over_at_once_exactly_one_does(claims: Claims, clock: FixedClock) -> None:
    claim = await abandoned(claims, clock)
    accounts = [AccountId(f"account-{number}") for number in range(20)]
    won = await asyncio.gather(*(claims.take_over(CONTOSO, account, claim) for account in accounts))
    assert won.count(True) == 1
    assert await holder(claims) == accounts[won.index(True)]


async def test_an_account_that_comes_back_does_not_lose_what_it_had_abandoned(
    claims: Claims, clock: FixedClock
) -> None:
    claim = await abandoned(claims, clock)
    assert await claims.claim(CONTOSO, ACME)
    assert not await claims.take_over(CONTOSO, BETA, claim)
    assert await holder(claims) == ACME


async def test_an_account_that_comes_back_too_late_hears_that_the_domain_is_gone(
    claims: Claims, raced: Interleaved, clock: FixedClock
) -> None:
    claim = await abandoned(claims, clock)

    async def insert_refused() -> None:
        raced.before_writing(lambda: claims.take_over(CONTOSO, BETA, claim))

    raced.before_reading(insert_refused)
    assert not await Claims(table=raced, clock=clock).claim(CONTOSO, ACME)
    assert await holder(claims) == BETA


async def test_a_claim_that_changes_under_the_taking_over_stays(
    claims: Claims, raced: Interleaved, clock: FixedClock
) -> None:
    claim = await abandoned(claims, clock)
    raced.before_writing(lambda: claims.claim(CONTOSO, ACME))
    assert not await Claims(table=raced, clock=clock).take_over(CONTOSO, BETA, claim)
    assert await holder(claims) == ACME


async def test_a_claim_that_is_gone_is_not_taken_over(claims: Claims, clock: FixedClock) -> None:
    claim = await abandoned(claims, clock)
    await claims.release(CONTOSO, ACME, clock.now())
    assert not await claims.take_over(CONTOSO, BETA, claim)


async def test_only_the_holder_releases_and_may_repeat_it(claims: Claims, clock: FixedClock) -> None:
    await claims.claim(CONTOSO, ACME)
    await claims.release(CONTOSO, BETA, clock.now())
    assert await holder(claims) == ACME
    for _ in range(2):
        await claims.release(CONTOSO, ACME, clock.now())
        assert await holder(claims) is None


async def test_a_claim_that_was_made_anew_outlives_the_release_of_the_one_before(
    claims: Claims, clock: FixedClock
) -> None:
    await claims.claim(CONTOSO, ACME)
    undone = clock.now()
    clock.advance(A_MOMENT)
    await claims.claim(CONTOSO, ACME)
    await claims.release(CONTOSO, ACME, undone)
    assert await holder(claims) == ACME


async def test_a_release_that_comes_too_late_takes_nothing_from_the_next_holder(
    claims: Claims, raced: Interleaved, clock: FixedClock
) -> None:
    claim = await abandoned(claims, clock)
    raced.before_writing(lambda: claims.take_over(CONTOSO, BETA, claim))
    await Claims(table=raced, clock=clock).release(CONTOSO, ACME, clock.now())
    assert await holder(claims) == BETA

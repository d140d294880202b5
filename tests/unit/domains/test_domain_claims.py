"""A domain routes to at most one account, whoever asks when."""

import asyncio
import json
from datetime import timedelta

import pytest

from shared.domains.domain_claims import SETTLING_TIME, DomainClaim, DomainClaims
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.ports.table import Key, Put
from tests.support.fakes import FixedClock, InMemoryTable

CONTOSO = DomainName("contoso.example")
ACME, BETA, GAMMA = AccountId("acme"), AccountId("beta"), AccountId("gamma")
TENANT = TenantId("c0c00000-0000-4000-8000-000000000000")
A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def table() -> InMemoryTable:
    return InMemoryTable()


@pytest.fixture
def claims(table: InMemoryTable, clock: FixedClock) -> DomainClaims:
    return DomainClaims(table=table, clock=clock)


async def holder(claims: DomainClaims) -> AccountId | None:
    claim = await claims.holder(CONTOSO)
    return claim.account_id if claim else None


async def abandoned(claims: DomainClaims, clock: FixedClock) -> DomainClaim:
    """A claim of `acme` that has settled."""
    assert await claims.claim(CONTOSO, ACME, TENANT)
    clock.advance(SETTLING_TIME)
    claim = await claims.holder(CONTOSO)
    assert claim is not None
    return claim


async def test_of_many_accounts_that_claim_at_once_exactly_one_has_it(claims: DomainClaims) -> None:
    accounts = [AccountId(f"account-{number}") for number in range(50)]
    won = await asyncio.gather(*(claims.claim(CONTOSO, account, TENANT) for account in accounts))
    assert won.count(True) == 1
    assert await holder(claims) == accounts[won.index(True)]


async def test_a_claim_may_be_repeated_by_its_holder_only(claims: DomainClaims) -> None:
    assert [await claims.claim(CONTOSO, account, TENANT) for account in (ACME, ACME, BETA)] == [True, True, False]
    assert await holder(claims) == ACME


async def test_a_claim_names_the_tenant_that_has_proven_it(claims: DomainClaims, table: InMemoryTable) -> None:
    assert await claims.claim(CONTOSO, ACME, TENANT)
    row = await table.get(Key(CONTOSO, "claim"))
    assert row is not None
    expected = {"accountId": ACME, "tenantId": TENANT, "claimedAt": "2026-01-01T00:00:00Z"}
    assert json.loads(row.document) == expected


async def test_a_claim_of_before_tenants_were_named_holds_and_is_told_its_tenant_when_it_is_claimed_again(
    claims: DomainClaims, table: InMemoryTable, clock: FixedClock
) -> None:
    await table.write(Put(Key(CONTOSO, "claim"), '{"accountId":"acme","claimedAt":"2025-12-01T00:00:00Z"}'))
    assert not await claims.claim(CONTOSO, BETA, TENANT)
    assert await holder(claims) == ACME
    assert await claims.claim(CONTOSO, ACME, TENANT)
    assert await claims.holder(CONTOSO) == DomainClaim(account_id=ACME, tenant_id=TENANT, claimed_at=clock.now())


async def test_many_repeats_at_once_all_hold(claims: DomainClaims) -> None:
    assert set(await asyncio.gather(*(claims.claim(CONTOSO, ACME, TENANT) for _ in range(10)))) == {True}


async def test_an_abandoned_claim_is_taken_over(claims: DomainClaims, clock: FixedClock) -> None:
    claim = await abandoned(claims, clock)
    assert await claims.take_over(CONTOSO, BETA, TENANT, claim)
    assert await claims.holder(CONTOSO) == DomainClaim(account_id=BETA, tenant_id=TENANT, claimed_at=clock.now())


async def test_a_claim_is_left_alone_until_it_has_settled(claims: DomainClaims, clock: FixedClock) -> None:
    claim = await abandoned(claims, clock)
    clock.advance(-A_MOMENT)
    assert not await claims.take_over(CONTOSO, BETA, TENANT, claim)
    assert await holder(claims) == ACME


async def test_of_many_who_take_over_at_once_exactly_one_does(claims: DomainClaims, clock: FixedClock) -> None:
    claim = await abandoned(claims, clock)
    accounts = [AccountId(f"account-{number}") for number in range(20)]
    won = await asyncio.gather(*(claims.take_over(CONTOSO, account, TENANT, claim) for account in accounts))
    assert won.count(True) == 1
    assert await holder(claims) == accounts[won.index(True)]


async def test_an_account_that_comes_back_does_not_lose_what_it_had_abandoned(
    claims: DomainClaims, clock: FixedClock
) -> None:
    claim = await abandoned(claims, clock)
    assert await claims.claim(CONTOSO, ACME, TENANT)
    assert not await claims.take_over(CONTOSO, BETA, TENANT, claim)
    assert await holder(claims) == ACME


async def test_a_claim_that_is_gone_is_not_taken_over(claims: DomainClaims, clock: FixedClock) -> None:
    claim = await abandoned(claims, clock)
    await claims.release(CONTOSO, ACME, clock.now())
    assert not await claims.take_over(CONTOSO, BETA, TENANT, claim)


async def test_only_the_holder_releases_and_may_repeat_it(claims: DomainClaims, clock: FixedClock) -> None:
    await claims.claim(CONTOSO, ACME, TENANT)
    await claims.release(CONTOSO, BETA, clock.now())
    assert await holder(claims) == ACME
    for _ in range(2):
        await claims.release(CONTOSO, ACME, clock.now())
        assert await holder(claims) is None


async def test_a_claim_that_was_made_anew_outlives_the_release_of_the_one_before(
    claims: DomainClaims, clock: FixedClock
) -> None:
    await claims.claim(CONTOSO, ACME, TENANT)
    undone = clock.now()
    clock.advance(A_MOMENT)
    await claims.claim(CONTOSO, ACME, TENANT)
    await claims.release(CONTOSO, ACME, undone)
    assert await holder(claims) == ACME

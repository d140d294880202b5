"""How often a step of a sign-in waits for the store: calls that do not depend on each other are made at once."""

import asyncio
from dataclasses import replace

import pytest

from shared.provider.authorization_response import RedirectToEntra
from tests.support.fakes import InMemoryTable
from tests.unit.provider.walk import answer_to, back, code_in, left, redeemed, signed_in
from tests.unit.provider.world import STALENESS, Provider

IDLE = 20
"""Turns of the event loop in which no call begins: whoever has not begun one by then waits for an answer."""


class Rounds:
    """Answers no call until every other one that does not wait for it has begun. `sizes` has their number, by round."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._answered: asyncio.Event | None = None

    async def hold(self) -> None:
        """Be one call of a round."""
        if self._answered is None:
            self._answered = asyncio.Event()
            self._releasing = asyncio.create_task(self._release())
            self.sizes.append(0)
        self.sizes[-1] += 1
        await self._answered.wait()

    async def _release(self) -> None:
        begun = 0
        while begun != self.sizes[-1]:
            begun = self.sizes[-1]
            for _ in range(IDLE):
                await asyncio.sleep(0)
        answered, self._answered = self._answered, None
        assert answered is not None
        answered.set()


class SlowTable(InMemoryTable):
    """A table that answers round by round."""

    def __init__(self, rounds: Rounds) -> None:
        super().__init__()
        self._rounds = rounds

    async def _travel(self) -> None:
        await self._rounds.hold()
        await super()._travel()


@pytest.fixture
def rounds() -> Rounds:
    return Rounds()


@pytest.fixture
async def provider(rounds: Rounds) -> Provider:
    """An instance that has just signed somebody in, so that everything is cached."""
    tables = {f"{name}_table": SlowTable(rounds) for name in ("accounts", "domains", "flows", "duties")}
    provider = Provider(remembers=True, applications=SlowTable(rounds), **tables)
    await provider.switch_on()
    await provider.add()
    await redeemed(provider, await signed_in(provider))
    rounds.sizes.clear()
    return provider


@pytest.fixture
async def other(provider: Provider, rounds: Rounds) -> Provider:
    """Another instance on the same store, which has signed somebody in, too."""
    other = replace(provider)
    await redeemed(other, await signed_in(other))
    rounds.sizes.clear()
    return other


async def completed(provider: Provider, away: RedirectToEntra, rounds: Rounds) -> tuple[str, list[int]]:
    """The code of a sign-in, and the calls of each round in which it was completed."""
    answer = answer_to(provider, away)
    rounds.sizes.clear()
    return code_in(await back(provider, away, answer)), [*rounds.sizes]


async def test_a_warm_sign_in_waits_for_the_store_four_times(provider: Provider, rounds: Rounds) -> None:
    """Once to begin, for the state; twice to complete; once to redeem."""
    away = await left(provider)
    assert rounds.sizes == [1]
    handle, sizes = await completed(provider, away, rounds)
    assert sizes == [len(["the state is answered", "account", "link"]), len(["session and code"])]
    rounds.sizes.clear()
    await redeemed(provider, handle)
    assert rounds.sizes == [1]


async def test_another_instance_completes_it_in_three_rounds(
    provider: Provider, other: Provider, rounds: Rounds
) -> None:
    handle, sizes = await completed(other, await left(provider), rounds)
    assert sizes == [len(["the state"]), 3, 1]
    rounds.sizes.clear()
    await redeemed(provider, handle)
    assert rounds.sizes == [len(["the code"]), len(["the code is taken"])]


async def test_a_sign_in_for_which_nothing_is_cached_waits_no_longer(
    provider: Provider, other: Provider, rounds: Rounds
) -> None:
    """What is decided once more reads the claim and the application, and meanwhile its account, too."""
    for instance, before in ((provider, 0), (other, len(["the state"])), (replace(provider), len(["the state"]))):
        away = await left(provider)
        provider.clock.advance(STALENESS)
        _, sizes = await completed(instance, away, rounds)
        assert len(sizes) == before + 2

"""Every operation, disturbed at each of its storage calls: nothing is half made, and trying again goes on.

For each operation, each of its calls and each disturbance it is played in a world of its own, and what can be seen
afterwards is held against the same operation undisturbed. Of two operations at once one comes after the other.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product

import pytest

from shared.connection.consent_steps import NotConnected
from shared.kernel.refusals import FlowSpent, Refusal, Stale, Unavailable
from tests.support.disturbances import Disturbance
from tests.support.operations import OF_AN_APPLICATION, OF_THE_ACCOUNT, Case, Step, World, registered

CASES = OF_THE_ACCOUNT | OF_AN_APPLICATION
PAIRS = {
    f"{name} overtaken by {other}": (cases[name], cases[other])
    for cases in (OF_THE_ACCOUNT, OF_AN_APPLICATION)
    for name, other in product(cases, cases)
}


@dataclass(frozen=True)
class Found:
    """How an operation ended, and what is seen after it."""

    refusal: Refusal | None
    seen: dict[str, object]
    trail: list[str]
    calls: int


async def played(world: World, act: Step) -> Found:
    """Perform it; its calls are disturbed as the world's script says. Only a refusal may stop it."""
    refusal = None
    try:
        outcome = await world.script.play(lambda: act(world))
        refusal = outcome.refusal if isinstance(outcome, NotConnected) else None
    except Refusal as stopped:
        refusal = stopped
    calls = world.script.made
    return Found(refusal, await world.seen(), await world.trail(), calls)


async def undisturbed(*steps: Step) -> Found:
    """What is found after the last of these steps, each of which may be refused."""
    world = World()
    found = [await played(world, step) for step in steps]
    return found[-1]


@pytest.mark.parametrize("how", [Disturbance.NOT_MADE, Disturbance.LOST, Disturbance.REPEATED], ids=str.lower)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_nothing_is_half_made_and_trying_again_goes_on(case: Case, how: Disturbance) -> None:
    before, after = await undisturbed(case.before), await undisturbed(case.before, case.act)
    ends = [before.seen, after.seen]
    if case.given_up is not None:
        ends.append((await undisturbed(case.before, case.given_up)).seen)
    for k in range(1, after.calls + 1):
        world = World()
        await case.before(world)
        world.script.disturb(k, how)
        found = await played(world, case.act)
        assert found.seen in ends, f"call {k}: half made"
        assert await world.routes_only_what_it_holds(), f"call {k}"
        if found.refusal is None:
            assert (found.seen, found.trail) == (after.seen, after.trail), f"call {k}: done, and on record once"
            continue
        assert isinstance(found.refusal, told_of(case, how)), f"call {k}: {found.refusal!r}"
        world.script.disturb(0, None)
        if case.spends:
            await case.before(world)
        assert (await played(world, case.act)).seen == after.seen, f"call {k}: and again"


def told_of(case: Case, how: Disturbance) -> type[Refusal] | tuple[()]:
    """What a caller may hear, and has to begin again or to read anew."""
    if how is not Disturbance.REPEATED:
        return Unavailable
    return FlowSpent if case.spends else ()


@pytest.mark.parametrize(("case", "overtaking"), PAIRS.values(), ids=PAIRS)
async def test_of_two_at_once_one_comes_after_the_other(case: Case, overtaking: Case) -> None:
    after, before = (
        await undisturbed(case.before, overtaking.act, case.act),
        await undisturbed(case.before, case.act, overtaking.act),
    )
    ends = [(after.seen, after.trail), (before.seen, before.trail)]
    alone, fresh = await undisturbed(case.before, overtaking.act), await undisturbed(registered)
    for k in range(1, (await undisturbed(case.before, case.act)).calls + 1):
        world = World()
        await case.before(world)
        world.script.disturb(k, Disturbance.OVERTAKEN, partial(refused_or_not, world, overtaking.act))
        found = await played(world, case.act)
        if found.refusal is None:
            assert (found.seen, found.trail) in ends, f"call {k}"
        else:
            assert isinstance(found.refusal, (Stale, type(after.refusal))), f"call {k}: {found.refusal!r}"
            assert (found.seen, found.trail) in [*ends, (alone.seen, alone.trail)], f"call {k}: {found.refusal!r}"
        assert await world.routes_only_what_it_holds(), f"call {k}"
        if found.seen["account"] is None and case in OF_THE_ACCOUNT.values():
            anew = await played(world, registered)
            assert (anew.seen, anew.trail) == (fresh.seen, fresh.trail), f"call {k}: nothing is inherited"


async def refused_or_not(world: World, act: Step) -> None:
    with suppress(Refusal):
        await act(world)

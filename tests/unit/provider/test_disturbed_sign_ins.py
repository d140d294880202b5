"""Every operation of the provider, of the purge and of the duties, disturbed at each of its storage calls.

The k-th call does not arrive, its answer is lost, or the SDK repeats it, for every k. Afterwards:
    1. It is done as if undisturbed; or it is refused as `Unavailable`, and what is done then ends as if undisturbed.
    2. What is good once stays good, or has served its purpose: nothing is used up for nobody.
"""

import pytest

from shared.applications.application import AuthMethod
from shared.kernel.refusals import Refusal, Unavailable
from tests.support.disturbances import Disturbance
from tests.unit.provider.operations import CASES, Case, World, played, seen
from tests.unit.provider.world import OLGA, UNITE, WHATEVER_STANDS, sent


@pytest.mark.parametrize("how", [Disturbance.NOT_MADE, Disturbance.LOST, Disturbance.REPEATED], ids=str.lower)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_nothing_is_used_up_for_nobody_and_trying_again_ends_well(case: Case, how: Disturbance) -> None:
    ideal = World()
    await case.before(ideal)
    assert isinstance(await played(ideal, case.act), case.result)
    calls = ideal.script.made
    if case.at_last is not None:
        await case.at_last(ideal)
    after = await seen(ideal)
    assert calls > 0
    for k in range(1, calls + 1):
        world = World()
        await case.before(world)
        world.script.disturb(k, how)
        result = await played(world, case.act)
        world.script.disturb(0, None)
        if isinstance(result, Refusal):
            assert isinstance(result, Unavailable), f"call {k}: {result!r}"
            assert how is not Disturbance.REPEATED, f"call {k}"
            result = await played(world, case.anew)
            assert not isinstance(result, Refusal), f"call {k}, and again: {result!r}"
        else:
            assert isinstance(result, case.result), f"call {k}: {result!r}"
        if case.at_last is not None:
            await case.at_last(world)
        assert await seen(world) == after, f"call {k}"


async def test_a_secret_is_never_dead_with_its_successor_unseen() -> None:
    """Whoever hears of no new secret still has the old one."""
    for how in (Disturbance.NOT_MADE, Disturbance.LOST, Disturbance.REPEATED):
        for k in range(1, 4):
            world = World()
            await world.add(token_endpoint_auth_method=AuthMethod.CLIENT_SECRET_POST)
            secret = await world.register.renew_secret(OLGA, UNITE, WHATEVER_STANDS)
            world.script.disturb(k, how)
            found = await played(world, lambda world: world.register.renew_secret(OLGA, UNITE, WHATEVER_STANDS))
            valid = secret if isinstance(found, Refusal) else found
            world.script.disturb(0, None)
            assert await world.clients.authenticate(None, sent(client_id="unite", client_secret=valid)), (k, how)

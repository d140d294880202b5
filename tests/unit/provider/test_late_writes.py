"""The store gets a write a second time, long after it has answered it: nothing that is good once is good again.

A request can take a way that is slower than its sender's patience, who sends it again and goes on. So every write of
every operation is done once more, under its own condition, when other things have happened since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from shared.kernel.refusals import FlowSpent, Refusal
from shared.policies.policy import Mode
from shared.ports.table import Key
from shared.provider.errors import InvalidClientError, OAuthError
from shared.provider.family import SessionOfFamily
from shared.provider.refresh_token import family_key
from tests.support.disturbances import Disturbance
from tests.unit.provider.operations import (
    CASES,
    Case,
    Step,
    World,
    at_microsoft,
    authenticate,
    come_back,
    open_pushed,
    played,
    redeem,
    redeem_for_refresh_tokens,
    renew,
    revoke,
    seen,
    sign_out,
    sign_out_at_microsoft,
    with_a_code,
    with_a_code_for_refresh_tokens,
    with_a_pushed_request,
    with_a_refresh_token,
    with_an_assertion,
    without_sso,
)
from tests.unit.provider.walk import rows
from tests.unit.provider.world import ACME


async def written(world: World) -> Mapping[Key, str]:
    """What is in the store; but not duties, whose work is safe to repeat, nor a name of a family that has ended."""
    living = {row.key for row in await rows(world, "family:")}
    named = {row.key: SessionOfFamily.read(row) for row in await rows(world, "family-of:")}
    of_nobody = {key for key, each in named.items() if family_key(each.month, each.family) not in living}
    found = [*await rows(world), *await world.accounts_table.under(ACME, "")]
    return {row.key: row.document for row in found if row.key not in of_nobody}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_what_is_written_once_more_after_an_operation_changes_nothing(case: Case) -> None:
    world = World()
    await case.before(world)
    assert not isinstance(await played(world, case.act), Refusal)
    before = await written(world)
    await world.script.repeat_late()
    await world.flows.purge()  # what it had removed has expired
    assert await written(world) == before


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_what_is_written_once_more_in_the_middle_of_an_operation_changes_nothing(case: Case) -> None:
    """Before each of its calls: what came before it, and its own calls until then."""
    ideal = World()
    await case.before(ideal)
    await played(ideal, case.act)
    calls, after = ideal.script.made, await seen_in_the_end(ideal, case)
    for k in range(1, calls + 1):
        world = World()
        await case.before(world)
        world.script.disturb(k, Disturbance.OVERTAKEN, world.script.repeat_late)
        assert isinstance(await played(world, case.act), case.result), f"call {k}"
        world.script.disturb(0, None)
        assert await seen_in_the_end(world, case) == after, f"call {k}"


async def seen_in_the_end(world: World, case: Case) -> dict[str, object]:
    if case.at_last is not None:
        await case.at_last(world)
    await world.flows.purge()
    return {**await seen(world), "names of families": "of those that have ended, too"}


@dataclass(frozen=True)
class Use:
    """Something that is good once: what comes before, how it is used, and how it is refused the second time."""

    before: Step
    use: Step
    again: Step
    refused: type[Refusal]


async def renew_the_first(world: World) -> object:
    """The token before the last one, when it no longer gives the same one again."""
    world.clock.advance(timedelta(seconds=31))
    return await renew(world)


async def come_back_late(world: World) -> object:
    """When the same answer no longer begins the sign-in again."""
    world.clock.advance(timedelta(seconds=31))
    return await come_back(world)


async def renew_with_sso_again(world: World) -> object:
    await world.set_policy(Mode.ON)
    world.clock.advance(timedelta(seconds=11))
    return await renew(world)


USES = {
    "a state": Use(at_microsoft, come_back, come_back_late, FlowSpent),
    "a code": Use(with_a_code, redeem, redeem, OAuthError),
    "a code for refresh tokens": Use(with_a_code_for_refresh_tokens, redeem_for_refresh_tokens, redeem, OAuthError),
    "a refresh token": Use(with_a_refresh_token, renew, renew_the_first, OAuthError),
    "a family that was revoked": Use(with_a_refresh_token, revoke, renew, OAuthError),
    "a family whose session has ended": Use(with_a_refresh_token, sign_out, renew, OAuthError),
    "a family that SSO no longer applies to": Use(without_sso, renew, renew_with_sso_again, OAuthError),
    "a session": Use(with_a_code_for_refresh_tokens, sign_out_at_microsoft, redeem, OAuthError),
    "a request that was pushed": Use(with_a_pushed_request, open_pushed, open_pushed, FlowSpent),
    "an assertion": Use(with_an_assertion, authenticate, authenticate, InvalidClientError),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_what_was_used_once_is_refused_whatever_is_written_once_more(use: Use) -> None:
    world = World()
    await use.before(world)
    await played(world, use.use)
    await world.script.repeat_late()
    world.__post_init__()  # another instance, which has no copies
    assert isinstance(await played(world, use.again), use.refused)

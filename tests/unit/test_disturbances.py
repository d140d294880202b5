"""Every operation, disturbed at each of its storage calls: nothing is half made, and trying again goes on.

Each operation is played once for each of its calls and each disturbance, in a world of its own. What can be seen
afterwards is compared with the same operations undisturbed. The invariants:

A call fails, its answer is lost, or it is repeated:
    1. What is seen is as before or as after the operation, or as after the refusal that ends an integration.
    2. If it succeeds, it is done, and on record once.
    3. If it is refused, the reason is the disturbance, and the same operation again ends as if undisturbed.
    4. Once an operation is done, a domain claim that cannot be released does not refuse it. Only closing an account
       waits for its claims, and then no row of the account is left.

Another operation comes in between:
    5. Outcome, records and refusal are those of one of the two orders; or the operation is refused, and only the other
       one has happened.
    6. An operation that names no version is never refused as `Stale`.
    7. A closed account leaves nothing to the next one of its id, and at most its own rows from a late writer.

The store gets a write a second time, after the operation, or after what follows it:
    8. Nothing changes.

Two accounts compete for a domain:
    9. Only the account for which resolve answers sees the domain routed. In one tenant it stays the first account's.
   10. Another account's operation stops nobody, unless it changes the list of the one that it overtakes.
   11. What is seen is the result of one of the two orders; or nobody has the domain until the accounts read anew.
   12. After a disturbed call resolve answers as before, as after or for nobody, and as after once it is tried again.
       A list may be out of date here: resolve decides.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product

import pytest

from shared.connection.connection import Connection, ConnectionStarted
from shared.connection.consent_steps import NotConnected, Waiting
from shared.domains.domain_claims import SETTLING_TIME
from shared.kernel.refusals import FlowSpent, Refusal, Stale, Unavailable
from shared.ports.table import Key, Put
from shared.users.people import PREFIX as MARKS
from shared.users.user_key import UserKey
from tests.support.disturbances import Disturbance
from tests.support.fakes import PromptTable
from tests.support.operations import (
    ACME,
    ALICE,
    MEET_SETUP_LINKS,
    OF_AN_APPLICATION,
    OF_SETUP_LINKS,
    OF_THE_ACCOUNT,
    OF_THE_PORTAL,
    OVERTAKING,
    SAM,
    Case,
    Step,
    World,
    empty_tables,
    nothing,
    registered,
)
from tests.support.rivals import ALONE, BETA, CONTESTS, Contest, Rivalry, RivalStep, refresh

CASES = OF_THE_ACCOUNT | OF_SETUP_LINKS | OF_THE_PORTAL | OF_AN_APPLICATION
MEETING = {name: OF_THE_ACCOUNT[name] for name in MEET_SETUP_LINKS}
CLOSING = {"close": OF_THE_ACCOUNT["close"]}
PAIRS = {
    f"{name} overtaken by {other}": (cases[name], others[other])
    for cases, others in (
        (OF_THE_ACCOUNT, {name: case.act for name, case in OF_THE_ACCOUNT.items()} | OVERTAKING),
        (OF_SETUP_LINKS, {name: case.act for name, case in (OF_SETUP_LINKS | MEETING).items()}),
        (MEETING, {name: case.act for name, case in OF_SETUP_LINKS.items()}),
        (OF_THE_PORTAL, {name: case.act for name, case in (OF_THE_PORTAL | CLOSING).items()}),
        (CLOSING, {name: case.act for name, case in OF_THE_PORTAL.items()}),
        (OF_AN_APPLICATION, {name: case.act for name, case in OF_AN_APPLICATION.items()}),
    )
    for name, other in product(cases, others)
}

type Act[W] = Callable[[W], Awaitable[object]]


@dataclass(frozen=True)
class Found:
    """How an operation ended, and what is seen after it."""

    refusal: Refusal | None
    seen: dict[str, object]
    trail: list[str]
    answers: list[object]
    """Of each of its calls."""

    @property
    def calls(self) -> int:
        return len(self.answers)


async def played[W: World](world: W, act: Act[W]) -> Found:
    """Perform it; its calls are disturbed as the world's script says. Only a refusal may stop it."""
    refusal = None
    try:
        outcome = await world.script.play(lambda: act(world))
        refusal = outcome.refusal if isinstance(outcome, NotConnected | Waiting) else None
    except Refusal as stopped:
        refusal = stopped
    answers = world.script.answers
    return Found(refusal, await world.seen(), await world.trail(), answers)


PREPARED: dict[Step | RivalStep, World] = {}
FOUND: dict[tuple[Step | RivalStep, ...], Found] = {}


async def prepared[W: World](kind: type[W], before: Act[W]) -> W:
    """A world in which this has happened. It happens once, and each caller gets a copy."""
    if before not in PREPARED:
        PREPARED[before] = world = kind(tables=empty_tables(PromptTable))
        await before(world)
    return PREPARED[before].copy()


async def undisturbed[W: World](*steps: Act[W], kind: type[W] = World) -> Found:
    """What is found after the last of these steps, of which all but the first may be refused."""
    if steps not in FOUND:
        before, *others = steps
        world = await prepared(kind, before)
        *earlier, last = others or [nothing]
        for step in earlier:
            await refused_or_not(world, step)
        FOUND[steps] = await played(world, last)
    return FOUND[steps]


@pytest.mark.parametrize("how", [Disturbance.NOT_MADE, Disturbance.LOST, Disturbance.REPEATED], ids=str.lower)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_nothing_is_half_made_and_trying_again_goes_on(case: Case, how: Disturbance) -> None:
    before, after = await undisturbed(case.before), await undisturbed(case.before, case.act)
    ends = [before.seen, after.seen]
    if case.given_up is not None:
        ends.append((await undisturbed(case.before, case.given_up)).seen)
    for k in range(1, after.calls + 1):
        world = await prepared(World, case.before)
        world.script.disturb(k, how)
        found = await played(world, case.act)
        assert found.seen in ends, f"call {k}: half made"
        assert await world.routes_only_what_it_holds(), f"call {k}"
        at_claims = how is Disturbance.NOT_MADE and world.script.reached is world.tables["domains"]
        if found.refusal is not None and at_claims and not case.until_released:
            assert found.seen != after.seen, f"call {k}: done, and refused"
        if found.refusal is None:
            assert (found.seen, found.trail) == (after.seen, after.trail), f"call {k}: done, and on record once"
            continue
        assert isinstance(found.refusal, told_of(case, how)), f"call {k}: {found.refusal!r}"
        world.script.disturb(0, None)
        if case.spends:
            await case.before(world)
        again = await played(world, case.act)
        assert again.seen == after.seen, f"call {k}: and again"
        assert again.seen["account"] is not None or not await world.rows(), f"call {k}: nothing is left"


def told_of(case: Case, how: Disturbance) -> type[Refusal] | tuple[()]:
    """What a caller may hear, and has to begin again or to read anew."""
    if how is not Disturbance.REPEATED:
        return Unavailable
    return FlowSpent if case.spends else ()


@pytest.mark.parametrize(("case", "overtaking"), PAIRS.values(), ids=PAIRS)
async def test_of_two_at_once_one_comes_after_the_other(case: Case, overtaking: Step) -> None:
    after, before = (
        await undisturbed(case.before, overtaking, case.act),
        await undisturbed(case.before, case.act, overtaking),
    )
    first = await undisturbed(case.before, case.act)
    given_up = [] if case.given_up is None else [await undisturbed(case.before, overtaking, case.given_up)]
    stopped = [(each.seen, each.trail) for each in (await undisturbed(case.before, overtaking), *given_up)]
    allowed = (type(after.refusal),) if case.persists else (type(after.refusal), Stale)
    done = [(each.seen, each.trail) for each, how in ((after, after), (before, first)) if how.refusal is None]
    ends, fresh = [(after.seen, after.trail), (before.seen, before.trail)], await undisturbed(registered)
    async for k, world, found in overtaken(first, World, case.before, case.act, overtaking):
        if found.refusal is None:
            assert (found.seen, found.trail) in done, f"call {k}"
        else:
            assert isinstance(found.refusal, allowed), f"call {k}: {found.refusal!r}"
            assert (found.seen, found.trail) in [*ends, *stopped], f"call {k}: {found.refusal!r}"
        assert await world.routes_only_what_it_holds(), f"call {k}"
        if found.seen["account"] is None and case not in OF_AN_APPLICATION.values():
            world.script.disturb(0, None)
            anew = await played(world, registered)
            assert (anew.seen, anew.trail) == (fresh.seen, fresh.trail), f"call {k}: nothing is inherited"


FOLLOWED = {name: pair for name, pair in PAIRS.items() if OF_THE_ACCOUNT["close"].act not in (pair[0].act, pair[1])}
"""Without the end of the account: it takes the events with it, and what is late then is a late writer's, see below."""


@pytest.mark.parametrize(("case", "following"), FOLLOWED.values(), ids=FOLLOWED)
async def test_what_is_written_once_more_late_changes_nothing(case: Case, following: Step) -> None:
    world = await prepared(World, case.before)
    for step in (nothing, case.act, following):
        await refused_or_not(world, step)
        before, seen = await documents(world), await world.seen()
        await world.script.repeat_late()
        assert await documents(world) == before
        assert await world.seen() == seen


async def documents(world: World) -> dict[str, dict[Key, str]]:
    """Every row; but no duties, no claims, which count beside the list of the account, and no marks of links."""
    tables = {name: world.tables[name] for name in ("accounts", "applications", "flows")}
    return {
        name: {
            row.key: row.document
            async for row in table.partitions_before("\uffff")
            if not row.key.row.startswith(MARKS)
        }
        for name, table in tables.items()
    }


async def overtaken[W: World](
    alone: Found, kind: type[W], before: Act[W], act: Act[W], other: Act[W]
) -> AsyncIterator[tuple[int, W, Found]]:
    """Play an operation, overtaken by another one before each of its calls."""
    for k in range(1, alone.calls + 1):
        world = await prepared(kind, before)

        async def overtake(world: W = world) -> None:
            await refused_or_not(world, other)

        world.script.disturb(k, Disturbance.OVERTAKEN, overtake)
        found = await played(world, act)
        yield k, world, found


async def refused_or_not[W: World](world: W, act: Act[W]) -> None:
    with suppress(Refusal):
        await act(world)


contested = partial(undisturbed, kind=Rivalry)
"""What two accounts find after the last of these steps."""


@pytest.mark.parametrize("contest", CONTESTS.values(), ids=CONTESTS)
async def test_of_two_accounts_at_once_one_has_the_domain(contest: Contest) -> None:
    ends = [
        (await contested(contest.before, contest.rival, contest.act)).seen,
        (await contested(contest.before, contest.act, contest.rival)).seen,
    ]
    alone = (await contested(contest.before, contest.rival)).seen
    first = await contested(contest.before, contest.act)
    async for k, world, found in overtaken(first, Rivalry, contest.before, contest.act, contest.rival):
        await must_be_one_s(world, contest, f"call {k}")
        if found.refusal is not None:
            assert contest.may_be_stale, f"call {k}: another account stops nobody: {found.refusal!r}"
            assert (isinstance(found.refusal, Stale), found.seen) == (True, alone), f"call {k}: {found.refusal!r}"
        elif found.seen not in ends:
            assert found.seen["resolved"] is None, f"call {k}: nobody's is the only other end, until they read anew"
            assert (await read_anew(world)) in ends, f"call {k}"


@pytest.mark.parametrize("how", [Disturbance.NOT_MADE, Disturbance.LOST, Disturbance.REPEATED], ids=str.lower)
@pytest.mark.parametrize("contest", ALONE.values(), ids=ALONE)
async def test_a_disturbed_operation_leaves_the_domain_to_one_account(contest: Contest, how: Disturbance) -> None:
    before, after = await contested(contest.before), await contested(contest.before, contest.act)
    for k in range(1, after.calls + 1):
        world = await prepared(Rivalry, contest.before)
        world.script.disturb(k, how)
        found = await played(world, contest.act)
        assert found.seen["resolved"] in {before.seen["resolved"], after.seen["resolved"], None}, f"call {k}"
        if how is Disturbance.REPEATED and found.refusal is None:
            assert found.seen == after.seen, f"call {k}"
        world.script.disturb(0, None)
        again = found if found.refusal is None else await played(world, contest.act)
        assert again.seen["resolved"] == after.seen["resolved"], f"call {k}: and again"


async def must_be_one_s(world: Rivalry, contest: Contest, call: str) -> None:
    """Nobody but the account for which resolve answers sees the domain routed."""
    resolved = await world.resolved()
    assert await world.listed() <= {resolved}, call
    assert not contest.acme_keeps_it or resolved == ACME, call


async def read_anew(world: Rivalry) -> dict[str, object]:
    """What is seen once claims have settled and each account has read its tenant again."""
    world.clock.advance(SETTLING_TIME)
    for account_id in (ACME, BETA):
        await refused_or_not(world, refresh(account_id))
    return await world.seen()


@pytest.mark.parametrize(
    "late_write",
    [Put(Key(ACME, f"exception:{UserKey.of(ACME, ALICE)}"), "{}"), Put(Connection.key(ACME), Connection().document())],
    ids=["exception", "head"],
)
async def test_a_late_writer_leaves_at_most_its_own_rows_of_a_closed_account(late_write: Put) -> None:
    """It has read the account before it was closed, and writes at any moment of it."""
    case = OF_THE_ACCOUNT["close"]
    for k in range(1, (await undisturbed(case.before, case.act)).calls + 1):
        world = await prepared(World, case.before)
        late: set[Key] = set()

        async def write_late(world: World = world, late: set[Key] = late) -> None:
            before = {*await world.rows()}
            await world.journal.commit(ACME, SAM.actor, ConnectionStarted(), late_write)
            late |= {row.key for row in {*await world.rows()} - before}

        world.script.disturb(k, Disturbance.OVERTAKEN, write_late)
        found = await played(world, case.act)
        assert found.refusal is None or isinstance(found.refusal, Stale), f"call {k}: {found.refusal!r}"
        if found.refusal is None:
            assert {row.key for row in await world.rows()} <= late, f"call {k}"

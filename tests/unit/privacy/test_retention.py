"""What was kept for long enough goes, with whom no event names any more; what is in use stays."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from shared.duties.kinds import Outcome
from shared.ports.table import Insert, Key, Replace
from shared.privacy.limits import FOR_EVER, Limits
from shared.privacy.retention import RetentionRun
from shared.users.link import Link, link_key
from shared.users.user_key import UserKey
from tests.support.disturbances import Disturbance
from tests.support.operations import (
    ACME,
    ALICE,
    ANY,
    OPERATOR,
    SAM,
    UNITE,
    World,
    admit_alice,
    connected,
    except_alice,
    with_application,
)

DAY = timedelta(days=1)
MONTH = 30 * DAY
BOTH = Limits(trail=MONTH, unused_links=MONTH)


async def kept(world: World, limits: Limits) -> None:
    """A day's run."""
    retention = replace(world.retention, limits=limits)
    assert await retention.run(RetentionRun()) is Outcome.AGAIN


async def actions(world: World) -> list[str]:
    return [record.action for record in (await world.journal.page(SAM, 100, None))[0]]


async def families(world: World) -> set[str]:
    return {row.key.row.partition(":")[0] for row in await world.rows()}


@pytest.fixture
async def world() -> World:
    made = World()
    await connected(made)
    return made


async def test_old_events_go_and_whom_they_named_unless_a_newer_one_names_them(world: World) -> None:
    await except_alice(world)
    await world.exemptions.remove(SAM, UserKey.of(ACME, ALICE), ANY)
    world.clock.advance(MONTH + DAY)
    await world.disconnection.disconnect(SAM, ANY)
    await kept(world, BOTH)
    assert await actions(world) == ["connection.disconnected"]
    (record,) = (await world.journal.page(SAM, 10, None))[0]
    assert record.actor.name == "Sam Security", "he acts still"
    persons = [row for row in await world.rows() if row.key.row.startswith(("person:", "known:"))]
    assert len(persons) == 2, "nobody else is known"
    world.clock.advance(MONTH + DAY)
    await kept(world, BOTH)
    assert await families(world) == {"head"}


async def test_without_a_limit_everything_stays(world: World) -> None:
    await admit_alice(world)
    rows = await world.rows()
    world.clock.advance(100 * MONTH)
    await kept(world, FOR_EVER)
    assert await world.rows() == rows


async def test_each_limit_is_its_own(world: World) -> None:
    await admit_alice(world)
    events = len(await actions(world))
    world.clock.advance(2 * MONTH)
    await kept(world, Limits(unused_links=MONTH))
    assert (await actions(world))[0] == "link.expired"
    assert len(await actions(world)) == events + 1
    await kept(world, Limits(trail=MONTH))
    assert await actions(world) == ["link.expired"]


async def test_a_link_goes_when_nobody_has_used_it_and_the_next_sign_in_makes_another(world: World) -> None:
    await admit_alice(world)
    for _ in range(3):
        world.clock.advance(MONTH - DAY)
        await admit_alice(world)
        await kept(world, BOTH)
    key = link_key(ACME, UserKey.of(ACME, ALICE))
    assert await world.tables["accounts"].get(key) is not None, "it is used every month"
    world.clock.advance(MONTH + 2 * DAY)
    await kept(world, BOTH)
    assert await world.tables["accounts"].get(key) is None
    assert "identity" not in await families(world)
    (record, *_) = (await world.journal.page(SAM, 10, None))[0]
    assert (record.action, record.actor.role, record.details["email"]) == ("link.expired", "Service", ALICE.address)
    world.clock.advance(timedelta(seconds=1))
    await admit_alice(world)
    assert (await actions(world))[0] == "link.made"


async def test_a_use_is_stored_once_a_day_and_a_sign_in_goes_on_without(world: World) -> None:
    await admit_alice(world)
    key = link_key(ACME, UserKey.of(ACME, ALICE))
    first = await world.tables["accounts"].get(key)
    await admit_alice(world)
    assert await world.tables["accounts"].get(key) == first
    world.clock.advance(DAY)
    world.script.disturb(3, Disturbance.NOT_MADE)
    await world.script.play(partial(admit_alice, world))
    assert await world.tables["accounts"].get(key) == first
    await admit_alice(world)
    link = Link.read(await world.tables["accounts"].get(key))
    assert link.last_used_at == world.clock.now().replace(hour=0, minute=0)


async def test_a_link_of_before_begins_to_count_when_it_is_seen(world: World) -> None:
    await admit_alice(world)
    key = link_key(ACME, UserKey.of(ACME, ALICE))
    row = await world.tables["accounts"].get(key)
    older = Link.read(row).model_copy(update={"last_used_at": None})
    await world.tables["accounts"].write(Replace(row, older.document()))
    world.clock.advance(10 * MONTH)
    await kept(world, BOTH)
    assert await world.tables["accounts"].get(key) is not None
    world.clock.advance(MONTH + 2 * DAY)
    await kept(world, BOTH)
    assert await world.tables["accounts"].get(key) is None


async def test_applications_have_trails_and_persons_of_their_own(world: World) -> None:
    await with_application(world)
    world.clock.advance(MONTH + DAY)
    await kept(world, BOTH)
    assert (await world.applications.page(OPERATOR, UNITE, 10, None))[0] == ()
    assert len(await world.applications.trail_rows()) == 0
    assert [each.client_id for each in await world.applications.all(OPERATOR)] == [UNITE]


async def test_a_run_that_was_cut_short_or_overtaken_is_finished_by_the_next() -> None:
    calls, k = 99, 0
    while (k := k + 1) <= calls:
        for how in (Disturbance.REPEATED, Disturbance.OVERTAKEN):
            world = World()
            await connected(world)
            await admit_alice(world)
            await except_alice(world)
            world.clock.advance(MONTH + 2 * DAY)
            world.script.disturb(k, how, partial(kept, world, BOTH))
            await world.script.play(partial(kept, world, BOTH))
            calls = max(calls if calls < 99 else 0, world.script.made)
            assert await families(world) <= {"head", "exception", "audit", "person", "known"}, f"call {k}"
            assert await actions(world) == ["link.expired"], f"call {k}"


async def test_who_is_named_at_the_same_moment_stays_known(world: World) -> None:
    """The exception is removed, which names Alice, at each call of a run that would forget her."""
    calls, k = 99, 0
    while (k := k + 1) <= calls:
        world = World()
        await connected(world)
        await except_alice(world)
        world.clock.advance(MONTH + 2 * DAY)

        async def remove(world: World = world) -> None:
            await world.exemptions.remove(SAM, UserKey.of(ACME, ALICE), ANY)

        world.script.disturb(k, Disturbance.OVERTAKEN, remove)
        await world.script.play(partial(kept, world, BOTH))
        calls = world.script.made
        (record,) = (await world.journal.page(SAM, 10, None))[0]
        assert record.details["email"] == ALICE.address, f"call {k}"


async def test_a_closed_account_is_left_to_its_own_erasure(world: World) -> None:
    await admit_alice(world)
    (row,) = [row for row in await world.rows() if row.key.row == "head:account"]
    closing = row.document.replace('"closing":false', '"closing":true')
    await world.tables["accounts"].write(Replace(row, closing))
    world.clock.advance(2 * MONTH)
    await kept(world, Limits(unused_links=MONTH))
    assert "link" in await families(world)


async def test_many_rows_go_in_parts(world: World) -> None:
    """More than are held at once, so that a store of millions needs no memory for them."""
    await except_alice(world)
    (row,) = [row for row in await world.rows() if row.key.row.startswith("audit:") and "exception" in row.document]
    for start in range(0, 5_100, 100):
        copies = [Insert(Key(ACME, f"{row.key.row}{number}"), row.document) for number in range(start, start + 100)]
        await world.tables["accounts"].write(*copies)
    world.clock.advance(MONTH + DAY)
    await kept(world, BOTH)
    assert await families(world) == {"head", "exception"}

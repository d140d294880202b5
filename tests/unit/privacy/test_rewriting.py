"""Events of before are rewritten once, by a duty that ends, while others write events."""

import json
from datetime import timedelta
from pathlib import Path

from shared.accounts.register import Profile
from shared.duties.kinds import Outcome
from shared.ports.table import Insert, Key
from shared.privacy.rewriting import TrailRewriting
from shared.users.user_key import UserKey
from tests.support.disturbances import Disturbance
from tests.support.operations import ACME, ALICE, OPERATOR, SAM, UNITE, World, registered, with_application

ROWS = json.loads((Path(__file__).parents[1] / "trail" / "rows_of_november_2026.json").read_text(encoding="utf-8"))
for row in ROWS:
    row["details"] |= {name: UserKey.of(ACME, ALICE) for name in ("exceptionId", "linkId") if name in row["details"]}
OF_AN_APPLICATION = {
    "at": "2026-11-23T19:44:31.590249Z",
    "actor": {"subject": "panel-user-olga", "name": "Olga Operator", "role": "Operator"},
    "action": "application.removed",
    "details": {},
}


async def of_before(world: World) -> None:
    """An account and an application with events of before."""
    await registered(world)
    await with_application(world)
    rows = [
        Insert(Key(ACME, f"audit:0861987026384{number:04d}-8d2f3c1a9b7e6f50"), json.dumps(row))
        for number, row in enumerate(ROWS)
    ]
    await world.tables["accounts"].write(*rows)
    await world.tables["applications"].write(
        Insert(Key("application", f"~audit:{UNITE}:08619870263847301-8d2f3c1a9b7e6f50"), json.dumps(OF_AN_APPLICATION))
    )


async def left(world: World) -> int:
    """Events that still hold persons."""
    rows = [*await world.rows(), *await world.applications.trail_rows()]
    events = [row for row in rows if "audit:" in row.key.row]
    return len([row for row in events if "byReference" not in row.document])


async def test_every_event_of_before_is_rewritten_and_the_duty_ends_a_day_later() -> None:
    world = World()
    await of_before(world)
    task = TrailRewriting(planned_at=world.clock.now())
    before = [(record.at, record.action) for record in (await world.journal.page(SAM, 100, None))[0]]
    assert await left(world) == len(ROWS) + 1
    assert await world.rewriting.rewrite(task) is Outcome.AGAIN
    assert await left(world) == 0
    assert await world.rewriting.rewrite(task) is Outcome.AGAIN, "an instance of before may still write events"
    world.clock.advance(timedelta(days=1))
    assert await world.rewriting.rewrite(task) is Outcome.DONE
    assert [(record.at, record.action) for record in (await world.journal.page(SAM, 100, None))[0]] == before


async def test_a_run_that_is_cut_short_goes_on_with_what_is_left_and_two_at_once_do_it_once() -> None:
    world = World()
    await of_before(world)
    task = TrailRewriting(planned_at=world.clock.now())
    await world.script.play(lambda: world.rewriting.rewrite(task))
    calls = world.script.made
    for k in range(1, calls + 1, 3):
        for how in (Disturbance.OVERTAKEN, Disturbance.REPEATED):
            world = World()
            await of_before(world)

            async def other(world: World = world) -> None:
                await world.rewriting.rewrite(task)

            world.script.disturb(k, how, other)
            await world.script.play(lambda world=world: world.rewriting.rewrite(task))
            assert await left(world) == 0, f"call {k}"
            rows = [row.key.row.split(":") for row in await world.rows()]
            persons = {parts[1] for parts in rows if parts[0] == "person"}
            known = [parts for parts in rows if parts[0] == "known" and len(parts) == 2]
            assert len(persons) == len(known) > 0, f"call {k}: nobody is there twice"


async def test_an_erasure_rewrites_the_events_of_its_account_first() -> None:
    world = World()
    await of_before(world)
    assert any(ALICE.address in row.document for row in await world.rows())
    erased = await world.erasure.erase(SAM, ALICE, None)
    assert len(erased.references) == 2
    assert not any(ALICE.address in row.document for row in await world.rows())


async def test_the_duties_that_nothing_else_plans_are_planned_once() -> None:
    world = World()
    await of_before(world)
    for _ in range(2):
        await world.begin()
    world.clock.advance(timedelta(minutes=1))
    assert await world.duties.run() == 2
    assert await left(world) == 0
    another = World()
    another.duties.table._rows = world.duties.table._rows
    await another.begin()
    assert len([key for key in world.duties.table._rows if key.partition != "planned"]) == 2


async def test_an_account_without_events_of_before_stays_as_it_is() -> None:
    world = World()
    await world.register.put(OPERATOR, ACME, Profile("Acme", (), None), None)
    rows = await world.rows()
    await world.rewriting.rewrite(TrailRewriting(planned_at=world.clock.now()))
    assert await world.rows() == rows

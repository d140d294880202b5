"""The portal beside its stories over HTTP: what happens at the same moment, what is left over, and who is erased."""

from datetime import timedelta
from functools import partial

import pytest

from shared.access.roles import Actor, PortalHost, PortalVisitor
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import NotAuthenticated, Refusal
from shared.portal.entry import Begun
from shared.portal.session import LIFETIME, PREFIX
from tests.support.disturbances import Disturbance
from tests.support.operations import (
    ACME,
    HOST,
    SAM,
    Step,
    World,
    begin_in_the_portal,
    in_the_portal,
    invite_to_the_portal,
    revoke_in_the_portal,
    sign_out_of_the_portal,
)

PAT = PortalHost(ACME, Actor("pat", "Pat Portal", "SecurityManager"))


@pytest.fixture
async def world() -> World:
    world = World()
    await in_the_portal(world)
    return world


async def begun(world: World, host: PortalHost = HOST) -> Begun:
    """Another session, in a browser of its own."""
    link = await world.portal.entry.invite(host, None, "SecurityManager")
    return await world.portal.entry.begin(link.ticket, "another browser")


async def sessions(world: World) -> list[str]:
    return [row.key.row for row in await world.rows() if row.key.row.startswith(PREFIX)]


async def test_sessions_that_are_long_over_are_removed_when_another_one_begins(world: World) -> None:
    await begun(world)
    world.clock.advance(2 * LIFETIME - timedelta(minutes=1))
    await begun(world)
    assert len(await sessions(world)) == 3
    world.clock.advance(timedelta(minutes=1))
    await begun(world)
    assert len(await sessions(world)) == 2


async def test_a_session_that_ends_while_it_is_used_is_refused(world: World) -> None:
    secret = (await begun(world)).secret
    world.clock.advance(timedelta(minutes=2))
    for number in (1, 2):
        again = world.copy()
        again.script.disturb(number, Disturbance.OVERTAKEN, partial(revoke_in_the_portal, again))
        with pytest.raises(NotAuthenticated):
            await again.script.play(lambda world=again: world.portal.sessions.verify(ACME, secret))
    await world.portal.sessions.verify(ACME, secret)


@pytest.mark.parametrize("end", [sign_out_of_the_portal, revoke_in_the_portal])
async def test_a_session_that_is_used_while_it_ends_has_ended(world: World, end: Step) -> None:
    for number in range(1, 6):
        again = world.copy()
        secret = (await begin_again(again)).secret
        again.clock.advance(timedelta(minutes=2))
        again.script.disturb(number, Disturbance.OVERTAKEN, partial(use, again, secret))
        await again.script.play(partial(end, again))
        assert await again.portal.sessions.list(SAM) == (), f"call {number}"


async def begin_again(world: World) -> Begun:
    """The button is pressed once more, in the same browser."""
    again = await begin_in_the_portal(world)
    assert isinstance(again, Begun)
    return again


async def use(world: World, secret: str) -> None:
    try:
        await world.portal.sessions.verify(ACME, secret)
    except Refusal:
        return


async def test_old_sessions_that_two_remove_at_once_stop_neither(world: World) -> None:
    world.clock.advance(2 * LIFETIME)
    await invite_to_the_portal(world)
    for number in range(1, 7):
        again = world.copy()
        again.script.disturb(number, Disturbance.OVERTAKEN, partial(begun, again))
        await again.script.play(partial(begin_in_the_portal, again))
        assert len(await again.portal.sessions.list(SAM)) == 2, f"call {number}"


async def test_whoever_is_erased_has_no_session_and_nobody_else_loses_theirs(world: World) -> None:
    pats = (await begun(world, PAT)).secret
    await world.erasure.erase(SAM, EmailAddress.parse("pat@vendor.example"), "pat")
    with pytest.raises(NotAuthenticated):
        await world.portal.sessions.verify(ACME, pats)
    assert [each.actor.subject for each in await world.portal.sessions.list(SAM)] == ["sam"]
    assert [row.key.row for row in await world.rows() if "Pat" in row.document] == []


async def test_signing_out_of_a_session_that_is_gone_is_no_error(world: World) -> None:
    await world.portal.sessions.sign_out(PortalVisitor(ACME, SAM.actor, "0" * 32, world.clock.now()))
    assert len(await world.portal.sessions.list(SAM)) == 1

"""Setup links beside the stories over HTTP: what they keep of people, and what fails while nobody should notice."""

from datetime import timedelta
from functools import partial

import pytest

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import read_head
from shared.connection.completion import counts, must_count
from shared.connection.consent_steps import NotConnected, ToMicrosoft
from shared.connection.setup_links import ERASED, LinkState, SetupLink, SignedIn
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import Conflict
from shared.ports.entra import Answer
from shared.ports.sign_in import VerifiedIdentity
from shared.trail.events import Person
from tests.support.disturbances import Disturbance
from tests.support.operations import (
    ACME,
    ADA,
    ALICE,
    ALICE_THERE,
    CONTOSO,
    SAM,
    Step,
    World,
    admit_alice,
    at_microsoft,
    callback,
    decline,
    offer,
    offered,
    state_of,
)

PAT = AccountAdministrator(ACME, Actor("pat", "Pat Security", "SecurityManager"))
PATS = EmailAddress.parse("pat@vendor.example")
ALICE_HERSELF = ALICE_THERE.model_copy(update={"name": "Alice Archer"})


@pytest.fixture
async def world() -> World:
    world = World()
    await offered(world)
    return world


async def newest(world: World) -> SetupLink:
    return (await world.setup.list(SAM))[0]


async def go_through(world: World, identity: VerifiedIdentity) -> object:
    """Press the button, accept at Microsoft, and prove it by signing in."""
    await at_microsoft(world)
    departure = await callback(world)
    assert isinstance(departure, ToMicrosoft)
    code = world.entra.sign_in(departure.url, identity)
    world.answer = Answer(state=state_of(departure.url), code=code), departure.binding.secret
    return await callback(world)


def signed_in(identity: VerifiedIdentity) -> SignedIn:
    return SignedIn(known_as=Person(tid=CONTOSO, oid=identity.oid).known_as, name=identity.name)


async def test_whoever_made_a_link_and_is_erased_is_named_no_more_and_their_open_link_is_revoked(world: World) -> None:
    await world.consent.start(PAT, None, None, timedelta(days=1))
    await world.setup.revoke(PAT, (await world.setup.list(SAM))[1].link_id)
    await world.erasure.erase(SAM, PATS, "pat")
    theirs, sams = await world.setup.list(SAM)
    assert (theirs.created_by.subject, theirs.revoked_at, theirs.revoked_by) == (ERASED, world.clock.now(), None)
    assert (sams.created_by, sams.revoked_by) == (SAM.actor, Actor(ERASED, None, "SecurityManager"))
    await world.erasure.erase(SAM, PATS, "sam")
    assert {each.created_by.subject for each in await world.setup.list(SAM)} == {ERASED}


async def test_whoever_signed_in_by_a_link_and_is_erased_is_named_no_more(world: World) -> None:
    """Alice was refused, since she is no administrator, and no event names her for that."""
    assert isinstance(await go_through(world, ALICE_HERSELF), NotConnected)
    assert (await newest(world)).signed_in == signed_in(ALICE_HERSELF)
    await offer(world)
    await go_through(world, ADA)
    await admit_alice(world)
    await world.erasure.erase(SAM, ALICE, None)
    assert [each.signed_in for each in await world.setup.list(SAM)] == [signed_in(ADA), None]


async def test_a_sign_in_that_failed_shows_nobody(world: World) -> None:
    await at_microsoft(world)
    departure = await callback(world)
    assert isinstance(departure, ToMicrosoft)
    answer = Answer(state=state_of(departure.url), error="access_denied")
    assert isinstance(await world.consent.callback(answer, departure.binding.secret), NotConnected)
    link = await newest(world)
    assert (link.state(world.clock.now()), link.signed_in) == (LinkState.REFUSED, None)


async def test_a_link_opens_whether_or_not_its_progress_is_kept_and_whoever_presses_again_is_refused_no_more(
    world: World,
) -> None:
    world.script.disturb(3, Disturbance.NOT_MADE)  # after the ticket and the head
    await world.script.play(lambda: world.consent.look(world.ticket))
    assert (world.script.made, (await newest(world)).opened_at) == (3, None)
    await at_microsoft(world)
    await decline(world)
    assert (await newest(world)).state(world.clock.now()) is LinkState.REFUSED
    world.clock.advance(timedelta(seconds=1))
    await at_microsoft(world)
    assert (await newest(world)).state(world.clock.now()) is LinkState.PRESSED


async def revoke_the_first(world: World) -> None:
    await world.setup.revoke(SAM, (await world.setup.list(SAM))[-1].link_id)


@pytest.mark.parametrize(
    ("act", "action"), [(decline, "connection.refused"), (revoke_the_first, "connection.link_revoked")]
)
async def test_a_link_that_is_made_at_the_same_moment_stays(world: World, act: Step, action: str) -> None:
    await at_microsoft(world)
    for number in range(1, 9):
        again = world.copy()
        again.script.disturb(number, Disturbance.OVERTAKEN, partial(offer, again))
        await again.script.play(partial(act, again))
        assert len(await again.setup.list(SAM)) == 1 + (number <= again.script.made), f"call {number}"
        assert (await again.trail()).count(action) == 1, f"call {number}"


async def test_tries_have_as_long_after_the_end_of_a_link_as_after_that_of_a_start_and_no_longer(world: World) -> None:
    head, link = await read_head(world.tables["accounts"], ACME), await newest(world)
    moment = timedelta(microseconds=1)
    assert link.until == link.expires_at + timedelta(minutes=20)
    assert [counts(head, link.link_id, at) for at in (link.until - moment, link.until)] == [True, False]
    with pytest.raises(Conflict, match="has expired"):
        must_count(head, link.link_id, link.until)

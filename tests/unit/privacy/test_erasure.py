"""Whom an erasure finds, and what happens when others act at the same moment."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from shared.accounts.register import Profile
from shared.duties.kinds import Outcome
from shared.kernel.names import AccountId, EmailAddress
from shared.kernel.refusals import Refusal, Unavailable
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.table import Key, Put
from shared.privacy.erasure import Erased, PersonErasure
from shared.trail.events import Person
from shared.users.exemption import Exemption, exemption_key
from shared.users.link import Link
from shared.users.terms import ExemptionDraft
from shared.users.user_key import UserKey
from tests.support.disturbances import Disturbance
from tests.support.operations import (
    ACME,
    ALICE,
    ALICE_THERE,
    ANY,
    BOB_THERE,
    OPERATOR,
    SAM,
    World,
    connected,
    inhabited,
)

SMITH = EmailAddress.parse("alice.smith@contoso.example")
"""Alice's other address."""
BOB = EmailAddress.parse("bob@contoso.example")


@pytest.fixture
async def world() -> World:
    """An account that is connected to Contoso."""
    made = World()
    await connected(made)
    return made


async def sign_in(world: World, email: EmailAddress, identity: VerifiedIdentity = ALICE_THERE) -> None:
    vouched = identity.model_copy(update={"preferred_username": email.address})
    await world.admission.admit(ACME, email, vouched, world.clock.now())


async def except_(world: World, email: EmailAddress) -> None:
    draft = {"email": email.address, "reason": f"Ask {email.address}"}
    await world.exemptions.add(SAM, ExemptionDraft.model_validate(draft))


async def rows_about(world: World, *facts: str) -> list[str]:
    """The rows of the account that hold one of these."""
    return [row.key.row for row in await world.rows() if any(fact in row.key.row + row.document for fact in facts)]


async def links(world: World) -> list[tuple[str, str]]:
    return [(link.email, link.oid) for link in (await world.links.page(SAM, 10, None))[0]]


async def test_all_addresses_of_the_identity_are_found_by_one(world: World) -> None:
    await sign_in(world, ALICE)
    await sign_in(world, SMITH)
    await sign_in(world, BOB, BOB_THERE)
    for email in (ALICE, SMITH, BOB):
        await except_(world, email)
    erased = await world.erasure.erase(SAM, SMITH, None)
    assert (erased.exceptions, erased.links, len(erased.references)) == (2, 2, 3)
    assert await rows_about(world, "alice", UserKey.of(ACME, ALICE), UserKey.of(ACME, SMITH)) == []
    assert await links(world) == [(BOB.address, "bob")]
    assert await world.erasure.erase(SAM, ALICE, None) == Erased()


async def test_a_released_link_still_leads_to_the_identity_by_which_nobody_signs_in(world: World) -> None:
    await sign_in(world, ALICE)
    await world.links.release(SAM, UserKey.of(ACME, ALICE))
    assert len((await world.erasure.erase(SAM, ALICE, None)).references) == 2
    assert await rows_about(world, "alice") == []


async def test_an_address_that_a_colleague_has_now_is_the_colleague_s(world: World) -> None:
    """Alice was renamed, and Bob got her old address. Each is erased without the other."""
    await sign_in(world, ALICE)
    await world.links.release(SAM, UserKey.of(ACME, ALICE))
    await sign_in(world, SMITH)
    await sign_in(world, ALICE, BOB_THERE)
    await except_(world, ALICE)
    assert (await world.erasure.erase(SAM, SMITH, None)).links == 1
    assert await links(world) == [(ALICE.address, "bob")]
    assert len((await world.exemptions.page(SAM, 10, None))[0]) == 1


async def test_a_former_holder_who_signs_in_by_another_address_stays(world: World) -> None:
    await sign_in(world, ALICE)
    await world.links.release(SAM, UserKey.of(ACME, ALICE))
    await sign_in(world, SMITH)
    await sign_in(world, ALICE, BOB_THERE)
    await world.erasure.erase(SAM, ALICE, None)
    assert await links(world) == [(SMITH.address, "alice")]
    assert await rows_about(world, '"bob"', f'"{ALICE.address}"') == []


async def test_a_former_address_that_has_an_exception_is_left_alone(world: World) -> None:
    await sign_in(world, ALICE)
    await world.links.release(SAM, UserKey.of(ACME, ALICE))
    await sign_in(world, SMITH)
    await except_(world, ALICE)
    assert (await world.erasure.erase(SAM, SMITH, None)).exceptions == 0
    assert len((await world.exemptions.page(SAM, 10, None))[0]) == 1


async def test_another_account_with_the_same_person_keeps_them(world: World) -> None:
    at_beta = replace(SAM, account_id=AccountId("beta"))
    await world.register.put(OPERATOR, at_beta.account_id, Profile("Beta", (), None), None)
    await world.exemptions.add(at_beta, ExemptionDraft.model_validate({"email": ALICE.address, "reason": "Kiosk"}))
    await except_(world, ALICE)
    await world.erasure.erase(SAM, ALICE, None)
    assert len((await world.exemptions.page(at_beta, 10, None))[0]) == 1
    named = [each.details.get("email") for each in (await world.journal.page(at_beta, 10, None))[0]]
    assert ALICE.address in named


OTHERS: dict[str, Callable[[World], Awaitable[object]]] = {
    "exception": lambda world: except_(world, ALICE),
    "sign-in": lambda world: sign_in(world, SMITH),
    "erasure": lambda world: world.erasure.erase(SAM, SMITH, None),
    "disconnect": lambda world: world.disconnection.disconnect(SAM, ANY),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
async def test_what_others_do_comes_before_or_after_and_no_event_holds_the_address(
    other: Callable[[World], Awaitable[object]],
) -> None:
    """Overtaken at each of its calls. Whoever is known afterwards was named after the erasure, in whole."""

    async def quietly(world: World) -> None:
        with suppress(Refusal):
            await other(world)

    calls, k = 99, 0
    while (k := k + 1) <= calls:
        world = World()
        await inhabited(world)
        world.script.disturb(k, Disturbance.OVERTAKEN, partial(quietly, world))
        await world.script.play(lambda world=world: world.erasure.erase(SAM, ALICE, None))
        calls = world.script.made
        assert [row for row in await rows_about(world, "alice") if row.startswith("audit:")] == [], f"call {k}"
        named = [row for row in await rows_about(world, "alice") if row.startswith(("person:", "known:"))]
        living = await rows_about(world, f'"{ALICE.address}"', f'"{SMITH.address}"')
        assert bool(named) == bool([row for row in living if row.startswith(("link:", "exception:"))]), f"call {k}"
        again = await world.erasure.erase(SAM, ALICE, None)
        assert again.references == () or named, f"call {k}"
        await world.erasure.erase(SAM, SMITH, None)
        assert await rows_about(world, "alice") == [], f"call {k}"


@pytest.mark.parametrize(
    ("act", "action"), [(except_, "exception.added"), (sign_in, "link.made")], ids=["exception", "first sign-in"]
)
async def test_whoever_is_erased_while_an_event_names_them_is_somebody_new_to_it(
    act: Callable[[World, EmailAddress], Awaitable[None]], action: str
) -> None:
    """Whoever is on the list, or linked, was put there after the erasure: the event must not name who was removed."""
    calls, k, later = 99, 0, 0
    while (k := k + 1) <= calls:
        world = World()
        await inhabited(world)
        await world.exemptions.remove(SAM, UserKey.of(ACME, ALICE), ANY)
        await world.links.release(SAM, UserKey.of(ACME, ALICE))
        world.clock.advance(timedelta(seconds=1))
        erased: list[str] = []

        async def erase(world: World = world, erased: list[str] = erased) -> None:
            world.clock.advance(timedelta(seconds=1))
            erased += (await world.erasure.erase(SAM, ALICE, None)).references
            world.clock.advance(timedelta(seconds=1))

        world.script.disturb(k, Disturbance.OVERTAKEN, erase)
        await world.script.play(lambda world=world: act(world, ALICE))
        calls = world.script.made
        if not erased:
            break  # the last call was the one before
        last = max((await world.journal.page(SAM, 100, None))[0], key=lambda each: (each.action == action, each.at))
        if await rows_about(
            world, f'"{ALICE.address}","reason"', f'"email":"{ALICE.address}","tid":"{ALICE_THERE.tid}"'
        ):
            later += 1
            assert last.details["email"] == ALICE.address, f"call {k}"
            assert last.details["person"] not in erased, f"call {k}"
    assert later > 1


async def test_an_import_that_comes_in_between_is_erased_or_comes_after() -> None:
    late = Exemption(
        exception_id=UserKey.of(ACME, ALICE),
        email=ALICE.address,
        reason="Late",
        created_at=World().clock.now(),
        created_by="Sam",
        updated_at=World().clock.now(),
    )
    calls, k = 99, 0
    while (k := k + 1) <= calls:
        world = World()
        await inhabited(world)
        write = world.tables["accounts"].write
        put = Put(exemption_key(ACME, late.exception_id), late.document())
        world.script.disturb(k, Disturbance.OVERTAKEN, partial(write, put))
        await world.script.play(lambda world=world: world.erasure.erase(SAM, ALICE, None))
        calls = world.script.made
        left = await rows_about(world, "alice")
        assert left in ([], [put.key.row]), f"call {k}"


async def test_more_rows_than_a_transaction_takes_are_removed_all_the_same(world: World) -> None:
    for _ in range(60):
        await except_(world, ALICE)
        await world.exemptions.remove(SAM, UserKey.of(ACME, ALICE), ANY)
    assert len(await rows_about(world, "Ask alice")) == 120
    await world.erasure.erase(SAM, ALICE, None)
    assert await rows_about(world, "alice") == []


async def test_an_administrator_with_many_rows_who_erases_themself_is_not_named_again_by_that(world: World) -> None:
    """The rows by which the event would know its actor go in the event's own transaction, however many there are."""
    rows = 0
    while rows < 91:
        await except_(world, ALICE)
        await world.exemptions.remove(SAM, UserKey.of(ACME, ALICE), ANY)
        found = await world.erasure._find(
            PersonErasure(
                account_id=ACME,
                user_key=UserKey.of(ACME, ALICE),
                panel=(Person(subject="sam").known_as,),
                asked_at=world.clock.now(),
            )
        )
        rows = len(found.rows)
    assert rows < 93, "one transaction is full, and the next nearly empty"
    await world.erasure.erase(SAM, ALICE, "sam")
    assert await rows_about(world, "alice", "Sam Security") == []


async def test_a_person_who_is_always_changed_is_left_to_the_duty(world: World) -> None:
    await except_(world, ALICE)
    entry = (await world.exemptions.page(SAM, 1, None))[0][0]
    table = world.tables["accounts"]
    write = table.write

    async def restless(*operations: object) -> None:
        await write(Put(exemption_key(ACME, entry.exception_id), entry.document()))
        await write(*operations)

    table.write = restless
    with pytest.raises(Unavailable, match="erased in a few minutes"):
        await world.erasure.erase(SAM, ALICE, None)
    table.write = write
    world.clock.advance(timedelta(minutes=3))
    await world.duties.run()
    assert await rows_about(world, "alice") == []


async def test_the_duty_does_nothing_for_an_account_that_is_gone(world: World) -> None:
    task = PersonErasure(
        account_id=AccountId("gone"), user_key=UserKey.of(ACME, ALICE), panel=(), asked_at=world.clock.now()
    )
    assert await world.erasure.finish(task) is Outcome.DONE


@pytest.mark.parametrize("change", [True, False], ids=["changed", "removed"])
async def test_an_author_s_name_goes_from_entries_that_others_change_or_remove_meanwhile(*, change: bool) -> None:
    emails = [EmailAddress.parse(f"person{number}@contoso.example") for number in range(3)]
    key = exemption_key(ACME, UserKey.of(ACME, emails[1]))

    async def other(world: World) -> None:
        row = await world.tables["accounts"].get(key)
        if change:
            await world.tables["accounts"].write(Put(key, row.document.replace("Ask", "Tell")))
        else:
            await world.exemptions.remove(SAM, UserKey.of(ACME, emails[1]), ANY)

    calls, k = 99, 0
    while (k := k + 1) <= calls:
        world = World()
        await connected(world)
        for email in emails:
            await except_(world, email)
        world.script.disturb(k, Disturbance.OVERTAKEN, partial(other, world))
        await world.script.play(lambda world=world: world.erasure.erase(SAM, ALICE, SAM.actor.subject))
        calls = world.script.made
        entries = (await world.exemptions.page(SAM, 10, None))[0]
        assert {each.created_by for each in entries} == {"erased"}, f"call {k}"
        assert len(entries) == (3 if change else 2)


async def test_accounts_of_any_length_are_read_to_their_end(world: World) -> None:
    """More than a page of entries, of links and of events, and a link that was made after the erasure was asked for."""
    await sign_in(world, ALICE)
    await except_(world, ALICE)
    (entry,) = (await world.exemptions.page(SAM, 10, None))[0]
    (row,) = [row for row in await world.rows() if row.key.row.startswith("link:")]
    (event,) = [row for row in await world.rows() if row.key.row.startswith("audit:") and "link.made" in row.document]
    link = Link.read(row)
    later = link.model_copy(update={"oid": "late", "linked_at": world.clock.now() + timedelta(hours=1)})
    table = world.tables["accounts"]
    for start in range(0, 1_010, 10):
        ids = [f"{number:043d}" for number in range(start, start + 10)]
        copies = [later if number == ids[0] else link.model_copy(update={"oid": number}) for number in ids]
        await table.write(
            *(Put(Key(ACME, f"exception:{number}"), entry.document()) for number in ids),
            *(Put(Key(ACME, f"link:{number}"), each.document()) for number, each in zip(ids, copies, strict=True)),
            *(Put(Key(ACME, f"{event.key.row}{number}"), event.document) for number in ids),
        )
    erased = await world.erasure.erase(SAM, ALICE, SAM.actor.subject)
    assert (erased.exceptions, erased.links) == (1, 1)
    authors = {Exemption.read(row).created_by for row in await world.rows() if row.key.row.startswith("exception:")}
    assert authors == {"erased"}

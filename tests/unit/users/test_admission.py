"""Who may sign in as whom: the first link needs the tenant's word, every later sign-in the same identity."""

import asyncio
import json

import pytest

from shared.accounts.head import read_head
from shared.connection.connection import Connection, ConnectionSettings, Status
from shared.kernel.names import AccountId, DomainName, EmailAddress
from shared.kernel.refusals import Conflict, Unavailable
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.table import Put, Remove
from shared.trail.trail import ShownRecord
from shared.users.address_proof import GuestRefused, WrongPerson
from shared.users.identity import Identity, identity_key, subject_of
from shared.users.link import Link, LinkConflict, SignInRefused, SsoSwitchedOff, link_key
from shared.users.user_key import UserKey
from tests.unit.provider.world import (
    ACME,
    ALICE,
    ALICE_OID,
    BOB_OID,
    CONTOSO,
    FABRIKAM,
    SAM,
    WHATEVER_STANDS,
    Provider,
    identity,
)

BETA = AccountId("beta")
ALICES = UserKey.of(ACME, ALICE)
UPN = "preferred_username"
OTHER = EmailAddress.parse("alice.archer@contoso.example")


@pytest.fixture
async def provider() -> Provider:
    """Two accounts that are connected to Contoso, as yet without links."""
    opened = Provider()
    for account_id in (ACME, BETA):
        await opened.add_account(account_id)
    return opened


async def trail(provider: Provider) -> tuple[ShownRecord, ...]:
    return (await provider.links.journal.trail(ACME).page(1_000, None))[0]


def facts(record: ShownRecord) -> dict[str, object]:
    """The details but for the references."""
    return {name: value for name, value in record.details.items() if name not in {"person", "identity", "earlier"}}


async def test_a_first_sign_in_makes_a_tie_and_the_trail_says_so(provider: Provider) -> None:
    link = await provider.admit(ACME, ALICE, identity())
    assert (link.link_id, link.email, link.tid, link.oid) == (ALICES, ALICE.address, CONTOSO, ALICE_OID)
    assert link.linked_at == provider.clock.now()
    (record,) = await trail(provider)
    assert (record.action, record.actor.subject, record.actor.role) == ("link.made", ALICE_OID, "User")
    assert facts(record) == {"linkId": ALICES, "email": ALICE.address, "tid": CONTOSO, "oid": ALICE_OID}


@pytest.mark.parametrize(
    "claims",
    [{}, {"preferred_username": "alice.smith@contoso.example"}, {"preferred_username": None}, {"acct": 1}],
    ids=["unchanged", "renamed", "nameless", "made a guest"],
)
async def test_who_is_tied_signs_in_whatever_their_addresses_have_become(provider: Provider, claims: dict) -> None:
    made = await provider.admit(ACME, ALICE, identity())
    assert await provider.admit(ACME, ALICE, identity(**claims)) == made
    assert len(await trail(provider)) == 1


async def test_a_reused_address_lets_nobody_else_in(provider: Provider) -> None:
    await provider.admit(ACME, ALICE, identity())
    with pytest.raises(LinkConflict, match="Security Manager"):
        await provider.admit(ACME, ALICE, identity(oid=BOB_OID))


async def test_only_people_of_the_connected_tenant_are_let_in(provider: Provider) -> None:
    await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    with pytest.raises(SsoSwitchedOff):
        await provider.admit(ACME, ALICE, identity())


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [({UPN: "bob@contoso.example"}, WrongPerson), ({"acct": 1}, GuestRefused), ({UPN: None}, WrongPerson)],
)
async def test_who_only_picked_the_wrong_account_hears_that_and_may_try_again(
    provider: Provider, claims: dict[str, object], refusal: type[SignInRefused]
) -> None:
    await provider.admit(ACME, ALICE, identity())
    with pytest.raises(refusal):
        await provider.admit(ACME, ALICE, identity(oid=BOB_OID, **claims))


async def test_who_is_refused_leaves_nothing_behind(provider: Provider) -> None:
    with pytest.raises(GuestRefused):
        await provider.admit(ACME, ALICE, identity(acct=1))
    assert await trail(provider) == ()


async def test_of_many_first_sign_ins_at_once_one_makes_the_tie(provider: Provider) -> None:
    links = await asyncio.gather(*(provider.admit(ACME, ALICE, identity()) for _ in range(10)))
    assert len({link.model_dump_json() for link in links}) == 1
    assert [record.action for record in await trail(provider)] == ["link.made"]


async def test_of_two_identities_that_sign_in_first_at_once_one_gets_the_address(provider: Provider) -> None:
    answers = await asyncio.gather(
        *(provider.admit(ACME, ALICE, identity(oid=oid)) for oid in (ALICE_OID, BOB_OID)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Link", "LinkConflict"]
    assert len(await trail(provider)) == 1


async def test_one_address_in_two_accounts_is_two_users(provider: Provider) -> None:
    first = await provider.admit(ACME, ALICE, identity())
    second = await provider.admit(BETA, ALICE, identity(oid=BOB_OID))
    assert first.link_id != second.link_id


async def test_a_tie_that_cannot_be_written_admits_nobody(provider: Provider) -> None:
    provider.accounts_table.available = False
    with pytest.raises(Unavailable):
        await provider.admit(ACME, ALICE, identity())


async def test_a_released_tie_makes_room_for_another_and_the_trail_says_who_released_it(provider: Provider) -> None:
    await provider.admit(ACME, ALICE, identity())
    await provider.links.release(SAM, ALICES)
    assert (await provider.admit(ACME, ALICE, identity(oid=BOB_OID))).oid == BOB_OID
    records = await trail(provider)
    assert sorted(record.action for record in records) == ["link.made", "link.made", "link.released"]
    (released,) = [record for record in records if record.action == "link.released"]
    assert (released.actor.subject, released.details["oid"]) == (SAM.actor.subject, ALICE_OID)


async def test_a_tie_that_is_released_while_another_is_held_against_it_is_made_anew(provider: Provider) -> None:
    """Somebody makes it just before, and it is released just before it is read again."""
    # By hand: two others come in between here, and one in the disturbances.

    async def somebody_else_is_first() -> None:
        await provider.admit(ACME, ALICE, identity(oid=BOB_OID))
        provider.accounts_raced.before_reading(released)

    async def released() -> None:
        await provider.links.release(SAM, ALICES)

    provider.accounts_raced.before_writing(somebody_else_is_first)
    assert (await provider.admit(ACME, ALICE, identity())).oid == ALICE_OID


async def test_nobody_is_tied_in_an_account_that_is_gone() -> None:
    provider = Provider()
    with pytest.raises(SsoSwitchedOff):
        await provider.admit(ACME, ALICE, identity())
    assert len(provider.accounts_table) == 0


# -- another tenant ---------------------------------------------------------------------------------------------------


def there(**claims: object) -> VerifiedIdentity:
    """Alice as Fabrikam knows her."""
    return identity(**{"tid": FABRIKAM, "oid": "alice-there"} | claims)


async def identity_of(provider: Provider, tid: str, oid: str) -> Identity | None:
    row = await provider.accounts_table.get(identity_key(ACME, tid, oid))
    return Identity.read(row) if row else None


async def test_a_link_to_a_tenant_that_the_account_has_left_bars_nobody(provider: Provider) -> None:
    await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    link = await provider.admit(ACME, ALICE, there())
    assert (link.tid, link.oid, link.subject) == (FABRIKAM, "alice-there", subject_of(FABRIKAM, "alice-there"))
    assert await provider.admit(ACME, ALICE, there()) == link
    replaced = {record.action: record for record in await trail(provider)}["link.replaced"]
    assert facts(replaced) == {
        "linkId": ALICES,
        "email": ALICE.address,
        "tid": FABRIKAM,
        "oid": "alice-there",
        "earlierTid": CONTOSO,
        "earlierOid": ALICE_OID,
        "kept": False,
    }
    assert replaced.actor.subject == "alice-there"
    assert await identity_of(provider, CONTOSO, ALICE_OID) is None
    assert await identity_of(provider, FABRIKAM, "alice-there") == Identity(
        sub=link.subject, links=(ALICES,), former=(identity_key(ACME, CONTOSO, ALICE_OID).row,)
    )


BARRED = {
    "the domain does not route": ("other.example", {}, LinkConflict),
    "the connection is older than the link": ("contoso.example", {"connected_at": None}, LinkConflict),
    "the account is disconnected": ("contoso.example", {"status": Status.DISCONNECTED}, SsoSwitchedOff),
}


@pytest.mark.parametrize(("domain", "connection", "refusal"), BARRED.values(), ids=BARRED)
async def test_a_link_stays_unless_the_tenant_was_left(
    provider: Provider, domain: str, connection: dict[str, object], refusal: type[SignInRefused]
) -> None:
    await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM, domain, **connection)
    with pytest.raises(refusal):
        await provider.admit(ACME, ALICE, there())


async def test_a_link_that_is_as_young_as_the_connection_stays(provider: Provider) -> None:
    """The connection was read before the account went back to the link's tenant."""
    await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM, connected_at=provider.clock.now())
    with pytest.raises(LinkConflict):
        await provider.admit(ACME, ALICE, there())


async def test_a_consent_that_was_revoked_is_no_tenant_that_was_left(provider: Provider) -> None:
    await provider.admit(ACME, ALICE, identity())
    await provider.connect(CONTOSO, status=Status.CONSENT_REVOKED)
    with pytest.raises(LinkConflict):
        await provider.admit(ACME, ALICE, identity(oid=BOB_OID))
    assert (await provider.admit(ACME, ALICE, identity())).oid == ALICE_OID


@pytest.mark.parametrize(
    ("claims", "refusal"), [({UPN: "bob@contoso.example"}, WrongPerson), ({"acct": 1}, GuestRefused)]
)
async def test_a_replacement_is_proven_as_every_first_sign_in(
    provider: Provider, claims: dict[str, object], refusal: type[SignInRefused]
) -> None:
    made = await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    with pytest.raises(refusal):
        await provider.admit(ACME, ALICE, there(**claims))
    assert await provider.links.find(SAM, ALICE) == (made,)


async def test_of_two_people_of_the_new_tenant_one_replaces_the_link(provider: Provider) -> None:
    await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    answers = await asyncio.gather(
        *(provider.admit(ACME, ALICE, there(oid=oid)) for oid in ("one", "two")), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Link", "LinkConflict"]


async def test_who_comes_back_is_who_they_were(provider: Provider) -> None:
    first = await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    second = await provider.admit(ACME, ALICE, there())
    await provider.connect(CONTOSO)
    third = await provider.admit(ACME, ALICE, identity())
    assert (third.oid, third.subject) == (ALICE_OID, first.subject)
    assert second.subject != first.subject


# -- the same people --------------------------------------------------------------------------------------------------


async def keep(provider: Provider, *, people: bool = True) -> bool:
    """Set `keepPeople`; whether it is on now."""
    wanted = ConnectionSettings(keep_people=people)
    head = await provider.people.change(SAM, WHATEVER_STANDS, lambda _: wanted)
    return head.stored(Connection).record.keep_people


async def keeps(provider: Provider) -> bool:
    return (await read_head(provider.accounts_table, ACME)).stored(Connection).record.keep_people


async def make_older(provider: Provider, *emails: EmailAddress) -> None:
    """Leave the links of Acme as they were before identities had rows."""
    table = provider.accounts_table
    for row in await table.under(ACME, "identity:"):
        await table.write(Remove(row))
    for email in emails:
        row = await table.get(link_key(ACME, UserKey.of(ACME, email)))
        assert row is not None
        older = Link.read(row).model_dump(mode="json", by_alias=True, exclude={"sub"})
        await table.write(Put(row.key, json.dumps(older)))


def named(email: EmailAddress, **claims: object) -> VerifiedIdentity:
    """Somebody of Contoso whose name is this address."""
    return identity(**{"oid": email.address, UPN: email.address} | claims)


@pytest.mark.parametrize("older", [False, True])
async def test_the_same_address_is_the_same_person_if_the_manager_says_so(provider: Provider, *, older: bool) -> None:
    before = await provider.admit(ACME, ALICE, identity())
    bob = EmailAddress.parse("bob@contoso.example")
    await provider.admit(ACME, bob, named(bob))
    if older:
        await make_older(provider, ALICE, bob)
    await provider.connect(FABRIKAM)
    assert await keep(provider)
    after = await provider.admit(ACME, ALICE, there())
    assert (after.subject, after.oid) == (before.subject, "alice-there")
    assert {record.action: record for record in await trail(provider)}["link.replaced"].details["kept"] is True
    assert await keeps(provider), "Bob is left"
    assert (await provider.admit(ACME, bob, named(bob, tid=FABRIKAM))).subject == subject_of(CONTOSO, bob.address)
    assert not await keeps(provider), "nobody is left"
    switched = [record for record in await trail(provider) if record.action == "connection.changed"]
    assert {(record.actor.role, record.details["keepPeople"], record.details["links"]) for record in switched} == {
        ("SecurityManager", True, 2),
        ("Service", False, 0),
    }
    assert await provider.accounts_table.under(ACME, "earlier:") == ()


@pytest.mark.parametrize("older", [False, True])
async def test_who_had_two_addresses_is_kept_at_neither(provider: Provider, *, older: bool) -> None:
    """The first of them to sign in is no more the same person than the second."""
    before = await provider.admit(ACME, ALICE, identity())
    await provider.admit(ACME, OTHER, identity(preferred_username=OTHER.address))
    if older:
        await make_older(provider, ALICE, OTHER)
    await provider.connect(FABRIKAM)
    await keep(provider)
    people = [await provider.admit(ACME, email, named(email, tid=FABRIKAM)) for email in (ALICE, OTHER)]
    assert before.subject not in {link.subject for link in people}
    assert not await keeps(provider)


@pytest.mark.parametrize("older", [False, True])
async def test_who_lost_an_address_before_is_not_kept_at_the_other(provider: Provider, *, older: bool) -> None:
    before = await provider.admit(ACME, ALICE, identity())
    await provider.admit(ACME, OTHER, identity(preferred_username=OTHER.address))
    if older:
        await make_older(provider, ALICE, OTHER)
    await provider.connect(FABRIKAM)
    await provider.admit(ACME, ALICE, there())
    await keep(provider)
    assert (await provider.admit(ACME, OTHER, named(OTHER, tid=FABRIKAM))).subject != before.subject


async def test_a_released_address_does_not_stand_in_the_way(provider: Provider) -> None:
    before = await provider.admit(ACME, ALICE, identity())
    await provider.admit(ACME, OTHER, identity(preferred_username=OTHER.address))
    await provider.links.release(SAM, UserKey.of(ACME, OTHER))
    await provider.connect(FABRIKAM)
    await keep(provider)
    assert (await provider.admit(ACME, ALICE, there())).subject == before.subject


async def test_a_crowd_moves_at_once(provider: Provider) -> None:
    """Each of them changes the row of the connection, under its version."""
    crowd = [EmailAddress.parse(f"user{number}@contoso.example") for number in range(20)]
    before = [(await provider.admit(ACME, email, named(email))).subject for email in crowd]
    await provider.connect(FABRIKAM)
    await keep(provider)
    moved = await asyncio.gather(*(provider.admit(ACME, email, named(email, tid=FABRIKAM)) for email in crowd))
    assert [link.subject for link in moved] == before
    assert not await keeps(provider)


async def test_who_is_known_already_keeps_their_own_sub(provider: Provider) -> None:
    before = await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    known = await provider.admit(ACME, OTHER, there(preferred_username=OTHER.address))
    await keep(provider)
    assert (await provider.admit(ACME, ALICE, there())).subject == known.subject != before.subject


async def test_a_sub_that_has_moved_is_nobody_elses(provider: Provider) -> None:
    """A to B to A: whoever comes back is the person of today if the manager says so, and else a new one."""
    first = await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    await keep(provider)
    moved = await provider.admit(ACME, ALICE, there())
    await provider.connect(CONTOSO)
    assert not await keeps(provider), "each connection begins without"
    back = await provider.admit(ACME, ALICE, identity())
    assert back.subject not in {moved.subject, subject_of(CONTOSO, ALICE_OID)}
    await provider.connect(FABRIKAM)
    assert (await provider.admit(ACME, ALICE, there())).subject == moved.subject == first.subject


async def test_a_sub_can_move_back(provider: Provider) -> None:
    first = await provider.admit(ACME, ALICE, identity())
    for tenant_id, who in ((FABRIKAM, there()), (CONTOSO, identity())):
        await provider.connect(tenant_id)
        await keep(provider)
        assert (await provider.admit(ACME, ALICE, who)).subject == first.subject
    found = await identity_of(provider, CONTOSO, ALICE_OID)
    assert found == Identity(
        sub=first.subject, links=(ALICES,), former=(identity_key(ACME, FABRIKAM, "alice-there").row,)
    )
    assert await identity_of(provider, FABRIKAM, "alice-there") == Identity()


async def test_a_moved_sub_outlives_its_link(provider: Provider) -> None:
    first = await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    await keep(provider)
    await provider.admit(ACME, ALICE, there())
    await provider.links.release(SAM, ALICES)
    assert (await provider.admit(ACME, ALICE, there())).subject == first.subject


async def test_off_again_people_are_new(provider: Provider) -> None:
    before = await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    await keep(provider)
    assert not await keep(provider, people=False)
    assert not await keep(provider, people=False)
    assert (await provider.admit(ACME, ALICE, there())).subject != before.subject
    changes = [record.details["links"] for record in await trail(provider) if record.action == "connection.changed"]
    assert {*changes} == {1, None}


async def test_people_are_kept_only_of_a_tenant_that_no_other_account_has(provider: Provider) -> None:
    """A person of that tenant has the same `sub` in the other account, where another tenant must not get it."""
    await provider.admit(ACME, ALICE, identity())
    claims = provider.services.connection.domains.routing.claims
    await claims.claim(DomainName("beta.example"), BETA, CONTOSO)
    await provider.connect(FABRIKAM)
    with pytest.raises(Conflict, match="another account"):
        await keep(provider)
    await claims.release(DomainName("beta.example"), BETA, provider.clock.now())
    await claims.claim(DomainName("contoso.example"), ACME, CONTOSO)
    assert await keep(provider)


async def test_nobody_is_kept_where_nobody_is_left_or_nothing_is_connected(provider: Provider) -> None:
    with pytest.raises(Conflict, match="Nobody is left"):
        await keep(provider)
    await provider.connect(FABRIKAM, status=Status.DISCONNECTED)
    with pytest.raises(Conflict, match="not connected"):
        await keep(provider)


async def test_marks_of_an_earlier_change_are_swept(provider: Provider) -> None:
    bob = EmailAddress.parse("bob@contoso.example")
    await provider.admit(ACME, ALICE, identity())
    await provider.connect(FABRIKAM)
    await keep(provider)
    await provider.connect(CONTOSO)
    await provider.admit(ACME, bob, named(bob))
    await provider.links.release(SAM, ALICES)
    await provider.connect(FABRIKAM)
    await keep(provider)
    (mark,) = await provider.accounts_table.under(ACME, "earlier:")
    assert mark.key.row == f"earlier:{UserKey.of(ACME, bob)}"
    await provider.links.release(SAM, UserKey.of(ACME, bob))
    assert not await keeps(provider)


async def test_who_signs_in_while_the_links_are_read_is_read_again(provider: Provider) -> None:
    # By hand: the disturbances have no link from before identities had rows.
    await provider.admit(ACME, ALICE, identity())
    await make_older(provider, ALICE)
    await provider.connect(FABRIKAM)

    async def an_older_instance_is_first() -> None:
        key = identity_key(ACME, CONTOSO, ALICE_OID)
        await provider.accounts_table.write(Put(key, Identity(sub="sub", links=(ALICES,)).document()))

    provider.accounts_raced.before_writing(an_older_instance_is_first)
    assert await keep(provider)
    assert (await provider.admit(ACME, ALICE, there())).subject == "sub"


async def test_an_account_that_is_closed_meanwhile_ends_nothing(provider: Provider) -> None:
    await provider.people.end_if_all_moved(AccountId("nobody"))
    assert len(await trail(provider)) == 0


async def test_who_is_erased_need_not_move(provider: Provider) -> None:
    bob = EmailAddress.parse("bob@contoso.example")
    for email in (ALICE, bob):
        await provider.admit(ACME, email, named(email))
    await provider.connect(FABRIKAM)
    await keep(provider)
    erasure = provider.services.privacy.erasure
    await erasure.erase(SAM, ALICE, None)
    assert len(await provider.accounts_table.under(ACME, "earlier:")) == 1
    assert await keeps(provider), "Bob is left"
    await erasure.erase(SAM, bob, None)
    assert await provider.accounts_table.under(ACME, "earlier:") == ()
    assert not await keeps(provider)


async def test_thousands_are_marked_page_by_page(provider: Provider) -> None:
    for number in range(1_001):
        link_id = UserKey.of(ACME, EmailAddress.parse(f"user{number}@contoso.example"))
        link = Link(link_id=link_id, email=ALICE.address, tid=CONTOSO, oid=str(number), linked_at=provider.clock.now())
        await provider.accounts_table.write(Put(link_key(ACME, link_id), link.document()))
    await provider.connect(FABRIKAM)
    await keep(provider)
    for prefix in ("earlier:", "identity:"):
        assert len(await provider.accounts_table.under(ACME, prefix)) == 1_001

"""Who may sign in as whom: the first link needs the tenant's word, every later sign-in the same identity."""

import asyncio

import pytest

from shared.connection.connection import Status
from shared.kernel.names import AccountId, EmailAddress
from shared.kernel.refusals import Unavailable
from shared.trail.trail import AuditRecord
from shared.users.address_proof import GuestRefused, WrongPerson
from shared.users.identity import Identity, identity_key, subject_of
from shared.users.link import LinkConflict, SignInRefused, SsoSwitchedOff
from shared.users.user_key import UserKey
from tests.unit.provider.world import ACME, ALICE, ALICE_OID, BOB_OID, CONTOSO, FABRIKAM, SAM, Provider, identity

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


async def trail(provider: Provider) -> list[AuditRecord]:
    return [AuditRecord.read(row) for row in await provider.accounts_table.under(ACME, "audit:")]


async def test_a_first_sign_in_makes_a_tie_and_the_trail_says_so(provider: Provider) -> None:
    link = await provider.admit(ACME, ALICE, identity())
    assert (link.link_id, link.email, link.tid, link.oid) == (ALICES, ALICE.address, CONTOSO, ALICE_OID)
    assert link.linked_at == provider.clock.now()
    (record,) = await trail(provider)
    assert (record.action, record.actor.subject, record.actor.role) == ("link.made", ALICE_OID, "User")
    assert record.details == {"linkId": ALICES, "email": ALICE.address, "tid": CONTOSO, "oid": ALICE_OID}


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
    assert await trail(provider) == []


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
    assert (released.actor, released.details["oid"]) == (SAM.actor, ALICE_OID)


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


def there(**claims: object) -> object:
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
    assert replaced.details == {
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
    assert await identity_of(provider, FABRIKAM, "alice-there") == Identity(sub=link.subject, links=(ALICES,))


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

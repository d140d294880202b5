"""Who is tied to whom: the first tie needs the tenant's word for the address, every later sign-in the same identity."""

import asyncio
import json
from contextlib import nullcontext

import pytest

from shared.access.roles import AccountAdministrator
from shared.kernel.names import AccountId, EmailAddress
from shared.kernel.refusals import Invalid, NotFound, Unavailable
from shared.trail.trail import ShownRecord
from shared.users.links import (
    AcctMissing,
    EmailUnverified,
    GuestRefused,
    LinkConflict,
    SignInRefused,
    WrongPerson,
    prove_email,
)
from shared.users.user_key import UserKey
from tests.unit.provider.world import ACME, ALICE, ALICE_OID, BOB_OID, CONTOSO, FABRIKAM, SAM, Provider, identity

MAIL = "carol@contoso-mail.example"
ALICES = UserKey.of(ACME, ALICE)


BETA = AccountId("beta")


@pytest.fixture
async def provider() -> Provider:
    """Two accounts, as yet without ties."""
    opened = Provider()
    for account_id in (ACME, BETA):
        await opened.add_account(account_id)
    return opened


# -- the first tie ----------------------------------------------------------------------------------------------------

UPN = "preferred_username"

PROOFS: list[tuple[str, dict[str, object], str, type[SignInRefused] | None]] = [
    ("her user principal name", {}, ALICE.address, None),
    ("her user principal name in capitals", {UPN: "ALICE@Contoso.Example"}, ALICE.address, None),
    ("her user principal name, whatever her email is", {"email": MAIL}, ALICE.address, None),
    ("a verified email", {"email": MAIL, "xms_edov": True}, MAIL, None),
    ("a verified email, as a number", {"email": MAIL, "xms_edov": 1}, MAIL, None),
    ("a verified email, as text", {"email": MAIL, "xms_edov": "true"}, MAIL, None),
    ("a verified email, as a digit", {"email": MAIL, "xms_edov": "1"}, MAIL, None),
    ("a verified email without a user principal name", {"email": MAIL, "xms_edov": True, UPN: None}, MAIL, None),
    ("an email that nobody verified", {"email": MAIL}, MAIL, EmailUnverified),
    ("an email that is said to be unverified", {"email": MAIL, "xms_edov": False}, MAIL, EmailUnverified),
    ("an email that is unverified, as text", {"email": MAIL, "xms_edov": "false"}, MAIL, EmailUnverified),
    ("an email that is unverified, as a digit", {"email": MAIL, "xms_edov": "0"}, MAIL, EmailUnverified),
    ("an email that is verified in words unknown", {"email": MAIL, "xms_edov": "yes"}, MAIL, EmailUnverified),
    ("an email that is verified by nothing", {"email": MAIL, "xms_edov": None}, MAIL, EmailUnverified),
    ("a verified email of somebody else", {"email": MAIL, "xms_edov": True}, "bob@contoso.example", WrongPerson),
    ("the user principal name of somebody else", {UPN: "bob@contoso.example"}, ALICE.address, WrongPerson),
    ("plus-addresses are literal", {UPN: "alice+x@contoso.example"}, ALICE.address, WrongPerson),
    ("a user principal name that is no address", {UPN: "alice"}, ALICE.address, WrongPerson),
    ("a user principal name beside invisible text", {UPN: f"{ALICE.address}\u200b"}, ALICE.address, WrongPerson),
    ("a verified email beside invisible text", {"email": f"\u2060{MAIL}", "xms_edov": True}, MAIL, WrongPerson),
    ("nothing", {UPN: None}, ALICE.address, WrongPerson),
    ("a guest", {"acct": 1}, ALICE.address, GuestRefused),
    ("not known to be a member", {"acct": None}, ALICE.address, AcctMissing),
    ("neither member nor guest", {"acct": 2}, ALICE.address, GuestRefused),
    ("a guest with a verified email", {"acct": 1, "email": MAIL, "xms_edov": True}, MAIL, GuestRefused),
]


@pytest.mark.parametrize(("claims", "typed", "refusal"), [row[1:] for row in PROOFS], ids=[row[0] for row in PROOFS])
def test_the_tenant_vouches_for_an_address_or_the_person_is_refused(
    claims: dict[str, object], typed: str, refusal: type[SignInRefused] | None
) -> None:
    with nullcontext() if refusal is None else pytest.raises(refusal):
        prove_email(identity(**claims), EmailAddress.parse(typed))


def test_who_signed_in_as_somebody_else_is_told_as_whom() -> None:
    with pytest.raises(WrongPerson, match=r"as bob@contoso\.example, and .* alice@contoso\.example\."):
        prove_email(identity(preferred_username="bob@contoso.example"), ALICE)
    with pytest.raises(WrongPerson, match="as somebody else"):
        prove_email(identity(preferred_username=""), ALICE)


@pytest.mark.parametrize(
    ("refusal", "again"),
    [(WrongPerson, True), (GuestRefused, True), (AcctMissing, False), (EmailUnverified, False), (LinkConflict, False)],
)
def test_only_what_another_account_can_mend_is_tried_again(refusal: type[SignInRefused], *, again: bool) -> None:
    assert refusal.again is again


# -- ties -------------------------------------------------------------------------------------------------------------


async def trail(provider: Provider) -> tuple[ShownRecord, ...]:
    return (await provider.links.journal.trail(ACME).page(1_000, None))[0]


def facts(record: ShownRecord) -> dict[str, object]:
    """The details but for the references."""
    return {name: value for name, value in record.details.items() if name not in {"person", "identity"}}


async def test_a_first_sign_in_makes_a_tie_and_the_trail_says_so(provider: Provider) -> None:
    link = await provider.links.admit(ACME, ALICE, identity())
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
    made = await provider.links.admit(ACME, ALICE, identity())
    assert await provider.links.admit(ACME, ALICE, identity(**claims)) == made
    assert len(await trail(provider)) == 1


@pytest.mark.parametrize("claims", [{"oid": BOB_OID}, {"tid": FABRIKAM}], ids=["another person", "another tenant"])
async def test_a_reused_address_lets_nobody_else_in(provider: Provider, claims: dict[str, object]) -> None:
    await provider.links.admit(ACME, ALICE, identity())
    with pytest.raises(LinkConflict, match="Security Manager"):
        await provider.links.admit(ACME, ALICE, identity(**claims))


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [({UPN: "bob@contoso.example"}, WrongPerson), ({"acct": 1}, GuestRefused), ({UPN: None}, WrongPerson)],
)
async def test_who_only_picked_the_wrong_account_hears_that_and_may_try_again(
    provider: Provider, claims: dict[str, object], refusal: type[SignInRefused]
) -> None:
    await provider.links.admit(ACME, ALICE, identity())
    with pytest.raises(refusal):
        await provider.links.admit(ACME, ALICE, identity(oid=BOB_OID, **claims))


async def test_who_is_refused_leaves_nothing_behind(provider: Provider) -> None:
    with pytest.raises(GuestRefused):
        await provider.links.admit(ACME, ALICE, identity(acct=1))
    assert await trail(provider) == ()


async def test_of_many_first_sign_ins_at_once_one_makes_the_tie(provider: Provider) -> None:
    links = await asyncio.gather(*(provider.links.admit(ACME, ALICE, identity()) for _ in range(10)))
    assert len({link.model_dump_json() for link in links}) == 1
    assert [record.action for record in await trail(provider)] == ["link.made"]


async def test_of_two_identities_that_sign_in_first_at_once_one_gets_the_address(provider: Provider) -> None:
    answers = await asyncio.gather(
        *(provider.links.admit(ACME, ALICE, identity(oid=oid)) for oid in (ALICE_OID, BOB_OID)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Link", "LinkConflict"]
    assert len(await trail(provider)) == 1


async def test_one_address_in_two_accounts_is_two_users(provider: Provider) -> None:
    first = await provider.links.admit(ACME, ALICE, identity())
    second = await provider.links.admit(BETA, ALICE, identity(oid=BOB_OID))
    assert first.link_id != second.link_id


async def test_a_tie_that_cannot_be_written_admits_nobody(provider: Provider) -> None:
    provider.accounts_table.available = False
    with pytest.raises(Unavailable):
        await provider.links.admit(ACME, ALICE, identity())


async def test_a_released_tie_makes_room_for_another_and_the_trail_says_who_released_it(provider: Provider) -> None:
    await provider.links.admit(ACME, ALICE, identity())
    await provider.links.release(SAM, ALICES)
    assert (await provider.links.admit(ACME, ALICE, identity(oid=BOB_OID))).oid == BOB_OID
    records = await trail(provider)
    assert sorted(record.action for record in records) == ["link.made", "link.made", "link.released"]
    (released,) = [record for record in records if record.action == "link.released"]
    assert (released.actor.subject, released.details["oid"]) == (SAM.actor.subject, ALICE_OID)


async def test_a_tie_is_released_once(provider: Provider) -> None:
    with pytest.raises(NotFound):
        await provider.links.release(SAM, ALICES)
    await provider.links.admit(ACME, ALICE, identity())
    answers = await asyncio.gather(*(provider.links.release(SAM, ALICES) for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(NotFound) == 4
    with pytest.raises(NotFound):
        await provider.links.release(SAM, ALICES)


async def test_a_manager_releases_no_tie_of_another_account(provider: Provider) -> None:
    await provider.links.admit(ACME, ALICE, identity())
    with pytest.raises(NotFound):
        await provider.links.release(AccountAdministrator(BETA, SAM.actor), ALICES)
    assert await provider.links.admit(ACME, ALICE, identity())


async def test_a_tie_that_is_released_while_another_is_held_against_it_is_made_anew(provider: Provider) -> None:
    """Somebody makes it just before, and it is released just before it is read again."""
    # By hand: two others come in between here, and one in the disturbances.

    async def somebody_else_is_first() -> None:
        await provider.links.admit(ACME, ALICE, identity(oid=BOB_OID))
        provider.accounts_raced.before_reading(released)

    async def released() -> None:
        await provider.links.release(SAM, ALICES)

    provider.accounts_raced.before_writing(somebody_else_is_first)
    assert (await provider.links.admit(ACME, ALICE, identity())).oid == ALICE_OID


async def test_ties_come_page_by_page(provider: Provider) -> None:
    await provider.add_account()
    emails = [EmailAddress.parse(f"user{number}@contoso.example") for number in range(3)]
    made = [
        await provider.links.admit(ACME, email, identity(oid=email.address, preferred_username=email.address))
        for email in emails
    ]
    first, continuation = await provider.links.page(SAM, 2, None)
    second, end = await provider.links.page(SAM, 2, continuation)
    assert [*first, *second] == sorted(made, key=lambda link: link.link_id)
    assert (len(first), end) == (2, None)
    with pytest.raises(Invalid):
        await provider.links.page(SAM, 2, "made up")


async def test_an_account_that_is_not_there_has_no_ties() -> None:
    with pytest.raises(NotFound):
        await Provider().links.page(SAM, 2, None)


async def test_the_row_of_a_tie_is_named_by_a_hash(provider: Provider) -> None:
    await provider.links.admit(ACME, ALICE, identity())
    (row,) = await provider.accounts_table.under(ACME, "link:")
    assert "alice" not in row.key.row
    assert json.loads(row.document)["linkId"] == row.key.row.removeprefix("link:")


async def test_nobody_is_tied_in_an_account_that_is_gone() -> None:
    provider = Provider()
    with pytest.raises(NotFound):
        await provider.links.admit(ACME, ALICE, identity())
    assert len(provider.accounts_table) == 0

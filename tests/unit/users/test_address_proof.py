"""What a sign-in vouches for: the first link needs it, and tokens say nothing else of an address."""

from contextlib import nullcontext

import pytest

from shared.kernel.names import EmailAddress
from shared.users.address_proof import (
    AcctMissing,
    EmailUnverified,
    GuestRefused,
    WrongPerson,
    prove_email,
    vouched_address,
)
from shared.users.link import LinkConflict, SignInRefused
from tests.unit.provider.world import ALICE, identity

MAIL = "carol@contoso-mail.example"


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


RENAMED = "alice.archer@contoso.example"

VOUCHED: list[tuple[str, dict[str, object], str, str | None]] = [
    ("what was typed, by the user principal name", {}, ALICE.address, ALICE.address),
    ("what was typed, by the verified email", {"email": MAIL, "xms_edov": True}, MAIL, MAIL),
    ("the name of today, not the one that was typed", {UPN: RENAMED}, ALICE.address, RENAMED),
    ("the name of today, although an unverified email is what was typed", {"email": MAIL}, MAIL, ALICE.address),
    (
        "the name before the email, where neither was typed",
        {UPN: RENAMED, "email": MAIL, "xms_edov": True},
        ALICE.address,
        RENAMED,
    ),
    (
        "the verified email, where the name is at a domain that does not route",
        {UPN: "alice@contoso.onmicrosoft.com", "email": MAIL, "xms_edov": True},
        ALICE.address,
        MAIL,
    ),
    (
        "nothing, where the email is not verified",
        {UPN: "alice@contoso.onmicrosoft.com", "email": ALICE.address},
        ALICE.address,
        None,
    ),
    (
        "nothing, where the email is at a domain that does not route",
        {UPN: None, "email": "alice@elsewhere.example", "xms_edov": True},
        ALICE.address,
        None,
    ),
    (
        "nothing, where what was typed is at a domain that does not route",
        {UPN: "alice@elsewhere.example"},
        "alice@elsewhere.example",
        None,
    ),
    ("nothing, where there is no address", {UPN: None}, ALICE.address, None),
    ("nothing, where the name is no address", {UPN: "alice"}, ALICE.address, None),
    ("nothing of a guest", {"acct": 1}, ALICE.address, None),
    ("nothing of a guest with a verified email", {"acct": 1, "email": MAIL, "xms_edov": True}, MAIL, None),
    ("nothing, where it is unknown whether they are a member", {"acct": None}, ALICE.address, None),
]


@pytest.mark.parametrize(("claims", "typed", "vouched"), [row[1:] for row in VOUCHED], ids=[row[0] for row in VOUCHED])
def test_an_address_is_what_this_sign_in_vouches_for(
    claims: dict[str, object], typed: str, vouched: str | None
) -> None:
    routed = {"contoso.example", "contoso-mail.example"}
    found = vouched_address(identity(**claims), EmailAddress.parse(typed), lambda domain: domain in routed)
    assert (found.address if found else None) == vouched

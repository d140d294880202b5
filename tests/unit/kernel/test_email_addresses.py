"""Email addresses: one form for each, and never in a log."""

import hmac
import logging
import unicodedata
from string import ascii_letters, digits

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES, validate_email
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.kernel.faults import faults_of
from shared.kernel.names import PASTED, DomainName, EmailAddress
from shared.kernel.pseudonyms import Pseudonyms
from shared.kernel.refusals import FieldFault

ATEXT = ascii_letters + digits + "!#$%&'*+-/=?^_`{|}~"
"""RFC 5322, section 3.2.3."""

LOCAL_PARTS = st.from_regex(
    rf"[{ATEXT.replace('-', '')}\-äöüßñéжщあ漢]{{1,20}}(\.[a-zA-Zäöü0-9]{{1,9}})?", fullmatch=True
)
DOMAINS = st.sampled_from(["contoso.example", "Contoso-Mail.Example", "bücher.example", "пример.рф", "a.b.c.example"])


@st.composite
def addresses(draw: st.DrawFn) -> str:
    return f"{draw(LOCAL_PARTS)}@{draw(DOMAINS)}"


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("alice@contoso.example", "alice@contoso.example"),
        ("Alice.ARCHER@Contoso.Example", "alice.archer@contoso.example"),
        ("  alice@contoso.example ", "alice@contoso.example"),
        ("\talice@contoso.example\r\n", "alice@contoso.example"),
        ("\ufeffalice@contoso.example\u00a0", "alice@contoso.example"),
        ("\u200e\u200bÄRGER@BÜCHER.example\u202f\u202c", "ärger@xn--bcher-kva.example"),
        ("alice+news@contoso.example", "alice+news@contoso.example"),
        ("o'brien@contoso.example", "o'brien@contoso.example"),
        ("a/b#c?d=e&f@contoso.example", "a/b#c?d=e&f@contoso.example"),
        ("=1+1@contoso.example", "=1+1@contoso.example"),
        ("ÄRGER@contoso.example", "ärger@contoso.example"),
        ("a\u0308rger@contoso.example", "ärger@contoso.example"),
        ("alice@BÜCHER.example", "alice@xn--bcher-kva.example"),
        ("alice@xn--bcher-kva.example", "alice@xn--bcher-kva.example"),
        ("alice@contoso.test", "alice@contoso.test"),
    ],
)
def test_an_address_has_one_form_that_is_compared(typed: str, compared: str) -> None:
    assert EmailAddress.parse(typed).address == compared


NO_ADDRESSES = {
    "nothing": "",
    "no at-sign": "contoso.example",
    "nobody": "@contoso.example",
    "no domain": "alice@",
    "two at-signs": "alice@bob@contoso.example",
    "one label": "alice@contoso",
    "the reserved label of tests alone": "alice@test",
    "trailing dot": "alice@contoso.example.",
    "double dot": "alice..archer@contoso.example",
    "quoted local part": '"alice archer"@contoso.example',
    "display name": "Alice <alice@contoso.example>",
    "IPv4 literal": "alice@[127.0.0.1]",
    "IPv6 literal": "alice@[IPv6:::1]",
    "comment": "alice(work)@contoso.example",
    "line feed inside": "alice@\ncontoso.example",
    "no-break space inside": "alice\u00a0archer@contoso.example",
    "zero width space in the name": "ali\u200bce@contoso.example",
    "zero width space in the domain": "alice@con\u200btoso.example",
    "zero width space at the at-sign": "alice\u200b@contoso.example",
    "byte order mark in a domain with Unicode": "alice@b\ufeffücher.example",
    "two addresses": "alice@contoso.example\u2028bob@contoso.example",
    "carriage return inside": "ali\rce@contoso.example",
    "null": "ali\0ce@contoso.example",
    "right-to-left override": "alice\u202e@contoso.example",
    "lone surrogate": "ali\ud800ce@contoso.example",
    "320 characters": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 55}.example",
    "a symbol in the domain": "alice@con♥toso.example",
    "bad punycode": "alice@xn--secretzzz.example",
    "unassigned character": "alice@con\u0378toso.example",
}


@pytest.mark.parametrize("space", PASTED, ids=lambda space: f"U+{ord(space):04X}")
def test_what_was_pasted_around_an_address_is_no_part_of_it_and_is_refused_inside(space: str) -> None:
    for pasted in (f"{space}alice@contoso.example", f"alice@contoso.example{space}"):
        assert EmailAddress.parse(pasted).address == "alice@contoso.example"
    for hidden in (f"ali{space}ce@contoso.example", f"alice@con{space}toso.example", f"alice@bü{space}cher.example"):
        with pytest.raises(ValueError, match=r"\.$"):
            EmailAddress.parse(hidden)


@pytest.mark.parametrize("typed", NO_ADDRESSES.values(), ids=NO_ADDRESSES)
def test_what_is_no_address_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^(This is not an email address\. [^'\":(]+\.|A domain is [^'\":(]+\.)$"):
        EmailAddress.parse(typed)


@given(addresses())
def test_parsing_again_changes_nothing(typed: str) -> None:
    once = EmailAddress.parse(typed)
    assert EmailAddress.parse(once.address) == once
    assert unicodedata.is_normalized("NFC", once.address)


@given(addresses())
def test_letter_case_and_composition_make_no_difference(typed: str) -> None:
    assume("ß" not in typed)  # whose upper case is two letters: a different mailbox
    one = EmailAddress.parse(typed)
    assert EmailAddress.parse(typed.upper()) == EmailAddress.parse(typed.lower()) == one
    assert EmailAddress.parse(unicodedata.normalize("NFD", typed)) == one


@given(addresses())
def test_the_domain_is_the_one_that_routes(typed: str) -> None:
    assert EmailAddress.parse(typed).domain == DomainName(typed.rpartition("@")[2])


@given(addresses(), addresses())
def test_addresses_that_differ_stay_apart(one: str, other: str) -> None:
    a, b = EmailAddress.parse(one), EmailAddress.parse(other)
    assert (a == b) == (a.address == b.address)


@given(addresses())
def test_no_rendering_shows_an_address(typed: str) -> None:
    email = EmailAddress.parse(typed)
    line = logging.LogRecord("x", logging.INFO, __file__, 1, "resolved %s %r", (email, email), None).getMessage()
    assert {str(email), f"{email}", repr(email), line} == {
        "(an email address)",
        "EmailAddress(…)",
        "resolved (an email address) EmailAddress(…)",
    }


class Letter(BaseModel):
    to: EmailAddress


def faults(typed: str) -> tuple[FieldFault, ...]:
    try:
        Letter.model_validate({"to": typed})
    except ValidationError as error:
        return faults_of(error)
    return ()


@given(st.text(min_size=8, max_size=40).filter(lambda text: len(set(text)) > 4))
def test_no_refusal_shows_what_was_typed(typed: str) -> None:
    for text in (typed, f"{typed}@contoso.example", f"alice@{typed}.example"):
        details = [fault.detail for fault in faults(text)]
        assert [detail for detail in details if typed in detail] == []


def test_a_model_reads_an_address_and_writes_it() -> None:
    letter = Letter.model_validate({"to": "Alice@Contoso.Example"})
    assert letter.to == EmailAddress("alice@contoso.example")
    assert letter.model_dump_json() == '{"to":"alice@contoso.example"}'
    assert Letter.model_json_schema()["properties"]["to"] == {
        "type": "string",
        "format": "email",
        "maxLength": 254,
        "title": "To",
    }


@pytest.mark.parametrize(
    "typed", ["a" * 5_000, "ä" * 300 + "@contoso.example", "a\u0300\u0316" * 2_000, "ä@" + "ü" * 300]
)
def test_a_text_that_cannot_be_an_address_is_not_judged(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^This is not an email address\. It is too long\.$"):
        EmailAddress.parse(typed)


def test_a_text_without_end_is_refused_before_it_is_looked_at() -> None:
    with pytest.raises(ValidationError, match="at most 1000 characters"):
        Letter.model_validate({"to": "a" * 1_001})


LABELS = st.one_of(
    st.text("aZ09-_é\u212a", min_size=1, max_size=6),
    st.text("aZ0-", min_size=60, max_size=66),
    st.sampled_from(["xn--bcher-kva", "XN--x", "a--b", "ab--c", "example", "com", "test", *SPECIAL_USE_DOMAIN_NAMES]),
)
ALMOST = st.one_of(
    st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\"<> -]{0,250}@[A-Za-z0-9.@-]{0,250}", fullmatch=True),
    st.builds("{}@{}".format, st.text("aB1.+-_'\u212a", max_size=10), st.lists(LABELS, max_size=5).map(".".join)),
)


def judged(typed: str) -> str | None:
    """What email-validator alone says, in the form that is compared."""
    try:
        seen = validate_email(typed.strip(PASTED), check_deliverability=False, test_environment=True)
        return f"{unicodedata.normalize('NFC', seen.local_part.lower())}@{DomainName(seen.ascii_domain)}"
    except ValueError:
        return None


@settings(max_examples=10 * settings.default.max_examples)
@given(st.one_of(ALMOST, addresses()))
def test_every_verdict_is_email_validators(typed: str) -> None:
    try:
        verdict = EmailAddress.parse(typed).address
    except ValueError:
        verdict = None
    assert verdict == judged(typed)


HEADS = ("contoso", "9", "a-b", "a--b", "ab--c", "ab--", "-a", "a-", "a" * 63, "a" * 64, "xn--a", "local")
TAILS = ("example", "c9", "9c", "9", "c-d", "c-", "ab--c", "c" * 63, "c" * 64, *SPECIAL_USE_DOMAIN_NAMES)


@pytest.mark.parametrize("tail", TAILS)
def test_a_plain_domain_is_judged_as_by_email_validator(tail: str) -> None:
    for head in HEADS:
        for typed in (f"alice@{tail}", f"alice@{head}.{tail}", f"alice@contoso.{head}.{tail}"):
            try:
                verdict = EmailAddress.parse(typed).address
            except ValueError:
                verdict = None
            assert verdict == judged(typed), typed


def test_a_pseudonym_is_the_same_for_one_person_and_useless_without_the_key() -> None:
    alice, bob = EmailAddress.parse("Alice@contoso.example"), EmailAddress.parse("bob@contoso.example")
    ours, theirs = Pseudonyms(b"our key"), Pseudonyms(b"their key")
    assert ours.of(alice) == ours.of(EmailAddress.parse("alice@CONTOSO.example"))
    assert len({ours.of(alice), ours.of(bob), theirs.of(alice)}) == 3
    assert len(ours.of(alice)) == 16
    assert "our key" not in repr(ours)


def test_a_pseudonym_is_hmac_so_that_a_release_finds_people_in_the_logs_of_the_one_before() -> None:
    for each in ("alice@contoso.example", "bob@contoso.example"):
        hashed = hmac.digest(b"our key", each.encode(), "sha256").hex()[:16]
        assert Pseudonyms(b"our key").of(EmailAddress.parse(each)) == hashed


@pytest.mark.parametrize("letter", ["a", "ü", "\u4e2d"])
def test_the_part_before_the_at_sign_has_64_octets(letter: str) -> None:
    """RFC 5321, section 4.5.3.1.1, which counts octets (RFC 6532, section 3.4)."""
    most = 64 // len(letter.encode())
    assert EmailAddress.parse(f"{letter * most}@contoso.example").address.startswith(letter)
    with pytest.raises(ValueError, match=r"^This is not an email address\. The part before the @ is too long\.$"):
        EmailAddress.parse(f"{letter * (most + 1)}@contoso.example")

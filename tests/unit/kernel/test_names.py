"""Names: parsed once into the one form that is stored and compared."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.kernel.names import PASTED, PERSONAL_ACCOUNTS, AccountId, ClientId, DomainName, Name, Product, TenantId
from shared.users.user_key import UserKey

GUID = "c0c00000-0000-4000-8000-000000000000"

TAKEN: dict[type[Name], tuple[str, ...]] = {
    AccountId: ("a", "Acme_1-x", "9" * 64),
    ClientId: ("unite", "contact-center", "x" * 64),
    Product: ("Unite", "Contact Center 2.0", "x" * 64),
    TenantId: (GUID, GUID.upper()),
    DomainName: ("contoso.example", "a.b.c.example", "xn--bcher-kva.example", "1and1.example", "a.xn--p1ai"),
    UserKey: ("x" * 43,),
}

REFUSED: dict[type[Name], tuple[str, ...]] = {
    AccountId: ("", "x" * 65, "a b", "a/b", "a.b", "ä", "ac\nme", "ac\u200bme"),
    ClientId: ("", "x" * 65, "a:b", "uni\tte"),
    Product: ("", "x" * 65, "Uni\nte", "Uni\u00a0te", "a,b"),
    TenantId: ("", GUID[:-1], GUID.replace("-", ""), f"{{{GUID}}}", f"{GUID[:8]} {GUID[8:]}"),
    DomainName: (
        "",
        "localhost",
        "contoso.example.",
        ".contoso.example",
        "contoso..example",
        "-a.example",
        "a-.example",
        "con toso.example",
        "a_b.example",
        "127.0.0.1",
        f"{'a' * 64}.example",
        f"{'a.' * 124}example",
        "con\ntoso.example",
        "con\u00a0toso.example",
        "con\u200btoso.example",
        "contoso\ufeff.example",
        "contoso.ex\u00adample",
        "\u200econtoso.\u200eexample",
        "con\u200dtoso.example",
        f"{'ä' * 1_000}.example",
        "b\u2665.example",
        "\u00ad.example",
    ),
    UserKey: ("", "x" * 42, "x" * 44, "x" * 42 + "="),
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TAKEN.items() for text in texts])
def test_a_name_of_its_form_is_taken(kind: type[Name], text: str) -> None:
    assert kind(text) == text.lower() if kind is TenantId else kind(text) == text


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REFUSED.items() for text in texts])
def test_any_other_form_is_refused_with_the_rule_and_nothing_else(kind: type[Name], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(kind.rule)}$"):
        kind(text)


@pytest.mark.parametrize("kind", TAKEN)
def test_the_schema_takes_what_the_name_takes(kind: type[Name]) -> None:
    schema = TypeAdapter(kind).json_schema()
    assert schema["description"] == kind.rule
    for text in TAKEN[kind]:
        assert re.search(schema["pattern"], kind(text))
    for text in REFUSED[kind]:
        assert not re.search(schema["pattern"], text)


@pytest.mark.parametrize("space", PASTED, ids=lambda space: f"U+{ord(space):04X}")
@pytest.mark.parametrize("kind", TAKEN)
def test_what_was_pasted_around_a_name_is_no_part_of_it(kind: type[Name], space: str) -> None:
    name = TAKEN[kind][0]
    for pasted in (f"{space}{name}", f"{name}{space}", f"\r\n{space}{name}{space}\u200b"):
        assert kind(pasted) == TypeAdapter(kind).validate_python(pasted) == name


def test_what_is_pasted_is_white_space_or_a_format_character_that_draws_nothing() -> None:
    characters = [*map(chr, range(sys.maxunicode + 1))]
    assert {each for each in characters if each.isspace()} <= {*PASTED}
    assert {unicodedata.category(each) for each in PASTED if not each.isspace()} == {"Cf"}
    assert len({*PASTED}) == len(PASTED)


@pytest.mark.parametrize("kind", TAKEN)
def test_a_model_takes_names_and_names_only(kind: type[Name]) -> None:
    name = TypeAdapter(kind).validate_python(TAKEN[kind][0])
    assert type(name) is kind
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(7)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Contoso.EXAMPLE", "contoso.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("\uff43ontoso.example", "contoso.example"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("contoso。example", "contoso.example"),
        ("\u200eBÜCHER.example\u202f", "xn--bcher-kva.example"),
        ("\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example", "xn--mgba3gch31f060k.example"),
    ],
)
def test_a_domain_is_known_by_its_a_labels(typed: str, stored: str) -> None:
    assert DomainName(typed) == stored


@given(st.text(max_size=80) | st.from_regex(r"[\w\-.]{1,40}\.[\w\-]{1,20}", fullmatch=True))
def test_whatever_is_typed_is_a_domain_in_its_one_form_or_refused_without_repeating_it(text: str) -> None:
    try:
        domain = DomainName(text)
    except ValueError as refusal:
        assert str(refusal) == DomainName.rule  # noqa: PT017 - most texts are no domain, and that is one of two good ends
    else:
        assert domain.isascii()
        assert DomainName(domain) == DomainName(domain.upper()) == domain


def test_personal_accounts_have_the_tenant_that_microsoft_says() -> None:
    assert PERSONAL_ACCOUNTS == "9188040d-6c67-4c5b-b112-36a304b66dad"

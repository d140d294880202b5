"""Texts that no spreadsheet runs, wherever it begins a cell, and that can be read back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.users.formulas import with_guards, without_guards

RUNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"


@pytest.mark.parametrize("first", RUNS)
def test_whatever_begins_a_formula_is_guarded(first: str) -> None:
    assert with_guards(f"{first}1+1") == f"'{first}1+1"
    for before in ("Left;", "Left,", "Left\t", ";", ",,"):
        assert with_guards(f"{before}{first}1+1;x") == f"{before}'{first}1+1;x"


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("Kiosk", "Kiosk"),
        ("e-mail: a+b@contoso.example", "e-mail: a+b@contoso.example"),
        ("'quoted'", "'quoted'"),
        ("'", "'"),
        ("'=1", "''=1"),
        ('x;"=1+1";y', 'x;\'"=1+1";y'),
        ("x; \u200b=1", "x;' \u200b=1"),
        ("x;'=1", "x;''=1"),
        ("=1;=2,=3", "'=1;'=2,'=3"),
    ],
)
def test_what_is_guarded_and_how(text: str, guarded: str) -> None:
    assert (with_guards(text), without_guards(guarded)) == (guarded, text)


TEXTS = st.text(st.sampled_from(RUNS + "',;\t\" x\u200b") | st.characters(exclude_categories=["Cs"]), max_size=20)


@example("'")
@example(";;''=")
@given(TEXTS)
def test_a_guarded_text_runs_nowhere_and_can_be_read_back(text: str) -> None:
    guarded = with_guards(text)
    assert without_guards(guarded) == text
    for piece in guarded.replace(",", ";").replace("\t", ";").split(";"):
        assert piece.lstrip(' "\u200b\u00a0')[:1] not in {*RUNS}

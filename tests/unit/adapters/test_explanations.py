"""Entra's refusals in words: each says who must act, and none repeats what Entra wrote."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.entra.explanations import explain, explain_consent, number_in, reason

KNOWN = [
    50011, 50020, 50034, 50053, 50057, 50058, 50076, 50079, 50105, 50194, 51004, 53003, 54005, 65001, 65004, 90002,
    90072, 90094, 90095, 500212, 500213, 530032, 650052, 650056, 700005, 700016, 700027, 7000112, 7000215, 7000222,
]  # fmt: skip
VENDORS = {50011, 50194, 650056, 700027, 7000215, 7000222}
ADMINISTRATORS = {
    50057, 50105, 53003, 65001, 90094, 90095, 500212, 500213, 530032, 650052, 700016, 7000112,
}  # fmt: skip
PERSONS = ["Start again", "Try again", "Sign in with", "sign in there", "Check the address"]
UNKNOWN = explain("unknown_error", "")


def told(number: int) -> str:
    return explain("unknown_error", f"AADSTS{number}: Whatever Entra says.")


@pytest.mark.parametrize("number", KNOWN)
def test_every_known_number_has_words_of_its_own(number: int) -> None:
    words = told(number)
    assert words.endswith(f" (AADSTS{number})")
    assert words.removesuffix(f" (AADSTS{number})") != UNKNOWN


@pytest.mark.parametrize("number", KNOWN)
def test_the_words_say_who_must_act(number: int) -> None:
    words = told(number)
    assert ("The vendor's operators must fix this:" in words) == (number in VENDORS)
    if number in ADMINISTRATORS:
        assert "Ask an administrator of your organisation at Microsoft" in words
    elif number not in VENDORS:
        assert any(phrase in words for phrase in [*PERSONS, "Ask an administrator of your organisation"])


@pytest.mark.parametrize(
    "words",
    [
        *map(told, KNOWN),
        UNKNOWN,
        *(explain(error, "") for error in ("access_denied", "server_error")),
        explain_consent("access_denied", ""),
    ],
)
def test_the_words_are_whole_sentences(words: str) -> None:
    assert re.fullmatch(r"([A-Z][^.]*[a-z]\. ?)+(\(AADSTS\d+\))?", words)
    assert "microsoft" not in words


def test_without_a_number_the_error_is_explained() -> None:
    assert "sign in" in explain("access_denied", "The person said no")
    assert "consent page was declined" in explain_consent("access_denied", "The person said no")
    assert "is unavailable at the moment" in explain("temporarily_unavailable", "")
    assert "is unavailable at the moment" in explain("server_error", "")


def test_an_unknown_number_is_told_for_support_with_the_words_of_its_error() -> None:
    assert explain("access_denied", "AADSTS99999") == f"{explain('access_denied', '')} (AADSTS99999)"
    assert explain("unknown_error", "AADSTS99999") == f"{UNKNOWN} (AADSTS99999)"


@given(error=st.text(), number=st.sampled_from([*KNOWN, 99999]), text=st.text())
def test_what_entra_writes_is_never_repeated(error: str, number: int, text: str) -> None:
    assert explain(error, f"AADSTS{number}: {text}") == explain(error, f"AADSTS{number}:")


@given(text=st.text().filter(lambda text: number_in(text) is None), error=st.text(min_size=1).map("?{}".format))
def test_nor_is_what_entra_writes_without_a_number(text: str, error: str) -> None:
    assert explain(error, text) == UNKNOWN


@pytest.mark.parametrize(
    ("description", "number"),
    [
        ("AADSTS65001: no", 65001),
        ("AADSTS7000215", 7000215),
        ("first AADSTS50011, then AADSTS65001", 50011),
        ("", None),
        ("AADSTS", None),
        ("AADSTS12", None),
        ("65001", None),
    ],
)
def test_the_number_is_the_first_that_is_named(description: str, number: int | None) -> None:
    assert number_in(description) == number


@pytest.mark.parametrize("number", KNOWN)
def test_a_known_number_is_what_an_answer_is_counted_by(number: int) -> None:
    assert reason("access_denied", f"AADSTS{number}: Whatever Entra says.") == f"AADSTS{number}"


@given(error=st.text(), description=st.text() | st.integers(100_000, 499_999).map("AADSTS{}".format))
def test_no_browser_can_make_up_what_answers_are_counted_by(error: str, description: str) -> None:
    words = {f"AADSTS{number}" for number in KNOWN} | {"access_denied", "temporarily_unavailable", "server_error"}
    assert reason(error, description) in {"unknown", *words}
    assert reason(f"made up {error}", f"AADSTS99999 {description}") == "unknown"


def test_without_a_known_number_a_known_error_is_what_counts() -> None:
    assert reason("access_denied", "The person said no") == "access_denied"
    assert reason("server_error", "AADSTS99999") == "server_error"

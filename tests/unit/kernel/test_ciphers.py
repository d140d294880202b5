"""Whoever has the secret reads the text; anybody else can neither read it nor make or change one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.ciphers import deciphered, enciphered
from shared.kernel.encoding import base64url, from_base64url

SECRET, PURPOSE = "s" * 43, "a test"


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_back_for_its_secret_and_its_purpose_alone(text: str) -> None:
    hidden = enciphered(SECRET, PURPOSE, text)
    assert deciphered(SECRET, PURPOSE, hidden) == text
    for secret, purpose in (("t" * 43, PURPOSE), (SECRET, "another"), (SECRET + "s", PURPOSE)):
        with pytest.raises(ValueError, match="deciphered"):
            deciphered(secret, purpose, hidden)


def test_no_octet_can_be_changed_and_none_be_cut_off() -> None:
    octets = from_base64url(enciphered(SECRET, PURPOSE, "Alice"))
    assert b"Alice" not in octets
    changed = [octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :] for at in range(len(octets))]
    for wrong in (*changed, *(octets[:length] for length in range(len(octets)))):
        with pytest.raises(ValueError):  # noqa: PT011 - the library has words of its own for what is too short
            deciphered(SECRET, PURPOSE, base64url(wrong))


def test_what_is_no_text_of_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="base64url"):
        deciphered(SECRET, PURPOSE, "{}")


def test_a_text_looks_different_each_time() -> None:
    assert enciphered(SECRET, PURPOSE, "Alice") != enciphered(SECRET, PURPOSE, "Alice")

"""Base64url: what is written is read again, and what is something else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.encoding import base64url, from_base64url


@pytest.mark.parametrize(
    ("octets", "text"),
    [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff\xfe", "-__-")],
)
def test_octets_are_written_without_padding_and_in_the_alphabet_of_addresses(octets: bytes, text: str) -> None:
    assert base64url(octets) == text


@given(st.binary())
def test_what_was_written_is_read_again_padded_or_not(octets: bytes) -> None:
    text = base64url(octets)
    assert from_base64url(text) == from_base64url(text + "=" * (-len(text) % 4)) == octets


@pytest.mark.parametrize("text", ["a", "Zm9v+", "Zm9v/", "Zm 9v", "Zm9v\n", "Zg=Zg", "Zm9é", "\udc00aaa"])
def test_what_is_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64 says it in its own words
        from_base64url(text)

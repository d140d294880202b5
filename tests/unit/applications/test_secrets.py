"""Client secrets: known to the client alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.applications.secrets import hash_secret, new_secret, verify_secret


async def test_a_secret_is_known_by_what_was_kept_of_it() -> None:
    secret = new_secret()
    kept = await hash_secret(secret)
    assert await verify_secret(secret, kept)
    assert not await verify_secret(secret + "x", kept)
    assert not await verify_secret("", kept)
    assert secret not in kept


async def test_nobody_sees_that_two_secrets_are_the_same() -> None:
    assert await hash_secret("same") != await hash_secret("same")


def test_no_two_new_secrets_are_the_same() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(new_secret()) == 43


@settings(max_examples=10, deadline=None)  # slow on purpose
@given(secret=st.text(), other=st.text())
async def test_only_the_secret_itself_is_known(secret: str, other: str) -> None:
    assert await verify_secret(other, await hash_secret(secret)) is (other == secret)


@pytest.mark.parametrize("secret", ["é", "a:b", "\x00", "x" * 2_000])
async def test_any_text_may_be_a_secret(secret: str) -> None:
    assert await verify_secret(secret, await hash_secret(secret))

"""Hashing secrets takes no time."""

import hashlib
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """The slow hash of secrets is asked for at its full cost, and made at the least: the real one takes 50 ms."""
    real = hashlib.scrypt

    def quick(password: bytes, *, salt: bytes, n: int, r: int, p: int) -> bytes:
        assert (n, r, p) == (2**14, 8, 1)
        return real(password, salt=salt, n=2, r=r, p=p)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hashlib, "scrypt", quick)
        yield

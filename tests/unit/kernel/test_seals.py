"""Sealed texts: what is kept elsewhere comes back as it was, or not at all."""

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.seals import Seal

OLD, NEW = b"the key of last year, long enough", b"the key of this year, long enough"
SEAL = Seal((NEW, OLD))


@given(text=st.text(), purpose=st.sampled_from(["a", "b"]))
def test_a_text_comes_back_for_its_purpose_alone(text: str, purpose: str) -> None:
    sealed = SEAL.closed(purpose, text)
    assert sealed is not None
    assert SEAL.opened(purpose, sealed) == text
    assert SEAL.opened(f"{purpose}c", sealed) is None
    assert Seal((OLD,)).opened(purpose, sealed) is None, "the new key has sealed it"


@given(text=st.text(), at=st.integers(0), to=st.characters())
def test_no_other_text_has_the_seal(text: str, at: int, to: str) -> None:
    sealed = SEAL.closed("a", text) or ""
    at %= len(sealed)
    changed = sealed[:at] + to + sealed[at + 1 :]
    assert (SEAL.opened("a", changed) is None) is (changed != sealed)


@given(st.text(st.characters(codec=None)))
def test_what_was_never_sealed_opens_nothing(text: str) -> None:
    assert SEAL.opened("a", text) is None


def test_a_key_is_replaced_in_two_steps() -> None:
    """What the key before has sealed opens, and what two keys before has sealed does not."""
    before = Seal((OLD,)).closed("a", "text") or ""
    assert SEAL.opened("a", before) == "text"
    assert Seal((b"the key of next year, long enough", NEW)).opened("a", before) is None


def test_without_a_key_nothing_is_sealed_and_nothing_opens() -> None:
    none = Seal(())
    assert none.closed("a", "text") is None
    assert none.opened("a", SEAL.closed("a", "text") or "") is None


def test_a_key_is_not_shown() -> None:
    assert "key" not in repr(SEAL).replace("keys", "")

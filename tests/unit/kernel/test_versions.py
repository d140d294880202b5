"""Versions: which documents are the same, and which a caller has seen."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.refusals import Stale
from shared.kernel.versions import Expected, version_of


@given(st.text(), st.text())
def test_equal_documents_and_only_they_have_equal_versions(one: str, other: str) -> None:
    assert (version_of(one) == version_of(other)) == (one == other)


@given(st.text())
def test_a_version_fits_into_an_entity_tag(document: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", version_of(document))


@pytest.mark.parametrize(
    "expected", [Expected(None), Expected(frozenset({"now"})), Expected(frozenset({"old", "now"}))]
)
def test_whoever_has_seen_what_stands_may_change_it(expected: Expected) -> None:
    expected.must_allow("now")


@pytest.mark.parametrize(
    "expected", [Expected(frozenset()), Expected(frozenset({"old"})), Expected(frozenset({"NOW", ""}))]
)
def test_whoever_has_seen_something_else_may_not(expected: Expected) -> None:
    with pytest.raises(Stale, match="Read it again"):
        expected.must_allow("now")

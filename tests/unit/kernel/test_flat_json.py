"""JSON of a flat object, as `json.dumps` writes it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.encoding import flat_json

NAMES = st.from_regex(r"[A-Za-z]{1,9}", fullmatch=True)


@given(members=st.dictionaries(NAMES, st.text() | st.none()))
def test_a_flat_object_is_what_json_makes_of_it_without_what_is_missing(members: dict[str, str | None]) -> None:
    there = {name: value for name, value in members.items() if value is not None}
    assert flat_json(members) == json.dumps(there, separators=(",", ":"))

"""Reading requests, as far as it needs no server: merge patches, preconditions, pages."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from azure.functions import HttpRequest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from functions.http.json_text import json_value, must_be_json, without_mark
from functions.http.requests import (
    if_match,
    json_body,
    media_type,
    merged_with,
    optional_if_match,
    page_of,
    prefers,
    raw_body,
)
from shared.kernel.refusals import (
    FieldFault,
    Invalid,
    Malformed,
    PreconditionRequired,
    Refusal,
    Stale,
    UnsupportedMediaType,
)
from shared.kernel.versions import Expected

RFC_7396_APPENDIX_A: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


def request(query: dict[str, str] | None = None, **headers: str) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest("GET", f"http://localhost/?{urlencode(query or {})}", headers=named, body=b"")


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396_APPENDIX_A)
def test_a_merge_patch_does_what_rfc_7396_shows(target: Any, patch: Any, result: Any) -> None:
    assert merged_with(target, patch) == result


def test_a_merge_patch_leaves_its_target_alone() -> None:
    target = {"a": {"b": "c"}}
    merged_with(target, {"a": {"b": "d"}})
    assert target == {"a": {"b": "c"}}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("*", Expected(None)),
        (" * ", Expected(None)),
        ('"abc"', Expected(frozenset({"abc"}))),
        ('"abc", "d,e" ,"!~"', Expected(frozenset({"abc", "d,e", "!~"}))),
        ('W/"abc", "def"', Expected(frozenset({"def"}))),
        ('""', Expected(frozenset({""}))),
    ],
)
def test_if_match_holds_the_versions_that_a_caller_has_seen(header: str, expected: Expected) -> None:
    assert if_match(request(if_match=header)) == optional_if_match(request(if_match=header)) == expected


@pytest.mark.parametrize("header", ["", "abc", '"abc', "**", "'abc'"])
def test_an_if_match_without_entity_tag_is_malformed(header: str) -> None:
    with pytest.raises(Malformed, match="quotation marks"):
        if_match(request(if_match=header))


def test_a_missing_if_match_is_required_where_nothing_can_be_created() -> None:
    assert optional_if_match(request()) is None
    with pytest.raises(PreconditionRequired):
        if_match(request())


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ({}, (100, None)),
        ({"pageSize": "1"}, (1, None)),
        ({"pageSize": "1000", "continuationToken": "x"}, (1_000, "x")),
        ({"continuationToken": ""}, (100, None)),
    ],
)
def test_a_page_is_as_large_as_asked(query: dict[str, str], page: tuple[int, str | None]) -> None:
    assert page_of(request(query)) == page


@pytest.mark.parametrize("size", ["", "0", "1001", "-1", "1.5", "1e3", " 5", "five", "\u0665", "99999999999999999999"])
def test_a_page_size_out_of_bounds_is_refused(size: str) -> None:
    with pytest.raises(Invalid) as caught:
        page_of(request({"pageSize": size}))
    assert caught.value.faults == (FieldFault("pageSize", "It must be a whole number from 1 to 1000."),)


def test_nothing_of_a_malformed_body_is_kept() -> None:
    refusals = []
    for body in (b"{", b"["):
        with pytest.raises(Malformed) as caught:
            json_value(body)
        refusals.append(caught.value)
    assert refusals[0] is not refusals[1], "an exception that is raised again holds the frames of every time"


def test_a_content_type_is_read_without_its_parameters() -> None:
    assert media_type(request(content_type=" Application/JSON ;charset=utf-8")) == "application/json"
    assert media_type(request()) == ""


def test_a_file_is_sent_to_those_who_name_its_type() -> None:
    assert prefers(request(accept="application/json;q=0.5, Text/CSV"), "text/csv")
    assert not prefers(request(accept="*/*"), "text/csv")
    assert not prefers(request(), "text/csv")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/csv", True),
        ("text/csv;q=0", False),
        ("text/csv; Q = 0.000", False),
        ("application/json, text/csv;q=0", False),
        ("text/csv;q=0, */*", False),
        ("text/csv, */*", True),
        ("text/csv;charset=utf-8;q=0.9, application/json;q=0.8", True),
        ("text/csv;q=0.8, application/json;q=0.9", False),
        ("text/*", True),
        ("text/*;q=0.5, */*;q=0.6", False),
        ("text/csv-schema", False),
        ('application/json;x="a, text/csv"', False),
        (r'application/json;x="a\", text/csv"', False),
        ('application/json;x="a, text/csv', False),
        (r'application/json;x="a\\", text/csv', True),
        ("application/xml", False),
        ("", False),
    ],
)
def test_a_type_is_wanted_by_its_weight_and_then_by_its_name(accept: str, *, wanted: bool) -> None:
    assert prefers(request(accept=accept), "text/csv") is wanted


class Named(BaseModel):
    name: str


def sent(body: bytes, **headers: str) -> HttpRequest:
    lengths = {"content-type": "application/json", "content-length": str(len(body))}
    return HttpRequest("PUT", "/", headers={**lengths, **headers}, body=body)


def test_json_may_begin_with_a_byte_order_mark() -> None:
    assert json_body(sent(b'\xef\xbb\xbf{"name": "J\xc3\xb6rg"}'), Named) == Named(name="Jörg")
    assert json_value(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_another_encoding_is_named_as_what_is_wrong(encoding: str) -> None:
    with pytest.raises(Malformed, match="not in UTF-8"):
        json_body(sent('{"name": "Jörg"}'.encode(encoding)), Named)


@pytest.mark.parametrize(
    "body", [b'{"name": "a", "name": "b"}', b'{"name": "a", "n\\u0061me": "b"}', b'[{"x": {"a": 1, "a": 1}}]']
)
def test_a_name_twice_in_one_object_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed, match="a name twice"):
        json_body(sent(body), Named)
    with pytest.raises(Malformed, match="a name twice"):
        json_value(body)


class Two(BaseModel):
    model_config = ConfigDict(extra="forbid")

    a: str | None = None
    b: dict[str, str] | None = None


SCALARS = st.sampled_from(['"x"', '"a:b"', "null", "1", '"\\ud800"', '"\\u003a"', "NaN", "\x00", '"é"'])
NAMES = st.sampled_from(['"a"', '"b"', '"\\u0061"', '"c"'])


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects as text: names may come twice, which no dictionary could hold."""
    members = st.lists(st.tuples(NAMES, values).map(" : ".join), max_size=3)
    return members.map(lambda each: f"{{{', '.join(each)}}}")


TEXTS = objects(SCALARS | objects(SCALARS)).map(str.encode) | st.binary(max_size=20)


@given(body=TEXTS)
@example(body=b'{"a": "x", "a": "y"}')
@example(body=b'{"b": {"a": "x", "a": "y"}}')
@example(body=b'{"a": "x", "a": 1}')
@example(body=b'\xef\xbb\xbf{"a": "x", "b": {}}')
def test_a_body_is_parsed_once_and_refused_as_if_it_had_been_looked_through_first(body: bytes) -> None:
    def looked_through_first() -> Two:
        must_be_json(without_mark(body))
        return json_body(sent(body), Two)

    assert outcome(lambda: json_body(sent(body), Two)) == outcome(looked_through_first)


def outcome(read: Callable[[], Two]) -> Two | tuple[type[Refusal], str]:
    try:
        return read()
    except Refusal as refusal:
        return type(refusal), refusal.detail


@pytest.mark.parametrize("body", [b'{"name": NaN}', b"[" * 100_000, b'{"name"', b'"\\ud800"', b""])
def test_what_is_no_json_stays_refused(body: bytes) -> None:
    with pytest.raises(Malformed, match="not valid JSON"):
        json_value(body)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip"])
def test_a_compressed_body_is_refused_in_words(coding: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="without Content-Encoding"):
        raw_body(sent(b"x", **{"content-encoding": coding}), "application/json")
    assert raw_body(sent(b"x", **{"content-encoding": " Identity"}), "application/json") == b"x"


def test_who_sends_weak_tags_only_hears_why_they_match_nothing() -> None:
    with pytest.raises(Stale, match="weak tags"):
        if_match(request(if_match='W/"a", W/"b"'))


def test_a_body_with_many_faults_hears_of_the_first_hundred() -> None:
    class Many(BaseModel):
        names: tuple[int, ...]

    with pytest.raises(Invalid) as refused:
        json_body(sent(b'{"names": [' + b",".join([b'"x"'] * 5_000) + b"]}"), Many)
    assert len(refused.value.faults) == 100

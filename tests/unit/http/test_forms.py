"""Parameters of OAuth requests: every value that was sent, or a refusal."""

from urllib.parse import urlencode

import pytest
from azure.functions import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from functions.http.forms import FORM, parameters_of
from shared.kernel.refusals import Malformed, TooLarge, UnsupportedMediaType

AUTHORIZE = "https://sso.example/oauth2/authorize"
PAIRS = st.lists(st.tuples(st.text(max_size=10), st.text(max_size=10)), max_size=20)


def get(query: str) -> HttpRequest:
    return HttpRequest("GET", f"{AUTHORIZE}?{query}", body=b"")


def post(body: bytes, content_type: str = FORM, query: str = "") -> HttpRequest:
    headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
    return HttpRequest("POST", f"{AUTHORIZE}?{query}", headers=headers, body=body)


def collected(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(value for other, value in pairs if other == name) for name, _ in pairs}


@given(pairs=PAIRS)
def test_what_is_sent_arrives_by_query_and_by_form(pairs: list[tuple[str, str]]) -> None:
    sent = urlencode(pairs)
    assert parameters_of(get(sent)) == parameters_of(post(sent.encode())) == collected(pairs)


@given(query=st.text())
def test_no_query_makes_anything_but_parameters_or_a_refusal(query: str) -> None:
    try:
        parameters = parameters_of(get(query))
    except Malformed:
        return
    assert all(values for values in parameters.values())


@given(body=st.binary())
def test_no_form_makes_anything_but_parameters_or_a_refusal(body: bytes) -> None:
    try:
        parameters = parameters_of(post(body))
    except Malformed:
        return
    assert all(values for values in parameters.values())


def test_a_value_that_is_empty_or_repeated_is_kept_for_the_grammar_to_judge() -> None:
    assert parameters_of(get("a=1&b=&a=2&c")) == {"a": ("1", "2"), "b": ("",), "c": ("",)}


def test_a_form_is_read_without_its_query() -> None:
    assert parameters_of(post(b"a=form", query="a=query&b=query")) == {"a": ("form",)}


def test_a_form_may_say_its_charset() -> None:
    assert parameters_of(post(b"a=%C3%A9+e", f"{FORM}; charset=UTF-8")) == {"a": ("é e",)}


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "multipart/form-data"])
def test_a_body_of_another_type_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        parameters_of(post(b"a=b", content_type))


@pytest.mark.parametrize("sent", ["a=%FF", "%FF=a", "&".join(f"a{n}=" for n in range(101))])
def test_what_is_no_utf_8_or_has_too_many_parts_is_refused(sent: str) -> None:
    for req in (get(sent), post(sent.encode())):
        with pytest.raises(Malformed):
            parameters_of(req)


def test_a_form_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(Malformed):
        parameters_of(post("a=é".encode()))


def test_an_address_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Malformed):
        parameters_of(HttpRequest("GET", "http://[evil/oauth2/authorize?a=b", body=b""))


def test_a_huge_form_is_refused() -> None:
    with pytest.raises(TooLarge):
        parameters_of(post(b"a=" + b"x" * 300_000))

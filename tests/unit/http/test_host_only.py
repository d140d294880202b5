"""What Microsoft's library makes of our cookies, and what we make of the library."""

import importlib.util
import logging
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from azure_functions_runtime.bindings import datumdef

from functions.http.cookies import BrowserCookies
from functions.http.host_only import CONVERSION, keep_host_only

LINE = BrowserCookies("__Host-").probe
FALLBACK = BrowserCookies("__Secure-").probe


class Messages:
    """The shape of the messages that the library fills."""

    class RpcHttpCookie(SimpleNamespace):
        SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})

    NullableString = NullableBool = NullableDouble = NullableTimestamp = SimpleNamespace


@pytest.fixture
def library() -> ModuleType:
    """The module as it is published, in a copy of its own."""
    spec = importlib.util.spec_from_file_location(CONVERSION, datumdef.__file__)
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return fresh


def converted(library: ModuleType, cookie: str) -> Any:
    (message,) = library.parse_to_rpc_http_cookie_list([library.SimpleCookie(cookie)], Messages)
    return message


def test_the_library_as_published_gives_a_cookie_an_empty_domain(library: ModuleType) -> None:
    """When this fails, the library is fixed, and `functions.http.host_only` can go."""
    assert converted(library, LINE).domain.value == ""


def test_afterwards_it_gives_none_and_all_else_is_as_it_was(library: ModuleType) -> None:
    before = converted(library, LINE)
    assert keep_host_only(LINE, library) is True
    assert vars(converted(library, LINE)) == vars(before) | {"domain": None}
    assert (before.path.value, before.max_age.value, before.secure.value) == ("/", 0.0, True)


def test_a_domain_that_somebody_sets_stays(library: ModuleType) -> None:
    keep_host_only(LINE, library)
    assert converted(library, "a=1; Domain=sso.example").domain.value == "sso.example"


def test_a_second_time_changes_nothing(library: ModuleType) -> None:
    keep_host_only(LINE, library)
    fixed = library.to_nullable_string
    assert keep_host_only(LINE, library) is True
    assert library.to_nullable_string is fixed


def test_a_library_that_is_right_is_left_alone(library: ModuleType) -> None:
    original = library.to_nullable_string
    vars(library)["to_nullable_string"] = right = lambda value, *rest: original(value or None, *rest)
    assert keep_host_only(LINE, library) is True
    assert library.to_nullable_string is right


def without_the_name(library: ModuleType) -> None:
    original = vars(library).pop("to_nullable_string")
    vars(library)["parse_to_rpc_http_cookie_list"] = lambda cookies, protos: [
        SimpleNamespace(domain=original("", "cookie.domain", protos))
    ]


def by_another_way(library: ModuleType) -> None:
    original = library.to_nullable_string
    vars(library)["parse_to_rpc_http_cookie_list"] = lambda cookies, protos: [
        SimpleNamespace(domain=original("", "cookie.domain", protos))
    ]


def with_none_taken_ill(library: ModuleType) -> None:
    """It calls the function by other arguments, and does not bear None where there was a value."""
    original = library.to_nullable_string

    def convert(cookies: Any, protos: Any) -> list[Any]:
        return [SimpleNamespace(domain=SimpleNamespace(value=library.to_nullable_string("", "domain", protos).value))]

    assert original("", "domain", Messages).value == ""
    vars(library)["parse_to_rpc_http_cookie_list"] = convert


@pytest.mark.parametrize("changed", [without_the_name, by_another_way, with_none_taken_ill])
def test_a_library_that_cannot_be_fixed_is_left_as_it_was_and_said_to_lose_every_sign_in(
    library: ModuleType, changed: Callable[[ModuleType], None], caplog: pytest.LogCaptureFixture
) -> None:
    changed(library)
    before = dict(vars(library))
    assert keep_host_only(LINE, library) is False
    assert vars(library) == before
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("cookies: the worker gives them a domain")


def test_a_cookie_that_may_have_a_domain_is_kept_from_it_but_taken_with_it(
    library: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    assert keep_host_only(FALLBACK, library) is True
    assert converted(library, FALLBACK).domain is None
    by_another_way(library)
    assert keep_host_only(FALLBACK, library) is True
    assert caplog.records == []


def test_calls_in_another_shape_reach_the_library_unchanged(library: ModuleType) -> None:
    keep_host_only(LINE, library)
    named = library.to_nullable_string(nullable="", property_name="cookie.domain", protos=Messages)
    assert named.value == ""
    assert library.to_nullable_string("a", "cookie.domain", protos=Messages).value == "a"


@pytest.mark.parametrize(
    "library", [None, ModuleType("empty"), SimpleNamespace(parse_to_rpc_http_cookie_list=lambda: None)]
)
def test_a_library_that_is_missing_or_quite_another_stops_nothing_and_nothing_is_claimed(
    library: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert keep_host_only(LINE, library) is None
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()[:8]) == (logging.WARNING, "cookies:")

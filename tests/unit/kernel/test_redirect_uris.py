"""Redirect URIs: what can be registered, and what a client may be answered at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.addresses import is_native, is_registered, native_scheme_of, origin_of, redirect_uri

REGISTERED = (
    "https://app.example/callback",
    "http://localhost:3000/callback",
    "http://127.0.0.1/callback",
    "http://[::1]:8080/callback?from=cli",
    "com.example.app:/callback",
)


@pytest.mark.parametrize("uri", [*REGISTERED, "com.example.app://host/callback", "a.b:/"])
def test_web_loopback_and_private_use_addresses_can_be_registered(uri: str) -> None:
    assert redirect_uri(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://app.example/callback",
        "http://localhost.app.example/callback",
        "http://127.0.0.1.app.example/callback",
        "http://127.0.0.1@app.example/callback",
        "http://127.0.0.2/callback",
        "http://[::2]/callback",
        "http://[::ffff:127.0.0.1]/callback",
        "javascript:alert(1)",
        "javascript:/alert(1)",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,x",
        "data:/text/html,x",
        "file:///etc/passwd",
        "myapp:/callback",
        "com.example.app:callback",
        "com.example.app:/callback#fragment",
        "com.example.app:/callback#",
        "com.example.app://user@host/callback",
        "com.example.app:/a b",
        "com.example.app:/a\nb",
        "com.example.app:/a\\b",
        "Com.Example.App:/callback",
        ".app:/callback",
    ],
)
def test_nothing_else_can(uri: str) -> None:
    with pytest.raises(ValueError, match="It must be an"):
        redirect_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [*REGISTERED, "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback", "http://[::1]/callback?from=cli"],
)
def test_a_native_application_is_answered_at_any_port(uri: str) -> None:
    assert is_registered(uri, REGISTERED)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example:444/callback",
        "https://app.example/callback/",
        "http://localhost:3001/callback",
        "http://localhost/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1:80\\@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://user@127.0.0.1:80/callback",
        "http://127.0.0.1:8080/callback/..",
        "http://127.0.0.1:8080/callback?x",
        "http://127.0.0.1:8080",
        "https://127.0.0.1:8080/callback",
        "http://127.1:8080/callback",
        "http://[::1]:8080/callback",
        "http://[::1]evil.example/callback?from=cli",
        "com.example.app:/callback?x",
        "com.example.app://callback",
        "com.example.app:80/callback",
    ],
)
def test_and_nobody_anywhere_else(uri: str) -> None:
    assert not is_registered(uri, REGISTERED)


@given(st.text(), st.integers(1, 65_535))
def test_what_a_port_may_be_is_nothing_but_a_port(text: str, port: int) -> None:
    assert is_registered(f"http://127.0.0.1:{port}/callback", REGISTERED)
    assert is_registered(f"http://127.0.0.1:{port}{text}/callback", REGISTERED) == (
        text == "" or (text.isascii() and text.isdecimal() and int(f"{port}{text}") <= 65_535)
    )


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        ("com.example.app:/callback", "com.example.app"),
        ("http://127.0.0.1/callback", "http"),
        ("https://app.example/callback", None),
        ("x;script-src.a:/", None),
        ("javascript:/alert(1)", None),
    ],
)
def test_a_page_may_lead_to_a_native_applications_scheme_and_no_other(uri: str, scheme: str | None) -> None:
    assert native_scheme_of(uri) == scheme


@pytest.mark.parametrize(
    ("uri", "origin", "native"),
    [
        ("https://App.example/callback", "https://app.example", False),
        ("https://app.example:443/callback?a=b", "https://app.example", False),
        ("https://app.example:8443/", "https://app.example:8443", False),
        ("https://app.example:/", "https://app.example", False),
        ("http://localhost:3000/callback", "http://localhost:3000", False),
        ("http://[::1]:80/callback", "http://[::1]", True),
        ("http://127.0.0.1:5000/callback", "http://127.0.0.1:5000", True),
        ("com.example.app:/callback", None, True),
    ],
)
def test_an_origin_is_as_browsers_send_it(uri: str, origin: str | None, *, native: bool) -> None:
    assert (origin_of(uri), is_native(uri)) == (origin, native)

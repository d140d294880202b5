"""The cookies that bind a browser to its flows."""

import pytest
from azure.functions import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from functions.edge.cookies import CONNECT, SIGN_IN, bind, browser_of

SECRET = "s" * 42 + "-"


def request(cookie: str | None) -> HttpRequest:
    headers = {} if cookie is None else {"Cookie": cookie}
    return HttpRequest("GET", "https://sso.example/", headers=headers, body=b"")


def test_a_cookie_is_for_this_host_alone_and_for_no_script() -> None:
    name_and_value, *attributes = bind(SIGN_IN, SECRET).split("; ")
    assert name_and_value == f"__Host-azure-sso-sign-in={SECRET}"
    assert set(attributes) == {"Path=/", "Max-Age=2400", "HttpOnly", "Secure", "SameSite=Lax"}


@pytest.mark.parametrize(
    "cookie",
    [
        f"{SIGN_IN}={SECRET}",
        f"other=1; {SIGN_IN}={SECRET}; another=2",
        f"other=1;{SIGN_IN}={SECRET};",
        f"{SIGN_IN}=cannot-be-ours; {SIGN_IN}={SECRET}",
        f"{CONNECT}={'c' * 43}; {SIGN_IN}={SECRET}",
    ],
)
def test_a_browser_is_known_by_its_secret(cookie: str) -> None:
    assert browser_of(request(cookie), SIGN_IN) == SECRET


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        ";;=;",
        SIGN_IN,
        f"{SIGN_IN}=",
        f"{SIGN_IN}={SECRET}x",
        f"{SIGN_IN}={SECRET[1:]}",
        f"{SIGN_IN}={SECRET[1:]}é",
        f'{SIGN_IN}="{SECRET[2:]}"',
        f"{CONNECT}={SECRET}",
        f"{SIGN_IN.lower()}={SECRET}",
        f"x{SIGN_IN}={SECRET}",
    ],
)
def test_what_cannot_be_ours_is_nobodys(cookie: str | None) -> None:
    assert browser_of(request(cookie), SIGN_IN) is None


@given(st.text())
def test_no_header_makes_anything_but_a_secret_or_none(cookie: str) -> None:
    browser = browser_of(request(cookie), SIGN_IN)
    assert browser is None or bind(SIGN_IN, browser).startswith(f"{SIGN_IN}={browser};")

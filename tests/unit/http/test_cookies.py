"""The cookies that bind a browser to its flows: one for each."""

from datetime import timedelta

import pytest
from azure.functions import HttpRequest, HttpResponse
from hypothesis import given
from hypothesis import strategies as st

from functions.http.cookies import AT_ONCE, MOST, BrowserCookies, FlowCookies, with_cookies
from shared.flows.flows import Binding, name_of
from shared.provider.expected_person import LONGEST_NOTE

COOKIES = BrowserCookies("__Host-")
SIGN_IN, CONNECT = COOKIES.sign_in, COOKIES.connect
SECRET = "s" * 42 + "-"
STATE, OTHER_STATE = "a" * 43, "b" * 43
NAME, OTHER_NAME = name_of(STATE), name_of(OTHER_STATE)
BINDING = Binding(NAME, SECRET, timedelta(minutes=15))
MINE = f"{SIGN_IN.prefix}{NAME}"


def request(cookie: str | None) -> HttpRequest:
    headers = {} if cookie is None else {"Cookie": cookie}
    return HttpRequest("GET", "https://sso.example/", headers=headers, body=b"")


def holding(count: int, cookies: FlowCookies = SIGN_IN) -> HttpRequest:
    """A request of a browser that has begun this many flows, the oldest first."""
    return request("; ".join(f"{cookies.prefix}{number:016x}={SECRET}" for number in range(count)))


def taken_back(lines: tuple[str, ...]) -> list[str]:
    """The names of the cookies that a browser drops."""
    return [line.partition("=")[0] for line in lines if "Max-Age=0" in line.split("; ")]


def test_a_cookie_is_for_one_flow_of_this_host_as_long_as_it_lives_and_for_no_script() -> None:
    (line,) = SIGN_IN.bind(request(None), BINDING)
    name_and_value, *attributes = line.split("; ")
    assert name_and_value == f"__Host-azure-sso-sign-in-{NAME}={SECRET}"
    assert set(attributes) == {"Path=/", "Max-Age=900", "HttpOnly", "Secure", "SameSite=Lax"}


def test_a_cookie_is_taken_back_by_the_attributes_that_it_was_given_with() -> None:
    name_and_value, *attributes = SIGN_IN.release(STATE).split("; ")
    assert name_and_value == f"{MINE}="
    assert set(attributes) == {"Path=/", "Max-Age=0", "HttpOnly", "Secure", "SameSite=Lax"}


@pytest.mark.parametrize(
    "cookie",
    [
        f"{MINE}={SECRET}",
        f"other=1; {MINE}={SECRET}; another=2",
        f"other=1;{MINE}={SECRET};",
        f"{MINE}=cannot-be-ours; {MINE}={SECRET}",
        f"{SIGN_IN.prefix}{OTHER_NAME}={'o' * 43}; {MINE}={SECRET}",
        f"{CONNECT.prefix}{NAME}={'c' * 43}; {MINE}={SECRET}",
    ],
)
@pytest.mark.parametrize("state", [STATE, STATE + "?extension=1"])
def test_a_browser_brings_the_secret_of_this_very_flow(cookie: str, state: str) -> None:
    assert SIGN_IN.secret(request(cookie), state) == SECRET


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        ";;=;",
        MINE,
        f"{MINE}=",
        f"{MINE}={SECRET}x",
        f"{MINE}={SECRET[1:]}",
        f"{MINE}={SECRET[1:]}é",
        f'{MINE}="{SECRET[2:]}"',
        f"{SIGN_IN.prefix}{OTHER_NAME}={SECRET}",
        f"{SIGN_IN.prefix.rstrip('-')}={SECRET}",
        f"{CONNECT.prefix}{NAME}={SECRET}",
        f"{MINE.lower()}={SECRET}",
        f"x{MINE}={SECRET}",
    ],
)
def test_what_cannot_be_ours_or_is_another_flows_is_nobodys(cookie: str | None) -> None:
    assert SIGN_IN.secret(request(cookie), STATE) is None


@pytest.mark.parametrize("space", ["\u2000", "\u00a0", "\u3000", "\u0085", "\u001c", "\v", "\f"])
def test_what_browsers_do_not_take_for_our_prefix_is_not_our_prefix(space: str) -> None:
    """A sibling domain may set such a cookie; Python would take these characters for spaces."""
    forged = request(f"{space}{MINE}={SECRET}")
    assert SIGN_IN.secret(forged, STATE) is None
    assert taken_back(SIGN_IN.bind(request("; ".join([f"{space}{SIGN_IN.prefix}{'0' * 16}=x"] * 40)), BINDING)) == []
    assert SIGN_IN.secret(request(f" \t {MINE}={SECRET}"), STATE) == SECRET


def test_without_a_state_there_is_no_flow() -> None:
    assert SIGN_IN.secret(request(f"{MINE}={SECRET}"), None) is None


@given(st.text())
def test_no_header_makes_anything_but_a_secret_or_none(cookie: str) -> None:
    secret = SIGN_IN.secret(request(f"{cookie}; {MINE}={cookie}"), STATE)
    assert secret is None or len(secret) == len(SECRET)
    assert len(SIGN_IN.bind(request(cookie), BINDING)) == 1


@pytest.mark.parametrize(("held", "dropped"), [(0, 0), (MOST - 1, 0), (MOST, 1), (MOST + 2, 3), (180, AT_ONCE)])
def test_a_browser_that_has_begun_many_flows_lets_the_oldest_go(held: int, dropped: int) -> None:
    lines = SIGN_IN.bind(holding(held), BINDING)
    assert taken_back(lines) == [f"{SIGN_IN.prefix}{number:016x}" for number in range(dropped)]
    assert lines[-1].startswith(f"{MINE}={SECRET}; ")


def test_the_flows_of_another_sort_are_not_counted() -> None:
    assert taken_back(SIGN_IN.bind(holding(180, CONNECT), BINDING)) == []


def test_each_cookie_is_a_header_of_its_own() -> None:
    answer = with_cookies(HttpResponse(), "a=1", "b=2")
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]


# -- a text that a browser keeps --------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1_000))
def test_a_browser_brings_back_the_text_that_it_was_given(text: str) -> None:
    lines = COOKIES.way_back.keep(text)
    assert COOKIES.way_back.text(request("; ".join(line.partition(";")[0] for line in lines))) == text
    assert all({"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= {*line.split("; ")} for line in lines)
    assert COOKIES.way_back.text(request(None)) is None


def test_a_long_text_takes_two_cookies_that_browsers_take_and_a_longer_one_none() -> None:
    lines = COOKIES.way_back.keep("é" * 2_800)
    assert (len(lines), taken_back(lines)) == (2, [])
    assert all(len(line.partition(";")[0]) <= 4_096 for line in lines)
    assert taken_back(COOKIES.way_back.keep("short")) == ["__Host-azure-sso-way-back-1"]
    assert taken_back(COOKIES.way_back.keep(None)) == [f"__Host-azure-sso-way-back-{number}" for number in range(2)]
    with pytest.raises(ValueError, match="too much"):
        COOKIES.way_back.keep("x" * 5_701)
    assert len(COOKIES.person.keep("x" * LONGEST_NOTE)) == 1
    assert taken_back(COOKIES.person.keep(None)) == ["__Host-azure-sso-person-0"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_header_makes_the_reader_of_a_text_fail(cookie: str) -> None:
    name = COOKIES.way_back.prefix
    assert COOKIES.way_back.text(request(f"{name}0={cookie}; {name}1=x")) is None or cookie

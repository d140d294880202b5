"""`prompt=login` and `max_age`: what is asked of Microsoft, what Microsoft proves, and who tries to do without.

The attacker of these tests sits at a browser in which Alice has signed in before. Applications that ask for a login, or
for a recent one, must hear of Alice only if she has typed her password.
"""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.http.conftest import Caller, Switch
from tests.http.signing_in import (
    ALICE,
    REDIRECT_URI,
    Asked,
    Person,
    Shown,
    answered,
    claims_of,
    query_of,
    redeem,
    refused,
    without_query,
)
from tests.support.integration import edited
from tests.support.service import RunningService

HOUR = timedelta(hours=1)

ASKS_FOR_LOGIN = [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "login", "max_age": "999999"}]


@pytest.fixture
def alice(contoso: Caller, unite: Asked, person: Person) -> Person:
    """Alice, who signed in with this browser an hour ago, and has gone for lunch."""
    person.sign_in(unite)
    person.service.clock.advance(HOUR)
    return person


def explained(response: httpx.Response, asked: Asked, slug: str) -> Shown:
    """A page that says why nobody was signed in."""
    page = Shown.by(response)
    assert response.status_code == 403, response.text
    assert page.reference.startswith(f"{slug}, id ")
    back = page.ways["Back to the application"]
    assert without_query(back) == REDIRECT_URI
    assert (query_of(back)["error"], query_of(back)["state"]) == ("access_denied", asked.state)
    return page


def go_on(person: Person, url: str) -> str:
    """Microsoft's answer, held back, to who goes on with the session that the browser has."""
    answer = person.open(url)
    if answer.has_redirect_location:
        return str(answer.headers["location"])
    return person.press(person.browser.open(url), "continue")


def auth_time_of(service: RunningService, asked: Asked, answer: dict[str, str]) -> int | None:
    """What the application is told of when the person signed in."""
    tokens = redeem(service, asked.redemption(answer["code"])).raise_for_status().json()
    auth_time: int | None = claims_of(service, tokens["id_token"]).get("auth_time")
    return auth_time


def seconds(service: RunningService) -> int:
    return int(service.clock.now().timestamp())


# -- an attacker at Alice's browser -----------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ASKS_FOR_LOGIN, ids=str)
def test_taking_prompt_out_of_microsofts_address_lets_nobody_in(
    alice: Person, unite: Asked, asked: dict[str, str]
) -> None:
    answer = go_on(alice, edited(alice.leave(unite, **asked), prompt=None))
    page = explained(alice.open(answer), unite, "sign-in-too-old")
    assert page.title == "Please sign in again"
    assert "Sign in again" in page.told

    again = alice.open(page.ways["Sign in again"]).headers["location"]
    assert (query_of(again)["prompt"], query_of(again)["login_hint"]) == ("login", ALICE)
    assert "code" in answered(alice.open(alice.sign_in_at_microsoft(again)))


@pytest.mark.parametrize("asked", ASKS_FOR_LOGIN, ids=str)
def test_a_microsoft_that_does_not_ask_lets_nobody_in(
    alice: Person, unite: Asked, hostile: Switch, asked: dict[str, str]
) -> None:
    hostile(ignore_prompt_login=True)
    explained(alice.come_back(unite, **asked), unite, "sign-in-too-old")


@pytest.mark.parametrize("stripped", ["none", "select_account"])
def test_no_other_prompt_in_its_place_lets_anybody_in(alice: Person, unite: Asked, stripped: str) -> None:
    answer = go_on(alice, edited(alice.leave(unite, prompt="login"), prompt=stripped, login_hint=None))
    explained(alice.open(answer), unite, "sign-in-too-old")


def test_a_session_that_is_older_than_max_age_is_sent_back_to_microsoft_and_no_further(
    alice: Person, unite: Asked
) -> None:
    anew = alice.come_back(unite, max_age="60").headers["location"]
    assert query_of(anew)["prompt"] == "login"
    explained(alice.open(go_on(alice, edited(anew, prompt=None))), unite, "sign-in-too-old")


def test_the_answer_of_the_first_way_does_not_help_on_the_second(alice: Person, unite: Asked) -> None:
    first = alice.answer(unite, max_age="60")
    anew = alice.open(first).headers["location"]
    swapped = edited(first, state=query_of(anew)["state"])
    response = alice.open(swapped)
    assert response.status_code == 409
    assert "AADSTS54005" in Shown.by(response).told


def test_a_sign_in_before_the_request_began_is_not_the_one_that_was_asked_for(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    person.sign_in(unite)
    person.service.clock.advance(timedelta(seconds=90))
    answer = go_on(person, edited(person.leave(unite, prompt="login"), prompt=None))
    explained(person.open(answer), unite, "sign-in-too-old")


@pytest.mark.parametrize("asked", [*ASKS_FOR_LOGIN, {"max_age": "999999"}], ids=str)
def test_without_auth_time_nobody_is_let_in_and_the_operators_are_named(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch, asked: dict[str, str]
) -> None:
    hostile(id_token={"auth_time": None})
    page = explained(person.come_back(unite, **asked), unite, "auth-time-missing")
    assert "The vendor's operators must fix this" in page.told
    assert "optional claim auth_time" in page.told
    assert page.ways.keys() == {"Back to the application"}


def test_nobody_is_tied_to_an_address_by_an_old_sign_in(alice: Person, contoso: Caller, hostile: Switch) -> None:
    (link,) = contoso("GET", "/v1/accounts/acme/links").json()["items"]
    contoso("DELETE", f"/v1/accounts/acme/links/{link['linkId']}").raise_for_status()
    hostile(ignore_prompt_login=True)
    explained(alice.come_back(Asked(state="s"), prompt="login"), Asked(state="s"), "sign-in-too-old")
    assert contoso("GET", "/v1/accounts/acme/links").json()["items"] == []


# -- honest people ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ASKS_FOR_LOGIN, ids=str)
def test_who_signs_in_anew_is_let_in_and_the_application_is_told_when(
    alice: Person, unite: Asked, asked: dict[str, str]
) -> None:
    now = seconds(alice.service)
    auth_time = auth_time_of(alice.service, unite, alice.sign_in(unite, **asked))
    assert auth_time is not None
    assert now <= auth_time <= now + 60


def test_who_signed_in_recently_enough_is_not_asked(alice: Person, unite: Asked) -> None:
    now = seconds(alice.service)
    answer = alice.open(go_on(alice, alice.leave(unite, max_age="7200")))
    auth_time = auth_time_of(alice.service, unite, answered(answer))
    assert auth_time is not None
    assert now - 3660 <= auth_time <= now - 3600


@pytest.mark.parametrize("prompt", [None, "select_account"])
def test_who_signed_in_too_long_ago_is_asked_once_and_let_in(alice: Person, unite: Asked, prompt: str | None) -> None:
    now = seconds(alice.service)
    first = go_on(alice, alice.leave(unite, max_age="60", prompt=prompt))
    anew = alice.open(first).headers["location"]
    assert (query_of(anew)["prompt"], query_of(anew)["login_hint"]) == ("login", ALICE)
    answer = answered(alice.open(alice.sign_in_at_microsoft(anew)))
    assert answer["state"] == unite.state
    auth_time = auth_time_of(alice.service, unite, answer)
    assert auth_time is not None
    assert now <= auth_time <= now + 60


def test_who_takes_their_time_over_a_second_factor_is_let_in_all_the_same(alice: Person, unite: Asked) -> None:
    """Microsoft's `auth_time` is that of the password, and the answer comes when everything is done."""
    anew = alice.come_back(unite, max_age="60").headers["location"]
    for url in (anew, alice.leave(unite, prompt="login"), alice.leave(unite, max_age="0")):
        answer = alice.sign_in_at_microsoft(url)
        alice.service.clock.advance(timedelta(minutes=4))
        assert "code" in answered(alice.open(answer))


def test_without_max_age_the_application_is_told_how_old_the_session_is(alice: Person, unite: Asked) -> None:
    now = seconds(alice.service)
    auth_time = auth_time_of(alice.service, unite, alice.sign_in(unite))
    assert auth_time is not None
    assert now - 3660 <= auth_time <= now - 3600


def test_what_microsoft_does_not_say_the_application_is_not_told(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch
) -> None:
    hostile(id_token={"auth_time": None})
    assert auth_time_of(person.service, unite, person.sign_in(unite)) is None


@pytest.mark.parametrize(("apart", "let_in"), [(-50, True), (50, True), (-300, False)])
def test_clocks_may_be_a_minute_apart(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch, apart: int, *, let_in: bool
) -> None:
    hostile(auth_time_offset=apart)
    response = person.come_back(unite, prompt="login")
    assert response.has_redirect_location is let_in


# -- without a page ---------------------------------------------------------------------------------------------------


def test_without_a_page_who_signed_in_recently_enough_is_let_in(alice: Person, unite: Asked) -> None:
    now = seconds(alice.service)
    answer = alice.sign_in(unite, prompt="none", max_age="7200")
    auth_time = auth_time_of(alice.service, unite, answer)
    assert auth_time is not None
    assert now - 3660 <= auth_time <= now - 3600


@pytest.mark.parametrize("modes", [{}, {"id_token": {"auth_time": None}}], ids=["too old", "unknown"])
def test_without_a_page_who_is_not_shown_to_be_recent_must_log_in(
    alice: Person, unite: Asked, hostile: Switch, modes: dict[str, Any]
) -> None:
    hostile(**modes)
    response = alice.come_back(unite, prompt="none", max_age="60")
    assert refused(alice.service, response, unite) == "login_required"

"""People with browsers: those who sign in, in every way and to both applications, and those who never arrive."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx

from bench.people import code_of
from bench.soak.world import CONFIDENTIAL, EXCEPTED, PUBLIC, UnexpectedError, World, expected
from local.cast.browser import Browser

WALKS_AWAY: Final = "sign in and walk away"
"""Leaves one session and one family of refresh tokens behind."""

RENEWABLE: Final = ("sign in to both, renew, sign out", "sign in, revoke, sign out", "show a code twice", WALKS_AWAY)
"""Each begins one family of refresh tokens, whose row stays until its month is over, also if the family has ended."""

_SCOPE: Final = "openid email profile offline_access"
_EXCEPTED_AT_MICROSOFT: Final = "c.jones@contoso.example"


def signing_in(here: World, person: str) -> Mapping[str, Callable[[], object]]:
    """Whole sign-ins of one person, each in a new browser."""

    def renew(token: str) -> str:
        form = {"grant_type": "refresh_token", "client_id": PUBLIC, "refresh_token": token}
        return str(here.redeem(form)["refresh_token"])

    def both() -> None:
        with Browser() as browser:
            tokens = here.sign_in(browser, here.request(person), scope=_SCOPE)
            here.ask("GET", "/oauth2/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
            renew(renew(tokens["refresh_token"]))
            here.sign_in(browser, here.request(person, CONFIDENTIAL), login_hint=None)
            here.sign_in(browser, here.request(person, CONFIDENTIAL), prompt="none")
            here.sign_out(browser, tokens["id_token"])

    def revoke() -> None:
        with Browser() as browser:
            tokens = here.sign_in(browser, here.request(person), scope=_SCOPE)
            here.ask("POST", "/oauth2/revoke", data={"client_id": PUBLIC, "token": renew(tokens["refresh_token"])})
            here.sign_out(browser, tokens["id_token"])

    def twice() -> None:
        request = here.request(person)
        with Browser() as browser:
            page = browser.walk(browser.open(request.address(here.url, scope=_SCOPE)), person)
            tokens = here.redeem(request.redemption(code_of(page)))
            here.redeem(request.redemption(code_of(page)), 400)
            here.sign_out(browser, tokens["id_token"])

    def pushed() -> None:
        request = here.request(person)
        with Browser() as browser:
            page = browser.walk(browser.open(_pushed(here, request.parameters())), person)
            tokens = here.redeem(request.redemption(code_of(page)))
            here.sign_out(browser, tokens["id_token"])

    def walk_away() -> None:
        with Browser() as browser:
            here.sign_in(browser, here.request(person), scope=_SCOPE)

    renewable = dict(zip(RENEWABLE, (both, revoke, twice, walk_away), strict=True))
    return renewable | {"sign in by a pushed request": pushed}


def never_arriving(here: World, person: str) -> Mapping[str, Callable[[], object]]:
    """People who give up, and people who are not let in."""

    def push() -> None:
        _pushed(here, here.request(person).parameters())

    def begin() -> None:
        with Browser() as browser:
            _begin(here, browser, person)

    def deny() -> None:
        with Browser() as browser:
            state = parse_qs(urlsplit(_begin(here, browser, person)).query)["state"][0]
            answer = {"error": "access_denied", "error_description": "AADSTS65004: denied", "state": state}
            page = browser.open(str(httpx.URL(f"{here.url}/signin/callback", params=answer)))
            _must_say(page.url + page.html, "access_denied")

    def excepted() -> None:
        with Browser() as browser:
            _must_say(browser.open(here.request(EXCEPTED).address(here.url)).url, "error=sso_does_not_apply")

    def under_another_name() -> None:
        with Browser() as browser:
            page = browser.walk(browser.open(here.request(person).address(here.url)), _EXCEPTED_AT_MICROSOFT)
        _must_say(f"{page.status} {page.title} {page.html}", "403")

    return {
        "push a request in vain": push,
        "begin and give up": begin,
        "deny at Microsoft": deny,
        "an exception is sent away": excepted,
        "an exception signs in under another name": under_another_name,
    }


def _pushed(here: World, parameters: Mapping[str, str]) -> str:
    """Push a request; the address that begins it."""
    name = here.ask("POST", "/oauth2/par", 201, data=dict(parameters)).json()["request_uri"]
    return str(httpx.URL(f"{here.url}/oauth2/authorize", params={"client_id": PUBLIC, "request_uri": name}))


def _begin(here: World, browser: Browser, person: str) -> str:
    """Come from an application, and go no further than the address at Microsoft, which is returned."""
    answer = browser.send("GET", here.request(person).address(here.url), {})
    return str(expected(answer, 303).headers["location"])


def _must_say(text: str, part: str) -> None:
    if part not in text:
        raise UnexpectedError(f"It should say {part}: {text[:500]}")

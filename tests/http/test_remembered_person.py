"""One sign-in, all applications: a browser keeps a note of who signed in, and the note alone lets nobody in.

The attackers of these tests sit at a browser that somebody else has used, forge notes, or bring ID tokens of others.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local import loopback
from local.cast.stack import REMEMBER_KEY
from shared.kernel.encoding import base64url, from_base64url
from tests.http.conftest import CONTOSO, Caller, Walk
from tests.http.moving import NORTHWIND, Company
from tests.http.signing_in import (
    ALICE,
    ALICE_OID,
    PASSWORD_URI,
    REDIRECT_URI,
    Asked,
    NewPerson,
    Person,
    Register,
    Shown,
    answered,
    claims_of,
    query_of,
    redeem,
    refused,
    set_policy,
    without_query,
)
from tests.support.integration import edited
from tests.support.service import RunningService

BOB = "bob@contoso-mail.example"
NOTE = "__Host-azure-sso-person-0"
PORTAL_URI = "https://portal.example/callback"
NOBODY: dict[str, str | None] = {"login_hint": None}
"""A request that names nobody."""


@dataclass(frozen=True)
class Portal(Asked):
    """A request of another application, which names nobody."""

    client_id: str = "portal"
    redirect_uri: str = PORTAL_URI
    login_hint: str = field(default="", kw_only=True)


@pytest.fixture
def portal(register: Register) -> Portal:
    """Another application of the vendor."""
    register("portal", redirectUris=[PORTAL_URI]).raise_for_status()
    return Portal()


@pytest.fixture
def alice(contoso: Caller, unite: Asked, person: Person) -> Person:
    """Somebody at the browser in which Alice has signed in to Unite."""
    person.sign_in(unite)
    return person


def note_in(person: Person) -> str:
    """The text of the note that a browser keeps."""
    return from_base64url(person.cookies[NOTE]).decode()


def plant(person: Person, note: str | None) -> None:
    """Put a note into a browser, or take it out."""
    if note is None:
        del person.browser._cookies["localhost", "/", NOTE]
    else:
        person.keep(f"{NOTE}={base64url(note.encode(errors='surrogatepass'))}; Path=/; Secure; HttpOnly")


def asks_for_the_address(response: httpx.Response) -> bool:
    """Whether this is the form for an address, which names nobody."""
    field = Shown.by(response).one("input", id="email")
    return response.status_code == 200 and "value" not in field.attributes


def at_microsoft(response: httpx.Response) -> dict[str, str]:
    """What Microsoft is asked, at Contoso."""
    assert response.status_code == 303, response.text
    assert "/c0c00000-0000-4000-8000-000000000000/" in response.headers["location"]
    return query_of(response.headers["location"])


def told(service: RunningService, asked: Asked, response: httpx.Response) -> dict[str, Any]:
    """The claims that an application gets for its code."""
    code = answered(response, asked.redirect_uri)["code"]
    tokens = redeem(service, asked.redemption(code)).raise_for_status().json()
    return {**claims_of(service, tokens["id_token"], asked.client_id), "id_token": tokens["id_token"]}


def let_in_at_microsoft(person: Person, username: str) -> None:
    """Somebody else signs in at Microsoft in this browser, which remembers whom it remembered before."""
    note = note_in(person)
    person.sign_in_at_microsoft(person.leave(Asked(login_hint=username), prompt="login"), username)
    plant(person, note)


# -- one sign-in, all applications ------------------------------------------------------------------------------------


def test_who_has_signed_in_to_one_application_gets_into_the_others_without_a_word(
    alice: Person, unite: Asked, portal: Portal, service: RunningService
) -> None:
    cookie = next(morsel for (_, _, name), morsel in alice.browser._cookies.items() if name == NOTE)
    assert "alice" not in cookie, "it is not shown by accident"
    away = alice.authorize(portal)
    assert at_microsoft(away)["login_hint"].startswith("O."), "Microsoft's own name of the session"
    there = told(service, portal, alice.open(alice.sign_in_at_microsoft(away.headers["location"])))
    here = told(service, unite, alice.come_back(unite, **NOBODY))
    assert there["sub"] == here["sub"]
    silent = told(service, portal, alice.come_back(portal, prompt="none"))
    assert (silent["sub"], silent["email"]) == (here["sub"], ALICE)


def test_the_note_is_for_this_host_and_for_thirty_days(contoso: Caller, unite: Asked, person: Person) -> None:
    (line,) = person.come_back(unite).headers.get_list("set-cookie")
    assert line.startswith(f"{NOTE}=")
    _, *attributes = sorted(line.lower().split("; "))
    assert attributes == ["httponly", "max-age=2592000", "path=/", "samesite=lax", "secure"]
    person.service.clock.advance(timedelta(days=29))
    assert at_microsoft(person.authorize(unite, **NOBODY))
    person.service.clock.advance(timedelta(days=1))
    assert asks_for_the_address(person.authorize(unite, **NOBODY)), "a browser may keep it for longer"


def test_the_decision_is_taken_again_and_who_is_left_to_the_password_is_forgotten(
    alice: Person, contoso: Caller, unite: Asked, portal: Portal, service: RunningService
) -> None:
    set_policy(contoso, applicationsOff=["portal"])
    assert asks_for_the_address(alice.authorize(portal)), "an application does not hear who was here"
    assert NOTE in alice.cookies
    set_policy(contoso, mode="off", applicationsOff=[])
    silent = alice.authorize(unite, **NOBODY, prompt="none")
    assert refused(service, silent, unite) == "login_required"
    assert ALICE not in silent.headers["location"]
    assert asks_for_the_address(alice.authorize(unite, **NOBODY))
    assert NOTE not in alice.cookies
    assert without_query(alice.authorize(unite).headers["location"]) == without_query(PASSWORD_URI)


def test_sso_that_ends_on_the_way_is_forgotten(alice: Person, contoso: Caller, unite: Asked) -> None:
    answer = alice.answer(unite, **NOBODY)
    set_policy(contoso, mode="off")
    assert Shown.by(alice.open(answer)).reference.startswith("sso-switched-off")
    assert NOTE not in alice.cookies


def test_a_sign_out_is_a_goodbye(alice: Person, unite: Asked, service: RunningService) -> None:
    id_token = alice.tokens(unite)["id_token"]
    alice.open(str(httpx.URL(f"{service.url}/oauth2/logout", params={"id_token_hint": id_token})))
    assert NOTE not in alice.cookies
    assert asks_for_the_address(alice.authorize(unite, **NOBODY))
    assert refused(service, alice.authorize(unite, **NOBODY, prompt="none"), unite) == "login_required"
    alice.sign_in(unite)
    alice.open(f"{service.url}/signin/front-channel-logout?sid=of-microsoft")
    assert NOTE not in alice.cookies


@pytest.mark.parametrize("prompt", ["select_account", "login"])
def test_use_another_account_asks_who_it_is(alice: Person, unite: Asked, prompt: str) -> None:
    assert asks_for_the_address(alice.authorize(unite, **NOBODY, prompt=prompt))
    assert NOTE not in alice.cookies
    alice.sign_in(unite)
    assert at_microsoft(alice.authorize(unite, prompt=prompt))["prompt"] == prompt
    assert NOTE not in alice.cookies, "as long as nobody has come back"


def test_a_page_of_microsofts_from_which_nobody_comes_back_holds_up_nobody(
    alice: Person, unite: Asked, portal: Portal, service: RunningService
) -> None:
    for asked in (unite, portal):
        assert at_microsoft(alice.authorize(asked, **NOBODY)), "two tabs at once"
    service.clock.advance(timedelta(seconds=31))
    assert asks_for_the_address(alice.authorize(portal))
    assert at_microsoft(alice.authorize(portal, prompt="none")), "which shows no page"
    service.clock.advance(timedelta(minutes=15))
    answer = alice.answer(portal)
    service.clock.advance(timedelta(seconds=40))
    assert "code" in answered(alice.open(answer), PORTAL_URI)
    assert at_microsoft(alice.authorize(portal)), "who has come back has not got lost"


def test_a_recent_sign_in_is_asked_for_without_the_form(alice: Person, portal: Portal, service: RunningService) -> None:
    service.clock.advance(timedelta(seconds=10))
    again = alice.come_back(portal, max_age="1").headers["location"]
    assert (query_of(again)["prompt"], query_of(again)["login_hint"]) == ("login", query_of(again)["login_hint"])
    before = int(service.clock.now().timestamp())
    assert told(service, portal, alice.open(alice.sign_in_at_microsoft(again)))["auth_time"] >= before
    assert at_microsoft(alice.authorize(portal, max_age="0"))["prompt"] == "login"


def test_in_a_frame_of_another_site_nobody_is_sent_anywhere(
    alice: Person, unite: Asked, service: RunningService
) -> None:
    address = unite.address(service.url, prompt="none")
    framed = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
    before = service.rows("flows")
    assert refused(service, loopback.get(address, headers=framed), unite) == "login_required"
    assert service.rows("flows") == before
    for headers in (framed | {"Sec-Fetch-Site": "same-site"}, framed | {"Sec-Fetch-Dest": "document"}):
        assert at_microsoft(loopback.get(address, headers=headers))["prompt"] == "none"


# -- two people at one browser ----------------------------------------------------------------------------------------


def test_nobody_becomes_who_was_here_before(
    alice: Person, unite: Asked, portal: Portal, service: RunningService
) -> None:
    """Bob comes to a browser that remembers Alice, and is signed in at Microsoft as himself."""
    owner = told(service, unite, alice.come_back(unite))
    let_in_at_microsoft(alice, BOB)
    away = alice.leave(portal)
    assert asks_for_the_address(alice.open(alice.sign_in_at_microsoft(away, BOB)))
    assert NOTE not in alice.cookies
    bob = told(service, portal, alice.come_back(portal, BOB, login_hint=BOB))
    assert (bob["email"], bob["sub"] != owner["sub"]) == (BOB, True)
    assert '"bob@contoso-mail.example"' in note_in(alice)
    again = told(service, unite, alice.come_back(unite, BOB, **NOBODY))
    assert again["sub"] == bob["sub"]


def test_a_session_of_somebody_else_is_no_silent_sign_in(
    alice: Person, unite: Asked, portal: Portal, service: RunningService
) -> None:
    let_in_at_microsoft(alice, BOB)
    for hint in ({}, {"login_hint": None}):  # it is in Microsoft's address, where the person can take it out
        answer = alice.open(edited(alice.leave(portal, prompt="none"), **hint)).headers["location"]
        assert refused(service, alice.open(answer), portal) == "login_required"
    let_in_at_microsoft(alice, ALICE)
    assert "code" in answered(alice.come_back(portal, prompt="none"), PORTAL_URI)


def forged(note: str, **changes: str) -> list[str]:
    """What an attacker makes of a note, without the key."""
    text, _, tag = note.rpartition(".")
    told_of_bob = text.replace(ALICE, BOB)
    theirs = hmac.digest(b"a key of the attacker's", b"remembered person\0" + told_of_bob.encode(), hashlib.sha256)
    other = hmac.digest(REMEMBER_KEY.encode(), b"another purpose\0" + told_of_bob.encode(), hashlib.sha256)
    bare = hmac.digest(REMEMBER_KEY.encode(), told_of_bob.encode(), hashlib.sha256)
    tags = [tag, "", tag[:-1], *map(base64url, (theirs, other, bare))]
    return [*(f"{told_of_bob}.{each}" for each in tags), text, f"{text}.", f".{tag}", ".", "é.\udcff", "x" * 3_000]


def test_a_note_that_is_not_ours_is_no_note(alice: Person, unite: Asked, service: RunningService) -> None:
    genuine = note_in(alice)
    for note in forged(genuine):
        plant(alice, note)
        assert asks_for_the_address(alice.authorize(unite, **NOBODY)), note
        assert refused(service, alice.authorize(unite, **NOBODY, prompt="none"), unite) == "login_required"
    plant(alice, genuine)
    assert at_microsoft(alice.authorize(unite, **NOBODY)), "while this one is"


def test_a_stolen_note_opens_nothing(
    alice: Person, unite: Asked, new_person: NewPerson, service: RunningService
) -> None:
    thief = new_person()
    plant(thief, note_in(alice))
    away = thief.leave(unite, **NOBODY)
    assert not thief.open(away).has_redirect_location, "Microsoft asks for the password"
    silent = thief.open(thief.open(thief.leave(unite, **NOBODY, prompt="none")).headers["location"])
    assert refused(service, silent, unite) == "login_required"


def test_a_note_is_never_in_a_row_and_never_in_an_address(alice: Person, unite: Asked, service: RunningService) -> None:
    note = note_in(alice)
    away = alice.leave(unite, **NOBODY)
    assert note.rpartition(".")[2] not in away + repr(service.rows("flows"))


# -- id_token_hint ----------------------------------------------------------------------------------------------------


def test_an_id_token_says_whom_an_application_means_however_old_it_is(
    alice: Person, unite: Asked, service: RunningService
) -> None:
    """It has no address, and the browser no note: the person is found by `tid` and `oid`."""
    id_token = alice.tokens(unite, scope="openid")["id_token"]
    assert "email" not in claims_of(service, id_token)
    service.clock.advance(timedelta(hours=2))
    plant(alice, None)
    hinted = {**NOBODY, "id_token_hint": id_token}
    away = alice.authorize(unite, **hinted, prompt="none")
    assert at_microsoft(away)["login_hint"] == ALICE
    silent = told(service, unite, alice.open(alice.sign_in_at_microsoft(away.headers["location"])))
    assert (silent["sub"], silent["oid"]) == (claims_of(service, id_token)["sub"], ALICE_OID)
    assert at_microsoft(alice.authorize(unite, **hinted))["login_hint"].startswith("O."), "the note is there again"
    assert id_token.rpartition(".")[2] not in repr(service.rows("flows")), "no token is stored"
    with_address = alice.tokens(unite)["id_token"]
    plant(alice, None)
    assert at_microsoft(alice.authorize(unite, **NOBODY, id_token_hint=with_address))["login_hint"] == ALICE


def test_whom_nothing_leads_to_is_asked_for_and_still_demanded(
    alice: Person, contoso: Caller, unite: Asked, service: RunningService
) -> None:
    id_token = alice.tokens(unite, scope="openid")["id_token"]
    plant(alice, None)
    contoso("POST", "/v1/accounts/acme/links/release", json={"all": True}).raise_for_status()
    hinted = {**NOBODY, "id_token_hint": id_token}
    assert refused(service, alice.authorize(unite, **hinted, prompt="none"), unite) == "login_required"
    form = alice.authorize(unite, **hinted)
    assert asks_for_the_address(form)
    assert Shown.by(form).one("input", name="id_token_hint").attributes["value"] == id_token
    assert "code" in alice.sign_in(unite, id_token_hint=id_token)


def test_nobody_else_is_answered_with(alice: Person, contoso: Caller, unite: Asked, service: RunningService) -> None:
    id_token = alice.tokens(unite)["id_token"]
    let_in_at_microsoft(alice, BOB)
    swapped = edited(alice.leave(unite, **NOBODY, id_token_hint=id_token, prompt="none"), login_hint=None)
    assert refused(service, alice.open(alice.open(swapped).headers["location"]), unite) == "login_required"
    assert [link["email"] for link in contoso("GET", "/v1/accounts/acme/links").json()["items"]] == [ALICE]
    for asked in ({"login_hint": BOB}, {"login_hint": BOB, "prompt": "none"}):
        response = alice.come_back(unite, BOB, id_token_hint=id_token, **asked)
        if "prompt" in asked:
            assert refused(service, response, unite) == "login_required"
        else:
            page = Shown.by(response)
            assert (response.status_code, page.reference.partition(",")[0]) == (403, "another-person")
            (back,) = page.ways.values()
            assert without_query(back) == REDIRECT_URI
            assert query_of(back)["error"] == "login_required"


def test_whom_sso_no_longer_applies_to_on_the_way_is_not_replaced_by_who_types_an_address(
    alice: Person, contoso: Caller, unite: Asked, service: RunningService
) -> None:
    """The request begins again, without the token that was in it: a form would ask for anybody."""
    answer = alice.answer(unite, **NOBODY, id_token_hint=alice.tokens(unite)["id_token"])
    assert "code" in answered(alice.open(answer))
    set_policy(contoso, mode="off")
    assert refused(service, alice.open(answer), unite) == "sso_does_not_apply"


def test_a_person_whose_company_moves_is_the_same_if_the_manager_says_so(
    alice: Person, contoso: Caller, control: httpx.Client, connect: Walk, unite: Asked, service: RunningService
) -> None:
    """The identity at Microsoft is another one, of another tenant."""
    company = Company(contoso, control, connect)
    id_token = alice.tokens(unite)["id_token"]
    hinted = {**NOBODY, "id_token_hint": id_token}
    company.move(CONTOSO, NORTHWIND, ALICE)
    assert asks_for_the_address(alice.come_back(unite, **NOBODY)), "the browser remembers an identity"
    company.keep_people().raise_for_status()
    kept = told(service, unite, alice.come_back(unite, **hinted))
    assert (kept["sub"], kept["tid"]) == (claims_of(service, id_token)["sub"], NORTHWIND)
    company.move(NORTHWIND, CONTOSO, ALICE)
    page = Shown.by(alice.come_back(unite, **NOBODY, id_token_hint=kept["id_token"]))
    assert page.reference.startswith("another-person"), "a new person, since nobody has said it again"


def test_an_id_token_that_proves_nothing_is_no_hint(
    alice: Person, unite: Asked, portal: Portal, new_person: NewPerson, service: RunningService
) -> None:
    id_token, elsewhere = alice.tokens(unite)["id_token"], alice.tokens(portal)["id_token"]
    access_token = alice.tokens(unite)["access_token"]
    header, payload, signature = id_token.split(".")
    other = base64url(from_base64url(payload).replace(b"contoso", b"attackr"))
    stranger = new_person()
    for hint in (f"{header}.{other}.{signature}", elsewhere, access_token, "garbage", "x" * 16_000):
        response = stranger.authorize(unite, **NOBODY, id_token_hint=hint, prompt="none")
        assert refused(service, response, unite) == "login_required"
        assert asks_for_the_address(stranger.authorize(unite, **NOBODY, id_token_hint=hint)), "it is ignored"
    assert refused(service, stranger.authorize(unite, id_token_hint="x" * 16_001), unite) == "invalid_request"

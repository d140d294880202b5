"""What comes back from Microsoft at /signin/callback: who is let in, who is not and why, and every way to cheat."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from threading import Barrier
from typing import Any

import httpx
import pytest

from local import loopback
from local.cast.person import PASSWORD
from local.entra.server import LocalEntra
from shared.adapters.tables.adapter import AzureTable
from shared.kernel.refusals import Unavailable
from tests.http.conftest import (
    ATTACKER,
    CONTOSO,
    FABRIKAM,
    PERSONAL,
    Caller,
    Switch,
)
from tests.http.signing_in import (
    ALICE,
    ALICE_OID,
    REDIRECT_URI,
    SCRIPT,
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
from tests.support.integration import edited, fill_in
from tests.support.service import PANEL, RunningService

BOB = "bob@contoso-mail.example"
CAROL = "carol@contoso-mail.example"
ERIN = "erin@contoso.example"
GINA = "gina@fabrikam.example"
MALLORY = "mallory@attacker.example"
NEW_OID = "c0c00000-0000-4000-8000-00000000ffff"


@pytest.fixture
def user(control: httpx.Client) -> Callable[..., None]:
    """Changes a user of a tenant, or adds one."""

    def change(oid: str, tenant: str = CONTOSO, **keys: Any) -> None:
        control.put(f"/tenants/{tenant}/users/{oid}", json=keys).raise_for_status()

    return change


def explained(
    response: httpx.Response,
    asked: Asked,
    slug: str,
    *,
    again: bool = True,
    status: int = 403,
    error: str = "access_denied",
) -> Shown:
    """A page that says why nobody was signed in, under which id operators find it, and where to go from there."""
    page = Shown.by(response)
    assert response.status_code == status, response.text
    reason, _, invocation = page.reference.partition(", id ")
    assert (reason, len(invocation)) == (slug, 36)
    back = query_of(page.ways["Back to the application"])
    assert page.ways["Back to the application"].startswith(f"{REDIRECT_URI}?")
    assert (back["error"], back["state"]) == (error, asked.state)
    assert any(way.startswith("Try again") for way in page.ways) is again
    return page


HOME = {"Back to the control panel": PANEL}


def spent(response: httpx.Response) -> Shown:
    """A page that says that there is no such sign-in: nothing is known of it, so it leads to the control panel."""
    page = Shown.by(response)
    assert response.status_code == 400, response.text
    assert page.reference.startswith("flow-spent, id ")
    assert "Go back to the application and sign in again" in page.told
    assert page.ways == HOME
    return page


def foreign(response: httpx.Response) -> None:
    """A page for a browser that is not the sign-in's: it leads to the application, with nothing of the request."""
    page = Shown.by(response)
    assert response.status_code == 400, response.text
    assert page.reference.startswith("flow-spent, id ")
    assert "It was started in another browser." in page.told
    assert page.ways == {"Back to the application": "https://unite.example/"}


def over(response: httpx.Response, asked: Asked) -> Shown:
    """A page that says that the sign-in is over, with ways to sign in again and to the application."""
    page = Shown.by(response)
    assert response.status_code == 400, response.text
    assert page.reference.startswith("flow-spent, id ")
    assert page.ways.keys() == {"Sign in again", "Back to the application"}
    back = query_of(page.ways["Back to the application"])
    assert (back["error"], back["state"]) == ("access_denied", asked.state)
    return page


# -- who is let in ----------------------------------------------------------------------------------------------------


def test_a_person_comes_back_with_a_code_and_the_clients_state(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    answer = person.sign_in(unite)
    assert answer.keys() == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == (unite.state, service.url)


def test_a_script_in_the_state_of_a_good_answer_comes_back_exactly(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    asked = Asked(state=SCRIPT)
    assert person.sign_in(asked)["state"] == SCRIPT


def test_without_a_state_none_comes_back(contoso: Caller, unite: Asked, person: Person) -> None:
    assert person.sign_in(unite, state=None).keys() == {"code", "iss"}


def test_a_mail_address_that_is_not_the_user_principal_name_is_good_if_it_is_verified(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    tokens = person.tokens(unite, "c.jones@contoso.example", login_hint=CAROL)
    assert claims_of(service, tokens["id_token"])["email"] == CAROL


def test_who_has_no_mail_address_is_known_by_the_user_principal_name(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    assert "code" in person.sign_in(unite, ERIN, login_hint=ERIN)


@pytest.mark.parametrize("edov", [True, 1, "1", "true"], ids=repr)
def test_a_verified_email_is_taken_however_microsoft_writes_it(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch, edov: object
) -> None:
    hostile(id_token={"xms_edov": edov})
    assert "code" in person.sign_in(unite, "c.jones@contoso.example", login_hint=CAROL)


def test_text_behind_our_state_does_no_harm(contoso: Caller, unite: Asked, person: Person, hostile: Switch) -> None:
    hostile(authorize_state_suffix="?extension=1")
    assert "code" in person.sign_in(unite)


def test_two_tabs_at_once_both_come_through(contoso: Caller, unite: Asked, person: Person) -> None:
    other = Asked()
    first, second = person.leave(unite), person.leave(other)
    assert answered(person.open(person.sign_in_at_microsoft(second)))["state"] == other.state
    assert answered(person.open(person.sign_in_at_microsoft(first)))["state"] == unite.state


def test_two_tabs_that_start_at_the_same_instant_both_come_through(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson
) -> None:
    tabs = [Asked(), unite]
    started = [new_person().authorize(asked) for asked in tabs]  # neither request brings a cookie of the other's
    for response in started:
        person.keep(*response.headers.get_list("set-cookie"))
    for asked, response in zip(tabs, started, strict=True):
        answer = person.sign_in_at_microsoft(response.headers["location"])
        assert answered(person.open(answer))["state"] == asked.state


def test_a_post_from_another_site_does_not_disturb_a_sign_in_under_way(
    contoso: Caller, unite: Asked, person: Person, client: httpx.Client
) -> None:
    answer = person.answer(unite)
    forged = client.post("/oauth2/authorize", data=Asked().parameters())  # SameSite=Lax: it carries no cookie of ours
    person.keep(*forged.headers.get_list("set-cookie"))
    person.open(forged.headers["location"])
    assert len(person.cookies) == 2
    assert answered(person.open(answer))["state"] == unite.state


def test_a_cookie_lives_as_long_as_its_sign_in_in_case_the_answer_comes_again(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    begun = person.authorize(unite)
    assert "max-age=900" in begun.headers["set-cookie"]
    response = person.open(person.sign_in_at_microsoft(begun.headers["location"]))
    assert "code" in answered(response)
    (cookie,) = response.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-azure-sso-person-0="), "and nothing takes back the cookie of the sign-in"


def test_a_store_that_is_out_when_a_person_comes_back_leaves_them_their_cookie_to_try_again(
    contoso: Caller, unite: Asked, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = person.answer(unite)

    async def out(*_: object) -> None:
        raise Unavailable("The storage cannot be reached.")

    with monkeypatch.context() as broken:
        broken.setattr(AzureTable, "get", out)
        broken.setattr(AzureTable, "write", out)
        assert person.open(answer).status_code == 503
    assert answered(person.open(answer))["state"] == unite.state


def test_a_renamed_user_is_still_the_same_person(
    contoso: Caller, unite: Asked, person: Person, user: Callable[..., None], service: RunningService
) -> None:
    before = claims_of(service, person.tokens(unite)["id_token"])
    user(ALICE_OID, user_principal_name="alice.married@contoso.example", mail="alice.married@contoso.example")
    page = person.browser.open(person.leave(unite, prompt="login"))
    answer = person.press(page, "sign_in", email="alice.married@contoso.example", password=PASSWORD)
    code = answered(person.open(answer))["code"]
    after = claims_of(service, redeem(service, unite.redemption(code)).json()["id_token"])
    assert [after[name] for name in ("sub", "oid")] == [before[name] for name in ("sub", "oid")]
    assert (before["email"], after["email"]) == (ALICE, "alice.married@contoso.example")


def test_a_person_with_two_addresses_is_one_subject(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    jones = "c.jones@contoso.example"
    by_mail = claims_of(service, person.tokens(unite, jones, login_hint=CAROL)["id_token"])
    by_name = claims_of(service, person.tokens(unite, jones, login_hint=jones)["id_token"])
    assert by_mail["sub"] == by_name["sub"]
    assert (by_mail["email"], by_name["email"]) == (CAROL, jones)


# -- answers that are not ours to take --------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, "", "x", "A" * 43, SCRIPT, "s" * 20_000, "ä" * 43])
def test_a_state_that_is_none_of_ours_is_refused(
    contoso: Caller, unite: Asked, person: Person, state: str | None
) -> None:
    answer = person.answer(unite)
    spent(person.open(edited(answer, state=state)))
    assert answered(person.open(answer))["state"] == unite.state


def test_an_answer_that_comes_twice_begins_the_same_request_again_once(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    answer = person.answer(unite)
    first = answered(person.open(answer))
    again = person.open(answer)
    assert again.status_code == 303
    assert query_of(again.headers["location"])["state"] != query_of(answer)["state"]
    second_answer = person.sign_in_at_microsoft(again.headers["location"])
    second = answered(person.open(second_answer))
    assert first | {"code": ""} == second | {"code": ""}, "the same request"
    assert first["code"] != second["code"], "no code is handed out twice"
    over(person.open(answer), unite)
    over(person.open(second_answer), unite)  # so that a browser that fetches everything twice comes to an end


def test_of_answers_that_come_at_once_one_gets_the_code_and_the_next_begins_again(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    answer, together = person.answer(unite), Barrier(4)
    ((name, secret),) = person.cookies.items()

    def bring(_: int) -> str:
        together.wait()
        response = loopback.get(answer, headers={"Cookie": f"{name}={secret}"}, follow_redirects=False, timeout=30)
        if response.status_code == 400:
            return "over"
        return without_query(response.headers["location"])

    with ThreadPoolExecutor(4) as pool:
        found = sorted(pool.map(bring, range(4)))
    at_microsoft = [where for where in found if where.endswith("/oauth2/v2.0/authorize")]
    assert (found.count(REDIRECT_URI), len(at_microsoft), found.count("over")) == (1, 1, 2)
    assert [row["RowKey"].partition(":")[0] for row in service.rows("flows")].count("sealed-code") == 1


def test_an_answer_that_comes_again_later_leads_on_and_not_to_another_code(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    answer = person.answer(unite)
    answered(person.open(answer))
    service.clock.advance(timedelta(seconds=31))
    page = over(person.open(answer), unite)
    assert "code" in answered(
        person.open(person.sign_in_at_microsoft(person.open(page.ways["Sign in again"]).headers["location"]))
    )


def test_a_silent_sign_in_that_is_over_says_so_to_the_application(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    answered(person.come_back(unite))
    answer = person.open(person.leave(unite, prompt="none")).headers["location"]
    answered(person.open(answer))
    service.clock.advance(timedelta(seconds=31))
    assert refused(service, person.open(answer), unite) == "interaction_required"


def test_an_answer_that_comes_too_late_is_refused(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    answer = person.answer(unite)
    service.clock.advance(timedelta(minutes=15))
    over(person.open(answer), unite)


def test_an_answer_of_another_browser_is_refused_and_does_not_spend_it_for_its_owner(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson
) -> None:
    answer = person.answer(unite)
    stranger = new_person()
    foreign(stranger.open(answer))
    stranger.authorize(Asked())
    foreign(stranger.open(answer))
    ((name, _),) = person.cookies.items()
    ((_, own),) = stranger.cookies.items()
    stranger.keep(f"{name}={own}; Path=/; Secure")
    foreign(stranger.open(answer))
    assert answered(person.open(answer))["state"] == unite.state
    foreign(stranger.open(answer))
    assert person.open(answer).status_code == 303, "the second answer is still its owner's"
    foreign(stranger.open(answer))


def test_a_fixed_cookie_opens_nothing_once_somebody_has_signed_in_with_it(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson
) -> None:
    attacker = new_person()
    person.keep(attacker.authorize(unite).headers["set-cookie"])
    answer = person.answer(unite)
    (secret,) = attacker.cookies.values()
    _, own = person.cookies
    attacker.keep(f"{own}={secret}; Path=/; Secure")
    foreign(attacker.open(answer))
    assert "code" in answered(person.open(answer))
    foreign(attacker.open(answer))
    silent = attacker.open(attacker.open(attacker.leave(unite, prompt="none")).headers["location"])
    assert refused(attacker.service, silent, unite) == "login_required"


@pytest.mark.parametrize("secret", ["short", "x" * 44, "<" * 43])
def test_a_cookie_that_cannot_be_ours_opens_nothing(contoso: Caller, unite: Asked, person: Person, secret: str) -> None:
    answer = person.answer(unite)
    ((name, right),) = person.cookies.items()
    person.keep(f"{name}={secret}; Path=/; Secure")
    foreign(person.open(answer))
    person.keep(f"{name}={right}; Path=/; Secure")
    assert "code" in answered(person.open(answer))


def test_the_cookie_of_an_integration_is_not_one_of_a_sign_in(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson
) -> None:
    answer = person.answer(unite)
    stranger = new_person()
    ((name, secret),) = person.cookies.items()
    stranger.keep(f"{name.replace('sign-in', 'connect')}={secret}; Path=/; Secure")
    foreign(stranger.open(answer))


def test_an_answer_to_an_integration_is_not_one_to_a_sign_in(contoso: Caller, unite: Asked, person: Person) -> None:
    answer = person.answer(unite)
    response = person.open(answer.replace("/signin/callback", "/v1/connect/callback"))
    assert response.status_code == 400
    assert "code" in answered(person.open(answer))


def test_an_answer_without_code_and_error_is_explained(contoso: Caller, unite: Asked, person: Person) -> None:
    response = person.open(edited(person.answer(unite), code=None))
    explained(response, unite, "malformed", status=400)


def test_a_used_code_of_microsoft_is_explained(contoso: Caller, unite: Asked, person: Person) -> None:
    first = person.answer(unite)
    used = query_of(first)["code"]
    person.open(first)
    page = explained(person.open(edited(person.answer(unite), code=used)), unite, "provider-refused", status=409)
    assert "AADSTS54005" in page.told


def test_a_code_that_belongs_to_another_sign_in_of_ours_is_refused(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson
) -> None:
    stolen = query_of(person.answer(unite))["code"]
    mallory = new_person()
    response = mallory.open(edited(mallory.answer(Asked()), code=stolen))
    assert response.status_code == 409
    assert "location" not in response.headers


# -- two tenants ------------------------------------------------------------------------------------------------------


@pytest.fixture
def evil(operator: Caller, manager: Callable[[str], Caller], new_person: NewPerson, contoso: Caller) -> Caller:
    """The Security Manager of another account, which is connected to the attacker's tenant and has SSO on."""
    operator("PUT", "/v1/accounts/evil", json={"name": "Evil", "products": []}).raise_for_status()
    caller = manager("evil")
    browser = new_person().browser
    page = browser.open(caller("POST", "/v1/accounts/evil/connection", json={}).json()["startUrl"])
    page = browser.walk(page, MALLORY)
    assert page.title == "Connected", page.html
    set_policy(caller, "evil", mode="on")
    return caller


def test_an_email_claim_of_another_tenant_makes_nobody_somebody_else(
    evil: Caller, unite: Asked, person: Person, new_person: NewPerson, service: RunningService
) -> None:
    alice = claims_of(service, person.tokens(unite)["id_token"])
    mallory = claims_of(service, new_person().tokens(unite, MALLORY, login_hint=MALLORY)["id_token"])
    assert (mallory["email"], mallory["account_id"], mallory["tid"]) == (MALLORY, "evil", ATTACKER)
    assert (alice["email"], alice["account_id"], alice["tid"]) == (ALICE, "acme", CONTOSO)
    assert mallory["sub"] != alice["sub"]


def test_a_code_of_one_tenant_is_not_taken_into_the_sign_in_of_another(
    evil: Caller, unite: Asked, new_person: NewPerson
) -> None:
    mallory = new_person()
    code = query_of(mallory.answer(Asked(), MALLORY, login_hint=MALLORY))["code"]
    answer = answer_with(mallory, unite, code)
    page = explained(mallory.open(answer), unite, "provider-refused", status=409)
    assert "AADSTS700005" in page.told


def answer_with(mallory: Person, asked: Asked, code: str) -> str:
    """An answer to a sign-in for Alice that nobody has made, with somebody else's code."""
    sent = query_of(mallory.leave(asked))
    return f"{sent['redirect_uri']}?code={code}&state={sent['state']}"


def test_an_answer_of_one_tenant_is_not_taken_for_the_state_of_another(
    evil: Caller, unite: Asked, new_person: NewPerson
) -> None:
    mallory = new_person()
    for_alice = query_of(mallory.leave(unite))["state"]
    answer = mallory.answer(Asked(), MALLORY, login_hint=MALLORY)
    response = mallory.open(edited(answer, state=for_alice))
    assert response.status_code == 409
    assert "location" not in response.headers


def test_nobody_of_another_tenant_signs_in_at_this_one(evil: Caller, unite: Asked, new_person: NewPerson) -> None:
    mallory = new_person()
    page = mallory.browser.open(mallory.leave(unite))
    page = fill_in(mallory.browser, page, MALLORY)
    assert "AADSTS50020" in page.html


# -- ID tokens that a careful receiver refuses ------------------------------------------------------------------------

AGO, AHEAD = 1_000_000_000, 32_500_000_000


FORGERIES: list[dict[str, Any]] = [
    {"id_token_signature": "stranger"},
    {"id_token_signature": "unknown_kid"},
    {"id_token_signature": "none"},
    {"id_token_signature": "hs256"},
    {"id_token_signature": "tampered"},
    {"id_token": {"aud": "b5500000-0000-4000-8000-0000000000b5"}},
    {"id_token": {"aud": None}},
    {"id_token": {"iss": f"https://login.microsoftonline.com/{CONTOSO}/v2.0"}},
    {"id_token": {"iss": "https://attacker.example"}},
    {"id_token": {"iss": None}},
    {"id_token": {"exp": AGO}},
    {"id_token": {"exp": None}},
    {"id_token": {"nbf": AHEAD}},
    {"id_token": {"nbf": None}},
    {"id_token": {"iat": AHEAD}},
    {"id_token": {"tid": FABRIKAM}},
    {"id_token": {"tid": ATTACKER}},
    {"id_token": {"tid": PERSONAL}},
    {"id_token": {"tid": "contoso"}},
    {"id_token": {"tid": None}},
    {"id_token": {"oid": None}},
    {"id_token": {"sub": None}},
    {"id_token": {"nonce": "somebody else's"}},
    {"id_token": {"nonce": None}},
    {"id_token": {"auth_time": "1767225600"}},
    {"id_token": {"auth_time": True}},
    {"id_token": {"auth_time": -1}},
    {"id_token": {"auth_time": 1_767_225_600_000}},
]


def test_an_id_token_that_does_not_hold_signs_nobody_in(
    contoso: Caller, unite: Asked, new_person: NewPerson, hostile: Switch, subtests: pytest.Subtests
) -> None:
    for forgery in FORGERIES:
        with subtests.test(forgery=forgery):
            hostile(**forgery)
            explained(new_person().come_back(unite), unite, "proof-failed")
            hostile()
            assert contoso("GET", "/v1/accounts/acme/links").json()["items"] == []


def test_an_id_token_of_another_tenant_signs_nobody_in(
    contoso: Caller, unite: Asked, person: Person, entra: LocalEntra, hostile: Switch
) -> None:
    hostile(id_token={"iss": f"{entra.https}/{ATTACKER}/v2.0", "tid": ATTACKER})
    explained(person.come_back(unite), unite, "proof-failed")


# -- people who may not come in ---------------------------------------------------------------------------------------


def test_who_signed_in_as_somebody_else_is_told_so_and_can_try_again(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    page = explained(person.come_back(unite, BOB), unite, "wrong-person")
    assert page.title == "You signed in as somebody else"
    assert page.told.startswith(f"You signed in as {BOB}, and the application asked for {ALICE}.")
    again = person.open(page.ways["Try again with another account"]).headers["location"]
    assert query_of(again)["prompt"] == "select_account"
    assert answered(person.open(person.sign_in_at_microsoft(again)))["state"] == unite.state


def test_who_picks_the_wrong_account_after_a_link_was_made_is_told_the_same(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson
) -> None:
    person.sign_in(unite)
    explained(new_person().come_back(unite, BOB), unite, "wrong-person")


def test_what_microsoft_calls_somebody_is_text(contoso: Caller, unite: Asked, person: Person, hostile: Switch) -> None:
    hostile(id_token={"preferred_username": SCRIPT})
    page = explained(person.come_back(unite, ERIN, login_hint=BOB), unite, "wrong-person")
    assert f"You signed in as {SCRIPT}" in page.told


@pytest.mark.parametrize(
    "claims", [{"preferred_username": None, "email": None}, {"preferred_username": "", "email": ""}]
)
def test_who_has_no_name_at_all_is_somebody_else(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch, claims: dict[str, Any]
) -> None:
    hostile(id_token=claims)
    page = explained(person.come_back(unite), unite, "wrong-person")
    assert "You signed in as somebody else" in page.told


def test_a_guest_is_sent_home(contoso: Caller, unite: Asked, person: Person, user: Callable[..., None]) -> None:
    user("c0c00000-0000-4000-8000-0000000091a0", mail=BOB)
    page = explained(person.come_back(unite, GINA, login_hint=BOB), unite, "guest")
    assert page.title == "Guests cannot sign in here"


@pytest.mark.parametrize("acct", [1, 2])
def test_who_is_no_member_counts_as_a_guest(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch, acct: int
) -> None:
    hostile(id_token={"acct": acct})
    explained(person.come_back(unite), unite, "guest")


def test_who_is_not_known_to_be_a_member_hears_that_the_operators_must_fix_it(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch
) -> None:
    hostile(id_token={"acct": None})
    page = explained(person.come_back(unite), unite, "acct-missing", again=False)
    assert "The vendor's operators must fix this" in page.told
    assert "optional claim acct" in page.told


def test_a_malformed_claim_that_nothing_needs_does_not_stop_a_sign_in(
    contoso: Caller, unite: Asked, new_person: NewPerson, hostile: Switch, subtests: pytest.Subtests
) -> None:
    for claim, value in product(["email", "name", "sid", "login_hint", "xms_edov"], [7, [ALICE], {"a": 1}, True]):
        with subtests.test(claim=claim, value=value):
            hostile(id_token={claim: value})
            assert "code" in new_person().sign_in(unite)


@pytest.mark.parametrize(
    "claims", [{"preferred_username": [ALICE], "email": None}, {"preferred_username": 7, "email": [ALICE]}]
)
def test_a_malformed_claim_that_would_vouch_for_the_address_vouches_for_none(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch, claims: dict[str, Any]
) -> None:
    hostile(id_token={**claims, "xms_edov": True})
    explained(person.come_back(unite), unite, "wrong-person")


def test_an_email_that_nobody_verified_makes_nobody_its_owner(
    contoso: Caller, unite: Asked, new_person: NewPerson, hostile: Switch, subtests: pytest.Subtests
) -> None:
    for edov in (None, False, 0, "0", "false", "", "yes", [True], {"1": 1}):
        with subtests.test(edov=edov):
            hostile(id_token={"xms_edov": edov, "email": ALICE})
            page = explained(new_person().come_back(unite, ERIN), unite, "email-unverified", again=False)
            assert "Ask an administrator of your organisation" in page.told


def test_a_reused_address_is_refused_until_the_security_manager_releases_the_link(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson, user: Callable[..., None]
) -> None:
    person.sign_in(unite)
    user(ALICE_OID, user_principal_name="alice.left@contoso.example", mail=None)
    user(NEW_OID, user_principal_name=ALICE, display_name="Alice Newcomer", mail=ALICE, password=PASSWORD)
    newcomer = new_person()
    page = explained(newcomer.come_back(unite), unite, "link-conflict", again=False)
    assert "Ask your company's Security Manager to release the link" in page.told
    silent = newcomer.come_back(unite, prompt="none")
    assert refused(newcomer.service, silent, unite) == "interaction_required"

    (link,) = contoso("GET", "/v1/accounts/acme/links").json()["items"]
    assert link["oid"] == ALICE_OID
    assert contoso("DELETE", f"/v1/accounts/acme/links/{link['linkId']}").status_code == 204
    assert "code" in newcomer.sign_in(unite)
    (link,) = contoso("GET", "/v1/accounts/acme/links").json()["items"]
    assert link["oid"] == NEW_OID
    trail = contoso("GET", "/v1/accounts/acme/audit").json()["items"]
    assert [(entry["action"], entry["details"]["oid"]) for entry in trail[:3]] == [
        ("link.made", NEW_OID),
        ("link.released", ALICE_OID),
        ("link.made", ALICE_OID),
    ]


# -- what changed meanwhile -------------------------------------------------------------------------------------------


def switch_sso_off(manager: Caller, _register: Register) -> None:
    set_policy(manager, mode="off")


def add_exception(manager: Caller, _register: Register) -> None:
    body = {"email": ALICE, "reason": "keeps the password"}
    manager("POST", "/v1/accounts/acme/exceptions", json=body).raise_for_status()


def switch_application_off(manager: Caller, _register: Register) -> None:
    set_policy(manager, applicationsOff=["unite"])


def end_support(_manager: Caller, register: Register) -> None:
    register("unite", ssoSupported=False).raise_for_status()


def switch_domain_off(manager: Caller, _register: Register) -> None:
    path = "/v1/accounts/acme/domains/contoso.example"
    manager("PATCH", path, json={"enabled": False}, headers={"If-Match": "*"}).raise_for_status()


def disconnect(manager: Caller, _register: Register) -> None:
    manager("DELETE", "/v1/accounts/acme/connection", headers={"If-Match": "*"}).raise_for_status()


@pytest.mark.parametrize(
    "change", [switch_sso_off, add_exception, switch_application_off, end_support, switch_domain_off, disconnect]
)
def test_what_was_switched_off_meanwhile_is_explained(
    contoso: Caller, unite: Asked, register: Register, person: Person, change: Callable[[Caller, Register], None]
) -> None:
    answer = person.answer(unite)
    change(contoso, register)
    page = explained(person.open(answer), unite, "sso-switched-off", again=False, error="sso_does_not_apply")
    assert "sign in with your password there" in page.told
    why = query_of(page.ways["Back to the application"])["error_uri"]
    assert Shown.by(person.open(why)).title == "Sign in with your password"


def test_an_application_that_was_removed_meanwhile_is_answered_no_more(
    contoso: Caller, unite: Asked, operator: Caller, person: Person
) -> None:
    answer = person.answer(unite)
    operator("DELETE", "/v1/applications/unite", headers={"If-Match": "*"}).raise_for_status()
    person.service.clock.advance(timedelta(seconds=11))
    response = person.open(answer)
    assert response.status_code == 400
    assert Shown.by(response).ways == HOME


def test_an_address_that_was_removed_meanwhile_is_answered_no_more(
    contoso: Caller, unite: Asked, register: Register, person: Person
) -> None:
    answer = person.answer(unite)
    register("unite", redirectUris=["https://unite.example/elsewhere"]).raise_for_status()
    response = person.open(answer)
    assert response.status_code == 400
    page = Shown.by(response)
    assert "redirect_uri" in page.told
    assert page.ways == HOME


# -- what Microsoft refuses -------------------------------------------------------------------------------------------


def connection_of(manager: Caller) -> str:
    return str(manager("GET", "/v1/accounts/acme/connection").json()["status"])


REFUSALS = [
    ("access_denied", 99999, "Microsoft did not let you sign in, or you cancelled."),
    ("access_denied", 65004, "consent page was declined"),
    ("access_denied", 90094, "Only an administrator can consent"),
    ("access_denied", 90095, "request for approval was sent"),
    ("consent_required", 65001, "has not consented"),
    ("unauthorized_client", 700016, "has removed this application"),
    ("unauthorized_client", 7000112, "has disabled this application"),
    ("invalid_request", 50011, "operators must fix this"),
    ("invalid_request", 50194, "operators must fix this"),
    ("invalid_client", 650052, "lacks a service"),
    ("invalid_client", 650056, "operators must fix this"),
    ("invalid_client", 7000215, "operators must fix this"),
    ("invalid_client", 7000222, "has expired"),
    ("invalid_client", 700027, "operators must fix this"),
    ("invalid_request", 50020, "not a member of the organisation"),
    ("invalid_request", 90072, "not a member of the organisation"),
    ("invalid_grant", 50034, "no such account"),
    ("invalid_grant", 51004, "no such account"),
    ("access_denied", 50105, "not assigned to this application"),
    ("invalid_grant", 50057, "disabled"),
    ("invalid_grant", 50053, "locked"),
    ("access_denied", 53003, "Conditional Access"),
    ("access_denied", 530032, "security policy"),
    ("interaction_required", 50076, "second factor"),
    ("interaction_required", 50079, "second factor"),
    ("access_denied", 500212, "cross-tenant"),
    ("access_denied", 500213, "cross-tenant"),
    ("login_required", 50058, "Nobody was signed in"),
    ("server_error", 99999999, "Microsoft is unavailable"),
    ("something_new", 1234, "Microsoft refused"),
]


def test_each_refusal_of_microsoft_is_explained_and_leaves_the_connection_alone(
    contoso: Caller, unite: Asked, new_person: NewPerson, hostile: Switch, subtests: pytest.Subtests
) -> None:
    for error, aadsts, words in REFUSALS:
        with subtests.test(error=error, aadsts=aadsts):
            hostile(authorize_error={"error": error, "aadsts": aadsts, "sentence": SCRIPT})
            page = explained(new_person().come_back(unite), unite, "sign-in-refused")
            assert words in page.told
            assert "alert" not in page.told
            assert connection_of(contoso) == "connected"


def test_a_refusal_without_a_number_is_explained(contoso: Caller, unite: Asked, person: Person) -> None:
    answer = person.answer(unite)
    page = explained(person.open(edited(answer, error=SCRIPT, code=None)), unite, "sign-in-refused")
    assert "Microsoft refused" in page.told
    assert "AADSTS" not in page.told


def test_an_error_goes_before_a_code(contoso: Caller, unite: Asked, person: Person) -> None:
    answer = edited(person.answer(unite), error="access_denied", error_description="AADSTS53003: no")
    assert "Conditional Access" in explained(person.open(answer), unite, "sign-in-refused").told


def test_a_consent_that_was_revoked_is_noticed_when_our_own_probe_confirms_it(
    contoso: Caller, unite: Asked, person: Person, control: httpx.Client, hostile: Switch
) -> None:
    answer = person.answer(unite)
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    forged = edited(answer, code=None, error="unauthorized_client", error_description="AADSTS700016: gone")
    page = explained(person.open(forged), unite, "sign-in-refused")
    assert "AADSTS700016" in page.told
    assert connection_of(contoso) == "consent_revoked"
    entry = contoso("GET", "/v1/accounts/acme/audit").json()["items"][0]
    assert (entry["action"], entry["actor"]["role"]) == ("connection.checked", "Service")
    assert entry["details"] == {"outcome": "consent_revoked", "domainsLeft": [], "domainsLeftCount": 0}


def test_no_person_who_declines_can_have_the_consent_counted_as_revoked(
    contoso: Caller, unite: Asked, person: Person, control: httpx.Client, service: RunningService
) -> None:
    control.post(f"/consents/{CONTOSO}/grant", json={"application": []}).raise_for_status()
    for _ in range(3):
        answer = person.answer(unite)
        person.open(edited(answer, code=None, error="access_denied", error_description="AADSTS65004: declined"))
        assert connection_of(contoso) == "connected"
        service.clock.advance(timedelta(minutes=6))


def test_people_fall_back_to_the_password_once_the_consent_is_known_to_be_revoked(
    contoso: Caller, unite: Asked, person: Person, control: httpx.Client
) -> None:
    page = person.browser.open(person.leave(unite))
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    page = fill_in(person.browser, page, ALICE)
    assert "AADSTS90094" in page.html
    answer = person.press(page, "return")
    assert "AADSTS90094" in explained(person.open(answer), unite, "sign-in-refused").told
    assert person.authorize(unite).headers["location"].startswith("https://unite.example/password")


def test_a_forged_error_changes_nothing(contoso: Caller, unite: Asked, person: Person) -> None:
    before = contoso("GET", "/v1/accounts/acme/connection").json()
    forged = f"{person.service.url}/signin/callback?error=unauthorized_client&error_description=AADSTS700016"
    spent(person.open(forged))
    spent(person.open(f"{forged}&state={'A' * 43}"))
    assert contoso("GET", "/v1/accounts/acme/connection").json() == before


def test_a_microsoft_that_is_out_of_order_is_explained(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch
) -> None:
    answer = person.answer(unite)
    hostile(token_status=503)
    response = person.open(answer)
    page = explained(response, unite, "unavailable", status=503, error="temporarily_unavailable")
    assert "Try again" in page.ways
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("name", ["code", "error", "error_description", "admin_consent", "tenant", "session_state"])
def test_a_script_in_what_comes_back_stays_out_of_the_page(
    contoso: Caller, unite: Asked, person: Person, name: str
) -> None:
    answer = edited(person.answer(unite), code=None, error="access_denied")
    response = person.open(edited(answer, **{name: SCRIPT}))
    assert "alert(" not in Shown.by(response).told


# -- keys and costs ---------------------------------------------------------------------------------------------------


def test_microsofts_keys_roll_over_in_the_middle_and_nobody_notices(
    contoso: Caller, unite: Asked, person: Person, control: httpx.Client, service: RunningService
) -> None:
    assert "code" in person.sign_in(unite)
    for _ in range(3):
        answer = person.answer(unite)
        control.post("/keys/rollover").raise_for_status()
        service.clock.advance(timedelta(seconds=11))
        assert "code" in answered(person.open(answer))


def test_a_whole_sign_in_costs_six_storage_calls(
    contoso: Caller, unite: Asked, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.tokens(unite)
    calls: list[str] = []
    for name in ("get", "under", "page", "write", "expired"):
        monkeypatch.setattr(AzureTable, name, _counted(calls, name, getattr(AzureTable, name)))
    step = [0]

    def cost() -> list[str]:
        made, step[0] = calls[step[0] :], len(calls)
        return made

    url = person.leave(unite)
    assert cost() == ["write"]  # the state
    code = answered(person.open(person.sign_in_at_microsoft(url)))["code"]
    # The state, of which the instance has a copy, is marked as answered, and the account's head and the link are read;
    # the session, its name for the person and the code are written.
    assert cost() == ["write", "under", "get", "write"]
    redeem(person.service, unite.redemption(code)).raise_for_status()
    # The code is taken. Account and link were read within the last ten seconds, and nobody has changed them here.
    assert cost() == ["write"]
    assert len(calls) == 6


def _counted(calls: list[str], name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return method(*args, **kwargs)

    return call

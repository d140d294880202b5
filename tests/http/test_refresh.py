"""Refresh tokens: what renews them, what ends them, and what somebody gains who has stolen one."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local import loopback
from shared.provider.renewal_pace import AT_ONCE, INTERVAL
from tests.http.conftest import CONTOSO, Caller, Walk
from tests.http.moving import Company
from tests.http.signing_in import ALICE, ALICE_OID, Asked, NewPerson, Person, Register, claims_of, redeem, set_policy
from tests.http.test_token import refused
from tests.support.service import RunningService

ACCOUNT = "/v1/accounts/acme"
SCOPE = "openid email offline_access"


@pytest.fixture
def unite(register: Register) -> Asked:
    """The registered application `unite`, a public client that may renew its tokens."""
    register("unite", refreshTokens=True).raise_for_status()
    return Asked()


def signed_in(person: Person, asked: Asked, **changes: str | None) -> dict[str, Any]:
    """The tokens of a client that asks for offline access."""
    return person.tokens(asked, **{"scope": SCOPE, "prompt": "consent"} | changes)


def renew(service: RunningService, refresh_token: str, **changes: Any) -> httpx.Response:
    """Use a refresh token, as the public client `unite`."""
    form = {"grant_type": "refresh_token", "client_id": "unite", "refresh_token": refresh_token}
    return redeem(service, {name: value for name, value in (form | changes).items() if value is not None})


def revoke(service: RunningService, token: str, **changes: Any) -> httpx.Response:
    """Call the revocation endpoint, as the public client `unite`."""
    form = {"client_id": "unite", "token": token} | changes
    return loopback.post(f"{service.url}/oauth2/revoke", data=form, timeout=30)


def renewed(service: RunningService, refresh_token: str, **changes: Any) -> dict[str, Any]:
    response = renew(service, refresh_token, **changes)
    assert response.status_code == 200, response.text
    return dict(response.json())


def dead(service: RunningService, *refresh_tokens: str) -> None:
    """None of these renews anything."""
    for token in refresh_tokens:
        refused(renew(service, token), "invalid_grant")


def soon(service: RunningService) -> None:
    """Let every cache expire."""
    service.clock.advance(timedelta(seconds=11))


def families(service: RunningService) -> list[dict[str, Any]]:
    """The rows that renew something, or name one that does; what is left of others stays until its month ends."""
    rows = [row for row in service.rows("flows") if row["RowKey"].startswith("family")]
    return [row for row in rows if json.loads(row["document"]).get("current") != ""]


# -- what renews ------------------------------------------------------------------------------------------------------


def test_a_client_stays_signed_in_as_the_same_person_without_asking_anybody(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    first = signed_in(person, unite)
    assert first["scope"] == SCOPE
    before = claims_of(service, first["id_token"])
    token = first["refresh_token"]
    for _ in range(3):
        service.clock.advance(timedelta(hours=30))  # beyond the access token, and beyond the rows of the session
        tokens = renewed(service, token)
        assert tokens.keys() == first.keys()
        assert (tokens["scope"], tokens["expires_in"], tokens["token_type"]) == (SCOPE, 600, "Bearer")
        claims = claims_of(service, tokens["id_token"])
        same = {"iss", "aud", "sub", "auth_time", "sid", "email", "email_verified", "account_id", "tid", "oid"}
        assert {name: claims[name] for name in same} == {name: before[name] for name in same}
        assert "nonce" not in claims
        assert claims["iat"] > before["iat"]
        assert tokens["refresh_token"] != token
        token = tokens["refresh_token"]
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert loopback.get(f"{service.url}/oauth2/userinfo", headers=bearer).json()["email"] == ALICE


def test_only_a_client_that_asks_and_may_gets_a_refresh_token(
    contoso: Caller, register: Register, unite: Asked, person: Person, service: RunningService
) -> None:
    assert "refresh_token" not in signed_in(person, unite, scope="openid email")
    code = person.sign_in(unite, scope=SCOPE)["code"]
    kept = signed_in(person, unite)["refresh_token"]
    register("unite", refreshTokens=False).raise_for_status()
    service.clock.advance(timedelta(seconds=11))
    tokens = redeem(service, unite.redemption(code)).json()
    assert (tokens["scope"], "refresh_token" in tokens) == ("openid email", False)
    refused(renew(service, kept), "unauthorized_client")
    tokens = signed_in(person, unite)
    assert (tokens["scope"], "refresh_token" in tokens) == ("openid email", False)


def test_scopes_can_be_fewer_and_never_more(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    token = signed_in(person, unite)["refresh_token"]
    refused(renew(service, token, scope="openid email profile"), "invalid_scope")
    tokens = renewed(service, token, scope="openid unheard_of")
    assert (tokens["scope"], "email" in claims_of(service, tokens["id_token"])) == ("openid", False)
    tokens = renewed(service, tokens["refresh_token"])
    assert (tokens["scope"], claims_of(service, tokens["id_token"])["email"]) == (SCOPE, ALICE)


def test_a_lost_answer_and_two_tabs_get_the_same_token_once_more(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    token = signed_in(person, unite)["refresh_token"]
    with ThreadPoolExecutor(8) as tabs:
        answers = [*tabs.map(lambda _: renewed(service, token)["refresh_token"], range(8))]
    assert len({*answers}) == 1
    service.clock.advance(timedelta(seconds=20))
    assert renewed(service, token)["refresh_token"] == answers[0]
    following = renewed(service, answers[0])["refresh_token"]
    assert following not in {token, answers[0]}


def test_a_refresh_token_lives_four_weeks_and_one_unused(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    token = signed_in(person, unite)["refresh_token"]
    for _ in range(4):
        service.clock.advance(timedelta(days=6, hours=23))
        token = renewed(service, token)["refresh_token"]
    service.clock.advance(timedelta(hours=4))
    dead(service, token)
    idle = signed_in(person, unite)["refresh_token"]
    service.clock.advance(timedelta(days=7))
    dead(service, idle)
    assert families(service) == []
    set_policy(contoso, sessionHours=8)
    soon(service)
    token = signed_in(person, unite)["refresh_token"]
    service.clock.advance(timedelta(hours=7, minutes=50))
    token = renewed(service, token)["refresh_token"]
    service.clock.advance(timedelta(minutes=10))
    dead(service, token)


@pytest.mark.parametrize("way", ["each the next", "the one before, again and again"])
def test_a_loop_of_renewals_is_slowed_down_and_loses_nothing(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson, service: RunningService, way: str
) -> None:
    """Each takes two signatures of the vault, which signs for everybody."""
    token = signed_in(person, unite)["refresh_token"]
    following = renewed(service, token)["refresh_token"]
    others = signed_in(new_person(), unite)["refresh_token"]
    for _ in range(AT_ONCE - 1):
        shown = following if way == "each the next" else token
        following = renewed(service, shown)["refresh_token"]
    slowed = renew(service, following)
    assert (slowed.status_code, slowed.json()["error"]) == (429, "temporarily_unavailable")
    assert 0 < int(slowed.headers["retry-after"]) <= INTERVAL.total_seconds()
    renewed(service, others)
    service.clock.advance(timedelta(seconds=int(slowed.headers["retry-after"])))
    renewed(service, following)


# -- what ends ---------------------------------------------------------------------------------------------------------


def test_a_thief_who_comes_after_the_owner_ends_the_family_for_both(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    stolen = signed_in(person, unite)["refresh_token"]
    owners = renewed(service, stolen)["refresh_token"]
    service.clock.advance(timedelta(seconds=31))
    dead(service, stolen, owners, stolen)
    assert families(service) == []


def test_a_thief_who_comes_first_is_found_out_by_the_owner(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    stolen = signed_in(person, unite)["refresh_token"]
    first = renewed(service, stolen)["refresh_token"]
    second = renewed(service, first)["refresh_token"]  # so quickly that the owner comes within the half minute
    dead(service, stolen, second, first)
    assert families(service) == []


def test_a_token_is_its_clients_alone(
    contoso: Caller, unite: Asked, register: Register, person: Person, service: RunningService
) -> None:
    register("rival", refreshTokens=True).raise_for_status()
    token, other = (signed_in(person, unite)["refresh_token"] for _ in range(2))
    refused(revoke(service, other, client_id="rival"), "invalid_grant")
    refused(renew(service, token, client_id="rival"), "invalid_grant")
    dead(service, token)
    assert renewed(service, other)


def test_what_no_family_has_is_refused_and_ends_nothing(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    token = signed_in(person, unite)["refresh_token"]
    month, whose, handle, secret = token.split(".")
    invented = [
        f"{month}.{whose}.{secret}.{handle}",
        f"20260131T2400.{whose}.{handle}.{secret}",
        token + "x",
        token.upper(),
        "made-up",
        "<script>",
    ]
    dead(service, *invented)
    refused(renew(service, "x" * 2_001), "invalid_request")
    refused(renew(service, None), "invalid_request")  # type: ignore[arg-type]
    assert [revoke(service, each).status_code for each in invented] == [200] * len(invented)
    assert renewed(service, token)


def test_what_the_table_holds_is_no_token_and_ends_none(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    token = signed_in(person, unite)["refresh_token"]
    following = renewed(service, token)["refresh_token"]
    rows = str(service.rows("flows"))
    parts = {part for each in (token, following) for part in each.split(".")[2:]}
    assert len(parts) == 3
    assert not [part for part in parts if part in rows]


def test_revocation_ends_every_token_of_the_family(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    token, kept = (signed_in(person, unite)["refresh_token"] for _ in range(2))
    following = renewed(service, token)
    response = revoke(service, token, token_type_hint="refresh_token")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    dead(service, token, following["refresh_token"])
    assert revoke(service, following["refresh_token"]).status_code == 200
    assert revoke(service, following["access_token"], token_type_hint="access_token").status_code == 200
    refused(revoke(service, ""), "invalid_request")
    refused(revoke(service, kept, client_id="nobody"), "invalid_client")
    assert renewed(service, kept)


def test_a_client_with_a_secret_proves_itself_at_each_use(
    contoso: Caller, register: Register, operator: Caller, person: Person, service: RunningService
) -> None:
    register(
        "portal", refreshTokens=True, tokenEndpointAuthMethod="client_secret_basic", codeBinding="none"
    ).raise_for_status()
    path = "/v1/applications/portal/secret"
    secret = operator("POST", path, headers={"If-Match": "*"}).json()["clientSecret"]
    asked = Asked(client_id="portal")
    service.clock.advance(timedelta(seconds=11))
    code = person.sign_in(asked, scope=SCOPE)["code"]
    form = asked.redemption(code, client_id=None)
    token = redeem(service, form, auth=("portal", secret)).json()["refresh_token"]
    refused(renew(service, token, client_id="portal"), "invalid_client")
    refused(renew(service, token, client_id="portal", client_secret="wrong"), "invalid_client")
    refused(revoke(service, token, client_id="portal"), "invalid_client")
    assert renewed(service, token, client_id="portal", client_secret=secret)


def test_a_code_that_is_shown_twice_ends_what_it_has_bought(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    form = unite.redemption(person.sign_in(unite, scope=SCOPE)["code"])
    first = redeem(service, form).json()
    token = renewed(service, first["refresh_token"])["refresh_token"]
    assert userinfo(service, first["access_token"]).status_code == 200
    service.clock.advance(timedelta(minutes=5))
    for _ in range(2):
        refused(redeem(service, form), "invalid_grant")
    dead(service, token)
    assert families(service) == []
    ended = userinfo(service, first["access_token"])
    assert ended.status_code == 401
    assert 'error="invalid_token"' in ended.headers["WWW-Authenticate"]


def userinfo(service: RunningService, access_token: str) -> httpx.Response:
    return loopback.get(f"{service.url}/oauth2/userinfo", headers={"Authorization": f"Bearer {access_token}"})


def test_a_thief_who_appends_to_a_code_is_found_out_by_its_owner(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    """Whatever follows a code is ignored, since browsers append; so it must name the same family."""
    code = person.sign_in(unite, scope=SCOPE)["code"]
    stolen = redeem(service, unite.redemption(code) | {"code": f"{code}#"}).raise_for_status().json()
    refused(redeem(service, unite.redemption(code)), "invalid_grant")
    dead(service, stolen["refresh_token"])
    assert families(service) == []


def test_sign_out_ends_the_tokens_of_the_session_and_no_others(
    contoso: Caller, unite: Asked, new_person: NewPerson, service: RunningService
) -> None:
    here, there = (signed_in(new_person(), unite) for _ in range(2))
    service.clock.advance(timedelta(days=3))
    token = renewed(service, here["refresh_token"])["refresh_token"]
    leaving = {"id_token_hint": here["id_token"]}
    assert loopback.get(f"{service.url}/oauth2/logout", params=leaving).status_code == 303
    dead(service, token)
    assert renewed(service, there["refresh_token"])


def test_a_sign_out_between_code_and_tokens_leaves_none(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    early = person.tokens(unite)
    code = person.sign_in(unite, scope=SCOPE)["code"]
    leaving = {"id_token_hint": early["id_token"]}
    assert loopback.get(f"{service.url}/oauth2/logout", params=leaving).status_code == 303
    refused(redeem(service, unite.redemption(code)), "invalid_grant")
    assert families(service) == []


def test_each_use_takes_the_decision_again_and_a_refusal_is_the_end(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, control: httpx.Client
) -> None:
    """What was shown meanwhile has ended, and stays so when the cause is gone."""

    def consent(change: str) -> None:
        control.post(f"/consents/{CONTOSO}/{change}", json={}).raise_for_status()
        contoso("POST", f"{ACCOUNT}/connection/check").raise_for_status()

    def except_alice() -> None:
        contoso("POST", f"{ACCOUNT}/exceptions", json={"email": ALICE, "reason": "Leave"}).raise_for_status()

    def except_nobody() -> None:
        (entry,) = contoso("GET", f"{ACCOUNT}/exceptions").json()["items"]
        path = f"{ACCOUNT}/exceptions/{entry['exceptionId']}"
        contoso("DELETE", path, headers={"If-Match": "*"}).raise_for_status()

    causes: list[tuple[Callable[[], None], Callable[[], None]]] = [
        (except_alice, except_nobody),
        (lambda: set_policy(contoso, mode="off"), lambda: set_policy(contoso, mode="on")),
        (lambda: set_policy(contoso, applicationsOff=["unite"]), lambda: set_policy(contoso, applicationsOff=[])),
        (lambda: consent("revoke"), lambda: consent("grant")),
    ]
    for cause, undo in causes:
        token, unused = (signed_in(person, unite)["refresh_token"] for _ in range(2))
        cause()
        soon(service)
        dead(service, token)
        undo()
        soon(service)
        dead(service, token)
        assert renewed(service, unused), "nobody has asked for it meanwhile"


def test_a_customer_who_revokes_the_consent_ends_what_microsoft_is_not_asked_for(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, control: httpx.Client
) -> None:
    """Also with `whenConnectionFails: sso`, where people are still sent to Microsoft, who lets nobody in."""
    set_policy(contoso, whenConnectionFails="sso")
    token = signed_in(person, unite)["refresh_token"]
    code = person.sign_in(unite, scope=SCOPE)["code"]
    control.post(f"/consents/{CONTOSO}/revoke", json={}).raise_for_status()
    contoso("POST", f"{ACCOUNT}/connection/check").raise_for_status()
    soon(service)
    dead(service, token)
    assert redeem(service, unite.redemption(code)).status_code == 200, "Microsoft was asked a moment ago"


def test_a_link_that_is_released_takes_its_tokens_along(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    token = signed_in(person, unite)["refresh_token"]
    service.clock.advance(timedelta(minutes=2))
    (link,) = contoso("GET", f"{ACCOUNT}/links").json()["items"]
    contoso("DELETE", f"{ACCOUNT}/links/{link['linkId']}").raise_for_status()
    person.sign_in(unite)  # makes another one
    dead(service, token)


def test_an_application_that_is_registered_again_renews_nothing_from_before(
    contoso: Caller, operator: Caller, register: Register, unite: Asked, person: Person, service: RunningService
) -> None:
    """Its id may be somebody else's now, and to remove it is how operators end what it has."""
    token = signed_in(person, unite)["refresh_token"]
    service.clock.advance(timedelta(minutes=1))
    operator("DELETE", "/v1/applications/unite", etag="*").raise_for_status()
    register("unite", refreshTokens=True).raise_for_status()
    soon(service)
    dead(service, token)
    assert families(service) == []


def test_an_address_that_is_a_colleagues_now_is_renewed_for_nobody_else(
    contoso: Caller, control: httpx.Client, connect: Walk, unite: Asked, new_person: NewPerson, service: RunningService
) -> None:
    """Whoever had it once would come into the colleague's user, in applications that know people by address."""
    company, now = Company(contoso, control, connect), "alice.archer@contoso.example"
    signed_in(new_person(), unite)
    company.rename(CONTOSO, ALICE_OID, now)
    tokens = new_person().tokens(unite, now, login_hint=ALICE, scope=SCOPE)
    company.rename(CONTOSO, ALICE_OID, "a.archer@contoso.example")
    company.give(CONTOSO, f"{CONTOSO[:-4]}ffff", now)
    tokens = renewed(service, tokens["refresh_token"])
    assert claims_of(service, tokens["id_token"])["email"] == now, "nobody has used it yet"
    service.clock.advance(timedelta(minutes=2))
    new_person().sign_in(unite, now, login_hint=now)
    dead(service, tokens["refresh_token"])


def test_nothing_is_left_of_somebody_who_was_erased(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    token = signed_in(person, unite)["refresh_token"]
    service.clock.advance(timedelta(days=2))  # no row of the session is left
    contoso("POST", f"{ACCOUNT}/people/erase", json={"email": ALICE}).raise_for_status()
    assert families(service) == []
    person.sign_in(unite)
    dead(service, token)

"""Resolve: every rule through the front door, and an answer that tells no more than it must."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from local.cast.browser import Browser
from local.cast.stack import FUNCTION_KEY, MASTER_KEY
from local.entra.server import LocalEntra
from tests.http.conftest import CONTOSO, FABRIKAM, Caller, Resolve, Switch, Walk
from tests.support.service import RunningService

ACCOUNT = "/v1/accounts/acme"
ALICE = "alice@contoso.example"
ANY = {"If-Match": "*"}

PASSWORD = {"method": "password"}


def decide(acme: Caller, **policy: object) -> None:
    assert acme("PATCH", f"{ACCOUNT}/policy", json=policy, headers=ANY).status_code == 200


def register(operator: Caller, client_id: str, **changes: object) -> None:
    body = {"name": client_id, "ssoSupported": True} | changes
    assert operator("PUT", f"/v1/applications/{client_id}", json=body).is_success


@pytest.fixture
def connected(acme: Caller, connect: Walk) -> Caller:
    """The Security Manager of `acme`, which is connected to Contoso and has SSO on."""
    assert connect(acme).title == "Connected"
    decide(acme, mode="on")
    return acme


# -- the rules, in their order


def test_a_domain_that_routes_nowhere_means_password(connected: Caller, resolve: Resolve) -> None:
    for email in ("fiona@fabrikam.example", "a@sub.contoso.example", "a@contoso.onmicrosoft.com", "a@contoso.test"):
        assert resolve(email).json() == PASSWORD


def test_a_domain_that_is_switched_off_means_password(connected: Caller, resolve: Resolve) -> None:
    connected("PATCH", f"{ACCOUNT}/domains/contoso.example", json={"enabled": False}, headers=ANY)
    assert resolve(ALICE).json() == PASSWORD
    assert resolve.method("bob@contoso-mail.example") == "sso"


def test_a_domain_that_the_vendor_takes_off_its_list_means_password(
    connected: Caller, operator: Caller, resolve: Resolve
) -> None:
    body = {"name": "Acme", "products": ["Unite"], "domains": ["contoso-mail.example"]}
    operator("PUT", ACCOUNT, json=body, headers=ANY)
    assert resolve(ALICE).json() == PASSWORD
    assert resolve.method("bob@contoso-mail.example") == "sso"


def test_no_connection_means_password(acme: Caller, connect: Walk, resolve: Resolve) -> None:
    decide(acme, mode="on", whenConnectionFails="sso")
    assert resolve(ALICE).json() == PASSWORD
    assert acme("POST", f"{ACCOUNT}/connection", json={}).status_code == 201
    assert resolve(ALICE).json() == PASSWORD
    connect(acme)
    assert resolve.method(ALICE) == "sso"
    assert acme("DELETE", f"{ACCOUNT}/connection", headers=ANY).status_code == 204
    assert resolve(ALICE).json() == PASSWORD


def test_a_revoked_consent_means_what_the_policy_says(
    connected: Caller, control: httpx.Client, resolve: Resolve
) -> None:
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    assert connected("POST", f"{ACCOUNT}/connection/check").json()["status"] == "consent_revoked"
    assert resolve(ALICE).json() == PASSWORD
    decide(connected, whenConnectionFails="sso")
    assert resolve.method(ALICE) == "sso"
    decide(connected, mode="off")
    assert resolve(ALICE).json() == PASSWORD


def test_mode_off_means_password(connected: Caller, resolve: Resolve) -> None:
    decide(connected, mode="off")
    assert resolve(ALICE).json() == PASSWORD


def test_an_application_that_cannot_do_sso_means_password(
    connected: Caller, operator: Caller, resolve: Resolve
) -> None:
    register(operator, "legacy", ssoSupported=False)
    register(operator, "needs-unite", requiresProduct="Unite")
    register(operator, "needs-more", requiresProduct="Contact Center")
    asked = ("legacy", "needs-more", "needs-unite")
    assert {name: resolve.method(ALICE, name) for name in asked} == {
        "legacy": "password",
        "needs-more": "password",
        "needs-unite": "sso",
    }


def test_an_application_that_the_account_switched_off_means_password(
    connected: Caller, operator: Caller, resolve: Resolve
) -> None:
    register(operator, "unite")
    register(operator, "anymeeting")
    decide(connected, applicationsOff=["unite"])
    assert (resolve.method(ALICE, "unite"), resolve.method(ALICE, "anymeeting"), resolve.method(ALICE)) == (
        "password",
        "sso",
        "sso",
    )


def test_an_exception_means_password_for_this_user_only(connected: Caller, resolve: Resolve) -> None:
    connected("POST", f"{ACCOUNT}/exceptions", json={"email": ALICE, "reason": "Kiosk"})
    for typed in (ALICE, "ALICE@Contoso.Example", " alice@contoso.example "):
        assert resolve(typed).json() == PASSWORD
    for other in ("alice+1@contoso.example", "bob@contoso.example", "alice@contoso-mail.example"):
        assert resolve.method(other) == "sso"


def test_an_application_that_nobody_registered_is_invalid_whoever_asks(
    connected: Caller, operator: Caller, resolve: Resolve
) -> None:
    for email in (ALICE, "x@fabrikam.example"):
        answer = resolve(email, "unite")
        assert (answer.status_code, answer.json()["errors"]) == (
            422,
            [{"field": "application", "detail": "It is not registered."}],
        )
    register(operator, "unite")
    assert resolve.method(ALICE, "unite") == "sso"
    operator("DELETE", "/v1/applications/unite", headers=ANY)
    assert resolve(ALICE, "unite").status_code == 422


# -- the answer


def test_sso_tells_where_to_go_and_nothing_else(
    connected: Caller, operator: Caller, resolve: Resolve, service: RunningService, entra: LocalEntra
) -> None:
    register(operator, "unite")
    told = {"method": "sso", "tenantId": CONTOSO, "authority": f"{entra.https}/{CONTOSO}"}
    authorize = f"{service.url}/oauth2/authorize"
    assert resolve("Alice+1@Contoso.Example", "unite").json() == told | {
        "signInUrl": f"{authorize}?client_id=unite&login_hint=alice%2B1%40contoso.example"
    }
    assert resolve("a/b#c?d&e=f@contoso.example").json() == told | {
        "signInUrl": f"{authorize}?login_hint=a%2Fb%23c%3Fd%26e%3Df%40contoso.example"
    }


def test_password_is_one_answer_whatever_the_reason(connected: Caller, operator: Caller, resolve: Resolve) -> None:
    register(operator, "legacy", ssoSupported=False)
    connected("POST", f"{ACCOUNT}/exceptions", json={"email": ALICE, "reason": "Kiosk"})
    answers = [resolve(ALICE), resolve("nobody@nowhere.example"), resolve("bob@contoso.example", "legacy")]
    assert {answer.content for answer in answers} == {b'{"method":"password"}'}
    headers = [{name: value for name, value in answer.headers.items() if name != "date"} for answer in answers]
    assert headers == [headers[0]] * 3


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["email"]),
        ({"email": "nobody"}, ["email"]),
        ({"email": "alice@contoso.example."}, ["email"]),
        ({"email": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 55}.example"}, ["email"]),
        ({"email": "ali\x00ce@contoso.example"}, ["email"]),
        ({"email": ["alice@contoso.example"]}, ["email"]),
        ({"email": 7, "application": 7}, ["email", "application"]),
        ({"email": ALICE, "application": ""}, ["application"]),
        ({"email": ALICE, "application": "a'b"}, ["application"]),
        ({"email": ALICE, "appliction": "unite"}, ["appliction"]),
    ],
)
def test_what_is_wrong_with_a_question_is_named(client: httpx.Client, body: object, named: list[str]) -> None:
    answer = client.post("/v1/resolve", json=body, headers={"x-functions-key": FUNCTION_KEY})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, named)


def test_every_address_that_people_have_is_resolved(connected: Caller, resolve: Resolve) -> None:
    for email in ("O'Brien@contoso.example", "a/b@contoso.example", "ÄRGER@contoso.example", "=1+1@CONTOSO.example"):
        assert resolve.method(email) == "sso"


# -- who asks


@pytest.mark.parametrize("key", [None, "wrong", FUNCTION_KEY.upper(), FUNCTION_KEY + " x"])
def test_nobody_is_answered_without_the_function_key(resolve: Resolve, key: str | None) -> None:
    assert resolve(ALICE, key=key).status_code == 401


def test_a_control_panel_token_is_no_function_key(operator: Caller) -> None:
    assert operator("POST", "/v1/resolve", json={"email": ALICE}).status_code == 401


def test_the_master_key_opens_resolve_too(resolve: Resolve) -> None:
    assert resolve(ALICE, key=MASTER_KEY).status_code == 200


# -- what is remembered


def test_a_change_through_this_service_counts_at_once(connected: Caller, resolve: Resolve) -> None:
    for mode, method in (("off", "password"), ("on", "sso"), ("off", "password")):
        decide(connected, mode=mode)
        assert resolve.method(ALICE) == method


def test_two_accounts_resolve_by_their_own_policies(
    connected: Caller, operator: Caller, manager: Callable[[str], Caller], connect: Walk, resolve: Resolve
) -> None:
    operator("PUT", "/v1/accounts/globex", json={"name": "Globex"})
    globex = manager("globex")
    with Browser() as paulas:
        assert connect(globex, "globex", "paula@fabrikam.example", paulas).title == "Connected"
    assert (resolve.method(ALICE), resolve.method("fiona@fabrikam.example")) == ("sso", "password")
    globex("PATCH", "/v1/accounts/globex/policy", json={"mode": "on"}, headers=ANY)
    connected("PATCH", f"{ACCOUNT}/policy", json={"mode": "off"}, headers=ANY)
    assert (resolve.method(ALICE), resolve.method("fiona@fabrikam.example")) == ("password", "sso")
    assert resolve("fiona@fabrikam.example").json()["tenantId"] == FABRIKAM


def test_resolve_needs_no_microsoft(
    connected: Caller, resolve: Resolve, hostile: Switch, service: RunningService
) -> None:
    hostile(discovery_status=503, token_status=503, graph_status=503)
    service.clock.advance(timedelta(hours=5))
    assert resolve.method(ALICE) == "sso"

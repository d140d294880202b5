"""Userinfo tells who an access token speaks of, and tells nobody else anything."""

from datetime import timedelta

import httpx
import pytest

from tests.http.conftest import Caller, Token
from tests.http.signing_in import ALICE, ALICE_NAMES, Asked, Person, claims_of
from tests.support.service import RunningService


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def refused(response: httpx.Response) -> None:
    """RFC 6750, section 3."""
    assert response.status_code == 401, response.text
    assert response.headers["www-authenticate"].startswith("Bearer ")
    assert response.headers["cache-control"] == "no-store"
    assert response.json().keys() == {"error", "error_description"}
    assert response.json()["error"] == "invalid_token"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_access_token_tells_who_signed_in(
    contoso: Caller, unite: Asked, person: Person, client: httpx.Client, service: RunningService, method: str
) -> None:
    tokens = person.tokens(unite)
    response = client.request(method, "/oauth2/userinfo", headers=bearer(tokens["access_token"]))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "sub": claims_of(service, tokens["id_token"])["sub"],
        "email": ALICE,
        "email_verified": True,
        **ALICE_NAMES,
    }


def test_a_token_may_come_in_the_form_and_only_once(
    contoso: Caller, unite: Asked, person: Person, client: httpx.Client
) -> None:
    """RFC 6750, sections 2.2 and 3.1."""
    token = person.tokens(unite)["access_token"]
    assert client.post("/oauth2/userinfo", data={"access_token": token}).json()["email"] == ALICE
    for twice in (
        client.post("/oauth2/userinfo", data={"access_token": token}, headers=bearer(token)),
        client.post("/oauth2/userinfo", data={"access_token": [token, token]}),
    ):
        assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    refused(client.post("/oauth2/userinfo", data={"access_token": token + "x"}))
    assert client.get("/oauth2/userinfo", params={"access_token": token}).json() == {}, "never in an address"
    assert client.post("/oauth2/userinfo", data={"access_token": ""}).status_code == 401


def test_userinfo_tells_what_was_asked_for_and_no_more(
    contoso: Caller, unite: Asked, person: Person, client: httpx.Client
) -> None:
    tokens = person.tokens(unite, scope="openid")
    assert client.get("/oauth2/userinfo", headers=bearer(tokens["access_token"])).json().keys() == {"sub"}


def test_an_id_token_is_no_access_token(contoso: Caller, unite: Asked, person: Person, client: httpx.Client) -> None:
    refused(client.get("/oauth2/userinfo", headers=bearer(person.tokens(unite)["id_token"])))


def test_an_access_token_expires(
    contoso: Caller, unite: Asked, person: Person, client: httpx.Client, service: RunningService
) -> None:
    headers = bearer(person.tokens(unite)["access_token"])
    service.clock.advance(timedelta(minutes=9))
    assert client.get("/oauth2/userinfo", headers=headers).status_code == 200
    service.clock.advance(timedelta(minutes=2))
    refused(client.get("/oauth2/userinfo", headers=headers))


def test_a_changed_access_token_is_none(contoso: Caller, unite: Asked, person: Person, client: httpx.Client) -> None:
    access, identity = (person.tokens(unite)[name].split(".") for name in ("access_token", "id_token"))
    header, claims, signature = access
    for forged in (f"{header}.{identity[1]}.{signature}", f"{header}.{claims}.", f"{header}.{claims}.{identity[2]}"):
        refused(client.get("/oauth2/userinfo", headers=bearer(forged)))


def test_a_token_of_the_control_panel_is_not_ours(client: httpx.Client, token: Token) -> None:
    refused(client.get("/oauth2/userinfo", headers=bearer(token("olga"))))


@pytest.mark.parametrize("garbage", ["x", "a.b.c", "e30.e30.e30", "." * 100, "x" * 16_001, "<script>"])
def test_garbage_is_no_access_token(client: httpx.Client, garbage: str) -> None:
    refused(client.get("/oauth2/userinfo", headers=bearer(garbage)))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic dW5pdGU6eA=="}])
def test_who_sends_no_token_is_asked_for_one_and_told_of_no_error(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    """RFC 6750, section 3.1."""
    response = client.get("/oauth2/userinfo", headers=headers)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Bearer realm="azure-sso"')
    assert response.json() == {}

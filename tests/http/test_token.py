"""The token endpoint: what a code buys, once and for whom; and what discovery and JWKS tell everybody."""

import base64
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from local.entra.server import LocalEntra
from shared.ports.signing_keys import JWKS_CACHED_FOR, PUBLISHED_AHEAD
from tests.http import signing_in
from tests.http.conftest import CONTOSO, Caller
from tests.http.signing_in import (
    ALICE,
    ALICE_NAMES,
    ALICE_OID,
    REDIRECT_URI,
    Asked,
    Person,
    Register,
    claims_of,
    redeem,
)
from tests.support.service import RunningService


def refused(response: httpx.Response, error: str, status: int = 400) -> None:
    """An error of the token endpoint, as RFC 6749, section 5.2, has it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    assert len(response.headers["x-request-id"]) == 36
    document = response.json()
    assert document.keys() == {"error", "error_description"}
    assert document["error"] == error


# -- what a code buys -------------------------------------------------------------------------------------------------


def test_a_code_buys_tokens_that_say_who_signed_in(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    now = int(service.clock.now().timestamp())
    response = redeem(service, unite.redemption(person.sign_in(unite)["code"]))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    tokens = response.json()
    assert tokens.keys() == {"access_token", "id_token", "token_type", "expires_in", "scope"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 600, "openid email profile")

    claims = claims_of(service, tokens["id_token"])
    halved = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    times = {name: claims.pop(name) for name in ("iat", "exp", "auth_time")}
    assert now <= times["auth_time"] <= now + 60
    assert now - 10 <= times["iat"] <= now + 50, "dated back, for clocks that are behind"
    assert times["exp"] - times["iat"] == 610
    assert (len(claims.pop("sub")), len(claims.pop("sid"))) == (43, 64)
    assert claims == {
        "iss": service.url,
        "aud": "unite",
        "nonce": unite.nonce,
        "at_hash": base64.urlsafe_b64encode(halved).decode().rstrip("="),
        "email": ALICE,
        "email_verified": True,
        **ALICE_NAMES,
        "account_id": "acme",
        "tid": CONTOSO,
        "oid": ALICE_OID,
    }
    assert jwt.get_unverified_header(tokens["id_token"])["typ"] == "JWT"
    assert jwt.get_unverified_header(tokens["access_token"])["typ"] == "at+jwt"


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("openid", set()),
        ("openid email", {"email", "email_verified"}),
        ("profile openid", {*ALICE_NAMES}),
        ("openid offline_access unknown", set()),
    ],
)
def test_a_client_is_told_what_it_asked_for_and_no_more(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, scope: str, told: set[str]
) -> None:
    tokens = person.tokens(unite, scope=scope)
    claims = claims_of(service, tokens["id_token"])
    assert claims.keys() & {"email", "email_verified", *ALICE_NAMES} == told
    assert set(tokens["scope"].split()) == {"openid", "email", "profile"} & set(scope.split())


def test_without_a_nonce_none_is_in_the_id_token(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    assert "nonce" not in claims_of(service, person.tokens(unite, nonce=None)["id_token"])


def test_each_sign_in_carries_its_own_nonce(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    other = Asked()
    codes = {asked: person.sign_in(asked)["code"] for asked in (unite, other)}
    for asked, code in codes.items():
        tokens = redeem(service, asked.redemption(code)).json()
        assert claims_of(service, tokens["id_token"])["nonce"] == asked.nonce


# -- what a code does not buy -----------------------------------------------------------------------------------------


def test_a_code_buys_tokens_once(contoso: Caller, unite: Asked, person: Person, service: RunningService) -> None:
    form = unite.redemption(person.sign_in(unite)["code"])
    assert redeem(service, form).status_code == 200
    refused(redeem(service, form), "invalid_grant")


def test_a_signing_outage_leaves_the_code_good(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, client: httpx.Client, entra: LocalEntra
) -> None:
    client.get("/oauth2/jwks").raise_for_status()  # the first key is made when it is first needed
    form = unite.redemption(person.sign_in(unite)["code"])
    unusable = Path(entra.ca_file).parent / "keys" / "unusable.pem"
    unusable.write_text("no key")
    try:
        for _ in range(2):
            refused(redeem(service, form), "temporarily_unavailable", 503)
    finally:
        unusable.unlink()
    assert redeem(service, form).status_code == 200
    refused(redeem(service, form), "invalid_grant")


def test_a_code_buys_nothing_once_its_sign_in_no_longer_stands(
    contoso: Caller, operator: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    """What the account changes in the minute of a code counts, as it does at the sign-in itself."""
    exceptions, links = "/v1/accounts/acme/exceptions", "/v1/accounts/acme/links"

    def switch_off() -> Callable[[], object]:
        signing_in.set_policy(contoso, mode="off")
        return lambda: signing_in.set_policy(contoso, mode="on")

    def except_alice() -> Callable[[], object]:
        entry = contoso("POST", exceptions, json={"email": ALICE, "reason": "Leave"}).json()
        return lambda: contoso("DELETE", f"{exceptions}/{entry['exceptionId']}", headers={"If-Match": "*"})

    def release_the_link() -> Callable[[], object]:
        (link,) = contoso("GET", links).json()["items"]
        contoso("DELETE", f"{links}/{link['linkId']}").raise_for_status()
        return lambda: None

    def delete_the_account() -> Callable[[], object]:
        operator("DELETE", "/v1/accounts/acme", headers={"If-Match": "*"}).raise_for_status()
        return lambda: None

    for change in (switch_off, except_alice, release_the_link, delete_the_account):
        form = unite.redemption(person.sign_in(unite)["code"])
        undo = change()
        refused(redeem(service, form), "invalid_grant")
        undo()


def test_a_code_lives_for_sixty_seconds(contoso: Caller, unite: Asked, person: Person, service: RunningService) -> None:
    early, late = (unite.redemption(person.sign_in(unite)["code"]) for _ in range(2))
    service.clock.advance(timedelta(seconds=50))
    assert redeem(service, early).status_code == 200
    service.clock.advance(timedelta(seconds=10))
    refused(redeem(service, late), "invalid_grant")


def test_a_code_of_another_client_buys_nothing(
    contoso: Caller, unite: Asked, register: Register, person: Person, service: RunningService
) -> None:
    register("rival").raise_for_status()
    form = unite.redemption(person.sign_in(unite)["code"])
    refused(redeem(service, {**form, "client_id": "rival"}), "invalid_grant")


def test_who_shows_a_code_with_something_wrong_has_spent_it(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, subtests: pytest.Subtests
) -> None:
    wrong: list[dict[str, str | None]] = [
        {"code_verifier": None},
        {"code_verifier": ""},
        {"code_verifier": "short"},
        {"code_verifier": "v" * 64},
        {"code_verifier": "v" * 129},
        {"redirect_uri": None},
        {"redirect_uri": REDIRECT_URI + "/"},
        {"redirect_uri": REDIRECT_URI.upper()},
    ]
    for changes in wrong:
        with subtests.test(changes=changes):
            code = person.sign_in(unite)["code"]
            refused(redeem(service, unite.redemption(code, **changes)), "invalid_grant")
            refused(redeem(service, unite.redemption(code)), "invalid_grant")


def test_the_challenge_itself_is_no_verifier(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    code = person.sign_in(unite)["code"]
    challenge = unite.parameters()["code_challenge"]
    refused(redeem(service, unite.redemption(code, code_verifier=challenge)), "invalid_grant")


def test_the_verifier_of_another_sign_in_does_not_fit(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    code = person.sign_in(unite)["code"]
    refused(redeem(service, unite.redemption(code, code_verifier=Asked().verifier)), "invalid_grant")


def test_a_state_of_ours_is_no_code(contoso: Caller, unite: Asked, person: Person, service: RunningService) -> None:
    state = signing_in.query_of(person.leave(unite))["state"]
    refused(redeem(service, unite.redemption(state)), "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unauthorized_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"code": None}, "invalid_request"),
        ({"code": "c" * 2_001}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": "<script>"}, "invalid_grant"),
    ],
)
def test_a_fault_is_told_in_oauths_words(
    unite: Asked, service: RunningService, changes: dict[str, str | None], error: str
) -> None:
    response = redeem(service, unite.redemption("unknown", **changes))
    refused(response, error)
    assert "script" not in response.json()["error_description"]


@pytest.mark.parametrize("name", ["grant_type", "code", "client_id"])
def test_a_parameter_that_is_sent_twice_is_refused(unite: Asked, client: httpx.Client, name: str) -> None:
    form = unite.redemption("unknown")
    response = client.post("/oauth2/token", data={**form, name: [form[name], form[name]]})
    refused(response, "invalid_request")


@pytest.mark.parametrize("name", ["redirect_uri", "code_verifier"])
def test_what_proves_the_code_is_sent_once(
    contoso: Caller, unite: Asked, person: Person, client: httpx.Client, name: str
) -> None:
    form = unite.redemption(person.sign_in(unite)["code"])
    response = client.post("/oauth2/token", data={**form, name: [form[name], form[name]]})
    refused(response, "invalid_request")


def test_parameters_in_the_query_are_none(unite: Asked, client: httpx.Client) -> None:
    response = client.post("/oauth2/token", params=unite.redemption("unknown"), data={})
    assert response.status_code == 400


def test_a_body_that_is_no_form_is_refused(unite: Asked, client: httpx.Client) -> None:
    answer = client.post("/oauth2/token", json=unite.redemption("unknown"))
    refused(answer, "invalid_request", 400)
    assert "application/x-www-form-urlencoded" in answer.json()["error_description"]


def test_a_huge_body_is_refused(unite: Asked, client: httpx.Client) -> None:
    form = {**unite.redemption("unknown"), "padding": "p" * 300_000}
    refused(client.post("/oauth2/token", data=form), "invalid_request", 413)


# -- what everybody may know ------------------------------------------------------------------------------------------


def test_discovery_describes_what_is_there(client: httpx.Client, service: RunningService) -> None:
    response = client.get("/.well-known/openid-configuration")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "public, max-age=300"
    assert response.headers["access-control-allow-origin"] == "*"
    metadata = response.json()
    assert metadata["issuer"] == service.url
    addresses = {name: value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))}
    assert addresses == {
        "authorization_endpoint": f"{service.url}/oauth2/authorize",
        "token_endpoint": f"{service.url}/oauth2/token",
        "revocation_endpoint": f"{service.url}/oauth2/revoke",
        "pushed_authorization_request_endpoint": f"{service.url}/oauth2/par",
        "userinfo_endpoint": f"{service.url}/oauth2/userinfo",
        "end_session_endpoint": f"{service.url}/oauth2/logout",
        "jwks_uri": f"{service.url}/oauth2/jwks",
    }
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert metadata["scopes_supported"] == ["openid", "email", "profile", "offline_access"]
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256"]
    assert set(metadata["token_endpoint_auth_methods_supported"]) == {
        "none",
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    }
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["backchannel_logout_supported"] is True
    assert metadata["backchannel_logout_session_supported"] is True
    assert (metadata["request_parameter_supported"], metadata["request_uri_parameter_supported"]) == (False, False)


def test_discovery_believes_its_setting_and_not_the_host_that_is_asked_for(
    client: httpx.Client, service: RunningService
) -> None:
    forged = {"Host": "attacker.example", "X-Forwarded-Host": "attacker.example", "Forwarded": "host=attacker.example"}
    metadata = client.get("/.well-known/openid-configuration", headers=forged).json()
    assert metadata["issuer"] == service.url
    assert "attacker" not in str(metadata)


def test_the_key_set_holds_public_keys_and_nothing_else(client: httpx.Client) -> None:
    response = client.get("/oauth2/jwks")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["access-control-allow-origin"] == "*"
    public, _, seconds = response.headers["cache-control"].partition(", max-age=")
    assert public == "public"
    assert timedelta(seconds=int(seconds)) <= JWKS_CACHED_FOR
    keys = response.json()["keys"]
    assert keys
    for key in keys:
        assert key.keys() == {"kty", "use", "alg", "kid", "n", "e"}
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


# -- our own keys take turns ------------------------------------------------------------------------------------------


@pytest.fixture
def add_key(entra: LocalEntra, service: RunningService) -> Iterator[Callable[[], None]]:
    """Adds a new version of the service's signing key, as its operator would."""
    file = Path(entra.ca_file).parent / "keys" / "2.pem"

    def add() -> None:
        command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(file)]
        subprocess.run(command, check=True, capture_output=True)
        now = service.clock.now().timestamp()
        os.utime(file, (now, now))

    yield add
    file.unlink(missing_ok=True)


def kid_of(tokens: dict[str, Any]) -> str:
    return str(jwt.get_unverified_header(tokens["id_token"])["kid"])


def published(client: httpx.Client) -> list[str]:
    return [key["kid"] for key in client.get("/oauth2/jwks").json()["keys"]]


def test_our_key_rolls_over_in_the_middle_and_nobody_notices(
    contoso: Caller,
    unite: Asked,
    person: Person,
    service: RunningService,
    client: httpx.Client,
    add_key: Callable[[], None],
) -> None:
    before = person.tokens(unite)
    assert published(client) == [kid_of(before)]

    add_key()
    still = person.tokens(unite)
    old, new = published(client)
    assert (kid_of(before), kid_of(still)) == (old, old)

    service.clock.advance(PUBLISHED_AHEAD - timedelta(seconds=30))
    code = person.sign_in(unite)["code"]
    service.clock.advance(timedelta(seconds=31))
    after = redeem(service, unite.redemption(code)).json()
    assert kid_of(after) == new
    assert published(client) == [new, old]
    for tokens in (before, still, after):
        assert claims_of(service, tokens["id_token"])["oid"] == ALICE_OID
    assert client.get("/oauth2/logout", params={"id_token_hint": before["id_token"]}).status_code == 303

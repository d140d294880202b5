"""Applications that run in a browser, and native ones: who may read an answer, and where an answer may go."""

from datetime import timedelta

import httpx

from tests.http.conftest import Caller
from tests.http.signing_in import REDIRECT_URI, Asked, Person, Register, answered, query_of, redeem
from tests.support.service import RunningService

ALLOWED = "access-control-allow-origin"
ORIGIN = "https://unite.example"
OTHERS = (
    "https://unite.example:8443",
    "http://unite.example",
    "https://evil.example",
    "null",
    "https://unite.example/",
)


def test_only_the_clients_own_pages_read_what_it_is_answered(
    contoso: Caller, register: Register, person: Person, service: RunningService, client: httpx.Client
) -> None:
    register("unite", refreshTokens=True).raise_for_status()
    register("rival", redirectUris=["https://rival.example/callback"]).raise_for_status()
    asked = Asked()
    form = asked.redemption(person.sign_in(asked, scope="openid offline_access")["code"])
    response = redeem(service, form, headers={"Origin": ORIGIN})
    assert (response.status_code, response.headers[ALLOWED], response.headers["vary"]) == (200, ORIGIN, "Origin")
    assert "access-control-allow-credentials" not in response.headers
    refused = redeem(service, form, headers={"Origin": ORIGIN})
    assert (refused.json()["error"], refused.headers[ALLOWED]) == ("invalid_grant", ORIGIN)
    revoked = {"client_id": "unite", "token": response.json()["refresh_token"]}
    assert client.post("/oauth2/revoke", data=revoked, headers={"Origin": ORIGIN}).headers[ALLOWED] == ORIGIN

    assert client.post("/oauth2/par", data=asked.parameters(), headers={"Origin": ORIGIN}).headers[ALLOWED] == ORIGIN

    for origin in OTHERS:
        refused = redeem(service, form, headers={"Origin": origin})
        assert (refused.json()["error"], refused.headers["vary"]) == ("invalid_grant", "Origin")
        assert ALLOWED not in refused.headers, origin
    for changes in ({"client_id": "rival"}, {"client_id": "nobody"}, {"client_id": None}):
        assert ALLOWED not in redeem(service, asked.redemption("code", **changes), headers={"Origin": ORIGIN}).headers
    assert ALLOWED not in redeem(service, form).headers
    userinfo = {"Authorization": f"Bearer {response.json()['access_token']}", "Origin": ORIGIN}
    assert ALLOWED not in client.get("/oauth2/userinfo", headers=userinfo).headers, "the platform's list decides"


def test_a_client_with_a_secret_has_no_pages_that_hold_it(
    register: Register, operator: Caller, service: RunningService
) -> None:
    register("portal", tokenEndpointAuthMethod="client_secret_post").raise_for_status()
    secret = operator("POST", "/v1/applications/portal/secret", headers={"If-Match": "*"}).json()["clientSecret"]
    service.clock.advance(timedelta(seconds=11))
    form = Asked(client_id="portal").redemption("code", client_secret=secret)
    refused = redeem(service, form, headers={"Origin": ORIGIN})
    assert refused.json()["error"] == "invalid_grant"
    assert ALLOWED not in refused.headers


def test_registering_a_public_client_names_the_origins_that_the_platform_must_allow(register: Register) -> None:
    addresses = [REDIRECT_URI, "https://unite.example:8443/cb", "http://127.0.0.1/cb", "com.example.unite:/cb"]
    (warning,) = register("unite", redirectUris=addresses).json()["warnings"]
    assert warning["code"] == "origins_to_allow"
    assert warning["origins"] == [ORIGIN, "https://unite.example:8443"]
    assert "userinfo" in warning["detail"]
    assert warning["command"] == (
        "az functionapp cors add --resource-group $RG --name $APP "
        "--allowed-origins https://unite.example https://unite.example:8443"
    )
    assert register("unite", redirectUris=addresses[2:]).json()["warnings"] == []
    assert register("portal", tokenEndpointAuthMethod="client_secret_basic").json()["warnings"] == []


def test_a_native_application_is_answered_at_its_port_and_at_its_own_scheme(
    contoso: Caller, register: Register, person: Person, service: RunningService
) -> None:
    addresses = ["http://127.0.0.1/callback", "http://[::1]/callback", "com.example.unite:/callback"]
    register("unite", redirectUris=addresses, postLogoutRedirectUris=["com.example.unite:/bye"]).raise_for_status()
    for address in ("http://127.0.0.1:49152/callback", "http://[::1]:8080/callback", "com.example.unite:/callback"):
        asked = Asked(redirect_uri=address)
        code = answered(person.come_back(asked), address)["code"]
        elsewhere = asked.redemption(code, redirect_uri=addresses[0])
        assert redeem(service, elsewhere).json()["error"] == "invalid_grant", "the code is of this port"
        tokens = redeem(service, asked.redemption(person.sign_in(asked)["code"]))
        assert tokens.status_code == 200
    leaving = {"id_token_hint": tokens.json()["id_token"], "post_logout_redirect_uri": "com.example.unite:/bye"}
    person.open(str(httpx.URL(f"{service.url}/oauth2/logout", params=leaving | {"state": "s"})))
    assert person.open(f"{service.url}/signed-out").headers["location"] == "com.example.unite:/bye?state=s"

    page = person.authorize(asked, login_hint=None)
    policy = page.headers["content-security-policy"].split("; ")
    assert "form-action 'self' http: com.example.unite:" in policy, "a form may end at the application, too"
    posted = person.authorize(Asked(redirect_uri="com.example.unite:/callback"), response_mode="form_post")
    assert query_of(posted.headers["location"])["error"] == "invalid_request"
    for wrong in (
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://localhost:49152/callback",
        "com.example.unite://callback",
        "com.example.unite.evil:/callback",
        "javascript:/callback",
    ):
        refused = person.authorize(Asked(redirect_uri=wrong))
        assert (refused.status_code, "location" in refused.headers) == (400, False), wrong


def test_what_no_application_may_register(register: Register) -> None:
    secret = {"tokenEndpointAuthMethod": "client_secret_basic"}
    for profile in (
        {"redirectUris": ["javascript:/alert(1)"]},
        {"redirectUris": ["data:text/html,x"]},
        {"redirectUris": ["http://unite.example/callback"]},
        {"redirectUris": ["http://127.0.0.1@evil.example/callback"]},
        {"redirectUris": ["unite:/callback"]},
        {"redirectUris": ["com.example.unite:/callback"], **secret},
        {"postLogoutRedirectUris": ["com.example.unite:/bye"], **secret},
        {"passwordSignInUri": "com.example.unite:/password"},
    ):
        assert register("unite", **profile).status_code == 422, profile

"""Applications as OAuth clients: how each proves who it is, by the method that it is registered with."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Event
from typing import Any
from urllib.parse import quote_plus

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.applications.secrets import UNDER_WAY
from tests.http.conftest import Caller
from tests.http.signing_in import Asked, Person, Register, claims_of, redeem, refused
from tests.support.service import RunningService

SECRET_PATH = "/v1/applications/unite/secret"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MINE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def public_jwk(private: Any, kid: str, algorithm: str) -> dict[str, Any]:
    """The public half of a key, as a client registers it."""
    codec = jwt.algorithms.ECAlgorithm if algorithm.startswith("ES") else jwt.algorithms.RSAAlgorithm
    return {**codec.to_jwk(private.public_key(), as_dict=True), "kid": kid, "alg": algorithm, "use": "sig"}


JWKS = {
    "keys": [public_jwk(MINE, "mine", "RS256"), public_jwk(MINE, "pss", "PS256"), public_jwk(CURVE, "curve", "ES256")]
}


def basic(client_id: str, secret: str) -> dict[str, str]:
    """RFC 6749, section 2.3.1: both are form-encoded first."""
    credentials = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}


def authenticated(response: httpx.Response) -> bool:
    """Whether the client got past the door: a code that nobody has issued is refused only then.

    Who did not is answered as RFC 6749, section 5.2, has it, and is told nothing that helps to guess.
    """
    in_header = "authorization" in response.request.headers
    if response.json()["error"] == "invalid_grant":
        assert response.status_code == 400, response.text
        return True
    assert response.status_code == (401 if in_header else 400), response.text
    assert response.headers.get("www-authenticate") == ('Basic realm="azure-sso"' if in_header else None)
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "error": "invalid_client",
        "error_description": "The client is unknown, or its credentials are invalid.",
    }
    return False


type Knock = Callable[..., httpx.Response]


@pytest.fixture
def knock(service: RunningService) -> Knock:
    """Calls the token endpoint with a code that nobody has issued: `knock(headers, client_secret=...)`."""

    def call(headers: dict[str, str] | None = None, **changes: str | None) -> httpx.Response:
        return redeem(service, Asked().redemption("unknown", **changes), headers=headers or {})

    return call


@pytest.fixture
def renew(operator: Caller) -> Callable[[], str]:
    """Gives `unite` a new secret."""

    def call() -> str:
        return str(operator("POST", SECRET_PATH, headers={"If-Match": "*"}).raise_for_status().json()["clientSecret"])

    return call


# -- public clients ---------------------------------------------------------------------------------------------------


def test_a_public_client_names_itself(unite: Asked, knock: Knock) -> None:
    assert authenticated(knock())


@pytest.mark.parametrize("client_id", [None, "", "stranger", "UNITE", "<script>", "x" * 65])
def test_a_client_that_nobody_knows_is_refused(unite: Asked, knock: Knock, client_id: str | None) -> None:
    assert not authenticated(knock(client_id=client_id))


def test_a_public_client_that_brings_a_proof_is_not_taken_for_itself(unite: Asked, knock: Knock) -> None:
    assert not authenticated(knock(client_secret="guessed"))
    assert not authenticated(knock(basic("unite", "")))
    assert not authenticated(knock(client_assertion="a.b.c", client_assertion_type=JWT_BEARER))


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_a_secret_is_shown_once_and_kept_as_a_salted_slow_hash(
    register: Register, operator: Caller, renew: Callable[[], str], service: RunningService
) -> None:
    register("unite", tokenEndpointAuthMethod="client_secret_basic").raise_for_status()
    assert operator("GET", "/v1/applications/unite").json()["hasSecret"] is False
    secret = renew()
    assert len(secret) == 43
    shown = operator("GET", "/v1/applications/unite")
    assert shown.json()["hasSecret"] is True
    everything = json.dumps([service.rows(table) for table in ("applications", "accounts", "flows")], default=str)
    assert secret not in shown.text + operator("GET", "/v1/applications").text + everything
    (row,) = (row for row in service.rows("applications") if row["RowKey"] == "unite")
    kept = next(json.loads(value)["secret"] for value in row.values() if isinstance(value, str) and "secret" in value)
    salt, _, hashed = kept.partition(":")
    assert (len(bytes.fromhex(salt)), len(bytes.fromhex(hashed))) == (16, 64)
    assert kept not in shown.text


def test_two_applications_with_their_secrets_have_two_salts(register: Register, operator: Caller) -> None:
    for client_id in ("unite", "rival"):
        register(client_id, tokenEndpointAuthMethod="client_secret_post").raise_for_status()
    answers = [
        operator("POST", f"/v1/applications/{client_id}/secret", headers={"If-Match": "*"})
        for client_id in ("unite", "rival")
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.headers["cache-control"] for answer in answers] == ["no-store", "no-store"]
    assert len({answer.json()["clientSecret"] for answer in answers}) == 2


def test_a_secret_is_good_for_a_day_after_it_was_renewed(
    register: Register, renew: Callable[[], str], knock: Knock, service: RunningService
) -> None:
    register("unite", tokenEndpointAuthMethod="client_secret_post").raise_for_status()
    old = renew()
    renew()  # as if nobody had seen it
    new = renew()
    assert [authenticated(knock(client_secret=each)) for each in (old, new)] == [True, True]
    service.clock.advance(timedelta(hours=24))
    assert [authenticated(knock(client_secret=each)) for each in (old, new)] == [False, True]


def test_a_secret_that_leaked_ends_at_once(
    register: Register, renew: Callable[[], str], knock: Knock, operator: Caller
) -> None:
    register("unite", tokenEndpointAuthMethod="client_secret_post").raise_for_status()
    before = [renew(), renew()]
    answer = operator("POST", SECRET_PATH, json={"overlapHours": 0}, headers={"If-Match": "*"})
    assert [authenticated(knock(client_secret=each)) for each in before] == [False, False]
    assert authenticated(knock(client_secret=answer.json()["clientSecret"]))
    for hours in (-1, 169, "soon"):
        assert operator("POST", SECRET_PATH, json={"overlapHours": hours}, headers={"If-Match": "*"}).status_code == 422


def test_a_secret_outlives_a_change_of_what_is_said_of_the_application(
    register: Register, renew: Callable[[], str], knock: Knock
) -> None:
    register("unite", tokenEndpointAuthMethod="client_secret_post").raise_for_status()
    secret = renew()
    register("unite", tokenEndpointAuthMethod="client_secret_post", name="Unite 2").raise_for_status()
    assert authenticated(knock(client_secret=secret))


@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
def test_who_does_not_authenticate_by_a_secret_gets_none(register: Register, operator: Caller, method: str) -> None:
    jwks = JWKS if method == "private_key_jwt" else None
    register("unite", tokenEndpointAuthMethod=method, jwks=jwks).raise_for_status()
    assert operator("POST", SECRET_PATH, headers={"If-Match": "*"}).status_code == 409


def test_only_an_operator_who_has_seen_the_application_renews_its_secret(
    register: Register, operator: Caller, acme: Caller, anybody: Caller
) -> None:
    register("unite", tokenEndpointAuthMethod="client_secret_basic").raise_for_status()
    assert operator("POST", SECRET_PATH).status_code == 428
    assert operator("POST", SECRET_PATH, headers={"If-Match": '"stale"'}).status_code == 412
    assert acme("POST", SECRET_PATH, headers={"If-Match": "*"}).status_code == 403
    assert anybody("POST", SECRET_PATH, headers={"If-Match": "*"}).status_code == 401
    missing = operator("POST", "/v1/applications/nobody/secret", headers={"If-Match": "*"})
    assert missing.status_code == 404


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_secret_is_good_in_the_header_and_in_the_form_and_never_left_out(
    register: Register, renew: Callable[[], str], knock: Knock, method: str
) -> None:
    register("unite", tokenEndpointAuthMethod=method).raise_for_status()
    assert not authenticated(knock(basic("unite", "")))
    secret = renew()
    assert authenticated(knock(basic("unite", secret)))
    assert authenticated(knock(basic("unite", secret), client_id=None))
    assert authenticated(knock(client_secret=secret))
    assert not authenticated(knock(basic("unite", secret + "x")))
    assert not authenticated(knock(basic("unite", "")))
    assert not authenticated(knock(client_secret=secret + "x"))
    assert not authenticated(knock(client_secret=secret, client_id=None))
    assert not authenticated(knock())


def test_a_secret_of_another_client_is_not_good(
    register: Register, renew: Callable[[], str], operator: Caller, knock: Knock
) -> None:
    for client_id in ("unite", "rival"):
        register(client_id, tokenEndpointAuthMethod="client_secret_post").raise_for_status()
    renew()
    rival = operator("POST", "/v1/applications/rival/secret", headers={"If-Match": "*"}).json()["clientSecret"]
    assert not authenticated(knock(client_secret=rival))


def test_who_tries_secrets_is_held_up_and_holds_up_nobody_who_is_known(
    register: Register, renew: Callable[[], str], knock: Knock, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("unite", tokenEndpointAuthMethod="client_secret_post").raise_for_status()
    secret = renew()
    assert authenticated(knock(client_secret=secret))
    gate, slow_hash = Event(), hashlib.scrypt

    def held_up(*args: Any, **kwargs: Any) -> bytes:
        assert gate.wait(30)
        return slow_hash(*args, **kwargs)

    monkeypatch.setattr(hashlib, "scrypt", held_up)
    with ThreadPoolExecutor(UNDER_WAY + 1) as attackers:
        guesses = [attackers.submit(knock, client_secret=f"guess {number}") for number in range(UNDER_WAY + 1)]
        try:
            (refused,) = wait(guesses, 30, FIRST_COMPLETED).done  # the others are hashed, or wait for it
            assert authenticated(knock(client_secret=secret))
        finally:
            gate.set()
    response = refused.result()
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert response.json()["error"] == "temporarily_unavailable"
    assert not any(authenticated(guess.result()) for guess in guesses if guess is not refused)


def test_basic_credentials_are_form_encoded_first(register: Register, renew: Callable[[], str], knock: Knock) -> None:
    register("unite", tokenEndpointAuthMethod="client_secret_basic").raise_for_status()
    secret = renew()
    encoded = "".join(f"%{ord(letter):02X}" for letter in secret)
    credentials = base64.b64encode(f"%75nite:{encoded}".encode()).decode()
    assert authenticated(knock({"Authorization": f"bAsIc {credentials}"}))


@pytest.mark.parametrize(
    "authorization",
    ["Basic", "Basic !!!", "Basic dW5pdGU=", "Basic /////w==", "Bearer abc", "Digest x", "Basic PHNjcmlwdD46eA=="],
)
def test_credentials_that_cannot_be_read_are_refused(unite: Asked, knock: Knock, authorization: str) -> None:
    assert not authenticated(knock({"Authorization": authorization}, client_id=None))


@pytest.mark.parametrize(
    ("headers", "changes"),
    [
        (basic("unite", "s"), {"client_secret": "s"}),
        (basic("unite", "s"), {"client_assertion": "a.b.c", "client_assertion_type": JWT_BEARER}),
        ({}, {"client_secret": "s", "client_assertion": "a.b.c", "client_assertion_type": JWT_BEARER}),
        (basic("unite", "s"), {"client_id": "rival"}),
        ({}, {"client_assertion": "a.b.c"}),
        ({}, {"client_assertion": "a.b.c", "client_assertion_type": "something else"}),
        ({}, {"client_secret": "s" * 2_001}),
        ({}, {"client_assertion": "a" * 16_001, "client_assertion_type": JWT_BEARER}),
    ],
    ids=repr,
)
def test_a_client_says_who_it_is_in_one_way(
    unite: Asked, knock: Knock, headers: dict[str, str], changes: dict[str, str]
) -> None:
    response = knock(headers, **changes)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


def test_a_confidential_client_buys_tokens_and_needs_its_verifier_all_the_same(
    contoso: Caller, register: Register, renew: Callable[[], str], person: Person, service: RunningService
) -> None:
    register("unite", tokenEndpointAuthMethod="client_secret_basic").raise_for_status()
    headers = basic("unite", renew())
    asked = Asked()
    good, bare = (asked.redemption(person.sign_in(asked)["code"]) for _ in range(2))
    assert redeem(service, good, headers=headers).json().keys() >= {"id_token", "access_token"}
    refused = redeem(service, {**bare, "code_verifier": ""}, headers=headers)
    assert refused.json()["error"] == "invalid_grant"


# -- what binds a code to the browser that asked for it ---------------------------------------------------------------

UNBOUND: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}


def test_a_client_with_a_secret_binds_its_code_by_challenge_or_nonce(
    contoso: Caller, register: Register, renew: Callable[[], str], person: Person, service: RunningService
) -> None:
    assert register("unite", tokenEndpointAuthMethod="client_secret_basic").json()["codeBinding"] == "pkce_or_nonce"
    headers, asked = basic("unite", renew()), Asked()
    assert refused(service, person.authorize(asked, **UNBOUND, nonce=None), asked) == "invalid_request"
    form = {**asked.redemption(person.sign_in(asked, **UNBOUND)["code"]), "code_verifier": ""}
    told = redeem(service, form, headers=headers).json()
    assert claims_of(service, told["id_token"])["nonce"] == asked.nonce


def test_only_who_says_so_takes_codes_that_nothing_binds(
    contoso: Caller, register: Register, renew: Callable[[], str], person: Person, service: RunningService
) -> None:
    profile = {"tokenEndpointAuthMethod": "client_secret_post", "codeBinding": "none"}
    assert register("unite", **profile).json()["codeBinding"] == "none"
    secret, asked = renew(), Asked()
    code = person.sign_in(asked, **UNBOUND, nonce=None)["code"]
    form = {**asked.redemption(code), "code_verifier": "", "client_secret": secret}
    assert redeem(service, form).json().keys() >= {"id_token", "access_token"}


@pytest.mark.parametrize("binding", ["pkce_or_nonce", "none"])
def test_a_challenge_that_is_taken_out_or_a_verifier_that_is_left_out_is_noticed(
    contoso: Caller, register: Register, renew: Callable[[], str], person: Person, service: RunningService, binding: str
) -> None:
    """PKCE downgrade (RFC 9700, section 4.8), both ways round."""
    register("unite", tokenEndpointAuthMethod="client_secret_basic", codeBinding=binding).raise_for_status()
    headers, asked = basic("unite", renew()), Asked()
    downgraded = asked.redemption(person.sign_in(asked, **UNBOUND)["code"])
    assert redeem(service, downgraded, headers=headers).json()["error"] == "invalid_grant"
    injected = {**asked.redemption(person.sign_in(asked)["code"]), "code_verifier": ""}
    assert redeem(service, injected, headers=headers).json()["error"] == "invalid_grant"


def test_a_public_client_is_always_bound_by_pkce(unite: Asked, person: Person, register: Register) -> None:
    for binding in ("pkce_or_nonce", "none"):
        answer = register("rival", codeBinding=binding)
        assert (answer.status_code, answer.json()["errors"][0]["detail"][:13]) == (422, "'codeBinding'")
    assert refused(person.service, person.authorize(unite, **UNBOUND), unite) == "invalid_request"


def test_a_binding_that_is_left_out_stays_as_it_is(register: Register, operator: Caller) -> None:
    profile = {"tokenEndpointAuthMethod": "client_secret_basic"}
    register("unite", **profile, codeBinding="none").raise_for_status()
    assert register("unite", **profile).json()["codeBinding"] == "none"
    changed = register("unite", **profile, codeBinding="pkce")
    assert changed.json()["codeBinding"] == "pkce"
    assert register("unite", **profile).json()["codeBinding"] == "pkce"
    public = register("unite", tokenEndpointAuthMethod="none")
    assert public.json()["codeBinding"] == "pkce"


def test_a_client_that_is_not_let_in_has_not_spent_the_code(
    contoso: Caller, register: Register, renew: Callable[[], str], person: Person, service: RunningService
) -> None:
    register("unite", tokenEndpointAuthMethod="client_secret_post").raise_for_status()
    secret, asked = renew(), Asked()
    form = asked.redemption(person.sign_in(asked)["code"])
    assert not authenticated(redeem(service, {**form, "client_secret": "guessed"}))
    assert redeem(service, {**form, "client_secret": secret}).status_code == 200


# -- keys of the client's own -----------------------------------------------------------------------------------------


class Assertions:
    """What a client with keys of its own says of itself (RFC 7523, section 3)."""

    def __init__(self, service: RunningService) -> None:
        self._service = service

    def __call__(
        self, *, key: Any = MINE, kid: str | None = "mine", algorithm: str = "RS256", **changes: Any
    ) -> dict[str, str]:
        """The parameters; `changes` replace claims, or by None leave them out. Times are seconds from now."""
        now = self._service.clock.now().timestamp()
        claims = {
            "iss": "unite",
            "sub": "unite",
            "aud": self._service.url,
            "jti": secrets.token_urlsafe(16),
            "iat": 0,
            "exp": 60,
        }
        said = {name: value for name, value in (claims | changes).items() if value is not None}
        said |= {name: int(now + said[name]) for name in ("iat", "nbf", "exp") if isinstance(said.get(name), int)}
        assertion = jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid} if kid else {})
        return {"client_assertion": assertion, "client_assertion_type": JWT_BEARER}


@pytest.fixture
def assertion(register: Register, service: RunningService) -> Assertions:
    """Makes assertions of the application `unite`, which is registered with keys of its own."""
    register("unite", tokenEndpointAuthMethod="private_key_jwt", jwks=JWKS).raise_for_status()
    return Assertions(service)


def test_a_client_with_a_key_of_its_own_buys_tokens(
    contoso: Caller, assertion: Assertions, person: Person, service: RunningService
) -> None:
    asked = Asked()
    form = asked.redemption(person.sign_in(asked)["code"])
    assert redeem(service, {**form, **assertion()}).json().keys() >= {"id_token", "access_token"}


def test_an_assertion_may_be_signed_in_any_announced_way(assertion: Assertions, knock: Knock) -> None:
    assert authenticated(knock(**assertion()))
    assert authenticated(knock(**assertion(kid="pss", algorithm="PS256")))
    assert authenticated(knock(**assertion(kid="curve", key=CURVE, algorithm="ES256")))
    assert authenticated(knock(**assertion(iat=None, exp=3_600)))
    assert authenticated(knock(**assertion(padding="p" * 3_000)))
    assert authenticated(knock(**assertion(), client_id=None))


def test_an_assertion_names_the_issuer_alone_or_an_endpoint_if_it_is_registered_so(
    assertion: Assertions, register: Register, knock: Knock, service: RunningService, client: httpx.Client
) -> None:
    endpoint, elsewhere = f"{service.url}/oauth2/token", "https://elsewhere.example"
    for_others = [endpoint, f"{service.url}/oauth2/par", [service.url, elsewhere], [endpoint, elsewhere]]
    assert [authenticated(knock(**assertion(aud=each))) for each in (*for_others, [service.url])] == [False] * 5
    profile = {"tokenEndpointAuthMethod": "private_key_jwt", "jwks": JWKS}
    told = register("unite", **profile, assertionAudience="token_endpoint").json()
    assert told["assertionAudience"] == "token_endpoint"
    assert register("unite", **profile).json()["assertionAudience"] == "token_endpoint", "it stays as it is"
    assert [authenticated(knock(**assertion(aud=each))) for each in (*for_others, service.url)] == [True] * 5
    pushed = client.post("/oauth2/par", data={**Asked().parameters(), **assertion(aud=f"{service.url}/oauth2/par")})
    assert pushed.status_code == 201
    changed = register("unite", **profile, assertionAudience="issuer").json()
    assert (changed["assertionAudience"], authenticated(knock(**assertion(aud=endpoint)))) == ("issuer", False)
    public = register("unite", assertionAudience="issuer")
    assert (public.status_code, "'assertionAudience'" in public.text) == (422, True)
    assert register("unite").json()["assertionAudience"] is None
    assert register("unite", **profile).json()["assertionAudience"] == "issuer"


def test_an_assertion_is_good_once(assertion: Assertions, knock: Knock, service: RunningService) -> None:
    said = assertion()
    assert authenticated(knock(**said))
    assert not authenticated(knock(**said))
    assert not authenticated(knock(**assertion(jti=jti_of(said))))
    service.clock.advance(timedelta(seconds=80))
    assert not authenticated(knock(**said))


def jti_of(said: dict[str, str]) -> str:
    return str(jwt.decode(said["client_assertion"], options={"verify_signature": False})["jti"])


@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param({"key": STRANGERS}, id="by a stranger"),
        pytest.param({"key": STRANGERS, "kid": "unknown"}, id="by a stranger with an unknown kid"),
        {"kid": "unknown"},
        {"kid": None},
        {"kid": "pss"},
        {"key": "a shared secret that is long enough to be one", "algorithm": "HS256"},
        {"key": None, "algorithm": "none"},
        {"iss": "rival"},
        {"sub": "rival"},
        {"iss": "rival", "sub": "rival"},
        {"iss": None},
        {"sub": None},
        {"aud": "https://elsewhere.example"},
        {"aud": []},
        {"aud": None},
        {"exp": -60},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 3_700},
        {"exp": 10**15},
        {"exp": float("inf")},
        {"nbf": 600},
        {"nbf": "later"},
        {"iat": 600},
        {"jti": None},
        {"jti": 5},
    ],
    ids=repr,
)
def test_an_assertion_that_does_not_hold_is_refused(
    assertion: Assertions, knock: Knock, forgery: dict[str, Any]
) -> None:
    assert not authenticated(knock(**assertion(**forgery)))


@pytest.mark.parametrize("garbage", ["x", "a.b.c", "e30.e30.", "." * 1_000, "<script>"])
def test_garbage_is_no_assertion(assertion: Assertions, knock: Knock, garbage: str) -> None:
    for client_id in ("unite", None):
        said = {"client_assertion": garbage, "client_assertion_type": JWT_BEARER}
        assert not authenticated(knock(**said, client_id=client_id))


def test_a_client_with_a_key_of_its_own_uses_no_secret(assertion: Assertions, knock: Knock) -> None:
    assert not authenticated(knock(client_secret="guessed"))
    assert not authenticated(knock(basic("unite", "guessed")))
    assert not authenticated(knock())


def test_a_key_that_was_replaced_is_good_no_longer(assertion: Assertions, register: Register, knock: Knock) -> None:
    other = {"keys": [public_jwk(STRANGERS, "mine", "RS256")]}
    register("unite", tokenEndpointAuthMethod="private_key_jwt", jwks=other).raise_for_status()
    assert not authenticated(knock(**assertion()))
    assert authenticated(knock(**assertion(key=STRANGERS)))


# -- what operators may say of a client -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "profile",
    [
        {"tokenEndpointAuthMethod": "private_key_jwt"},
        pytest.param({"tokenEndpointAuthMethod": "none", "jwks": JWKS}, id="keys of a public client"),
        {"tokenEndpointAuthMethod": "private_key_jwt", "jwks": {}},
        {"tokenEndpointAuthMethod": "private_key_jwt", "jwks": {"keys": []}},
        {"tokenEndpointAuthMethod": "private_key_jwt", "jwks": {"keys": "none"}},
        {"tokenEndpointAuthMethod": "private_key_jwt", "jwks": {"keys": ["none"]}},
        {"tokenEndpointAuthMethod": "private_key_jwt", "jwks": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}},
        {"tokenEndpointAuthMethod": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        pytest.param(
            {"tokenEndpointAuthMethod": "private_key_jwt", "jwks": {"keys": [{**JWKS["keys"][0], "d": "private"}]}},
            id="a private key",
        ),
        {"tokenEndpointAuthMethod": "client_secret_jwt"},
        {"redirectUris": ["http://unite.example/callback"]},
        {"redirectUris": ["https://unite.example/callback#fragment"]},
        {"redirectUris": ["https://*.unite.example/callback\\"]},
        {"redirectUris": ["javascript:alert(1)"]},
        {"redirectUris": ["https://user@unite.example/"]},
        {"redirectUris": ["/callback"]},
        {"postLogoutRedirectUris": ["http://unite.example/"]},
        {"backchannelLogoutUri": "http://unite.example/"},
        {"passwordSignInUri": "javascript:alert(1)"},
    ],
    ids=json.dumps,
)
def test_what_could_not_be_safe_is_not_registered(register: Register, profile: dict[str, Any]) -> None:
    response = register("unite", **profile)
    assert response.status_code == 422
    assert response.json()["errors"]


def test_what_is_said_of_a_client_is_told_again(register: Register, operator: Caller) -> None:
    profile = {
        "redirectUris": ["https://unite.example/callback", "http://localhost:3000/callback"],
        "tokenEndpointAuthMethod": "private_key_jwt",
        "jwks": JWKS,
        "postLogoutRedirectUris": ["https://unite.example/goodbye"],
        "backchannelLogoutUri": "https://unite.example/logout",
    }
    assert register("unite", **profile).status_code == 201
    told = operator("GET", "/v1/applications/unite").json()
    assert {name: told[name] for name in profile} == profile
    assert told["hasSecret"] is False

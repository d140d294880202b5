"""Who may call: every way to come without proof, and what each role may do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.http.conftest import Caller, Token
from tests.support.service import RunningService

type Called = tuple[str, str]


@pytest.fixture
def panel_calls(client: httpx.Client) -> set[Called]:
    """Every call of the control panel, about the account `acme`."""
    paths = client.get("/openapi.json").json()["paths"]
    concrete = {"{accountId}": "acme", "{clientId}": "unite", "{domain}": "contoso.example", "{exceptionId}": "x" * 43}
    calls = set()
    for template, operations in paths.items():
        path = template
        for parameter, value in concrete.items():
            path = path.replace(parameter, value)
        calls |= {
            (verb.upper(), path) for verb, call in operations.items() if call["security"] == [{"controlPanel": []}]
        }
    return calls


def refusals(caller: Caller, calls: set[Called]) -> dict[Called, tuple[int, str]]:
    """How each call is refused."""
    answers = {call: caller(*call) for call in calls}
    return {call: (answer.status_code, answer.json()["type"]) for call, answer in answers.items()}


NOT_AUTHENTICATED = (401, "urn:azure-sso:problem:not-authenticated")
FORBIDDEN = (403, "urn:azure-sso:problem:forbidden")


def test_no_call_of_the_control_panel_is_answered_without_a_token(anybody: Caller, panel_calls: set[Called]) -> None:
    assert len(panel_calls) > 20
    assert refusals(anybody, panel_calls) == dict.fromkeys(panel_calls, NOT_AUTHENTICATED)


def test_no_call_is_a_signed_in_user_s_without_role(
    client: httpx.Client, token: Token, panel_calls: set[Called]
) -> None:
    ulla = Caller(client, token("ulla", account_id="acme"))
    assert refusals(ulla, panel_calls) == dict.fromkeys(panel_calls, FORBIDDEN)


def test_no_call_is_another_account_s_security_manager_s(
    acme: Caller, manager: Callable[[str], Caller], panel_calls: set[Called]
) -> None:
    assert refusals(manager("globex"), panel_calls) == dict.fromkeys(panel_calls, FORBIDDEN)


def test_a_security_manager_keeps_out_of_the_vendor_s_registers(acme: Caller) -> None:
    calls = {
        ("PUT", "/v1/accounts/acme"),
        ("GET", "/v1/accounts/acme"),
        ("DELETE", "/v1/accounts/acme"),
        ("GET", "/v1/applications"),
        ("PUT", "/v1/applications/unite"),
        ("GET", "/v1/applications/unite"),
        ("DELETE", "/v1/applications/unite"),
    }
    assert refusals(acme, calls) == dict.fromkeys(calls, FORBIDDEN)


def test_a_security_reader_sees_everything_of_their_account_and_changes_nothing(
    acme: Caller, client: httpx.Client, token: Token, panel_calls: set[Called]
) -> None:
    assert acme("POST", EXCEPTIONS, json={"email": "rita@acme.example", "reason": "Lift"}).status_code == 201
    rita = Caller(client, token("rita", account_id="acme"))
    own = {(verb, path) for verb, path in panel_calls if path.startswith("/v1/accounts/acme/")}
    reads = {(verb, path) for verb, path in own if verb == "GET"}
    assert len(reads) > 7
    for verb, path in reads:
        assert rita(verb, path).status_code in {200, 404}, path
    assert rita("POST", f"{EXCEPTIONS}/search", json={"text": "lift"}).json()["items"] != []
    assert rita("GET", EXCEPTIONS, headers={"Accept": "text/csv"}).status_code == 200
    assert rita("POST", f"{LINKS}/search", json={"email": "rita@acme.example"}).json()["items"] == []
    assert rita("POST", f"{AUDIT}/search", json={"kind": "exception"}).json()["items"] != []
    writes = panel_calls - reads - {("POST", f"{each}/search") for each in (EXCEPTIONS, LINKS, AUDIT)}
    assert refusals(rita, writes) == dict.fromkeys(writes, FORBIDDEN)
    globex = {(verb, path.replace("acme", "globex")) for verb, path in own}
    assert refusals(rita, globex) == dict.fromkeys(globex, FORBIDDEN)


def test_a_security_manager_and_an_operator_administer_an_account(acme: Caller, operator: Caller) -> None:
    for caller in (acme, operator):
        assert caller("GET", "/v1/accounts/acme/policy").status_code == 200


POLICY, EXCEPTIONS, LINKS, AUDIT = (f"/v1/accounts/acme/{name}" for name in ("policy", "exceptions", "links", "audit"))


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["type"], answer.headers["WWW-Authenticate"]


UNASKED = (*NOT_AUTHENTICATED, 'Bearer realm="azure-sso"')
UNPROVEN = (*NOT_AUTHENTICATED, 'Bearer realm="azure-sso", error="invalid_token"')


@pytest.mark.parametrize("forgery", ["stranger", "unknown_kid", "none", "hs256", "tampered"])
def test_a_forged_signature_proves_nothing(client: httpx.Client, token: Token, forgery: str) -> None:
    assert refusal(Caller(client, token("olga", signature=forgery))("GET", POLICY)) == UNPROVEN


LONG_AGO, THE_FUTURE = 1_000_000_000, 4_000_000_000

FALSE_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://attacker.example/control-panel"},
    "the issuer with a slash": {"iss": "http://localhost/control-panel/"},
    "another audience": {"aud": "another-service"},
    "an audience that begins like ours": {"aud": "azure-sso-staging"},
    "audiences without ours": {"aud": ["a", "b"]},
    "expired": {"exp": LONG_AGO},
    "not yet valid": {"nbf": THE_FUTURE},
    "issued in the future": {"iat": THE_FUTURE},
    "never expires": {"exp": None},
    "no issuer": {"iss": None},
    "no audience": {"aud": None},
    "no subject": {"sub": None},
    "not issued": {"iat": None},
    "expires in words": {"exp": "tomorrow"},
    "a subject that is a number": {"sub": 7},
    "roles in one word": {"roles": "Operator"},
    "roles that are no words": {"roles": [{"Operator": True}]},
    "an account that is a number": {"account_id": 7},
}


@pytest.mark.parametrize("claims", FALSE_CLAIMS.values(), ids=FALSE_CLAIMS)
def test_a_false_claim_proves_nothing(client: httpx.Client, token: Token, claims: dict[str, Any]) -> None:
    assert refusal(Caller(client, token("olga", **claims))("GET", POLICY)) == UNPROVEN


NOTHING = {
    "empty": b"",
    "the scheme alone": b"Bearer",
    "another scheme": b"Basic b2xnYTpwYXNz",
    "no scheme": b"eyJhbGciOiJSUzI1NiJ9.e30.x",
}


@pytest.mark.parametrize("header", NOTHING.values(), ids=NOTHING)
def test_who_sends_no_token_is_asked_for_one_and_told_of_no_error(client: httpx.Client, header: bytes) -> None:
    """RFC 6750, section 3.1."""
    assert refusal(client.get(POLICY, headers=[(b"Authorization", header)])) == UNASKED
    assert refusal(client.get(POLICY)) == UNASKED


NO_TOKENS = {
    "two segments": b"Bearer eyJhbGciOiJSUzI1NiJ9.e30",
    "four dots": b"Bearer ....",
    "no base64": b"Bearer %%%.%%%.%%%",
    "no JSON": b"Bearer YQ.YQ.YQ",
    "no key id": b"Bearer eyJhbGciOiJSUzI1NiJ9.e30.YQ",
    "a key id that is a number": b"Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6MX0.e30.YQ",
    "bytes beyond ASCII": "Bearer ä.ö.ü".encode(),
    "a huge one": b"Bearer " + b"a" * 17_000,
}


@pytest.mark.parametrize("header", NO_TOKENS.values(), ids=NO_TOKENS)
def test_what_is_no_token_proves_nothing(client: httpx.Client, header: bytes) -> None:
    assert refusal(client.get(POLICY, headers=[(b"Authorization", header)])) == UNPROVEN


def test_a_token_in_the_address_is_not_looked_at(client: httpx.Client, token: Token) -> None:
    assert refusal(client.get(POLICY, params={"access_token": token("olga")})) == UNASKED


def test_a_token_after_another_is_none(client: httpx.Client, token: Token) -> None:
    assert refusal(client.get(POLICY, headers={"Authorization": f"Bearer x {token('olga')}"})) == UNPROVEN


def test_the_scheme_s_letter_case_does_not_matter(acme: Caller, client: httpx.Client, token: Token) -> None:
    assert client.get(POLICY, headers={"Authorization": f"bEARER {token('olga')}"}).status_code == 200


def test_a_token_for_several_audiences_is_for_us_too(acme: Caller, client: httpx.Client, token: Token) -> None:
    assert Caller(client, token("olga", aud=["other", "azure-sso"]))("GET", POLICY).status_code == 200


def test_an_expired_token_is_told_apart_because_its_owner_can_mend_it(client: httpx.Client, token: Token) -> None:
    answer = Caller(client, token("olga", exp=LONG_AGO))("GET", POLICY)
    assert answer.json()["detail"] == "The bearer token has expired. Get a new one from the control panel."


def test_the_control_panel_s_keys_roll_over_and_nobody_notices(
    acme: Caller, client: httpx.Client, control: httpx.Client, token: Token, service: RunningService
) -> None:
    assert acme("GET", POLICY).status_code == 200
    for _ in range(3):
        control.post("/control-panel/keys/rollover").raise_for_status()
        service.clock.advance(timedelta(hours=2))
        assert Caller(client, token("sam", account_id="acme"))("GET", POLICY).status_code == 200


def test_a_key_that_was_rolled_out_of_use_a_moment_ago_still_counts(acme: Caller, control: httpx.Client) -> None:
    control.post("/control-panel/keys/rollover").raise_for_status()
    assert acme("GET", POLICY).status_code == 200

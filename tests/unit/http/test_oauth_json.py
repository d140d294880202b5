"""Answers to OAuth clients: refusals in OAuth's words, and what may be kept by whom."""

import json

import pytest

from functions.http.dialects.oauth_json import OAuthJson, OAuthResponse, PublicJson
from functions.oauth import provider_metadata
from shared.kernel.refusals import (
    Malformed,
    NotAuthenticated,
    Refusal,
    Throttled,
    TokenMissing,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from shared.provider.errors import InvalidClientError, OAuthError, invalid_grant, invalid_request

ID = "6c1d0f7e-6a0c-4f0e-8a44-8f3c3f6f2a10"


@pytest.mark.parametrize(
    ("refusal", "status", "error"),
    [
        (invalid_request("Why."), 400, "invalid_request"),
        (invalid_grant("Why."), 400, "invalid_grant"),
        (OAuthError("unsupported_grant_type", "Why."), 400, "unsupported_grant_type"),
        (InvalidClientError("Why.", in_header=True), 401, "invalid_client"),
        (InvalidClientError("Why.", in_header=False), 400, "invalid_client"),
        (Malformed("Why."), 400, "invalid_request"),
        (TooLarge("Why."), 413, "invalid_request"),
        (UnsupportedMediaType("Why."), 400, "invalid_request"),
        (NotAuthenticated("Why."), 401, "invalid_token"),
        (Unavailable("Why."), 503, "temporarily_unavailable"),
        (Throttled("Why.", 1), 429, "temporarily_unavailable"),
    ],
)
def test_a_refusal_is_told_in_oauths_words(refusal: Refusal, status: int, error: str) -> None:
    answer = OAuthJson().refused(refusal, ID)
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    assert json.loads(answer.get_body()) == {"error": error, "error_description": "Why."}
    assert answer.headers["X-Request-Id"] == ID
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("refusal", "header", "value"),
    [
        (InvalidClientError("Why.", in_header=True), "WWW-Authenticate", 'Basic realm="azure-sso"'),
        (NotAuthenticated("Why."), "WWW-Authenticate", 'Bearer realm="azure-sso", error="invalid_token"'),
        (Unavailable("Why.", 7), "Retry-After", "7"),
        (Throttled("Why.", 1), "Retry-After", "1"),
    ],
)
def test_a_refusal_carries_the_header_that_http_wants(refusal: Refusal, header: str, value: str) -> None:
    assert OAuthJson().refused(refusal, ID).headers[header] == value


def test_a_client_that_sent_no_authorization_header_is_not_challenged() -> None:
    assert "WWW-Authenticate" not in OAuthJson().refused(InvalidClientError("Why.", in_header=False), ID).headers


def test_who_sends_no_token_is_told_that_one_is_wanted_and_of_no_error() -> None:
    """RFC 6750, section 3.1."""
    answer = OAuthJson().refused(TokenMissing("Why."), ID)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="azure-sso"')
    assert json.loads(answer.get_body()) == {}


def test_a_code_that_is_not_good_asks_for_no_proof_and_no_patience() -> None:
    headers = OAuthJson().refused(invalid_grant("Why."), ID).headers
    assert {"WWW-Authenticate", "Retry-After"}.isdisjoint(headers)


def test_an_error_of_ours_says_no_more_than_where_to_look() -> None:
    answer = OAuthJson().failed(ID)
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (500, ID)
    assert json.loads(answer.get_body())["error"] == "server_error"


def test_what_is_told_to_one_client_is_kept_by_nobody() -> None:
    """RFC 6749, section 5.1."""
    answer = OAuthResponse({"access_token": "é"})
    assert (answer.status_code, json.loads(answer.get_body())) == (200, {"access_token": "é"})
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_public_may_be_kept_for_a_while_and_read_from_any_page() -> None:
    answer = PublicJson({"keys": []})
    assert (answer.headers["Cache-Control"], answer.headers["Access-Control-Allow-Origin"]) == (
        "public, max-age=300",
        "*",
    )
    assert json.loads(answer.get_body()) == {"keys": []}


def test_discovery_holds_what_the_standard_demands() -> None:
    """OpenID Connect Discovery 1.0, section 3."""
    metadata = provider_metadata("https://sso.example")
    assert metadata["issuer"] == "https://sso.example"
    assert {name: value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))} == {
        "authorization_endpoint": "https://sso.example/oauth2/authorize",
        "token_endpoint": "https://sso.example/oauth2/token",
        "pushed_authorization_request_endpoint": "https://sso.example/oauth2/par",
        "revocation_endpoint": "https://sso.example/oauth2/revoke",
        "userinfo_endpoint": "https://sso.example/oauth2/userinfo",
        "jwks_uri": "https://sso.example/oauth2/jwks",
        "end_session_endpoint": "https://sso.example/oauth2/logout",
    }
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["subject_types_supported"] == ["public"]
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["scopes_supported"] == ["openid", "email", "profile", "offline_access"]
    assert metadata["prompt_values_supported"] == ["none", "login", "select_account"]
    assert metadata["token_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none",
    ]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert json.loads(json.dumps(metadata)) == metadata

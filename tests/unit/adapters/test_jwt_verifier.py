"""The one verifier: what it lets through when it is told to demand little, and what never."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.jwt_verifier import LEEWAY, Expired, Unproven, key_of, unverified_header, verified_claims
from tests.support.fakes import NEW_YEAR

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWK = key_of(json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())), "RS256")
NOW = int(NEW_YEAR.timestamp())
CLAIMS = {"iss": "issuer", "aud": "us", "sub": "subject", "iat": NOW, "nbf": NOW, "exp": NOW + 600}
A_SECOND = timedelta(seconds=1)


def verified(token: str | None = None, **demands: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "algorithms": ["RS256"],
        "require": [],
        "issuer": "issuer",
        "subject": None,
        "audience": "us",
        "now": NEW_YEAR,
        "may_be_expired": False,
        "longest_life": None,
    }
    return verified_claims(token or signed(), JWK, **asked | demands)


def signed(**changes: Any) -> str:
    return jwt.encode({name: value for name, value in (CLAIMS | changes).items() if value is not None}, KEY, "RS256")


def test_who_demands_what_a_token_says_is_told_its_claims() -> None:
    assert verified() == CLAIMS
    assert verified(audience=None) == CLAIMS
    assert verified(subject="subject", audience=("them", "us"), longest_life=timedelta(minutes=10)) == CLAIMS


@pytest.mark.parametrize(
    "demands",
    [
        {"algorithms": []},
        {"algorithms": ["ES256"]},
        {"require": ["nonce"]},
        {"issuer": "another"},
        {"issuer": ""},
        {"subject": "another"},
        {"subject": ""},
        {"audience": "another"},
        {"audience": ""},
        {"audience": ()},
        {"longest_life": timedelta(minutes=9)},
    ],
    ids=str,
)
def test_what_is_demanded_and_not_there_is_refused_and_an_empty_demand_is_never_met(demands: dict[str, Any]) -> None:
    with pytest.raises(Unproven):
        verified(**demands)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("time", ["soon", "NaN", [], {}, 1e400, -1e400], ids=repr)
def test_a_time_is_a_number(claim: str, time: object) -> None:
    with pytest.raises(Unproven):
        verified(signed(**{claim: time}))


def test_a_token_without_an_end_is_none_even_where_it_need_not_be_new() -> None:
    with pytest.raises(Unproven):
        verified(signed(exp=None), may_be_expired=True)


def test_a_token_ends_when_its_time_and_the_leeway_are_over() -> None:
    end = NEW_YEAR + timedelta(minutes=10) + LEEWAY
    assert verified(now=end - A_SECOND) == CLAIMS
    assert verified(now=end, may_be_expired=True) == CLAIMS
    with pytest.raises(Expired):
        verified(now=end)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_begins_when_its_time_has_come_but_for_the_leeway(claim: str) -> None:
    later = signed(**{claim: NOW + 3_600, "exp": NOW + 7_200})
    begin = NEW_YEAR + timedelta(hours=1) - LEEWAY
    assert verified(later, now=begin)
    for may_be_expired in (False, True):
        with pytest.raises(Unproven) as refusal:
            verified(later, now=begin - A_SECOND, may_be_expired=may_be_expired)
        assert not isinstance(refusal.value, Expired)


def test_only_a_token_of_which_all_else_holds_is_called_expired() -> None:
    with pytest.raises(Unproven) as refusal:
        verified(signed(aud="another"), now=NEW_YEAR + timedelta(days=1))
    assert not isinstance(refusal.value, Expired)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_header_that_is_nested_deep_is_refused(opening: bytes) -> None:
    nested = base64.urlsafe_b64encode(opening * (73_000 // len(opening))).rstrip(b"=").decode()
    with pytest.raises(Unproven):
        unverified_header(f"{nested}.e30.e30", longest=100_000)


@pytest.mark.parametrize("header", ["[]", "1", "null", '"RS256"'])
def test_a_header_is_an_object(header: str) -> None:
    sealed = base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
    with pytest.raises(Unproven):
        unverified_header(f"{sealed}.e30.e30", longest=100)


def test_a_token_may_be_as_long_as_is_said_and_no_longer() -> None:
    token = signed()
    assert unverified_header(token, longest=len(token))["alg"] == "RS256"
    with pytest.raises(Unproven):
        unverified_header(token, longest=len(token) - 1)


@given(st.text(min_size=1, max_size=200))
def test_whatever_else_is_shown_is_no_token(text: str) -> None:
    with pytest.raises(Unproven):
        unverified_header(text, longest=200)
    with pytest.raises(Unproven):
        verified(text)


@pytest.mark.parametrize("jwk", [{}, {"kty": "RSA"}, {"kty": "oct", "k": "a2V5"}, {"kty": "EC", "crv": "P-256"}])
def test_what_is_no_public_key_for_the_algorithm_is_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(Unproven):
        key_of(jwk, "RS256")

"""Keys of clients are read when they are registered."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.applications.client_keys import check_public_key, keys_of


def rsa_jwk(bits: int) -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=bits).public_key()
    return dict(json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key)))


def ec_jwk(curve: ec.EllipticCurve) -> dict[str, Any]:
    key = ec.generate_private_key(curve).public_key()
    return dict(json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key)))


RSA, EC = rsa_jwk(2_048), ec_jwk(ec.SECP256R1())


def in_base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(1_100).lstrip(b"\0")).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "key", [RSA, rsa_jwk(3_072), EC, ec_jwk(ec.SECP256R1()), RSA | {"e": "Aw"}, RSA | {"alg": "PS256", "use": "sig"}]
)
def test_a_key_that_can_verify_assertions_is_taken(key: dict[str, Any]) -> None:
    check_public_key(key)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (rsa_jwk(1_024), "2,048"),
        (RSA | {"n": in_base64url(2**2_046 + 1)}, "2,048"),
        (RSA | {"n": in_base64url(2**8_192 + 1)}, "8,192"),
        (RSA | {"n": "AQAB"}, "2,048"),
        (RSA | {"n": "not base64url!"}, "'n'"),
        (RSA | {"n": "A"}, "'n'"),
        (RSA | {"n": 5}, "2,048"),
        ({"kty": "RSA"}, "2,048"),
        (RSA | {"e": "AQ"}, "'e'"),
        (RSA | {"e": "AQAA"}, "'e'"),
        (RSA | {"e": RSA["n"]}, "'e'"),
        (RSA | {"n": in_base64url(2**2_047)}, "'n'"),
        (RSA | {"use": "enc"}, "'use'"),
        (RSA | {"alg": "HS256"}, "'alg'"),
        (RSA | {"alg": ["RS256"]}, "'alg'"),
        (EC | {"alg": "RS256"}, "'alg'"),
        (EC | {"kid": 5}, "'kid'"),
        (EC | {"x": EC["y"]}, "point"),
        (EC | {"x": in_base64url(2**256 + 5)}, "point"),
        ({"kty": "EC", "crv": "P-256"}, "point"),
        (ec_jwk(ec.SECP384R1()), "P-256"),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AQAB"}, "RSA"),
        ({}, "RSA"),
    ],
)
def test_what_no_assertion_could_be_verified_by_is_refused(key: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_public_key(key)


def test_a_set_is_read_as_far_as_it_holds_keys() -> None:
    assert [keys_of(jwks) for jwks in (None, {}, {"keys": "x"}, {"keys": ["x", RSA]})] == [(), (), (), (RSA,)]

"""Tokens that a careful receiver must refuse, each kind with a name.

Local Entra signs honestly unless a hostile mode or the control API asks for one of these. RFC 8725 describes the
attacks.
"""

import base64
import hashlib
import hmac
import json
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from local.entra.keys import SigningKey, SigningKeys

type Forgery = Literal["stranger", "unknown_kid", "none", "hs256", "tampered"]
"""`stranger`: another key under a published `kid`. `unknown_kid`: another key under a `kid` nobody published. `none`:
unsigned. `hs256`: keyed with the public key, for receivers that trust the header's `alg`. `tampered`: an honest
signature over other claims."""

_STRANGER = SigningKey()


def sign(keys: SigningKeys, claims: dict[str, Any], forgery: Forgery | None) -> str:
    """A compact JWS of the claims: honest when `forgery` is None."""
    kid = keys.current.kid
    match forgery:
        case None:
            return keys.sign(claims)
        case "stranger":
            return jwt.encode(claims, _STRANGER.private, algorithm="RS256", headers={"kid": kid})
        case "unknown_kid":
            return jwt.encode(claims, _STRANGER.private, algorithm="RS256", headers={"kid": _STRANGER.kid})
        case "none":
            return f"{_segment({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{_segment(claims)}."
        case "hs256":
            # By hand: PyJWT refuses, rightly, to key an HMAC with a public key.
            signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{_segment(claims)}"
            return f"{signed}.{_base64url(hmac.digest(_public_pem(keys), signed.encode(), hashlib.sha256))}"
        case "tampered":
            header, _, signature = keys.sign(claims).split(".")
            return f"{header}.{_segment(claims | {'name': 'Somebody Else'})}.{signature}"


def _public_pem(keys: SigningKeys) -> bytes:
    return keys.current.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _segment(value: dict[str, Any]) -> str:
    return _base64url(json.dumps(value).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

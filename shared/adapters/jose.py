"""Tokens signed by our key store, and verified with PyJWT. Every check is spelled out.

PyJWT signs only with keys that it holds, and ours never leaves the vault, so the three parts of a JWS (RFC 7515,
section 3.1) are joined here.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from shared.kernel.names import ClientId
from shared.kernel.refusals import NotAuthenticated
from shared.ports.clock import Clock
from shared.ports.signing_keys import SigningKeys
from shared.ports.tokens import VerifiedAssertion, VerifiedToken

if TYPE_CHECKING:
    from jwt import PyJWK

_ALGORITHM = "RS256"
_LEEWAY_SECONDS = 30
_LIMIT = 16_000
_ASSERTION_ALGORITHMS = ["RS256", "PS256", "ES256"]
_ASSERTION_SECONDS = 3_600
"""The longest that an assertion may live: its `jti` is remembered as long (RFC 7523, section 3)."""


class _Times(BaseModel):
    """When a token begins and ends (RFC 7519, section 4.1), in seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)

    exp: float
    nbf: float = 0.0
    iat: float = 0.0


class Jose:
    """See `shared.ports.tokens.Tokens`.

    Args:
        keys: signs, and knows the public keys.
        issuer: the `iss` of our tokens.
        clock: the time, by which tokens begin and end.
    """

    def __init__(self, keys: SigningKeys, issuer: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    async def jwks(self) -> dict[str, JsonValue]:
        """See the port."""
        return {"keys": [key.model_dump() for key in await self._keys.published()]}

    async def sign(self, typ: str, claims: Mapping[str, JsonValue]) -> str:
        """See the port."""
        signer = await self._keys.signer()
        signed = f"{_segment({'alg': _ALGORITHM, 'kid': signer.kid, 'typ': typ})}.{_segment(claims)}"
        return f"{signed}.{_base64url(await signer.sign(signed.encode()))}"

    async def verify(
        self, unverified_token: str, typ: str, audience: str | None, *, expired: bool = False
    ) -> VerifiedToken:
        """See the port."""
        import jwt

        try:
            header = _header(unverified_token)
            if header.get("typ") != typ:
                raise NotAuthenticated("The token is of the wrong type.")
            claims = jwt.decode(
                unverified_token,
                await self._key(header.get("kid")),
                algorithms=[_ALGORITHM],
                issuer=self._issuer,
                audience=audience,
                options={
                    "require": ["iss", "aud", "exp", "iat", "sub"],
                    "verify_signature": True,
                    "verify_iss": True,
                    "verify_aud": audience is not None,
                    "verify_exp": False,  # the times are checked below, by our own clock
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            self._must_be_timely(_Times.model_validate(claims), expired=expired)
            return VerifiedToken(sub=claims["sub"], aud=claims["aud"], claims=claims)
        except (jwt.PyJWTError, ValidationError, ValueError):
            raise NotAuthenticated("This service did not issue the token, or it has expired.") from None

    async def verify_assertion(
        self, unverified_assertion: str, client_id: ClientId, jwks: str, audiences: tuple[str, ...]
    ) -> VerifiedAssertion:
        """See the port."""
        import jwt

        try:
            header = _header(unverified_assertion)
            claims = jwt.decode(
                unverified_assertion,
                _registered_key(jwks, header),
                algorithms=_ASSERTION_ALGORITHMS,
                issuer=str(client_id),
                subject=str(client_id),
                audience=audiences,
                options={
                    "require": ["iss", "sub", "aud", "exp", "jti"],
                    "verify_signature": True,
                    "verify_iss": True,
                    "verify_sub": True,
                    "verify_aud": True,
                    "verify_jti": True,
                    "verify_exp": False,  # the times are checked below, by our own clock
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            times = _Times.model_validate(claims)
            self._must_be_timely(times)
            if times.exp > self._now() + _ASSERTION_SECONDS + _LEEWAY_SECONDS:
                raise NotAuthenticated("The assertion is valid for too long. Send one with an earlier exp.")
            return VerifiedAssertion.model_validate(claims)
        except (jwt.PyJWTError, ValidationError, ValueError):
            raise NotAuthenticated("The client assertion is invalid.") from None

    def _must_be_timely(self, times: _Times, *, expired: bool = False) -> None:
        """RFC 7519, sections 4.1.4 to 4.1.6, by our own clock, which cannot be given to PyJWT."""
        now = self._now()
        begun = max(times.nbf, times.iat) <= now + _LEEWAY_SECONDS
        if not begun or not (expired or now < times.exp + _LEEWAY_SECONDS):
            raise NotAuthenticated("The token is not valid yet, or has expired.")

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _key(self, kid: object) -> "PyJWK":
        import jwt

        for key in await self._keys.published():
            if key.kid == kid:
                return jwt.PyJWK(key.model_dump())
        raise NotAuthenticated("The token is signed with a key that this service does not use, or no longer uses.")


def _registered_key(jwks: str, header: Mapping[str, object]) -> "PyJWK":
    """The client's key that the header names, or its only one if the header names none (RFC 7515, section 4.1.4).

    Without an `alg` of its own an RSA key serves RS256 and PS256 alike.
    """
    import jwt

    alg = next((alg for alg in _ASSERTION_ALGORITHMS if alg == header.get("alg")), None)
    keys = json.loads(jwks)["keys"]
    nameless = "kid" not in header and len(keys) == 1
    for key in keys:
        if alg is not None and (nameless or key.get("kid") == header.get("kid")) and key.get("alg", alg) == alg:
            return jwt.PyJWK(key, alg)
    raise NotAuthenticated("The assertion is signed with a key that the client has not registered.")


def _header(unverified_token: str) -> Mapping[str, object]:
    import jwt

    if len(unverified_token) > _LIMIT:
        raise NotAuthenticated("The token is too long.")
    header: Mapping[str, object] = jwt.get_unverified_header(unverified_token)
    return header


def _segment(part: Mapping[str, JsonValue]) -> str:
    return _base64url(json.dumps(part, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")

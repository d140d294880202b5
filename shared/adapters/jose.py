"""Tokens signed by our key store, and verified by our own keys or those of clients. Every check is spelled out.

PyJWT signs only with keys that it holds, and ours never leaves the vault, so the three parts of a JWS (RFC 7515,
section 3.1) are joined here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import JsonValue

from shared.adapters.jwt_verifier import Unproven, key_of, unverified_header, verified_claims
from shared.kernel.encoding import base64url
from shared.kernel.names import ClientId
from shared.kernel.refusals import NotAuthenticated
from shared.ports.clock import Clock
from shared.ports.signing_keys import SigningKeys
from shared.ports.tokens import VerifiedAssertion, VerifiedToken

if TYPE_CHECKING:
    from jwt import PyJWK

_ALGORITHM = "RS256"
_LONGEST = 16_000
_ASSERTION_ALGORITHMS = ["RS256", "PS256", "ES256"]
_ASSERTION_LIFE = timedelta(hours=1)
"""The longest lifetime of an assertion: its `jti` is stored as long (RFC 7523, section 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jose:
    """See `shared.ports.tokens.Tokens`."""

    keys: SigningKeys
    """Signs, and lists the public keys."""
    issuer: str
    """The `iss` of our tokens."""
    clock: Clock
    """The time, for validity periods."""

    async def jwks(self) -> dict[str, JsonValue]:
        """See the port."""
        return {"keys": [key.model_dump() for key in await self.keys.published()]}

    async def sign(self, typ: str, claims: Mapping[str, JsonValue]) -> str:
        """See the port."""
        signer = await self.keys.signer()
        signed = f"{_segment({'alg': _ALGORITHM, 'kid': signer.kid, 'typ': typ})}.{_segment(claims)}"
        return f"{signed}.{base64url(await signer.sign(signed.encode()))}"

    async def verify(
        self, unverified_token: str, typ: str, audience: str | None, *, expired: bool = False
    ) -> VerifiedToken:
        """See the port."""
        try:
            header = unverified_header(unverified_token, longest=_LONGEST)
            if header.get("typ") != typ:
                raise Unproven("The token is of the wrong type.")
            claims = verified_claims(
                unverified_token,
                await self._key(header.get("kid")),
                algorithms=[_ALGORITHM],
                require=["iss", "aud", "exp", "iat", "sub"],
                issuer=self.issuer,
                subject=None,
                audience=audience,
                now=self.clock.now(),
                may_be_expired=expired,
                longest_life=None,
            )
            return VerifiedToken(sub=claims["sub"], aud=claims["aud"], claims=claims)
        except ValueError:
            raise NotAuthenticated("This service did not issue the token, or it has expired.") from None

    async def verify_assertion(
        self, unverified_assertion: str, client_id: ClientId, jwks: str, audiences: tuple[str, ...]
    ) -> VerifiedAssertion:
        """See the port."""
        try:
            header = unverified_header(unverified_assertion, longest=_LONGEST)
            claims = verified_claims(
                unverified_assertion,
                _registered_key(jwks, header),
                algorithms=_ASSERTION_ALGORITHMS,
                require=["iss", "sub", "aud", "exp", "jti"],
                issuer=str(client_id),
                subject=str(client_id),
                audience=audiences,
                now=self.clock.now(),
                may_be_expired=False,
                longest_life=_ASSERTION_LIFE,
            )
            if len(audiences) == 1 and claims["aud"] != audiences[0]:
                raise Unproven("The assertion names others, too.")
            return VerifiedAssertion.model_validate(claims)
        except ValueError:
            raise NotAuthenticated("The client assertion is invalid.") from None

    async def _key(self, kid: object) -> "PyJWK":
        for key in await self.keys.published():
            if key.kid == kid:
                return key_of(key.model_dump(), _ALGORITHM)
        raise Unproven("The token is signed with a key that this service does not use, or no longer uses.")


def _registered_key(jwks: str, header: Mapping[str, object]) -> "PyJWK":
    """The client's key that the header names, or its only one if the header names none (RFC 7515, section 4.1.4).

    Without an `alg` of its own an RSA key serves RS256 and PS256 alike.
    """
    alg = next((alg for alg in _ASSERTION_ALGORITHMS if alg == header.get("alg")), None)
    keys = json.loads(jwks)["keys"]
    nameless = "kid" not in header and len(keys) == 1
    for key in keys:
        if alg is not None and (nameless or key.get("kid") == header.get("kid")) and key.get("alg", alg) == alg:
            return key_of(key, alg)
    raise Unproven("The assertion is signed with a key that the client has not registered.")


def _segment(part: Mapping[str, JsonValue]) -> str:
    return base64url(json.dumps(part, separators=(",", ":")).encode())

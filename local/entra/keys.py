"""RSA signing keys of one issuer, as a list that rolls over.

The key in use, the next one (published before it signs) and the former ones (published after). It owns no claims;
`tokens`, `control_panel` and `forgery` sign with it.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

KEPT = 2
"""How many former keys stay published."""


@dataclass(frozen=True)
class SigningKey:
    """One RSA key and its `kid`."""

    kid: str = field(default_factory=lambda: secrets.token_urlsafe(20))
    private: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    )

    def jwk(self) -> dict[str, object]:
        """The public half as RFC 7517 has it."""
        public: dict[str, object] = dict(RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True))
        public.pop("key_ops", None)
        return public | {"kid": self.kid, "use": "sig", "alg": "RS256"}


class SigningKeys:
    """The keys of one issuer, newest last."""

    def __init__(self) -> None:
        """Make the key in use and the next one."""
        self._next = SigningKey()
        self._used = [SigningKey()]

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self._used[-1]

    @property
    def published(self) -> list[SigningKey]:
        """What the JWKS shows: former keys, the one in use, the next."""
        return [*self._used, self._next]

    def roll_over(self) -> None:
        """Sign with the next key from now on and publish the one after it."""
        self._used = [*self._used, self._next][-1 - KEPT :]
        self._next = SigningKey()

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact RS256 JWS of the claims."""
        return jwt.encode(claims, self.current.private, algorithm="RS256", headers={"kid": self.current.kid})

    def verified(self, token: str, *, audience: str, now: float) -> dict[str, Any]:
        """The claims of a token signed by a published key, for that audience and not expired at `now` (Unix seconds).

        Raises:
            jwt.InvalidTokenError: it is none of that.

        """
        kid = jwt.get_unverified_header(token).get("kid")
        key = next((key for key in self.published if key.kid == kid), None)
        if key is None:
            message = f"no key {kid}"
            raise jwt.InvalidTokenError(message)
        claims: dict[str, Any] = jwt.decode(
            token,
            key.private.public_key(),
            algorithms=["RS256"],
            audience=audience,
            # Entra's own clock decides, which a hostile mode may have moved.
            options={
                "require": ["aud", "exp", "iss", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        if not claims["exp"] > now:
            message = "Lifetime validation failed, the token is expired."
            raise jwt.ExpiredSignatureError(message)
        return claims

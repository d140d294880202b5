"""The keys that sign this service's own tokens, and the rule of their rotation.

A key has versions; each is a key pair of its own with its own `kid`. This module owns what the provider needs of them:
the public halves for its JWKS (RFC 7517), a signature by the version whose turn it is, and when that is. It makes no
token, keeps no key, and has nothing to do with the keys of other issuers whose tokens this service reads.

The rule: a new version is published at once and signs only when every relying party has had to read the JWKS again; an
old one stays published as long as anything that it signed is valid. Why: `docs/decisions/0012-keys-take-turns.md`.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict

from shared.kernel.encoding import base64url
from shared.kernel.refusals import Unavailable

KNOWN_FOR = timedelta(hours=1)
"""The longest that a `SigningKeys` returns cached versions."""

JWKS_CACHED_FOR = timedelta(hours=24)
"""The longest that a relying party may cache a JWKS; our Cache-Control must not allow more.
Microsoft.IdentityModel caches one for 12 hours (ConfigurationManager.DefaultAutomaticRefreshInterval)."""

PUBLISHED_AHEAD = KNOWN_FOR + JWKS_CACHED_FOR
"""How long a version is published before it signs."""

TOKENS_LIVE_FOR = timedelta(days=7)
"""The longest that a signature must verify. Tokens are valid for an hour or so, but an ID token is sent back as
`id_token_hint` when its session ends (OpenID Connect RP-Initiated Logout 1.0, section 2), long after it has expired."""

MINIMUM_BITS = 2048
"""The minimum size of an RSA modulus (RFC 7518, section 3.3)."""


class Jwk(BaseModel):
    """The public half of one version, as in a JWKS (RFC 7518, section 6.3.1)."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kty: Literal["RSA"] = "RSA"
    use: Literal["sig"] = "sig"
    alg: Literal["RS256"] = "RS256"
    kid: str
    n: str
    e: str

    @classmethod
    def of(cls, modulus: int, exponent: int) -> Self:
        """The JWK of an RSA public key. Its `kid` is the thumbprint, so instances need not store or agree on it."""
        n, e = _base64url_uint(modulus), _base64url_uint(exponent)
        # The members, their order and the missing spaces are RFC 7638's, section 3.
        members = json.dumps({"e": e, "kty": "RSA", "n": n}, separators=(",", ":"))
        return cls(kid=base64url(hashlib.sha256(members.encode()).digest()), n=n, e=e)


@dataclass(frozen=True, slots=True)
class Signer:
    """The version whose turn it is: `kid` for the JWS header, and `sign` for the signing input (RFC 7515, section 5.1).

    `sign` returns the RS256 signature, or raises `Unavailable`. Get a signer for each token and keep none, since its
    turn ends.
    """

    kid: str
    sign: Callable[[bytes], Awaitable[bytes]]


class SigningKeys(Protocol):
    """The versions of one key.

    Any number of callers, and of instances of the service, may read and sign at the same time. Their caches may differ
    by `KNOWN_FOR`; still, a signature of one verifies with the JWKS of every other.

    Every method raises `Unavailable` if the keys cannot be read or none may sign. A version that is disabled, deleted
    or expired neither signs nor is in the JWKS, once that is known.
    """

    async def published(self) -> tuple[Jwk, ...]:
        """The keys of the JWKS, at least one: first the one that signs, then the others, newest first."""
        ...

    async def signer(self) -> Signer:
        """The version whose turn it is."""
        ...

    async def probe(self) -> None:
        """Read the versions now, without the cache, and find one that may sign."""
        ...


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """What the rule needs to know about a version: its name in the key store, and its times, aware."""

    name: str
    created_at: datetime
    not_before: datetime | None = None
    expires_at: datetime | None = None
    enabled: bool = True

    def usable(self, now: datetime) -> bool:
        """Whether it is neither disabled nor expired."""
        return self.enabled and (self.expires_at is None or now < self.expires_at)

    def ready(self, now: datetime) -> bool:
        """Whether its activation time, if it has one, has passed."""
        return self.not_before is None or self.not_before <= now

    def known_to_all(self, now: datetime) -> bool:
        """Whether no relying party can still cache a JWKS without it."""
        return self.created_at + PUBLISHED_AHEAD <= now


def published_versions(
    versions: Iterable[KeyVersion], now: datetime, kept_for: timedelta = TOKENS_LIVE_FOR
) -> tuple[KeyVersion, ...]:
    """The versions that belong in the JWKS, newest first.

    Versions before one that has been signing for `kept_for` have signed nothing that must still verify.
    """
    published: list[KeyVersion] = []
    for version in sorted(versions, key=lambda each: (each.created_at, each.name), reverse=True):
        if version.usable(now):
            published.append(version)
            since = now - kept_for
            if version.known_to_all(since) and version.ready(since):
                break
    return tuple(published)


def in_turn(
    versions: Iterable[KeyVersion], now: datetime, kept_for: timedelta = TOKENS_LIVE_FOR
) -> tuple[KeyVersion, ...]:
    """The versions that belong in the JWKS: first the one that signs, then the others, newest first.

    The newest version that every relying party knows signs. If they know none, because the key is new or all known
    versions are disabled or expired, the oldest one signs: waiting would help nobody, and most relying parties know it.

    Raises:
        Unavailable: no version may sign.
    """
    published = published_versions(versions, now, kept_for)
    ready = [version for version in published if version.ready(now)]
    if not ready:
        raise Unavailable("No signing key is ready to sign. The operators of this service must enable or add one.")
    signing = next((version for version in ready if version.known_to_all(now)), ready[-1])
    return (signing, *(version for version in published if version != signing))


def _base64url_uint(number: int) -> str:
    """Base64urlUInt of RFC 7518, section 2: big-endian, in the fewest octets."""
    return base64url(number.to_bytes((number.bit_length() + 7) // 8))

"""The keys that sign this service's own tokens, and the rule by which they take turns.

A key has versions; each is a key pair of its own with its own `kid`. This module owns what the provider needs of them:
the public halves for its JWKS (RFC 7517), a signature by the version whose turn it is, and when that is. It makes no
token and keeps no key, and it is not about the keys of other issuers, whose tokens this service reads.

The rule: a new version is published at once and signs only when every relying party has had to read the JWKS again; an
old one stays published as long as something lives that it has signed. Why: `docs/decisions/0012-keys-take-turns.md`.
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
"""The longest that a `SigningKeys` answers from what it has read before."""

JWKS_CACHED_FOR = timedelta(hours=24)
"""The longest that a relying party may keep a JWKS without reading it again; its Cache-Control must not promise more.
Microsoft.IdentityModel keeps one for 12 hours (ConfigurationManager.DefaultAutomaticRefreshInterval)."""

PUBLISHED_AHEAD = KNOWN_FOR + JWKS_CACHED_FOR
"""How long a version is published before it signs."""

TOKENS_LIVE_FOR = timedelta(days=7)
"""The longest that something signed must verify. Tokens live for an hour or so, but an ID token comes back as
`id_token_hint` when its session ends (OpenID Connect RP-Initiated Logout 1.0, section 2), long after it has expired."""

MINIMUM_BITS = 2048
"""Of an RSA modulus (RFC 7518, section 3.3)."""


class Jwk(BaseModel):
    """The public half of one version, as a JWKS shows it (RFC 7518, section 6.3.1)."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kty: Literal["RSA"] = "RSA"
    use: Literal["sig"] = "sig"
    alg: Literal["RS256"] = "RS256"
    kid: str
    n: str
    e: str

    @classmethod
    def of(cls, modulus: int, exponent: int) -> Self:
        """The JWK of an RSA public key; its `kid` is the thumbprint, so it needs no memory and no agreement."""
        n, e = _base64url_uint(modulus), _base64url_uint(exponent)
        # The members, their order and the missing spaces are RFC 7638's, section 3.
        members = json.dumps({"e": e, "kty": "RSA", "n": n}, separators=(",", ":"))
        return cls(kid=base64url(hashlib.sha256(members.encode()).digest()), n=n, e=e)


@dataclass(frozen=True, slots=True)
class Signer:
    """The version whose turn it is: `kid` for the JWS header, and `sign` for the signing input (RFC 7515, section 5.1).

    `sign` gives the RS256 signature, or raises `Unavailable`. Ask for a signer for each token and keep none: its turn
    ends at some time.
    """

    kid: str
    sign: Callable[[bytes], Awaitable[bytes]]


class SigningKeys(Protocol):
    """The versions of one key.

    Any number of callers, and of instances of the service, may ask and sign at the same time. They may differ in what
    they know by `KNOWN_FOR`, and yet what one of them signs verifies by the JWKS of every other.

    Every method raises `Unavailable` if the keys cannot be read or none may sign. A version that is disabled, deleted
    or expired neither signs nor stands in the JWKS once that is known.
    """

    async def published(self) -> tuple[Jwk, ...]:
        """The keys of the JWKS, never none: first the one that signs, then the others, newest first."""
        ...

    async def signer(self) -> Signer:
        """The version whose turn it is."""
        ...

    async def probe(self) -> None:
        """Read the versions now, whatever is remembered, and find one that may sign."""
        ...


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """What the rule must know of a version: its name where it is kept, and its times, aware."""

    name: str
    created_at: datetime
    not_before: datetime | None = None
    expires_at: datetime | None = None
    enabled: bool = True

    def usable(self, now: datetime) -> bool:
        """Whether nobody has taken it back."""
        return self.enabled and (self.expires_at is None or now < self.expires_at)

    def ready(self, now: datetime) -> bool:
        """Whether its time has come, if it was given one."""
        return self.not_before is None or self.not_before <= now

    def known_to_all(self, now: datetime) -> bool:
        """Whether no relying party can still hold a JWKS without it."""
        return self.created_at + PUBLISHED_AHEAD <= now


def published_versions(versions: Iterable[KeyVersion], now: datetime) -> tuple[KeyVersion, ...]:
    """The versions that belong in the JWKS, newest first.

    The ones before a version that has been signing for `TOKENS_LIVE_FOR` have signed nothing that still lives.
    """
    published: list[KeyVersion] = []
    for version in sorted(versions, key=lambda each: (each.created_at, each.name), reverse=True):
        if version.usable(now):
            published.append(version)
            since = now - TOKENS_LIVE_FOR
            if version.known_to_all(since) and version.ready(since):
                break
    return tuple(published)


def in_turn(versions: Iterable[KeyVersion], now: datetime) -> tuple[KeyVersion, ...]:
    """The versions that belong in the JWKS: first the one that signs, then the others, newest first.

    It is the newest that every relying party knows. If they know none, because the key is new or because all known
    ones were taken back, it is the oldest that there is: waiting would help nobody, and it is known to most.

    Raises:
        Unavailable: none may sign.
    """
    published = published_versions(versions, now)
    ready = [version for version in published if version.ready(now)]
    if not ready:
        raise Unavailable("No signing key is ready to sign. The operators of this service must enable or add one.")
    signing = next((version for version in ready if version.known_to_all(now)), ready[-1])
    return (signing, *(version for version in published if version != signing))


def _base64url_uint(number: int) -> str:
    """RFC 7518, section 2: big-endian, in as few octets as hold it."""
    return base64url(number.to_bytes((number.bit_length() + 7) // 8))

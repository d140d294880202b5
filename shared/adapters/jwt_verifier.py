"""The one verifier of JWTs: signature and claims by PyJWT, times by the clock that the caller reads.

PyJWT reads the machine's clock and accepts no other, so its checks of times are switched off and made here (RFC 7519,
sections 4.1.4 to 4.1.6). Nothing has a default: each caller spells out what it requires and what it does not.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NewType

from shared.kernel.documents import Foreign
from shared.kernel.encoding import from_base64url

if TYPE_CHECKING:
    from jwt import PyJWK

LEEWAY = timedelta(seconds=30)
"""The tolerated difference between another party's clock and ours."""

VerifiedClaims = NewType("VerifiedClaims", dict[str, Any])
"""The claims of a token that has passed every check. Only `verified_claims` makes them."""


class Unproven(ValueError):  # noqa: N818 - the token is at fault, not the program
    """The text is no token, or a check failed."""


class Expired(Unproven):
    """The token was valid and has expired."""


class _Times(Foreign):
    """A token's validity period (RFC 7519, section 4.1), in seconds since 1970."""

    exp: float
    nbf: float = 0.0
    iat: float = 0.0


def unverified_header(unverified_token: str, *, longest: int) -> Mapping[str, object]:
    """The header, which only names the key to verify the token with; nothing in it may be trusted.

    PyJWT would decode the whole token for it, and does so once more when it verifies.

    Args:
        unverified_token: as received.
        longest: the maximum of characters.

    Raises:
        Unproven: it is longer, or no JWT.
    """
    if len(unverified_token) > longest:
        raise Unproven("The token is too long.")
    with _in_our_words():
        header: object = json.loads(from_base64url(unverified_token.partition(".")[0]))
    if not isinstance(header, dict):
        raise Unproven("The header is no object.")
    return header


def key_id(header: Mapping[str, object]) -> str:
    """The key that a header names (RFC 7515, section 4.1.4).

    Raises:
        Unproven: it names none.
    """
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise Unproven("The token names no key (kid).")
    return kid


def key_of(jwk: Mapping[str, Any], algorithm: str) -> "PyJWK":
    """The public key of a JWK, for this algorithm.

    Raises:
        Unproven: it is no key, or not for this algorithm.
    """
    import jwt

    with _in_our_words():
        return jwt.PyJWK(dict(jwk), algorithm)


def verified_claims(
    unverified_token: str,
    key: "PyJWK",
    *,
    algorithms: list[str],
    require: list[str],
    issuer: str,
    subject: str | None,
    audience: str | tuple[str, ...] | None,
    now: datetime,
    may_be_expired: bool,
    longest_life: timedelta | None,
) -> VerifiedClaims:
    """The claims, if every check passes.

    Args:
        unverified_token: as received.
        key: the public key of the required signature.
        algorithms: the accepted signature algorithms; an empty list accepts nothing.
        require: claims that must be present, with any value.
        issuer: the required `iss`.
        subject: the required `sub`; None accepts any.
        audience: the required `aud`, or several of which one must match; None if the caller checks it.
        now: the current time.
        may_be_expired: whether an expired token is accepted.
        longest_life: how far in the future `exp` may be; None for any time.

    Raises:
        Expired: the token has expired, and every other check passes.
        Unproven: another check failed.
    """
    import jwt

    with _in_our_words():
        claims: dict[str, Any] = jwt.decode(
            unverified_token,
            key,
            algorithms=algorithms,
            issuer=issuer,
            subject=subject,
            audience=audience,
            options={
                "require": require,
                "verify_signature": True,
                "verify_iss": True,
                "verify_sub": True,
                "verify_aud": audience is not None,
                "verify_jti": True,
                "verify_exp": False,  # the times are checked below
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        times = _Times.model_validate(claims)
    seconds, leeway = now.timestamp(), LEEWAY.total_seconds()
    if max(times.nbf, times.iat) > seconds + leeway:
        raise Unproven("The token is not good yet.")
    if longest_life is not None and times.exp > seconds + longest_life.total_seconds() + leeway:
        raise Unproven("The token lives for too long.")
    if not may_be_expired and times.exp <= seconds - leeway:
        raise Expired("The token has expired.")
    return VerifiedClaims(claims)


@contextlib.contextmanager
def _in_our_words() -> Iterator[None]:
    """The one place where PyJWT's errors, and those of invalid numbers, become ours."""
    import jwt

    try:
        yield
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Unproven("The token is not what it should be.") from error

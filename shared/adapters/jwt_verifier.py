"""The one verifier of JWTs: signature and claims by PyJWT, times by the clock that the caller reads.

PyJWT reads the machine's clock and cannot be given another, so it is told to leave the times alone and they are checked
here (RFC 7519, sections 4.1.4 to 4.1.6). Nothing has a default: each caller spells out what it demands, and what not.
"""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NewType

from shared.kernel.documents import Foreign

if TYPE_CHECKING:
    from jwt import PyJWK

LEEWAY = timedelta(seconds=30)
"""How far another party's clock and ours may be apart."""

VerifiedClaims = NewType("VerifiedClaims", dict[str, Any])
"""The claims of a token of which every check has held. Only `verified_claims` makes them."""


class Unproven(ValueError):  # noqa: N818 - what was shown is at fault, not the program
    """A token that is no token, or of which a check does not hold."""


class Expired(Unproven):
    """A token that was good, and is not any more."""


class _Times(Foreign):
    """When a token begins and ends (RFC 7519, section 4.1), in seconds since 1970."""

    exp: float
    nbf: float = 0.0
    iat: float = 0.0


def unverified_header(unverified_token: str, *, longest: int) -> Mapping[str, object]:
    """The header, which says by which key a token is to be verified, and nothing that may be believed.

    Args:
        unverified_token: as it was shown.
        longest: characters of an honest token.

    Raises:
        Unproven: it is longer, or no JWT.
    """
    import jwt

    if len(unverified_token) > longest:
        raise Unproven("The token is too long.")
    with _in_our_words():
        header: Mapping[str, object] = jwt.get_unverified_header(unverified_token)
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
        Unproven: it is none, or not for that.
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
    """The claims, if every check holds.

    Args:
        unverified_token: as it was shown.
        key: the public key by which it must be signed.
        algorithms: any of which it may be signed with; none lets nothing through.
        require: claims that it must have, whatever they say.
        issuer: who must have issued it.
        subject: whom it must speak of; None if it may be anybody.
        audience: whom it must be meant for, or any of several; None if the caller decides by what the token says.
        now: the present moment.
        may_be_expired: whether one that has expired will do.
        longest_life: how far ahead its end may be; None for any time.

    Raises:
        Expired: nothing but its time is wrong, which is over.
        Unproven: another check does not hold.
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
    """The one place where PyJWT's errors, and those of what is no number, become ours."""
    import jwt

    try:
        yield
    except (jwt.PyJWTError, ValueError) as error:
        raise Unproven("The token is not what it should be.") from error

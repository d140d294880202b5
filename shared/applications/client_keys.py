"""Public keys of clients, checked when they are registered, before the first assertion fails (RFC 7517, RFC 7518)."""

from collections.abc import Mapping

from pydantic import JsonValue

from shared.kernel.encoding import from_base64url

_LEAST_BITS = 2_048
"""NIST SP 800-131A and RFC 7518, section 3.3."""
_MOST_BITS = 8_192
_LEAST_EXPONENT = 3

_ALGORITHMS = {"RSA": ("RS256", "PS256"), "EC": ("ES256",)}
"""The algorithms of assertions, by the type of the key."""

# The curve P-256: y² = x³ - 3x + b modulo p (NIST SP 800-186, section 3.2.1.3).
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def keys_of(jwks: Mapping[str, JsonValue] | None) -> tuple[Mapping[str, JsonValue], ...]:
    """The keys of a JWK Set (RFC 7517, section 5)."""
    keys = jwks.get("keys") if jwks else None
    return tuple(key for key in keys if isinstance(key, dict)) if isinstance(keys, list) else ()


def check_public_key(key: Mapping[str, JsonValue]) -> None:
    """Show that a JWK is an RSA key of 2,048 bits or more, or a point of P-256: what assertions may be signed by.

    Raises:
        ValueError: it is not; the message says what is wrong.
    """
    algorithms = (None, *_ALGORITHMS.get(str(key.get("kty")), ()))
    if key.get("use", "sig") != "sig" or key.get("alg") not in algorithms or not isinstance(key.get("kid", ""), str):
        raise ValueError("A key's 'use' must be 'sig', its 'alg' RS256, PS256 or ES256 as it has it, its 'kid' a text.")
    if key.get("kty") == "RSA":
        modulus, exponent = _number(key, "n"), _number(key, "e")
        if not _LEAST_BITS <= modulus.bit_length() <= _MOST_BITS:
            raise ValueError(f"An RSA key must have {_LEAST_BITS:,} to {_MOST_BITS:,} bits.")
        if not _LEAST_EXPONENT <= exponent < modulus or exponent % 2 == 0 or modulus % 2 == 0:
            raise ValueError("The 'e' of an RSA key must be an odd number from 3, and smaller than its odd 'n'.")
    elif (key.get("kty"), key.get("crv")) == ("EC", "P-256"):
        x, y = _number(key, "x"), _number(key, "y")
        if max(x, y) >= _P or (y * y - (x * x * x - 3 * x + _B)) % _P:
            raise ValueError("'x' and 'y' must be a point of P-256.")
    else:
        raise ValueError("A key must be of kty RSA, or of kty EC with crv P-256.")


def _number(key: Mapping[str, JsonValue], name: str) -> int:
    """A member in base64url, as RFC 7518, section 2, has numbers."""
    text = key.get(name)
    try:
        return int.from_bytes(from_base64url(text if isinstance(text, str) else ""))
    except ValueError:
        raise ValueError(f"The key's '{name}' must be base64url.") from None

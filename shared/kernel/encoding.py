"""Octets as text that is valid in URLs, headers and row keys: base64url without padding (RFC 7515, section 2)."""

import base64
import binascii
import re

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def base64url(octets: bytes) -> str:
    """The octets as text."""
    return binascii.b2a_base64(octets, newline=False).translate(_URL_SAFE, b"=").decode()


def from_base64url(text: str) -> bytes:
    """The octets of a text, with or without its padding.

    Raises:
        ValueError: it is something else.
    """
    bare = text.rstrip("=")
    if not _BASE64URL.fullmatch(bare):
        raise ValueError("It is not base64url.")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))

"""Text that travels.

Octets are base64url without padding (RFC 7515, section 2), which is valid in URLs, headers and row keys; an object of
strings is JSON.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quoted

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


def flat_json(members: Mapping[str, str | None]) -> str:
    """What `json.dumps` makes of an object of strings, in two thirds of its time. None is left out.

    Names are written as they are, so they hold nothing that JSON escapes.
    """
    return "{" + ",".join([f'"{name}":{quoted(value)}' for name, value in members.items() if value is not None]) + "}"

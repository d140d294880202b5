"""Web addresses that others register with us."""

import re
from urllib.parse import urlsplit

_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+")


def https_address(text: str) -> str:
    """The same address, if it is an absolute https one without fragment (RFC 6749, section 3.1.2).

    Plain http is taken for this machine only, as RFC 8252, section 7.3, has it for loopback.

    Raises:
        ValueError: it is not.
    """
    split = urlsplit(text) if _PLAIN.fullmatch(text) else urlsplit("")
    local = split.scheme == "http" and split.hostname in {"localhost", "127.0.0.1"}
    if not (split.scheme == "https" or local) or not split.hostname or split.fragment or "@" in split.netloc:
        raise ValueError("It must be an absolute https address without fragment.")
    return text

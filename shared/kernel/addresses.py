"""Web addresses: the ones that the service may redirect or send to."""

import re
from urllib.parse import SplitResult, urlsplit

LONGEST_ADDRESS = 8_000
"""Characters of an address that we build from a request: Azure's front ends take 8,192, and web servers about as many.

https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits
"""

_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def is_https_or_loopback(address: SplitResult) -> bool:
    """Whether it names a host and is https; or http, on this machine only (RFC 8252, section 7.3)."""
    local = address.scheme == "http" and address.hostname in _THIS_MACHINE
    return bool(address.hostname) and (address.scheme == "https" or local)


def is_plain(text: str) -> bool:
    """Whether it is visible ASCII without the backslash, which browsers read as a slash (WHATWG URL)."""
    return _PLAIN.fullmatch(text) is not None


def https_address(text: str) -> str:
    """The same address, if it is an absolute https one without fragment (RFC 6749, section 3.1.2).

    Raises:
        ValueError: it is not.
    """
    split = urlsplit(text) if is_plain(text) else urlsplit("")
    if not is_https_or_loopback(split) or split.fragment or "@" in split.netloc:
        raise ValueError("It must be an absolute https address without fragment.")
    return text

"""Addresses: the ones that the service may redirect or send to.

Redirect URIs are of web applications, or of native ones (RFC 6749, section 3.1.2; RFC 8252, section 7):

    https://app.example/callback      exactly as registered
    http://localhost:3000/callback    exactly as registered, for development
    http://127.0.0.1/callback         any port: the operating system gives a native application a free one
    http://[::1]/callback             the same
    com.example.app:/callback         exactly as registered; the scheme is a domain of the vendor's, backwards
"""

import re
from urllib.parse import SplitResult, urlsplit

LONGEST_ADDRESS = 8_000
"""Characters of an address that we build from a request: Azure's front ends take 8,192, and web servers about as many.

https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits
"""

_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?([/?].*)?")
_PRIVATE_USE = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:/.*")
_LAST_PORT = 65_535
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}


def is_https_or_loopback(address: SplitResult) -> bool:
    """Whether it names a host and is https; or http, on this machine only (RFC 8252, section 7.3)."""
    local = address.scheme == "http" and address.hostname in _THIS_MACHINE
    return bool(address.hostname) and (address.scheme == "https" or local)


def is_base(address: SplitResult) -> bool:
    """Whether a path can be added to it: https or on this machine, and without credentials, query and fragment."""
    return is_https_or_loopback(address) and not (address.query or address.fragment or "@" in address.netloc)


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


def is_private_use(uri: str) -> bool:
    """Whether it has a scheme of a native application's own: with a dot, as RFC 8252, section 7.1, demands.

    So it is none that a browser knows, such as `javascript` or `data`.
    """
    return _PRIVATE_USE.fullmatch(uri) is not None


def redirect_uri(text: str) -> str:
    """The same text, if it can be registered.

    Raises:
        ValueError: it cannot.
    """
    if not is_private_use(text):
        return https_address(text)
    split = urlsplit(text)
    if not is_plain(text) or "#" in text or "@" in split.netloc:
        raise ValueError("It must be an address without fragment and without a user.")
    return text


def is_registered(asked: str, registered: tuple[str, ...]) -> bool:
    """Whether a client may be answered there: at exactly a registered address, or at any port of a loopback one."""
    return asked in registered or any(_differs_by_port(asked, each) for each in registered)


def _differs_by_port(asked: str, registered: str) -> bool:
    one, other = _LOOPBACK.fullmatch(asked), _LOOPBACK.fullmatch(registered)
    if one is None or other is None or int(one[2] or 0) > _LAST_PORT:
        return False
    return (one[1], one[3]) == (other[1], other[3])


def origin_of(uri: str) -> str | None:
    """The origin of the scripts at this address, as browsers send it; None for a private-use scheme."""
    scheme, netloc, *_ = urlsplit(uri)
    if scheme not in _DEFAULT_PORTS:
        return None
    return f"{scheme}://{netloc.lower().removesuffix(':').removesuffix(_DEFAULT_PORTS[scheme])}"


def native_scheme_of(uri: str) -> str | None:
    """The scheme of a native application's address, and of one for development; None for one of https."""
    return uri.partition(":")[0] if is_private_use(uri) or uri.startswith("http:") else None


def is_native(uri: str) -> bool:
    """Whether it is a native application's, which needs no permission to read across origins."""
    return is_private_use(uri) or _LOOPBACK.fullmatch(uri) is not None

"""Whom we trust over TLS. A machine has 140 authorities, whose parsing takes as long as many requests: once for all."""

from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ssl import SSLContext


def trusting(ca_file: str | None) -> "SSLContext | Literal[True]":
    """What aiohttp verifies a server by: the machine's own authorities, and those in this file (for development).

    True is the context that aiohttp makes when it is imported, and shares among all clients.
    """
    return True if ca_file is None else _with_another(ca_file)


@cache
def _with_another(ca_file: str) -> "SSLContext":
    """A context for all clients that trust the same. Nobody changes it."""
    import ssl

    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    return context

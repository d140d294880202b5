"""Whom we trust over TLS, read once: 130 authorities are parsed in the time of many a request."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl import SSLContext


@cache
def trusting(ca_file: str | None = None) -> "SSLContext":
    """The machine's own authorities, and those in this file if there is one (for development).

    All clients that trust the same share the context, and nobody changes it.
    """
    import ssl

    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context

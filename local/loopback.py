"""HTTP to the parts of a stack on this machine: past any proxy, and with the trusted certificates read once.

Reading them takes longer than most requests of a test, and httpx reads them anew for each client.
"""

import ssl
from functools import cache
from typing import Any

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that this machine trusts, for all clients of this process."""
    return httpx.create_ssl_context(trust_env=False)


def client(**options: Any) -> httpx.Client:
    """An `httpx.Client` with these options."""
    return httpx.Client(trust_env=False, verify=trusted(), **options)


def get(url: str, **options: Any) -> httpx.Response:
    """One GET, as `httpx.get`."""
    return httpx.get(url, trust_env=False, verify=trusted(), **options)


def post(url: str, **options: Any) -> httpx.Response:
    """One POST, as `httpx.post`."""
    return httpx.post(url, trust_env=False, verify=trusted(), **options)

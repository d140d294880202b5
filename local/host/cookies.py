"""Set-Cookie as it leaves Azure: through the worker's conversion, the host's rendering, and the front end.

The worker turns each cookie into a message (`parse_to_rpc_http_cookie_list`), in which a missing domain can become an
empty one. The host hands the message to ASP.NET, which writes every attribute that is there, `domain=` included, and
the front end is reported to fill an empty domain with the app's host name
(https://github.com/Azure/azure-functions-python-worker/issues/1902). All three happen here, so that an app whose
cookies browsers would refuse in Azure fails on this machine, too.
"""

from collections.abc import Iterable, Iterator
from email.utils import formatdate
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote

from azure_functions_runtime.bindings import datumdef


class _Cookie(SimpleNamespace):
    # "None" is Microsoft's name for an attribute that was not set.
    SameSite = SimpleNamespace(**{"None": None, "Lax": "lax", "Strict": "strict", "ExplicitNone": "none"})


class _Value(SimpleNamespace):
    value: Any


class _Protos:
    """Plain classes in the shape of the protobuf messages, as in `local.host.indexing`."""

    RpcHttpCookie = _Cookie
    NullableString = NullableBool = NullableDouble = NullableTimestamp = Timestamp = _Value


_DEFAULT_PATH: Final = _Value(value="/")
"""The default of ASP.NET's CookieOptions."""


def set_cookie_lines(cookies: Iterable[SimpleCookie], host: str | None) -> Iterator[str]:
    """Render what the worker made of the app's Set-Cookie headers.

    `host` is what the front end puts where a domain is empty; None leaves it empty, as the Functions host alone does.
    """
    for message in datumdef.parse_to_rpc_http_cookie_list([*cookies], _Protos) or ():
        yield "; ".join(_parts(message, host))


def _parts(message: Any, host: str | None) -> Iterator[str]:
    """In the order and spelling of Microsoft.Net.Http.Headers.SetCookieHeaderValue."""
    yield f"{message.name}={quote(message.value, safe="!'()*~")}"
    if message.expires is not None:
        yield f"expires={formatdate(message.expires.value.seconds, usegmt=True)}"
    if message.max_age is not None:
        yield f"max-age={int(message.max_age.value)}"
    if message.domain is not None:
        yield f"domain={message.domain.value or host or ''}"
    yield f"path={(message.path or _DEFAULT_PATH).value}"
    if message.secure.value:
        yield "secure"
    if message.same_site is not None:
        yield f"samesite={message.same_site}"
    if message.http_only.value:
        yield "httponly"

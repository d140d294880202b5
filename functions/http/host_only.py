"""Keeps cookies without a domain, although Microsoft's worker adds an empty one.

A `__Host-` cookie has no Domain (RFC 6265bis, section 4.1.3.2), and ours name none. The worker's library still sends
the host an empty one, the host writes `domain=`, and Azure's front end reportedly fills in the app's host name. Then
browsers drop the cookie, and nobody can sign in (https://github.com/Azure/azure-functions-python-worker/issues/1902).

Until the library is fixed, this module fixes it in memory when the app is built; then it sends one cookie through the
library's conversion to check that the fix worked. What Azure does to a header afterwards cannot be seen from within:
`GET /health/cookie` responds with a cookie for a client outside to inspect.
"""

import contextlib
import logging
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

from azure.functions import HttpResponse
from azure.functions.http import HttpResponseConverter

CONVERSION = "azure_functions_runtime.bindings.datumdef"
"""The module of the worker's library that turns cookies into messages. The worker has imported it before the app."""

_EMPTY_BECOMES_A_VALUE = "to_nullable_string"
"""The name in that module of the function that does this; no other module of the library uses it."""

_log = logging.getLogger(__name__)


def keep_host_only(line: str, conversion: ModuleType | None) -> bool | None:
    """Keep the worker from giving cookies a domain. Safe to repeat, and never fails.

    Args:
        line: a Set-Cookie line as this app writes them.
        conversion: the module called `CONVERSION`, if this process has imported it.

    Returns:
        Whether the cookie leaves the worker as browsers accept it: without a domain, unless it is no `__Host-` cookie.
        None if that cannot be checked, because the library is missing or works in another way.
    """
    if conversion is None:
        _log.warning("cookies: the worker's library is not there, so nobody knows what it makes of them")
        return None
    try:
        fixed = _is_host_only(line, conversion) or _fix(line, conversion)
    except Exception as error:  # noqa: BLE001 - however the library has changed, the app must start
        _log.warning("cookies: the worker's conversion of cookies cannot be checked: %s", type(error).__name__)
        return None
    if fixed or not line.startswith("__Host-"):
        return True
    _log.error("cookies: the worker gives them a domain, so browsers drop them and nobody can sign in")
    return False


def _is_host_only(line: str, conversion: ModuleType) -> bool:
    """Convert a cookie as the worker does. An empty domain counts as a domain: the host writes it."""
    answer = HttpResponse()
    answer.headers.add("Set-Cookie", line)
    datum = HttpResponseConverter.encode(answer, expected_type=None)
    (message,) = vars(conversion)["parse_to_rpc_http_cookie_list"](datum.value["cookies"], _Messages)
    return message.domain is None


def _fix(line: str, conversion: ModuleType) -> bool:
    """Make the library leave out empty values; if that does not help, restore it."""
    names = vars(conversion)
    original = names.get(_EMPTY_BECOMES_A_VALUE)
    if original is None:
        return False
    names[_EMPTY_BECOMES_A_VALUE] = _without_empty_values(original)
    with contextlib.suppress(Exception):
        if _is_host_only(line, conversion):
            return True
    names[_EMPTY_BECOMES_A_VALUE] = original
    return False


def _without_empty_values(original: Callable[..., Any]) -> Callable[..., Any]:
    def converted(*values: Any, **named: Any) -> Any:
        return None if values[:1] == ("",) else original(*values, **named)

    return converted


class _Cookie(SimpleNamespace):
    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


class _Messages:
    """Plain classes in the shape of the host's messages; the worker hands the library the real ones."""

    RpcHttpCookie = _Cookie
    NullableString = NullableBool = NullableDouble = NullableTimestamp = SimpleNamespace

"""Scripts of other origins that may read a response (Fetch, section 3.2).

On Flex Consumption the host answers every preflight, from the deployment's list of origins. A call that needs none
reaches the app: a form that a public client posts to the token endpoint. There the client decides, by the origins of
its own redirect URIs, errors included: a library must read `invalid_grant` to know that the person has to sign in.
"""

from collections.abc import Collection
from contextvars import ContextVar

from azure.functions import HttpRequest

from functions.http.refusals import EXPOSED

_reader: ContextVar[str | None] = ContextVar("reader", default=None)
"""The origin that may read the response of this invocation, which is a task with a context of its own."""


def share_with(origins: Collection[str], req: HttpRequest) -> None:
    """A script that sends this request may read the response, whatever it will be, if it is of one of these origins."""
    origin = req.headers.get("origin")
    _reader.set(origin if origin in origins else None)


def headers() -> dict[str, str]:
    """The headers of a response that depends on who asks."""
    reader = _reader.get()
    return {"Vary": "Origin"} | ({"Access-Control-Allow-Origin": reader, **EXPOSED} if reader else {})

"""Refusals as HTTP: the one table from refusal to status, the headers, and the log."""

import logging
from typing import ClassVar, Protocol

from azure.functions import HttpResponse

from shared.kernel.refusals import (
    BodyLost,
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    NotAuthenticated,
    NotFound,
    PreconditionRequired,
    Refusal,
    Stale,
    Throttled,
    TokenMissing,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)

STATUS: dict[type[Refusal], int] = {
    Malformed: 400,
    NotAuthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    BodyLost: 411,
    Stale: 412,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    Invalid: 422,
    PreconditionRequired: 428,
    Throttled: 429,
    Unavailable: 503,
}
"""Status by branch of the tree: a refusal has that of its nearest ancestor. A test fails if a refusal has none."""

EXPOSED = {"Access-Control-Expose-Headers": "ETag, Location, Retry-After, WWW-Authenticate"}
"""Headers that a control panel's script may read, where the platform's CORS allows the call (Fetch, 3.3.6)."""

_log = logging.getLogger(__name__)


class Dialect(Protocol):
    """How a refusal is worded: as a problem document to a program, as a page to a person."""

    name: ClassVar[str]
    """The name of its refusals in the OpenAPI document."""

    def refused(self, refusal: Refusal, invocation_id: str) -> HttpResponse:
        """Return the response that explains a refusal."""
        ...

    def failed(self, invocation_id: str) -> HttpResponse:
        """Return the response to an internal error, which is in the log under the same id."""
        ...


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    return status_of_kind(type(refusal))


def status_of_kind(kind: type[Refusal]) -> int:
    """The HTTP status of a kind of refusal: its own, or that of its nearest ancestor."""
    return next(STATUS[each] for each in kind.__mro__ if each in STATUS)


def every_kind(below: type[Refusal] = Refusal) -> frozenset[type[Refusal]]:
    """Every kind of refusal below this one, of the modules that are imported."""
    kinds = frozenset(below.__subclasses__())
    return kinds.union(*map(every_kind, kinds))


def headers_of(refusal: Refusal) -> dict[str, str]:
    """The headers that HTTP requires with a refusal (RFC 9110, sections 10.2.3 and 11.6.1; RFC 6750, section 3)."""
    if isinstance(refusal, Unavailable | Throttled):
        return {"Retry-After": str(refusal.retry_after)}
    if isinstance(refusal, TokenMissing):
        return {"WWW-Authenticate": 'Bearer realm="azure-sso"'}
    if isinstance(refusal, NotAuthenticated):
        return {"WWW-Authenticate": 'Bearer realm="azure-sso", error="invalid_token"'}
    return {}


def log_unavailable(name: str, refusal: Unavailable) -> None:
    """Log what did not respond, with the type and status of the library's error, never its message."""
    cause = refusal.__cause__
    _log.warning(
        "%s unavailable: %s cause=%s status=%s",
        name,
        refusal.detail,
        type(cause).__name__,
        getattr(cause, "status_code", None),
    )

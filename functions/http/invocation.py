"""An invocation: the function that the worker calls, and the id by which operators find the call in their log."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from azure.functions import Context, HttpRequest, HttpResponse

type Answer = Callable[[HttpRequest, Context], Awaitable[HttpResponse]]
"""A function as the worker calls it."""

invocation_id: ContextVar[str] = ContextVar("invocation_id", default="")
"""Set by `functions.http.endpoint` for the duration of one call."""

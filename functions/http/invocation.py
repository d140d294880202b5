"""The id of the current invocation, by which operators find it in their log."""

from contextvars import ContextVar

invocation_id: ContextVar[str] = ContextVar("invocation_id", default="")
"""Set by `functions.http.endpoint` for the duration of one call."""

"""The id of the invocation that is being answered, under which operators find it in their log."""

from contextvars import ContextVar

invocation_id: ContextVar[str] = ContextVar("invocation_id", default="")
"""Set by `functions.http.endpoint` for the length of one call."""

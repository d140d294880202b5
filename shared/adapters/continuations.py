"""Continuation tokens: where the store's next page starts, as an opaque text for callers."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from shared.kernel.encoding import base64url, from_base64url
from shared.kernel.refusals import Invalid

_LIMIT = 4_000
"""Characters of each part, many times what the store returns: they travel in the URL."""

FOREIGN = "This service did not issue this continuationToken. Start again without one."


class _Continuation(BaseModel):
    """The store's own start of the next page. It cannot lead out of the query that it is used in."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    PartitionKey: str = Field(max_length=_LIMIT)
    RowKey: str | None = Field(max_length=_LIMIT)


def closed(token: Mapping[str, str | None] | None) -> str | None:
    """The store's token as callers see it; None if there is no next page."""
    if not token or not token.get("PartitionKey"):
        return None
    text = _Continuation(PartitionKey=token["PartitionKey"] or "", RowKey=token.get("RowKey")).model_dump_json()
    return base64url(text.encode())


def opened(continuation: str | None) -> dict[str, str | None] | None:
    """A caller's token as the store wants it; None for the first page.

    Raises:
        Invalid: this service did not issue it.
    """
    if continuation is None:
        return None
    try:
        token = _Continuation.model_validate_json(from_base64url(continuation))
    except ValueError:
        raise Invalid(FOREIGN) from None
    return {"PartitionKey": token.PartitionKey, "RowKey": token.RowKey}

"""The form of the API's documents: camelCase, and times in RFC 3339 and UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel


def _in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_in_utc, return_type=str, when_used="json")]
"""A time as the API writes it: RFC 3339, in UTC, with a Z."""


class Document(BaseModel):
    """A document that callers get."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        from_attributes=True,
        hide_input_in_errors=True,
        defer_build=True,  # until it is first used: the import is the cold start
    )

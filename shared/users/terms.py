"""Requests to the exception list and their grammar: the user, the reason, and the end of an exception."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, StringConstraints

from shared.kernel.documents import Asked
from shared.kernel.names import PASTED, EmailAddress, unpasted

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which JSON can write and UTF-8 cannot."""

_NO_MOMENT = "It must be a time such as 2027-01-01T00:00:00Z (RFC 3339)."


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("It must be one line of text, without line ends or other control characters.")
    return text


Reason = Annotated[
    str, BeforeValidator(unpasted), StringConstraints(min_length=1, max_length=500), AfterValidator(_one_line)
]
"""The reason of an exception: one line of text."""


def _date_time(value: object) -> datetime:
    """Refuse a bare number, which pydantic would accept: a spreadsheet's day would become a second of the year 1970."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip(PASTED))
    except ValueError:
        raise ValueError(_NO_MOMENT) from None
    if at.tzinfo is None:
        raise ValueError(f"{_NO_MOMENT} A date alone, or a time without its offset from UTC, does not say when.")
    return at


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("It must be a time that UTC can express.") from None


Expiry = Annotated[AwareDatetime, BeforeValidator(_date_time), AfterValidator(_in_utc)]
"""The end of an exception, in UTC."""


class ExemptionDraft(Asked):
    """A user to put on the list."""

    email: EmailAddress
    reason: Reason
    expires_at: Expiry | None = None


class ExemptionTerms(Asked):
    """The fields of an entry that can be changed. The email cannot: that would be another entry."""

    reason: Reason
    expires_at: Expiry | None = None

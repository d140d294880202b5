"""The one place of local Entra that reads the time.

What the time is *said* to be is for `cloud` to decide, since a hostile mode can make Entra's clock run away.
"""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)

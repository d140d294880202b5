"""The machine's clock."""

from datetime import UTC, datetime


class SystemClock:
    """Returns the machine's time."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)

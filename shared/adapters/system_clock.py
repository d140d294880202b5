"""The machine's clock."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """Returns the machine's time."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> timedelta:
        """The time since the machine has started, or another fixed moment."""
        return timedelta(seconds=time.monotonic())

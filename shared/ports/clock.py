"""The time, as a port."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Returns the time. No other part of the product reads a clock."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...

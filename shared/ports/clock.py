"""The time, handed in."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; nobody else in the product reads a clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

"""The time, as a port."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Returns the time. No other part of the product reads a clock."""

    def now(self) -> datetime:
        """The current time, aware, in UTC. It may jump, forward or back, when the machine's clock is set."""
        ...

    def monotonic(self) -> timedelta:
        """The time since a moment of this process, for ages: how old what is remembered is. It never jumps."""
        ...

"""How a kind of duty is done: by whom, how long, how often, and until when."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from shared.duties.duties import Task


class Outcome(Enum):
    """What came of one attempt."""

    DONE = "done"
    """Nothing is left to do, or there was nothing to do."""
    AGAIN = "again"
    """Try again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait after each attempt: `first`, then twice as long each time, never longer than `longest`."""

    first: timedelta
    """After the first attempt."""
    longest: timedelta
    """At most."""

    def after(self, attempts: int) -> timedelta:
        """How long to wait after so many attempts, of which there has been one at least."""
        doublings = min(attempts - 1, 30)  # beyond any longest wait, and within what a timedelta holds
        return min(self.longest, self.first * (1 << doublings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind[T: Task]:
    """One kind of duty."""

    task: type[T]
    """What its rows hold."""
    handle: Callable[[T], Awaitable[Outcome]]
    """Does one. It may be called again for what it has done already. `Unavailable` means: again."""
    patience: timedelta
    """How long one attempt may take. The lease is longer than that."""
    backoff: Backoff
    """When it is tried again."""
    end: timedelta
    """How long after it was planned it is given up."""

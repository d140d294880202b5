"""Kinds of duties: the handler, how long it may take, how often it is tried, and until when."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from shared.duties.duties import Task


class Outcome(Enum):
    """The outcome of one attempt."""

    DONE = "done"
    """The work is done, or there was nothing to do."""
    AGAIN = "again"
    """Try again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait after each attempt: `first`, then twice as long each time, never longer than `longest`."""

    first: timedelta
    """The wait after the first attempt."""
    longest: timedelta
    """The longest wait."""

    def after(self, attempts: int) -> timedelta:
        """How long to wait after this many attempts, at least one."""
        doublings = min(attempts - 1, 30)  # beyond any longest wait, and within what a timedelta holds
        return min(self.longest, self.first * (1 << doublings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind[T: Task]:
    """One kind of duty."""

    task: type[T]
    """The task in its rows."""
    handle: Callable[[T], Awaitable[Outcome]]
    """Does one task. It may be called again for a task that is done. `Unavailable` means: try again."""
    patience: timedelta
    """How long one attempt may take. The lease is longer than that."""
    backoff: Backoff
    """How long to wait between attempts."""
    end: timedelta
    """The time after planning when it is given up."""

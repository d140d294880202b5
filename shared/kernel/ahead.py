"""A read that begins before it is known to be needed, so that it runs beside something else."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Ahead[Result]:
    """A read that has begun. Whoever began it takes the result, or drops it: then its failure is nobody's.

    Args: `reading`, the read, which has no effect.
    """

    __slots__ = ("_task",)

    def __init__(self, reading: Coroutine[Any, Any, Result]) -> None:
        self._task = asyncio.create_task(reading)
        self._task.add_done_callback(_seen)

    async def result(self) -> Result:
        """The result, or the refusal."""
        return await self._task

    def drop(self) -> None:
        """Nobody needs the result. Safe to repeat, and after it was taken."""
        self._task.cancel()


def _seen(task: asyncio.Task[Any]) -> None:
    """Look at the failure, so that asyncio does not report it as one that nobody has handled."""
    if not task.cancelled():
        task.exception()

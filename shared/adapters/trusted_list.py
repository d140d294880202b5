"""A list of keys that somebody else keeps: how long it is trusted, and when it is read again after a failure."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.signing_keys import KNOWN_FOR

FRESH: Final = timedelta(minutes=5)
"""How long a list is trusted, so that a key that was withdrawn stops signing."""

PATIENCE: Final = timedelta(seconds=30)
"""The pause after an attempt that failed, or was not enough, while a list is available."""

_LONG_AGO: Final = timedelta.min


class TrustedList[Entries]:
    """Reads a list at most every five minutes, and keeps it for an hour (`KNOWN_FOR`) while it cannot be read.

    Callers who come at the same time wait for one reading.

    Args:
        read: reads the list, and says how long it is good, `FRESH` as a rule. It may raise Unavailable.
        clock: the time.
    """

    def __init__(self, read: Callable[[], Awaitable[tuple[Entries, timedelta]]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._entries: Entries | None = None
        self._read_again_at = _LONG_AGO
        self._good_until = _LONG_AGO
        self._reading = asyncio.Lock()

    async def entries(self) -> Entries:
        """The list, some minutes old.

        Raises:
            Unavailable: it cannot be read, and was not in the last hour.
        """
        async with self._reading:
            now, known = self._clock.monotonic(), self._entries
            if known is not None and now < self._read_again_at:
                return known
            try:
                return await self._renewed()
            except Unavailable:
                if known is None or now >= self._good_until:
                    raise
                self._read_again_at = min(now + PATIENCE, self._good_until)
                return known

    async def renewed(self) -> Entries:
        """The list as it is now.

        Raises:
            Unavailable: it cannot be read.
        """
        async with self._reading:
            return await self._renewed()

    def doubt(self) -> None:
        """Have the next caller read it: it seems to have changed."""
        self._read_again_at = self._clock.monotonic()

    async def _renewed(self) -> Entries:
        read_at = self._clock.monotonic()
        self._entries, good_for = await self._read()
        self._good_until, self._read_again_at = read_at + KNOWN_FOR, read_at + good_for
        return self._entries

"""Which parts answer. Asked by load balancers and by anybody, so it costs little however often it is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from shared.kernel.refusals import Refusal
from shared.ports.clock import Clock

_FRESH = timedelta(seconds=5)
_PATIENCE_SECONDS = 8

type Probe = Callable[[], Awaitable[object]]


class Health:
    """Probes all parts at once, and at most every five seconds.

    Args:
        probes: by the name of the part; a refusal means that it does not answer.
        clock: the time.
    """

    def __init__(self, probes: Mapping[str, Probe], clock: Clock) -> None:
        self._probes = probes
        self._clock = clock
        self._probing = asyncio.Lock()
        self._found: dict[str, bool] = {}
        self._until: datetime | None = None

    async def ask(self) -> dict[str, bool]:
        """Whether each part answers."""
        async with self._probing:
            if self._until is None or self._until <= self._clock.now():
                answers = await asyncio.gather(*map(_answers, self._probes.values()))
                self._found = dict(zip(self._probes, answers, strict=True))
                self._until = self._clock.now() + _FRESH
            return self._found


async def _answers(probe: Probe) -> bool:
    try:
        await asyncio.wait_for(probe(), _PATIENCE_SECONDS)
    except (Refusal, TimeoutError):
        return False
    return True

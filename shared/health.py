"""Which parts answer. Asked by load balancers and by anybody, so it costs little however often it is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from shared.kernel.refusals import Refusal
from shared.ports.clock import Clock

_FRESH = timedelta(seconds=5)
_PATIENCE = timedelta(seconds=8)

type Probe = Callable[[], Awaitable[object]]


class Health:
    """Probes all parts at once, and at most every five seconds.

    Args:
        probes: by the name of the part; a refusal means that it does not answer.
        clock: the time.
        patience: how long a part may take to answer.
    """

    def __init__(self, probes: Mapping[str, Probe], clock: Clock, patience: timedelta = _PATIENCE) -> None:
        self._probes = probes
        self._clock = clock
        self._patience = patience
        self._probing = asyncio.Lock()
        self._found: dict[str, bool] = {}
        self._until: datetime | None = None

    async def ask(self) -> dict[str, bool]:
        """Whether each part answers."""
        async with self._probing:
            if self._until is None or self._until <= self._clock.now():
                answers = await asyncio.gather(*map(self._answers, self._probes.values()))
                self._found = dict(zip(self._probes, answers, strict=True))
                self._until = self._clock.now() + _FRESH
            return self._found

    async def _answers(self, probe: Probe) -> bool:
        try:
            await asyncio.wait_for(probe(), self._patience.total_seconds())
        except (Refusal, TimeoutError):
            return False
        return True

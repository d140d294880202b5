"""The health of the parts. Load balancers and anonymous callers ask often, so it costs little at any rate."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from shared.kernel.refusals import Refusal
from shared.ports.clock import Clock

_log = logging.getLogger(__name__)

_FRESH = timedelta(seconds=5)
_COSTLY_FRESH = timedelta(minutes=1)
_PATIENCE = timedelta(seconds=8)
_LONG_AGO: Final = timedelta.min

type Probe = Callable[[], Awaitable[object]]


class Health:
    """Probes all parts at once, and each at most every five seconds; costly ones once a minute.

    Args:
        probes: by the name of the part; a refusal, or any error, means that it is down.
        clock: the time.
        patience: how long a probe may take.
        costly: more probes, which anonymous callers must not be able to trigger often, whatever the result.
    """

    def __init__(
        self,
        probes: Mapping[str, Probe],
        clock: Clock,
        patience: timedelta = _PATIENCE,
        *,
        costly: Mapping[str, Probe] | None = None,
    ) -> None:
        self._fresh = dict.fromkeys(probes, _FRESH) | dict.fromkeys(costly or {}, _COSTLY_FRESH)
        self._probes = {**probes, **(costly or {})}
        self._clock = clock
        self._patience = patience
        self._probing = asyncio.Lock()
        self._found = dict.fromkeys(self._probes, True)
        self._until = dict.fromkeys(self._probes, _LONG_AGO)

    async def ask(self) -> dict[str, bool]:
        """Whether each part is up."""
        async with self._probing:
            stale = [part for part, until in self._until.items() if until <= self._clock.monotonic()]
            answers = await asyncio.gather(*map(self._answers, stale))
            for part, answer in zip(stale, answers, strict=True):
                self._found[part] = answer
                self._until[part] = self._clock.monotonic() + self._fresh[part]
            return dict(self._found)

    async def _answers(self, part: str) -> bool:
        try:
            await asyncio.wait_for(self._probes[part](), self._patience.total_seconds())
        except (Refusal, TimeoutError) as reason:
            return self._is_down(part, str(reason) or "it does not respond in time")
        except Exception as error:  # noqa: BLE001 - a fault of one part must not hide the others, nor be probed again at once
            return self._is_down(part, type(error).__name__)
        return True

    def _is_down(self, part: str, why: str) -> bool:
        """Log it, once and not every five seconds."""
        if self._found[part]:
            _log.warning("%s is down: %s", part, why)
        return False

"""How often one family of refresh tokens may renew: a public client has no secret that a stolen token would lack.

Each renewal takes two signatures of a vault that makes some hundred a second for everybody, and a loop would take them
all. A family may renew a number of times at once, and then once in an interval: a generic cell rate algorithm, whose
only state is the moment until which a family has spent its renewals.

It counts on this instance alone, so that nothing is asked of the store; a loop is served by few instances. A client
that is refused keeps its token, which is good for the next attempt.
"""

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from shared.kernel.caches import BoundedCache
from shared.kernel.refusals import Throttled
from shared.ports.clock import Clock

AT_ONCE: Final = 20
"""Renewals that a family may make at once: tabs, reloads, and answers that were lost."""

INTERVAL: Final = timedelta(seconds=10)
"""Between the ones after that; access tokens live for sixty times as long."""

_MOST: Final = 20_000
"""Families that are counted. One that makes room has not renewed for longer than the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalPace:
    """Counts the renewals of each family."""

    clock: Clock
    """Measures the intervals."""
    _spent_until: BoundedCache[str, timedelta] = field(
        init=False, repr=False, default_factory=lambda: BoundedCache(_MOST)
    )

    def renew(self, family: str) -> None:
        """Count one renewal of the family of this name.

        Raises:
            Throttled: it has made too many.
        """
        now = self.clock.monotonic()
        spent_until = max(now, self._spent_until.get(family) or now)
        too_early = spent_until + INTERVAL - now - AT_ONCE * INTERVAL
        if too_early > timedelta():
            raise Throttled(
                "These tokens are being renewed too often. Use an access token until it expires.",
                retry_after=math.ceil(too_early.total_seconds()),
            )
        self._spent_until.put(family, spent_until + INTERVAL)

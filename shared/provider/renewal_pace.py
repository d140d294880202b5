"""How often one family of refresh tokens may renew: a public client has no secret that a stolen token would lack.

Each renewal takes two signatures of a vault that makes some hundred a second for everybody, and a loop would take them
all. A family may renew a number of times at once, and then once in an interval: a generic cell rate algorithm, whose
only state is the moment until which a family has spent its renewals.

That moment is in the family's row, which a renewal reads and replaces anyway: so it counts on every instance, and
whatever restarts. It is in memory, too, for what replaces no row: calls at once, and the token before that gives the
same next one again. A client that is refused keeps its token, which is good for the next attempt.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.kernel.caches import BoundedCache
from shared.kernel.refusals import Throttled
from shared.ports.clock import Clock

AT_ONCE: Final = 20
"""Renewals that a family may make at once: tabs, reloads, and answers that were lost."""

INTERVAL: Final = timedelta(seconds=10)
"""Between the ones after that; access tokens live for sixty times as long."""

_CLOCKS_DIFFER_BY: Final = timedelta(minutes=1)
"""A row that says more than this beyond what can be spent was written by a clock that was wrong, and counts nothing."""

_MOST: Final = 20_000
"""Families that are counted in memory. One that makes room has not renewed for longer than the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalPace:
    """Counts the renewals of each family."""

    clock: Clock
    """Measures the intervals."""
    _spent_until: BoundedCache[str, timedelta] = field(
        init=False, repr=False, default_factory=lambda: BoundedCache(_MOST)
    )

    def renew(self, family: str, spent_until: datetime | None) -> datetime:
        """Count one renewal.

        Args:
            family: the name of the family.
            spent_until: until when it has spent its renewals, as its row says.

        Returns: until when it has now, for its row.

        Raises:
            Throttled: it has made too many.
        """
        now, time = self.clock.monotonic(), self.clock.now()
        stored = timedelta() if spent_until is None else spent_until - time
        if stored > AT_ONCE * INTERVAL + _CLOCKS_DIFFER_BY:
            stored = timedelta()
        spent = max(timedelta(), stored, (self._spent_until.get(family) or now) - now) + INTERVAL
        too_early = spent - AT_ONCE * INTERVAL
        if too_early > timedelta():
            raise Throttled(
                "These tokens are being renewed too often. Use an access token until it expires.",
                retry_after=math.ceil(too_early.total_seconds()),
            )
        self._spent_until.put(family, now + spent)
        return time + spent

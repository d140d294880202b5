"""Rounds: every case is measured once a round, and compared within the round.

Other work of the machine affects all cases of a moment alike, so the ratios of a round are steadier than the figures
that they are computed from. Each round begins with another case, so that none always has the warmer machine; and
between two turns of a case lie all the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from bench.load import Shot
from local.terminal import faint, say


@dataclass(frozen=True, slots=True)
class Reading:
    """One case in one round; `cpu` is the server's CPU time for one request, in milliseconds.

    `count` is how many requests were answered. `beside` is the CPU time of other processes, such as the store, by their
    names; `calls` is how many calls of the store one request made, where they were counted.
    """

    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float = 0.0
    count: int = 0
    beside: Mapping[str, float] = field(default_factory=dict[str, float])
    calls: float = 0.0


FIGURES: Final[tuple[Callable[[Reading], float], ...]] = (
    lambda reading: reading.rate,
    lambda reading: reading.p50,
    lambda reading: reading.p95,
    lambda reading: reading.p99,
)
"""The columns of every table: requests per second, and latencies."""


def cpu_of(reading: Reading) -> float:
    """The server's CPU time for one request, in milliseconds."""
    return reading.cpu


type Case = Callable[[int], Reading]
"""Measures once; receives the number of the round, from 0."""


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of all rounds, by case."""

    by_case: Mapping[str, list[Reading]]

    def middle(self, case: str, figure: Callable[[Reading], float]) -> float:
        """The median of a figure over the rounds."""
        return median(map(figure, self.by_case[case]))

    def ratio(self, case: str, to: str, figure: Callable[[Reading], float] = lambda reading: reading.rate) -> float:
        """The median of the rounds' ratios of a figure, the rate unless another is named."""
        pairs = zip(self.by_case[case], self.by_case[to], strict=True)
        return median(figure(one) / figure(other) for one, other in pairs)


def interleaved(cases: Mapping[str, Case], rounds: int) -> Readings:
    """Measure every case `rounds` times, in turn. One warm-up round is not counted."""
    readings: dict[str, list[Reading]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        first = number % len(cases)
        for name in [*cases][first:] + [*cases][:first]:
            reading = cases[name](number)
            if number:
                readings[name].append(reading)
        if number:
            say(faint(f"  round {number} of {rounds}"))
    return Readings(readings)


def reading_of(shot: Shot, cpu_seconds: float = 0.0) -> Reading:
    """The reading of one shot, with the server's total CPU time for it."""
    return Reading(shot.rate, shot.p50, shot.p95, shot.p99, 1000 * cpu_seconds / shot.count, shot.count)

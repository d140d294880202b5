"""What the service's process holds: sampled at rest, since what is under way depends on how busy the machine is.

Connections are the most of that: there are as many as were needed at once. So a sample waits until either side has
closed those that are idle. Then everything is done once, one after the other, with the few connections that it takes,
whose blocks of memory are left out. The duties of a minute may fall into it, and the next sample is without them.
"""

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.soak.traffic import Traffic
from bench.soak.world import World
from local.cast.stack import FUNCTION_KEY

_MEGABYTE: Final = 1_000_000
_REST: Final = 8
"""Seconds after which nothing is left of what was idle: Azurite, local Entra and the service close it after five."""
_BY_CHANCE: Final = 4
"""So many descriptors are more or fewer by chance: a connection may be closed late. Duties need eight at once."""
_BLOCKS_OF_A_CONNECTION: Final = 150
_MOMENT: Final = 1
"""Seconds in which ends what was begun in the background."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """One sample."""

    moves: int
    """How many moves were made before."""
    memory: float
    """Resident, in megabytes."""
    descriptors: int
    threads: int
    tasks: int
    """Of the event loop."""
    blocks: int
    """Of memory that Python has given out, beside what is garbage, or belongs to a bounded cache or a connection."""

    def __str__(self) -> str:
        """For a line of output."""
        counts = ", ".join(f"{getattr(self, name):,} {name}" for name in NAMES[1:])
        return f"{self.moves:,} moves, {self.memory:.1f} MB, {counts}"


NAMES: Final = ("memory", "descriptors", "threads", "tasks", "blocks")
"""What a sample has besides the moves."""


def at_rest(here: World, traffic: Traffic, earlier: Sequence[Vitals]) -> Vitals:
    """The first sample that has hardly more descriptors than an earlier one, or that has no fewer than the last one."""
    few = min((each.descriptors for each in earlier), default=math.inf) + _BY_CHANCE
    taken = _sample(here, traffic)
    while taken.descriptors > few:
        before, taken = taken, _sample(here, traffic)
        if taken.descriptors >= before.descriptors:
            break
    return taken


def _sample(here: World, traffic: Traffic) -> Vitals:
    """Let everything come to rest, do it all once, and look: from outside by /proc, from inside by a function."""
    time.sleep(_REST)
    traffic.once()
    time.sleep(_MOMENT)
    key = {"x-functions-key": FUNCTION_KEY}
    inside = here.ask("GET", "/v1/vitals", headers=key).json()
    place = Path(f"/proc/{here.host.child.process.pid}")
    pages = int((place / "statm").read_text(encoding="ascii").split()[1])
    descriptors = [*_descriptors(place / "fd")]
    connections = sum(each.startswith("socket:") for each in descriptors)
    return Vitals(
        moves=traffic.done.total(),
        memory=pages * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE,
        descriptors=len(descriptors),
        threads=inside["threads"],
        tasks=inside["tasks"],
        blocks=inside["blocks"] - _BLOCKS_OF_A_CONNECTION * connections,
    )


def _descriptors(folder: Path) -> Iterator[str]:
    """What each descriptor stands for (proc_pid_fd(5))."""
    for each in folder.iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield str(each.readlink())

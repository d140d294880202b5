"""What the service's process holds: sampled while the traffic runs."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.soak.world import World
from local.cast.stack import FUNCTION_KEY

_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Vitals:
    """One sample. `at` is in seconds, of no particular clock."""

    at: float
    memory: float
    """Resident, in megabytes."""
    descriptors: int
    threads: int
    tasks: int
    """Of the event loop."""
    blocks: int
    """Of memory that Python has given out and that is referred to."""


NAMES: Final = ("memory", "descriptors", "threads", "tasks", "blocks")
"""What a sample has besides its moment."""


def sample(here: World) -> Vitals:
    """Look at the process, from outside by /proc, and from inside by a function of its own."""
    key = {"x-functions-key": FUNCTION_KEY}
    inside = here.ask("GET", "/v1/vitals", headers=key).json()
    place = Path(f"/proc/{here.host.child.process.pid}")
    pages = int((place / "statm").read_text(encoding="ascii").split()[1])
    return Vitals(
        at=time.monotonic(),
        memory=pages * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE,
        descriptors=len([*(place / "fd").iterdir()]),
        **inside,
    )

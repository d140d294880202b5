"""Callers of many kinds at the same time, each at a pace of its own.

How much is done does not depend on the machine: a lap of so many seconds is the moves that fit into them where answers
take no time, and it lasts longer where they take some.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Final

from bench.soak import callers, managers, people
from bench.soak.world import PEOPLE, World
from local.terminal import bad, say

type Move = Callable[[], object]
type Moves = Mapping[str, Move]


@dataclass(slots=True)
class Part:
    """One caller: what it does, in turn and without end, and the seconds from one move to the next."""

    moves: Moves
    every: float
    owed: float = 0.0
    """How many moves it has yet to make, which is less than one between two laps."""
    next: Iterator[tuple[str, Move]] = field(init=False)

    def __post_init__(self) -> None:
        self.next = cycle(self.moves.items())


def parts(here: World, pace: float) -> list[Part]:
    """Everybody: 20 resolves and about one sign-in a second, and everything else beside them, or `pace` times that."""
    everybody = [
        Part(callers.resolving(here), 0.05),
        Part(callers.resolving_cold(here), 12),
        Part(callers.probing(here), 2),
        Part(callers.disturbing(here), 0.7),
        *(Part(people.signing_in(here, person), 6) for person in PEOPLE),
        Part(people.never_arriving(here, PEOPLE[0]), 1),
        Part(managers.managing(here), 2),
        Part(managers.operating(here), 4),
    ]
    return [replace(part, every=part.every / pace) for part in everybody]


class Traffic:
    """Lets everybody come: one after the other, or at once.

    What goes wrong does not stop it: `faults` has the first of each kind, and `refused` counts them all.
    """

    def __init__(self, everybody: Sequence[Part]) -> None:
        self.done: Final[Counter[str]] = Counter()
        self.faults: Final[dict[str, str]] = {}
        self.refused = 0
        self._everybody: Final = everybody
        self._lock: Final = threading.Lock()

    def once(self) -> None:
        """Do everything once, one after the other."""
        for part in self._everybody:
            for name, move in part.moves.items():
                self._do(name, move)

    def lap(self, seconds: float) -> None:
        """Let everybody come at once, each in a thread of its own, as often as they do in so many seconds."""
        ended = threading.Event()
        with ThreadPoolExecutor(len(self._everybody)) as pool:
            under_way = [
                pool.submit(self._keep_on, part, seconds, number / len(self._everybody), ended)
                for number, part in enumerate(self._everybody)
            ]
            try:
                for each in under_way:
                    each.result()
            finally:
                ended.set()  # after Ctrl-C, nobody begins another move

    def _keep_on(self, part: Part, seconds: float, begin: float, ended: threading.Event) -> None:
        """Make the moves of a lap. A caller who is late does not catch up, and makes them all the same."""
        part.owed += seconds / part.every
        due = time.monotonic() + begin * part.every
        while part.owed >= 1 and not ended.wait(max(0.0, due - time.monotonic())):
            part.owed -= 1
            self._do(*next(part.next))
            due = max(due + part.every, time.monotonic())

    def _do(self, name: str, move: Move) -> None:
        try:
            move()
        except Exception as fault:  # noqa: BLE001 - it is reported, and the others go on
            self._report(name, f"{type(fault).__name__}: {fault}")
        with self._lock:
            self.done[name] += 1

    def _report(self, name: str, fault: str) -> None:
        with self._lock:
            self.refused += 1
            known = name in self.faults
            self.faults.setdefault(name, fault)
        if not known:
            say(bad(f"{name}: {fault}"))

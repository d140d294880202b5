"""Callers of many kinds at the same time, each at a pace of its own."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Final, Self

from bench.soak import callers, managers, people
from bench.soak.world import PEOPLE, World
from local.terminal import bad, say

_MOMENT: Final = 0.05
"""Seconds after which a server has noticed that its clients are gone."""

type Moves = Mapping[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Part:
    """One caller: what it does, in turn and without end, and the seconds from one move to the next."""

    moves: Moves
    every: float


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
    """Lets each caller come in a thread of its own, for the length of a `with` block.

    What goes wrong does not stop it: `faults` has the first of each kind, and `refused` counts them all.
    """

    def __init__(self, everybody: Sequence[Part]) -> None:
        self.done: Final[Counter[str]] = Counter()
        self.faults: Final[dict[str, str]] = {}
        self.refused = 0
        self._everybody = everybody
        self._lock: Final = threading.Condition()
        self._under_way = 0
        self._paused = False
        self._ended: Final = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_on, args=(part, number / len(everybody)))
            for number, part in enumerate(everybody)
        ]

    def once(self) -> None:
        """Do everything once, one after the other: whatever happens at a first time has happened then."""
        for part in self._everybody:
            for name, move in part.moves.items():
                self._do(name, move)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Let every move end, and nobody begin another one before the end of the `with` block."""
        with self._lock:
            self._paused = True
            self._lock.wait_for(lambda: not self._under_way)
        time.sleep(_MOMENT)
        try:
            yield
        finally:
            with self._lock:
                self._paused = False
                self._lock.notify_all()

    def _keep_on(self, part: Part, begin: float) -> None:
        """Make moves until the end. A caller who is late does not catch up."""
        due = time.monotonic() + begin * part.every
        for name, move in cycle(part.moves.items()):
            if self._ended.wait(max(0.0, due - time.monotonic())):
                return
            self._do(name, move)
            due = max(due + part.every, time.monotonic())

    def _do(self, name: str, move: Callable[[], object]) -> None:
        with self._lock:
            self._lock.wait_for(lambda: not self._paused)
            self._under_way += 1
        try:
            move()
        except Exception as fault:  # noqa: BLE001 - it is reported, and the others go on
            self._report(name, f"{type(fault).__name__}: {fault}")
        with self._lock:
            self.done[name] += 1
            self._under_way -= 1
            self._lock.notify_all()

    def _report(self, name: str, fault: str) -> None:
        with self._lock:
            self.refused += 1
            known = name in self.faults
            self.faults.setdefault(name, fault)
        if not known:
            say(bad(f"{name}: {fault}"))

"""Browsers at work in a process of their own: several at once, each signing its person in over and over.

`sign_ins` starts the process and sends it a plan; `python -m bench.browsers` is that process. A browser keeps its
connections and drops its cookies between two sign-ins, so that each is a whole one, of a person whom neither the
service nor Entra remembers.
"""

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from bench.load import Shot, shot_by, shot_from
from bench.peers.peer import Provider
from bench.people import sign_in
from local.cast.browser import Browser


@dataclass(frozen=True, slots=True)
class Visit:
    """What to do: each of these people, in a browser of their own and all at once, signs in so many times."""

    provider: Provider
    people: Sequence[str]
    times: int


def sign_ins(provider: Provider, people: Sequence[str], times: int) -> Shot:
    """Have them sign in; a latency is that of a whole sign-in, with the time that Entra took. Raises LoadError."""
    return shot_by("bench.browsers", Visit(provider, people, times))


def _carry_out(visit: Visit) -> Shot:
    with ThreadPoolExecutor(len(visit.people)) as browsers:
        began, computed = time.perf_counter(), time.process_time()
        latencies = [each for some in browsers.map(lambda who: _sit_down(visit, who), visit.people) for each in some]
        seconds, computed = time.perf_counter() - began, time.process_time() - computed
    return shot_from({"200": len(latencies)}, seconds, computed, latencies)


def _sit_down(visit: Visit, email: str) -> list[float]:
    latencies: list[float] = []
    with Browser(patience=60) as browser:
        for _ in range(visit.times):
            browser.forget()
            began = time.perf_counter()
            sign_in(browser, visit.provider, email)
            latencies.append(time.perf_counter() - began)
    return latencies


def _read(document: dict[str, Any]) -> Visit:
    return Visit(**document | {"provider": Provider(**document["provider"])})


if __name__ == "__main__":
    print(json.dumps(asdict(_carry_out(_read(json.load(sys.stdin))))))

"""Load, sent from a separate process: callers that each keep one connection and wait for every response.

`fire` starts the process and sends it a plan; `python -m bench.load` is that process. It writes and reads sockets
itself, because a client library would be slower than the server under load, and it reports how busy it was, so that its
own limit cannot be mistaken for the server's.
"""

import asyncio
import gc
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, repeat
from statistics import quantiles
from typing import TYPE_CHECKING, Final, cast, override

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_NO_CONTENT: Final = 204
_FULLY_BUSY: Final = 0.9


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: the requests to send to a port of this machine.

    Each request is sent once, in order, by whichever of the `callers` is free; with `again` they start over until the
    `seconds` are up. Requests are text in latin-1, as they travel.
    """

    port: int
    requests: Sequence[str]
    callers: int
    seconds: float
    again: bool = False


@dataclass(frozen=True, slots=True)
class Shot:
    """The result of a plan: responses by status, the total time, and latencies in milliseconds.

    `busy` is the share of the time in which the generator itself was computing.
    """

    statuses: Mapping[str, int]
    seconds: float
    p50: float
    p95: float
    p99: float
    busy: float

    @property
    def count(self) -> int:
        """How many were answered."""
        return sum(self.statuses.values())

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.count / self.seconds


class LoadError(Exception):
    """The responses to the load were not as expected; the message says how."""


def request(method: str, path: str, headers: Mapping[str, str], body: str = "") -> str:
    """An HTTP/1.1 request as it travels. `body` is ASCII."""
    lines = {"Host": "localhost", **headers, "Content-Length": str(len(body))}
    return "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items()), "", body])


def fire(plan: Plan, status: int = 200) -> Shot:
    """Carry out a plan.

    Raises LoadError if anything is answered with another status, or if the generator could not do more than it did.
    """
    shot = shot_by("bench.load", plan, "-S")  # it needs no package, and is started often
    if {*shot.statuses} != {str(status)}:
        raise LoadError(f"Every answer should be {status}, and they are {dict(shot.statuses)}.")
    if shot.busy > _FULLY_BUSY:
        raise LoadError("The load generator is slower than the server: what was measured is the generator.")
    return shot


def shot_by(module: str, work: "DataclassInstance", *options: str) -> Shot:
    """Have a module carry out some work in a process of its own, which reads it from stdin and prints a shot.

    Args:
        module: run as `python -m`.
        work: a dataclass, which travels as JSON.
        options: of the interpreter.
    """
    worker = [sys.executable, *options, "-m", module]
    ended = subprocess.run(worker, input=json.dumps(asdict(work)), stdout=subprocess.PIPE, text=True, check=True)
    return Shot(**json.loads(ended.stdout))


def shot_from(statuses: Mapping[str, int], seconds: float, computed: float, latencies: Sequence[float]) -> Shot:
    """Make a shot of raw measurements in seconds: the total time, the CPU time, and each latency."""
    cuts = quantiles([1000 * each for each in latencies], n=100, method="inclusive")
    return Shot(dict(statuses), seconds, cuts[49], cuts[94], cuts[98], computed / seconds)


class _Caller(asyncio.Protocol):
    """One connection: sends a request, waits for the whole answer, sends the next one."""

    def __init__(self, requests: Iterator[bytes], deadline: float) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self._requests = requests
        self._deadline = deadline
        self._answer = b""
        self._sent = 0.0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    @override
    def data_received(self, data: bytes) -> None:
        self._answer += data
        if _is_whole(self._answer):
            self.latencies.append(time.perf_counter() - self._sent)
            self.statuses[self._answer[9:12].decode()] += 1
            self._answer = b""
            self._send()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or LoadError("The server closed a connection."))

    def _send(self) -> None:
        self._sent = time.perf_counter()
        following = next(self._requests, None) if self._sent < self._deadline else None
        if following is not None:
            self._transport.write(following)
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()


def _is_whole(answer: bytes) -> bool:
    """Whether the whole response has arrived; nothing can follow it, since no second request was sent."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    if length := _LENGTH.search(answer, 0, end):
        return len(answer) >= end + 4 + int(length[1])
    return int(answer[9:12]) == _NO_CONTENT or answer.endswith(b"0\r\n\r\n")


async def _carry_out(plan: Plan) -> Shot:
    encoded = [each.encode("latin-1") for each in plan.requests]
    requests = chain.from_iterable(repeat(encoded)) if plan.again else iter(encoded)
    loop = asyncio.get_running_loop()
    gc.disable()
    began, computed = time.perf_counter(), time.process_time()
    callers = [
        (await loop.create_connection(lambda: _Caller(requests, began + plan.seconds), "127.0.0.1", plan.port))[1]
        for _ in range(plan.callers)
    ]
    await asyncio.gather(*(caller.done for caller in callers))
    seconds, computed = time.perf_counter() - began, time.process_time() - computed
    statuses = sum((caller.statuses for caller in callers), Counter[str]())
    return shot_from(statuses, seconds, computed, [each for caller in callers for each in caller.latencies])


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_carry_out(Plan(**json.load(sys.stdin)))))))

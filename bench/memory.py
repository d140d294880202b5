"""Start and memory: from the start of the process to its first answer, and what it holds then and under use.

The process is local/host, which runs the app from its unpacked zip, with its bytecode, on the worker library of Azure.
Its own start is part of the figure; Azure's to place a worker, and to fetch the package, is not. A peer's is that of
its own process, with everything that it needs to answer, and its memory after as many look-ups, or some sign-ins.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench import stores
from bench.load import Plan, fire
from bench.many_accounts import ACCOUNTS
from bench.peers.peer import Peer
from bench.peers.registry import peers_alone
from bench.report import Table, figure
from bench.scale import Scale
from bench.sign_ins import SERVICE
from bench.stage import Question, ask, service
from bench.used import cpu_seconds, resident
from local.deployable import unpacked
from local.processes import ROOT, Azurite

FIRST_ANSWER: Final = "to its first answer, s"
AFTER_USE: Final = f"after {ACCOUNTS:,} accounts, MB"
_CALLERS: Final = 16


@dataclass(frozen=True, slots=True)
class _Started:
    """A process: seconds and CPU until its first answer, and its memory in MB then and after use."""

    seconds: float
    cpu: float
    at_first: float
    later: float


def measure(scale: Scale) -> list[Table]:
    """Start the service several times, and each peer once."""
    rows = [*stores.accounts(ACCOUNTS), *stores.applications(1)]
    with stores.stored(rows) as store, TemporaryDirectory(prefix="bench-package-") as scratch:
        package = unpacked(ROOT, Path(scratch) / "package.zip")
        started = [_start(store, package, scale) for _ in range(scale.rounds)]
    with peers_alone(wanted=scale.peers) as peers:
        others = [[peer.title, *_of_peer(peer, scale)] for peer in peers if peer.started_in is not None]
    ours = [
        SERVICE,
        figure(median(each.seconds for each in started)),
        figure(median(each.cpu for each in started)),
        figure(median(each.at_first for each in started)),
        figure(median(each.later for each in started)),
    ]
    columns = ["from the start of the process", FIRST_ANSWER, "CPU s by then", "memory then, MB", AFTER_USE]
    return [Table("memory", columns, [ours, *others], scale.rounds)]


def _start(store: Azurite, package: Path, scale: Scale) -> _Started:
    questions = [Question(f"alice@{stores.domain(each)}", stores.client_id(0)) for each in range(ACCOUNTS)]
    began = time.perf_counter()
    with service(store.connection_string, package) as host:
        questions[0].must_mean_sso(host)
        seconds, pid = time.perf_counter() - began, host.child.process.pid
        cpu, at_first = cpu_seconds(pid), resident([pid])
        ask(host, questions, _CALLERS, 100 * scale.seconds)
        return _Started(seconds, cpu, at_first, resident([pid]))


def _of_peer(peer: Peer, scale: Scale) -> list[str]:
    at_first = resident(peer.pids)
    cpu = sum(map(cpu_seconds, peer.pids))
    if peer.look_up:
        asked = [peer.look_up.request(f"user-{each}@{peer.look_up.domain}") for each in range(ACCOUNTS)]
        fire(Plan(peer.look_up.port, asked, _CALLERS, 100 * scale.seconds))
    later = figure(resident(peer.pids)) if peer.look_up else ""
    return [figure(peer.started_in or 0), figure(cpu), figure(at_first), later]

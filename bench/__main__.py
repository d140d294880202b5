"""`python -m bench`: run the comparisons, print their tables, and write them to docs/performance.md.

What sign-ins cost in Azure is computed from that page, and written to docs/operations.md.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import (
    callers,
    cold_start,
    costs,
    csv_import,
    endpoints,
    goals,
    growth,
    journeys,
    memory,
    reads,
    report,
    resolve,
    sign_ins,
)
from bench.report import Table
from bench.scale import FULL, QUICK, Scale
from local.processes import unwind_on_signals
from local.terminal import faint, say, strong

_COMPARISONS: Mapping[str, Callable[[Scale], list[Table]]] = {
    "resolve": resolve.measure,
    "callers": callers.measure,
    "reads": reads.measure,
    "growth": growth.measure,
    "import": csv_import.measure,
    "journeys": journeys.measure,
    "sign_ins": sign_ins.measure,
    "endpoints": endpoints.measure,
    "memory": memory.measure,
    "cold_start": cold_start.measure,
}


def main() -> None:
    """Run the requested comparisons. A quick run tries the measurement; its figures are not written."""
    unwind_on_signals()
    arguments = _arguments()
    scale = replace(QUICK if arguments.quick else FULL, peers=arguments.peers)
    if arguments.rounds:
        scale = replace(scale, rounds=arguments.rounds)
    began = time.monotonic()
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    machine = _machine()
    measured: list[Table] = []
    for name in arguments.only or _COMPARISONS:
        say(strong(name))
        started = time.monotonic()
        found = _COMPARISONS[name](scale)
        for table in found:
            table.show()
        say(faint(f"  {time.monotonic() - started:.0f} seconds"))
        measured += found
        if not arguments.quick:
            report.write([machine, *found], when)
    for table in (summary := goals.measure(measured)):
        table.show()
    if not arguments.quick:
        report.write(summary, when)
        report.write(costs.measure(report.read()), when, report.RUNBOOK)
    say(f"{time.monotonic() - began:.0f} seconds in all.")


def _machine() -> Table:
    cpu = Path("/proc/cpuinfo")
    models = [line.partition(": ")[2] for line in cpu.read_text().splitlines() if line.startswith("model name")]
    packages = ("azure-functions", "azure-functions-runtime", "azure-data-tables", "aiohttp", "pydantic", "uvicorn")
    return Table(
        "machine",
        ["", "the last run"],
        [
            ["machine", f"{len(models)} processors, {models[0]}"],
            ["system", f"{platform.system()} {platform.release()}, Python {platform.python_version()}"],
            ["load when it began", ", ".join(f"{each:.1f}" for each in os.getloadavg())],
            ["packages", ", ".join(f"{each} {version(each)}" for each in packages)],
        ],
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="comparison", help=f"{', '.join(_COMPARISONS)} (default: all)")
    parser.add_argument("--rounds", type=int, help="how often each case is measured")
    parser.add_argument("--quick", action="store_true", help="try it with small stores; write nothing")
    parser.add_argument("--peers", action="store_true", help="measure other products beside the service")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.only if name not in _COMPARISONS]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(_COMPARISONS)}")
    return arguments


if __name__ == "__main__":
    main()

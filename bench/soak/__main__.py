"""`python -m bench.soak`: soak the service, print what was found, and end with exit code 1 if it is not flat."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench import report
from bench.soak import managers, verdict
from bench.soak.rows import Rows, purge
from bench.soak.traffic import Traffic, parts
from bench.soak.vitals import Vitals, at_rest
from bench.soak.world import World, world
from bench.used import cpu_seconds
from local.processes import ROOT, unwind_on_signals
from local.terminal import bad, faint, good, say

_APP: Final = ROOT / "bench" / "soak" / "app"
_FEWEST_LAPS: Final = 5
"""The first of them is for what is made when many come at once."""
_LAP: Final = 60
"""Seconds of a lap in a long run."""
_LONG: Final = 600
"""Seconds from which on the result is written to the page."""


def main() -> None:
    """Soak for some minutes."""
    unwind_on_signals()
    arguments = _arguments()
    with world(Path(arguments.app)) as here:
        flat = _soak(here, 60 * arguments.minutes, arguments.pace)
    sys.exit(0 if flat else 1)


def _soak(here: World, seconds: float, pace: float) -> bool:
    traffic = Traffic(parts(here, pace))
    for _ in range(2):  # what is made at a first time, and what is made at a second one
        traffic.once()
    here.run("run_duties")
    before, done = Rows.of(here.store, datetime.now(UTC)), traffic.done.copy()
    say(faint(f"Everything was done once. The traffic of {seconds:.0f} seconds follows."))
    samples, watched = _watch(here, traffic, seconds)
    computed = cpu_seconds(here.host.child.process.pid)
    after, made = watched[-1], traffic.done - done
    changes = sum(made[name] for moves in (managers.managing(here), managers.operating(here)) for name in moves)
    left = {}
    for name, hours in verdict.AFTER.items():
        purge(here.store, datetime.now(UTC) + timedelta(hours=hours))
        left[name] = Rows.of(here.store, datetime.now(UTC))
    findings = [
        *verdict.of_process(samples),
        *verdict.of_rows(before, after, changes, verdict.Left.by(made)),
        *verdict.of_purges(
            max(each.expired for each in watched),
            max(each.late for each in watched),
            left,
            verdict.Left.by(traffic.done),
        ),
        verdict.Finding("answers that were not as expected", 0, traffic.refused, 0),
    ]
    tables = [verdict.table(findings), verdict.table_of_rows(before, after, left)]
    flat = _report(tables, findings)
    say(f"{made.total():,} moves, {verdict.moves_of(samples):,} of them judged;")
    say(f"the service computed for {computed:.0f} seconds in all.")
    for name, times in sorted(made.items()):
        say(faint(f"  {times:6,}  {name}"))
    if flat and seconds >= _LONG:
        report.write(tables, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {made.total():,} moves")
    return flat


def _watch(here: World, traffic: Traffic, seconds: float) -> tuple[list[Vitals], list[Rows]]:
    """Sample what the process holds after each lap, and look at the tables after a purge."""
    samples: list[Vitals] = []
    watched = [_purged(here)]
    laps = max(_FEWEST_LAPS, round(seconds / _LAP))
    for number in range(1, laps + 1):
        traffic.lap(seconds / laps)
        samples.append(at_rest(here, traffic, samples))
        watched.append(_purged(here))
        rows = watched[-1].counts.total()
        say(faint(f"  lap {number} of {laps}: {samples[-1]}, {rows:,} rows"))
    return samples[1:], watched


def _purged(here: World) -> Rows:
    """Run the purge, as the timer does four times an hour, and look at what is left."""
    now = datetime.now(UTC)
    here.run("purge_flows")
    return Rows.of(here.store, now)


def _report(tables: Sequence[report.Table], findings: Sequence[verdict.Finding]) -> bool:
    for each in tables:
        each.show()
    rising = [each.what for each in findings if not each.flat]
    say(bad(f"Not flat: {', '.join(rising)}.") if rising else good("Everything is flat."))
    return not rising


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how much traffic (default: 10)")
    parser.add_argument("--pace", type=float, default=1, help="how many times as much traffic (default: 1)")
    parser.add_argument("--app", default=_APP, help="the app to soak (default: the service that shows its vitals)")
    return parser.parse_args()


if __name__ == "__main__":
    main()

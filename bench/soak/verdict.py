"""What is flat and what is not.

What the process holds is judged over the second half of the time, since the first one is for caches to fill, and by the
line of Theil and Sen, which single samples do not move: at a full minute the duties run. What the tables hold is judged
by what is alive: rows that have an end are gone after it, rows of a session are as many as the sessions that are open,
and the others as many as before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final

from bench.report import Table, figure
from bench.soak.rows import Rows
from bench.soak.vitals import NAMES, Vitals

ALLOWED: Final[Mapping[str, float]] = {"memory": 4, "descriptors": 8, "threads": 4, "tasks": 4, "blocks": 1_500}
"""What may be added over the second half. Connections to the store are as many as were needed at once in the last
seconds; Python starts six threads to look up names, the last of them late; 1,500 blocks are a third of a percent."""

_BLOCKS_OF_A_COPY: Final = 20
_OF_OPEN_SESSIONS: Final = ("flows session", "flows family", "flows family-of")
_ROWS_OF_A_CHANGE: Final = 8
"""Those of two visits to the portal: each is a row, and a link, a beginning and an end in the trail."""
_LONGER: Final = 1.02
"""How much longer lasting rows may become: some hold a number that counts up."""

AFTER: Final[Mapping[str, int]] = {"in two hours": 2, "in two days": 49, "in two months": 62 * 24}
"""The purges that are done in the end as if they were later, each by so many hours."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was watched: what it was before, what it is after, and the most that it may be."""

    what: str
    before: float
    after: float
    most: float

    @property
    def flat(self) -> bool:
        """Whether it has stayed within its bound."""
        return self.after <= self.most


def of_process(samples: Sequence[Vitals], abandoned: int) -> list[Finding]:
    """Judge what the process holds: where its line begins and where it ends in the second half of the samples.

    Args:
        samples: all of them.
        abandoned: how many things were issued during all of them with which nobody came back. The service keeps copies
            of those, up to a limit that a soak does not reach.
    """
    allowed = {**ALLOWED, "blocks": ALLOWED["blocks"] + _BLOCKS_OF_A_COPY * abandoned / 2}
    half = samples[len(samples) // 2 :]
    moments = [each.at for each in half]
    found = []
    for name in NAMES:
        values = [float(getattr(each, name)) for each in half]
        points = [*zip(moments, values, strict=True)]
        slope = median((b - a) / (later - earlier) for (earlier, a), (later, b) in combinations(points, 2))
        level = median(value - slope * moment for moment, value in points)
        first, last = (level + slope * moment for moment in (moments[0], moments[-1]))
        found.append(Finding(_UNITS[name], first, last, first + allowed[name]))
    return found


_UNITS: Final = {
    "memory": "resident memory, MB",
    "descriptors": "descriptors",
    "threads": "threads",
    "tasks": "tasks of the event loop",
    "blocks": "blocks of memory in use",
}


def of_rows(before: Rows, after: Rows, changes: int, walked_away: int) -> list[Finding]:
    """Judge what the tables hold, both times with nobody under way.

    Args:
        before: before the traffic, when everything has been done once.
        after: after it, and after a purge.
        changes: how many changes were made by those who administer.
        walked_away: how many people have left without signing out.
    """
    findings = [
        Finding(
            f"rows of open sessions: {kind}", before.counts[kind], after.counts[kind], before.counts[kind] + walked_away
        )
        for kind in _OF_OPEN_SESSIONS
    ]
    return [
        Finding("rows that stay until they are changed", before.lasting, after.lasting, before.lasting),
        Finding(
            "their characters",
            before.lasting_characters,
            after.lasting_characters,
            before.lasting_characters * _LONGER,
        ),
        Finding("rows that keep what was done", before.kept, after.kept, before.kept + _ROWS_OF_A_CHANGE * changes),
        *findings,
    ]


def of_purges(expired: int, late: int, left: Mapping[str, Rows], walked_away: int) -> list[Finding]:
    """Judge what has an end.

    Args:
        expired: the most rows that a purge had left although they had expired.
        late: the most duties that were not done in time.
        left: what the purge leaves at each of the later moments.
        walked_away: how many people have left without signing out, in all.
    """
    days, months = (left[name].expiring for name in ("in two days", "in two months"))
    return [
        Finding("expired rows after a purge", 0, expired, 0),
        Finding("duties that are late", 0, late, 0),
        Finding("rows of two days ago that a purge leaves", 0, days.total(), 2 * walked_away),
        Finding("rows of two months ago that a purge leaves", 0, months.total(), 0),
    ]


def table(findings: Sequence[Finding]) -> Table:
    """The findings, for the page."""
    rows = [
        [each.what, figure(each.before), figure(each.after), figure(each.most), "flat" if each.flat else "NOT FLAT"]
        for each in findings
    ]
    return Table("soak", ["", "before", "after", "at most", ""], rows)


def table_of_rows(before: Rows, after: Rows, left: Mapping[str, Rows]) -> Table:
    """The rows that have an end, for the page."""
    stages = {"before": before, "after": after, **left}
    kinds = sorted({kind for rows in stages.values() for kind in rows.expiring})
    rows = [[kind.partition(" ")[2], *(figure(each.counts[kind]) for each in stages.values())] for kind in kinds]
    return Table("soak_rows", ["rows of flows", *stages], rows)

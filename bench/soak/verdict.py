"""What is flat and what is not.

What the process holds is judged at rest, by the line of Theil and Sen through the samples of all laps, which no single
one moves: some of what is made once is made late. It is a line over moves, not over time, so a slow machine is judged
like a fast one. What may be added is noise, of which a long run has no more than a short one: the longer the run, the
smaller the leak that it finds.

What the tables hold is judged by what is alive: rows that have an end are gone after it, rows of a session are as many
as the sessions that are open, families of refresh tokens as many as have begun, and the others as many as before.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final, Self

from bench.report import Table, figure
from bench.soak.people import RENEWABLE, WALKS_AWAY
from bench.soak.rows import Rows
from bench.soak.vitals import NAMES, Vitals

ALLOWED: Final[Mapping[str, float]] = {"memory": 4, "descriptors": 8, "threads": 4, "tasks": 4, "blocks": 1_500}
"""What may be added over all laps but the first: what belongs to a connection more, and a thread that begins late.

Five times the noise that short runs beside other work have shown (some 300 blocks). A run of ten minutes finds a leak
of one block for each tenth move."""

_OF_OPEN_SESSIONS: Final = ("flows session", "flows family-of")
_OF_FAMILIES: Final = "flows family"
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


@dataclass(frozen=True, slots=True)
class Left:
    """What some traffic leaves: the sessions of who did not sign out, and families of refresh tokens, open or ended."""

    sessions: int
    families: int

    @classmethod
    def by(cls, moves: Counter[str]) -> Self:
        """Count it."""
        return cls(moves[WALKS_AWAY], sum(moves[name] for name in RENEWABLE))


def of_process(samples: Sequence[Vitals]) -> list[Finding]:
    """Judge what the process holds: where its line through the samples begins and where it ends."""
    moves = [each.moves for each in samples]
    found = []
    for name in NAMES:
        values = [float(getattr(each, name)) for each in samples]
        points = [*zip(moves, values, strict=True)]
        slope = median((b - a) / (later - earlier) for (earlier, a), (later, b) in combinations(points, 2))
        level = median(value - slope * made for made, value in points)
        first, last = (level + slope * made for made in (moves[0], moves[-1]))
        found.append(Finding(_UNITS[name], first, last, first + ALLOWED[name]))
    return found


def moves_of(samples: Sequence[Vitals]) -> int:
    """How many moves lie between the first sample and the last."""
    return samples[-1].moves - samples[0].moves


_UNITS: Final = {
    "memory": "resident memory, MB",
    "descriptors": "descriptors",
    "threads": "threads",
    "tasks": "tasks of the event loop",
    "blocks": "blocks of memory beside caches and connections",
}


def of_rows(before: Rows, after: Rows, changes: int, made: Left) -> list[Finding]:
    """Judge what the tables hold, both times with nobody under way.

    Args:
        before: before the traffic, when everything has been done once.
        after: after it, and after a purge.
        changes: how many changes were made by those who administer.
        made: what the traffic between them leaves.
    """
    families = before.counts[_OF_FAMILIES]
    findings = [
        Finding(
            f"rows of open sessions: {kind}",
            before.counts[kind],
            after.counts[kind],
            before.counts[kind] + made.sessions,
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
        Finding("rows of families, open and ended", families, after.counts[_OF_FAMILIES], families + made.families),
    ]


def of_purges(expired: int, late: int, left: Mapping[str, Rows], made: Left) -> list[Finding]:
    """Judge what has an end.

    Args:
        expired: the most rows that a purge had left although they had expired.
        late: the most duties that were not done in time.
        left: what the purge leaves at each of the later moments.
        made: what everything that was ever done leaves.
    """
    days, months = (left[name].expiring for name in ("in two days", "in two months"))
    return [
        Finding("expired rows after a purge", 0, expired, 0),
        Finding("duties that are late", 0, late, 0),
        Finding("rows of two days ago that a purge leaves", 0, days.total(), made.sessions + made.families),
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

"""The goals, and whether this run reached them: read off the tables that it has just measured, and nowhere else.

A goal names cells of those tables, and what each of them must be at least or at most. Beside it stand what it was
before the work on it began, on 2026-11-26, and what peers need for the same: as measured in this run, or else then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.look_ups import LOOK_UP
from bench.many_accounts import LONG_LIST
from bench.memory import AFTER_USE, FIRST_ANSWER
from bench.reads import ADAPTER, AIOHTTP_TO_IT
from bench.report import Table, figure
from bench.resolve import CACHE, COLD
from bench.sign_ins import BROWSERS, SERVICE, signing_in

type Tables = Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of a table, by the names of its row and its column. `per` is what is divided by it, if anything is."""

    table: str
    row: str
    column: str
    per: float | None = None

    def read(self, tables: Tables) -> float:
        """The figure. Raises KeyError if it was not measured."""
        value = tables[self.table].value(self.row, self.column)
        return value if self.per is None else self.per / value


@dataclass(frozen=True, slots=True)
class Peers:
    """Where a table has peers' figures: a column, in the rows that begin and end so and are not the service's."""

    table: str
    column: str
    prefix: str = ""
    suffix: str = ""

    def read(self, tables: Tables) -> dict[str, str]:
        """The figures, by the titles of the peers."""
        table = tables[self.table]
        place = table.columns.index(self.column)
        return {
            row[0].removeprefix(self.prefix).removesuffix(self.suffix): row[place]
            for row in table.rows
            if row[0].startswith(self.prefix)
            and row[0].endswith(self.suffix)
            and not row[0].startswith(SERVICE)
            and row[place]
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal: every one of the `cells` is at least, or at most, a limit; without one they are for information.

    `earlier` are figures of peers that were measured before, for those that this run has not measured.
    """

    what: str
    cells: Sequence[Cell]
    at_least: float | None = None
    at_most: float | None = None
    before: str
    peers: Peers | None = None
    earlier: Mapping[str, str] = field(default_factory=dict[str, str])

    def row(self, tables: Tables) -> list[str]:
        """The line of the table of goals."""
        values = [cell.read(tables) for cell in self.cells]
        reached = all(map(self._is_reached, values))
        run = ", ".join(map(figure, values))
        answer = ("yes" if reached else "no") if self._limit else ""
        return [self.what, self._limit, run, answer, self.before, self._peers(tables)]

    @property
    def _limit(self) -> str:
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return "" if self.at_most is None else f"at most {self.at_most:g}"

    def _is_reached(self, value: float) -> bool:
        enough = self.at_least is None or value >= self.at_least
        return enough and (self.at_most is None or value <= self.at_most)

    def _peers(self, tables: Tables) -> str:
        measured = {} if self.peers is None else self.peers.read(tables)
        before = {f"{name}, then": value for name, value in self.earlier.items() if not _names(measured, name)}
        return "; ".join(f"{title}: {value}" for title, value in (measured | before).items())


def _names(measured: Mapping[str, str], peer: str) -> bool:
    return any(title.startswith(peer) for title in measured)


_LOOK_UPS: Final = Peers("resolve", "CPU ms", prefix=f"{LOOK_UP}, ")

GOALS: Final = (
    Goal(
        what="resolve from its cache, an empty function's CPU to its own, for 1, 16 and 64 callers",
        cells=[Cell("callers", f"{CACHE}, {callers}", "CPU to empty") for callers in (1, 16, 64)],
        at_least=0.82,
        before="0.81, 0.78, 0.81",
    ),
    Goal(
        what="the same, CPU ms",
        cells=[Cell("resolve", CACHE, "CPU ms")],
        before="0.43",
        peers=_LOOK_UPS,
        earlier={"Keycloak": "0.9 to 1.1"},
    ),
    Goal(
        what="resolve of any user of a known account of 10,000 exceptions, storage calls",
        cells=[Cell("resolve", LONG_LIST, "reads")],
        at_most=0,
        before="1",
    ),
    Goal(
        what="the same, an empty function's CPU to its own",
        cells=[Cell("resolve", LONG_LIST, "CPU to empty")],
        at_least=0.65,
        before="0.14",
    ),
    Goal(
        what="the same, CPU ms",
        cells=[Cell("resolve", LONG_LIST, "CPU ms")],
        before="2.4 to 2.9",
        peers=_LOOK_UPS,
        earlier={"Keycloak": "1.6"},
    ),
    Goal(
        what="resolve, cold, storage calls",
        cells=[Cell("endpoints", "resolve_email, cold", "storage calls")],
        at_most=4,
        before="4",
    ),
    Goal(
        what="the same, in rounds",
        cells=[Cell("endpoints", "resolve_email, cold", "rounds")],
        at_most=2,
        before="4",
    ),
    Goal(
        what="the same, its CPU to an empty function's",
        cells=[Cell("resolve", COLD, "CPU to empty", per=1)],
        at_most=8,
        before="21",
        earlier={"Keycloak": "4.0 ms, and 1.4 ms of its database"},
    ),
    Goal(
        what="point read, the CPU of aiohttp alone to the adapter's",
        cells=[Cell("reads", ADAPTER, AIOHTTP_TO_IT)],
        at_least=0.5,
        before="0.18",
    ),
    Goal(
        what="whole sign-in, CPU ms, with 1 browser and with 8 at once",
        cells=[Cell("sign_ins", signing_in(SERVICE, browsers), "CPU ms") for browsers in BROWSERS],
        at_most=10,
        before="25 to 35",
        peers=Peers("sign_ins", "CPU ms", suffix=signing_in("", BROWSERS[-1])),
        earlier={"Keycloak": "18", "Dex on SQLite": "10.6", "Dex in memory": "4.7", "oidc-provider": "3.3"},
    ),
    Goal(
        what="the same, storage calls, warm",
        cells=[Cell("journeys", "sign-in", "storage calls")],
        at_most=6,
        before="12",
    ),
    Goal(
        what="the same, rounds in which it is completed",
        cells=[Cell("endpoints", "complete_sign_in, again", "rounds")],
        at_most=3,
        before="8",
    ),
    Goal(
        what="authorize until Entra, CPU ms",
        cells=[Cell("authorize", SERVICE, "CPU ms")],
        at_most=1.5,
        before="4.7",
        peers=Peers("authorize", "CPU ms"),
        earlier={"Keycloak": "1.8", "Dex": "0.35"},
    ),
    Goal(
        what="CSV import, its rows a second to bare transactions'",
        cells=[Cell("import", "import over HTTP", "to bare")],
        at_least=0.6,
        before="0.21",
    ),
    Goal(
        what="100,000 distinct exceptions in one request, s",
        cells=[Cell("long_import", "seconds", "")],
        at_most=60,
        before="81",
    ),
    Goal(
        what="import of `function_app`, its CPU to that of its three main imports",
        cells=[Cell("start", "import function_app", "to three imports")],
        at_most=1.6,
        before="1.71",
    ),
    Goal(
        what="from the start of the process to its first answer, s",
        cells=[Cell("memory", SERVICE, FIRST_ANSWER)],
        at_most=0.65,
        before="0.65",
        peers=Peers("memory", FIRST_ANSWER),
        earlier={"Keycloak": "12", "Dex": "0.17"},
    ),
    Goal(
        what="memory after 1,000 accounts, MB",
        cells=[Cell("memory", SERVICE, AFTER_USE)],
        at_most=111,
        before="111",
        peers=Peers("memory", AFTER_USE),
        earlier={"Keycloak": "565", "Dex": "31"},
    ),
)


def measure(tables: Sequence[Table]) -> list[Table]:
    """The table of goals, if everything that they rest on was measured in this run."""
    by_name = {table.name: table for table in tables}
    if any(cell.table not in by_name for goal in GOALS for cell in goal.cells):
        return []
    columns = ["what", "goal", "this run", "reached", "before", "peers"]
    return [Table("goals", columns, [goal.row(by_name) for goal in GOALS])]

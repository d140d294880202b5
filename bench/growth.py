"""Growth: the same requests to stores of 10, 1,000 and 100,000 accounts, and of as many exceptions of one account.

All stores run side by side, each with its own service, and take requests in turn. The service's CPU time for a request
must not depend on the size of the store. Its waiting time does, here: Azurite scans every row of a table for a range
query, and for a point read every row with the same row key, where Azure Table Storage goes to the partition. So the
same reads are also made without the service, by bare HTTP, and shown beside it.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench import raw, stores
from bench.load import Plan, fire
from bench.report import Table, figure
from bench.rounds import Case, Reading, Readings, cpu_of, interleaved
from bench.scale import Scale
from bench.stage import Question, ask, service
from local.cast.stack import FunctionsHost
from local.processes import Azurite

_FEW = 10
_CALLERS = 16


@dataclass(frozen=True, slots=True)
class _Size:
    """How large a store is: accounts in all, and exceptions of the first of them."""

    accounts: int
    exceptions: int

    def __str__(self) -> str:
        return f"{self.accounts:,} accounts, {self.exceptions:,} exceptions"


@dataclass(frozen=True, slots=True)
class _Site:
    """A store of some size, and its service."""

    store: Azurite
    host: FunctionsHost


def measure(scale: Scale) -> list[Table]:
    """Ask stores of five sizes, and compare each with the smallest."""
    smallest, middle = _Size(_FEW, 0), scale.many // 100
    sizes = [
        smallest,
        _Size(middle, 0),
        _Size(scale.many, 0),
        _Size(_FEW, middle),
        _Size(_FEW, scale.many),
    ]
    with ExitStack() as stack:
        sites = {size: stack.enter_context(_site(size)) for size in sizes}
        cases: dict[str, Case] = {}
        for size, site in sites.items():
            cases |= _cases(scale, str(size), site)
        readings = interleaved(cases, scale.fewer_rounds)
    return [Table("growth", _COLUMNS, [_row(readings, str(size), str(smallest)) for size in sizes], scale.fewer_rounds)]


@contextmanager
def _site(size: _Size) -> Generator[_Site]:
    families = [
        stores.accounts(_FEW),
        stores.bystanders(_FEW, size.accounts - _FEW),
        stores.applications(_FEW),
        stores.exceptions(stores.account_id(0), stores.domain(0), size.exceptions),
    ]
    with stores.stored(*families) as store, service(store.connection_string) as host:
        _known().must_mean_sso(host)
        yield _Site(store, host)


def _known(number: int = 0) -> Question:
    return Question(f"alice@{stores.domain(number)}", stores.client_id(number))


def _cases(scale: Scale, size: str, site: _Site) -> dict[str, Case]:
    colleagues = 10 * scale.questions

    def known(number: int) -> Reading:
        ask(site.host, [_known()], 1, scale.seconds)
        questions = [
            Question(f"user-{number}-{each}@{stores.domain(0)}", stores.client_id(0)) for each in range(colleagues)
        ]
        return ask(site.host, questions, _CALLERS, scale.seconds)

    def cold(_: int) -> Reading:
        # What was asked in the last round is forgotten: so many shots take longer than ten seconds.
        return ask(site.host, [_known(each) for each in range(1, _FEW)], 1, 10 * scale.seconds)

    def bare(_: int) -> Reading:
        claims = [each for each in stores.accounts(_FEW) if each.table == "domains"]
        points = [raw.point_read(site.store, each) for each in claims]
        ranges = [raw.range_read(site.store, "accounts", stores.account_id(each), "head:") for each in range(_FEW)]
        waits = [fire(Plan(site.store.port, 3 * each, 1, 10 * scale.seconds)).p50 for each in (points, ranges)]
        return Reading(0.0, sum(waits), 0.0, 0.0)

    return {
        f"{size}: cached": lambda _: ask(site.host, [_known()], _CALLERS, scale.seconds, again=True),
        f"{size}: known": known,
        f"{size}: cold": cold,
        f"{size}: bare": bare,
    }


_COLUMNS = [
    "in the store",
    "cached, to smallest",
    "known, to smallest",
    "known, CPU to smallest",
    "known, CPU ms",
    "cold, p50 ms",
    "its two rounds, bare, ms",
    "cold to bare",
]


def _row(readings: Readings, size: str, smallest: str) -> list[str]:
    def p50(reading: Reading) -> float:
        return reading.p50

    return [
        size,
        figure(readings.ratio(f"{size}: cached", f"{smallest}: cached")),
        figure(readings.ratio(f"{size}: known", f"{smallest}: known")),
        figure(readings.ratio(f"{size}: known", f"{smallest}: known", cpu_of)),
        figure(readings.middle(f"{size}: known", cpu_of)),
        figure(readings.middle(f"{size}: cold", p50)),
        figure(readings.middle(f"{size}: bare", p50)),
        figure(readings.ratio(f"{size}: cold", f"{size}: bare", p50)),
    ]

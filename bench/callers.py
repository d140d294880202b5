"""1, 16 and 64 callers at once: the latency of each, and the throughput of all."""

from collections.abc import Callable
from functools import partial

from bench import stores
from bench.report import Table, figure
from bench.rounds import FIGURES, Reading, cpu_of, interleaved
from bench.scale import Scale
from bench.stage import WITH_EMPTY_FUNCTION, Question, ask, service

_AT_ONCE = (1, 16, 64)
_EMPTY, _CACHE, _KNOWN = "empty function", "resolve, from its cache", "resolve, known account"


def measure(scale: Scale) -> list[Table]:
    """Compare the three with the empty function at the same number of callers."""
    known = Question(f"alice@{stores.domain(0)}", stores.client_id(0))
    many = 10 * scale.questions

    def colleagues(number: int, callers: int) -> list[Question]:
        return [
            Question(f"user-{number}-{callers}-{each}@{stores.domain(0)}", known.application) for each in range(many)
        ]

    rows = [*stores.accounts(1), *stores.applications(1)]
    with stores.stored(rows) as store, service(store.connection_string, WITH_EMPTY_FUNCTION) as host:
        known.must_mean_sso(host)

        def known_account(number: int, callers: int) -> Reading:
            ask(host, [known], 1, scale.seconds)
            return ask(host, colleagues(number, callers), callers, scale.seconds)

        cases: dict[str, Callable[..., Reading]] = {
            _EMPTY: lambda _, callers: ask(host, [known.to_empty_function], callers, scale.seconds, again=True),
            _CACHE: lambda _, callers: ask(host, [known], callers, scale.seconds, again=True),
            _KNOWN: known_account,
        }
        readings = interleaved(
            {
                f"{case}, {callers}": partial(measured, callers=callers)
                for callers in _AT_ONCE
                for case, measured in cases.items()
            },
            scale.fewer_rounds,
        )
    return [
        Table(
            "callers",
            ["callers at once", "to empty", "a second", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "CPU to empty"],
            [
                [
                    f"{case}, {callers}",
                    figure(readings.ratio(f"{case}, {callers}", f"{_EMPTY}, {callers}")),
                    *(figure(readings.middle(f"{case}, {callers}", each)) for each in FIGURES),
                    figure(readings.middle(f"{case}, {callers}", cpu_of)),
                    figure(readings.ratio(f"{_EMPTY}, {callers}", f"{case}, {callers}", cpu_of)),
                ]
                for callers in _AT_ONCE
                for case in cases
            ],
            scale.fewer_rounds,
        )
    ]

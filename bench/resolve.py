"""Resolve: from its cache, with what the account is known for, and cold; beside an empty function and raw point reads.

The users of a known account are new each time and on nobody's exception list, as most people are. A cold question has a
domain, a user and an application that were never asked for before, so nothing of it can be remembered.
"""

from bench import raw, stores
from bench.load import Plan, fire
from bench.report import Table, figure
from bench.rounds import FIGURES, Reading, interleaved, reading_of
from bench.scale import Scale
from bench.stage import WITH_EMPTY_FUNCTION, Question, ask, service

CALLERS = 16
_EMPTY, _CACHE, _KNOWN, _COLD = "empty function", "resolve, from its cache", "resolve, known account", "resolve, cold"
_SDK, _BARE = "point read, azure-data-tables", "point read, bare HTTP"
_HOSTED = {_EMPTY, _CACHE, _KNOWN, _COLD}
_CALLS = {_EMPTY: 0, _CACHE: 0, _KNOWN: 0, _COLD: 4, _SDK: 1, _BARE: 1}


def measure(scale: Scale) -> list[Table]:
    """Compare them; the first account is the known one, the others are for cold questions."""
    each_round = scale.questions
    count = 1 + each_round * (scale.rounds + 1)
    rows = [*stores.accounts(count), *stores.applications(count)]
    read = [each for each in rows if each.table == "accounts" and each.row == "head:account"][:each_round]
    known = Question(f"alice@{stores.domain(0)}", stores.client_id(0))

    def colleagues(number: int) -> list[Question]:
        return [
            Question(f"user-{number}-{each}@{stores.domain(0)}", known.application) for each in range(10 * each_round)
        ]

    def strangers(number: int) -> list[Question]:
        numbers = range(1 + number * each_round, 1 + (number + 1) * each_round)
        return [Question(f"alice@{stores.domain(each)}", stores.client_id(each)) for each in numbers]

    with stores.stored(rows) as store, service(store.connection_string, WITH_EMPTY_FUNCTION) as host:
        known.must_mean_sso(host)
        strangers(0)[-1].must_mean_sso(host)

        def known_account(number: int) -> Reading:
            ask(host, [known], 1, scale.seconds)
            return ask(host, colleagues(number), CALLERS, scale.seconds)

        def bare(_: int) -> Reading:
            requests = [raw.point_read(store, each) for each in read]
            return reading_of(fire(Plan(store.port, requests, CALLERS, scale.seconds, again=True)))

        readings = interleaved(
            {
                _EMPTY: lambda _: ask(host, [known.to_empty_function], CALLERS, scale.seconds, again=True),
                _CACHE: lambda _: ask(host, [known], CALLERS, scale.seconds, again=True),
                _KNOWN: known_account,
                _COLD: lambda number: ask(host, strangers(number), CALLERS, scale.seconds),
                _SDK: lambda _: reading_of(raw.read_by_sdk(store, read, CALLERS, scale.seconds)),
                _BARE: bare,
            },
            scale.rounds,
        )
    rows_of_table = [
        [
            case,
            str(calls),
            figure(readings.ratio(case, _EMPTY)),
            figure(calls * readings.ratio(case, _SDK)) if calls else "",
            figure(calls * readings.ratio(case, _BARE)) if calls else "",
            *(figure(readings.middle(case, each)) for each in FIGURES),
            figure(readings.middle(case, _cpu)) if case in _HOSTED else "",
            figure(readings.ratio(_EMPTY, case, _cpu)) if case in _HOSTED else "",
        ]
        for case, calls in _CALLS.items()
    ]
    columns = ["16 callers at once", "reads", "to empty", "reads to SDK", "reads to bare"]
    return [
        Table(
            "resolve",
            [*columns, "a second", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "CPU to empty"],
            rows_of_table,
            scale.rounds,
        )
    ]


def _cpu(reading: Reading) -> float:
    return reading.cpu

"""Resolve: from its cache, with what the account is known for, and cold; beside an empty function and raw point reads.

The users of a known account are new each time and on nobody's exception list, as most people are. A cold question has a
domain, a user and an application that were never asked for before, so nothing of it can be remembered. New users of a
thousand accounts are what a vendor has; peers answer the same question in the same rounds.
"""

from dataclasses import replace

from bench import raw, stores
from bench.load import Plan, fire
from bench.look_ups import look_ups
from bench.many_accounts import many_accounts
from bench.report import Table, figure
from bench.rounds import FIGURES, Case, Reading, Readings, cpu_of, interleaved, reading_of
from bench.scale import Scale
from bench.stage import WITH_EMPTY_FUNCTION, Question, ask, service

CALLERS = 16
EMPTY, CACHE, KNOWN, COLD = "empty function", "resolve, from its cache", "resolve, known account", "resolve, cold"
_SDK, _BARE = "point read, azure-data-tables", "point read, bare HTTP"
_COLD_CALLS = 4
"""As `endpoints` counts them."""


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

    with (
        stores.stored(rows) as store,
        service(store.connection_string, WITH_EMPTY_FUNCTION) as host,
        many_accounts(scale, CALLERS) as many,
        look_ups(scale, CALLERS) as others,
    ):
        known.must_mean_sso(host)
        strangers(0)[-1].must_mean_sso(host)

        def known_account(number: int) -> Reading:
            ask(host, [known], 1, scale.seconds)
            return ask(host, colleagues(number), CALLERS, scale.seconds)

        def cold(number: int) -> Reading:
            return replace(ask(host, strangers(number), CALLERS, scale.seconds), calls=_COLD_CALLS)

        def by_sdk(_: int) -> Reading:
            return replace(reading_of(raw.read_by_sdk(store, read, CALLERS, scale.seconds)), calls=1)

        def bare(_: int) -> Reading:
            requests = [raw.point_read(store, each) for each in read]
            return replace(reading_of(fire(Plan(store.port, requests, CALLERS, scale.seconds, again=True))), calls=1)

        cases: dict[str, Case] = {
            EMPTY: lambda _: ask(host, [known.to_empty_function], CALLERS, scale.seconds, again=True),
            CACHE: lambda _: ask(host, [known], CALLERS, scale.seconds, again=True),
            KNOWN: known_account,
            **many,
            COLD: cold,
            **others,
            _SDK: by_sdk,
            _BARE: bare,
        }
        readings = interleaved(cases, scale.rounds)
    columns = ["16 callers at once", "reads", "to empty", "reads to SDK", "reads to bare"]
    return [
        Table(
            "resolve",
            [*columns, "a second", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "CPU to empty"],
            [_row(readings, case) for case in cases],
            scale.rounds,
        )
    ]


def _row(readings: Readings, case: str) -> list[str]:
    calls = readings.middle(case, lambda reading: reading.calls)
    cpu = readings.middle(case, cpu_of)
    return [
        case,
        figure(calls),
        figure(readings.ratio(case, EMPTY)),
        figure(calls * readings.ratio(case, _SDK)) if calls else "",
        figure(calls * readings.ratio(case, _BARE)) if calls else "",
        *(figure(readings.middle(case, each)) for each in FIGURES),
        figure(cpu) if cpu else "",
        figure(readings.ratio(EMPTY, case, cpu_of)) if cpu else "",
    ]

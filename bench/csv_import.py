"""The import of a long exception list: rows per second beside bare transactions, and its effect on the service.

Each round has rows of its own, in a partition of its own. One list of 100,000 follows, all of it in one request, while
another account's users are asked for.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Final

from bench import raw, stores
from bench.load import LoadError, Plan, fire
from bench.report import Table, figure
from bench.rounds import FIGURES, Reading, interleaved
from bench.scale import Scale
from bench.stage import Question, ask, whole_service
from bench.stores import Entity
from bench.used import most_resident
from local.cast.stack import FunctionsHost
from local.cast.story import Story
from local.processes import azurite
from shared.users.exchange import BATCH

_ROWS: Final = 50 * BATCH
_SERVICE, _SDK, _BARE = "import over HTTP", "transactions, azure-data-tables", "transactions, bare HTTP"


def measure(scale: Scale) -> list[Table]:
    """Compare the import with bare transactions, then import the long list."""
    with azurite() as store, whole_service(store) as whole:
        story = whole.story.begin()

        def by_service(number: int) -> Reading:
            return Reading(_ROWS / _import(story, f"imported-{number}", _ROWS), 0, 0, 0)

        def by_sdk(number: int) -> Reading:
            shot = raw.write_by_sdk(store, _rows(f"by-sdk-{number}"))
            return Reading(_ROWS / shot.seconds, 0, 0, 0)

        def by_http(number: int) -> Reading:
            requests = [
                raw.transaction(store, some)
                for some in batched(_rows(f"by-http-{number}"), raw.TRANSACTION, strict=False)
            ]
            shot = fire(Plan(store.port, requests, 1, 60 * scale.seconds), status=202)
            return Reading(_ROWS / shot.seconds, 0, 0, 0)

        readings = interleaved({_SERVICE: by_service, _SDK: by_sdk, _BARE: by_http}, scale.fewer_rounds)
        pid = whole.host.child.process.pid
        before = most_resident(pid)
        alone = _resolve(whole.host, scale, "alone")
        with ThreadPoolExecutor(1) as importing:
            under_way = importing.submit(_import, story, "the-long-list", scale.many)
            meanwhile = _resolve(whole.host, scale, "meanwhile")
            seconds = under_way.result()
        peak = most_resident(pid)
    rates = [
        [
            case,
            figure(readings.ratio(case, _SDK)),
            figure(readings.ratio(case, _BARE)),
            figure(readings.middle(case, lambda reading: reading.rate)),
        ]
        for case in readings.by_case
    ]
    long_list = [
        ["seconds", figure(seconds)],
        ["rows a second", figure(scale.many / seconds)],
        ["peak memory of the service before, MB", figure(before)],
        ["peak memory of the service after, MB", figure(peak)],
    ]
    return [
        Table("import", [f"{_ROWS:,} exceptions", "to SDK", "to bare", "rows a second"], rates, scale.fewer_rounds),
        Table("long_import", [f"{scale.many:,} exceptions in one request", ""], long_list),
        Table(
            "under_import",
            ["one caller of another account", "a second", "p50 ms", "p95 ms", "p99 ms"],
            [
                [f"{case}{when}", *(figure(each(reading)) for each in FIGURES)]
                for case in alone
                for when, reading in ((", nothing else running", alone[case]), (", during the import", meanwhile[case]))
            ],
        ),
    ]


def _import(story: Story, account_id: str, count: int) -> float:
    """Register an account and import so many exceptions, all distinct; the seconds of the import."""
    story.must("operator", "PUT", f"/v1/accounts/{account_id}", json={"name": account_id, "products": []})
    lines = "".join(f"person-{number:06}@contoso.example,Keeps the password\n" for number in range(count))
    answer = story.call(
        "operator",
        "POST",
        f"/v1/accounts/{account_id}/exceptions",
        content=f"email,reason\n{lines}".encode(),
        headers={"Content-Type": "text/csv"},
        timeout=600,
    )
    if answer.json().get("accepted") != count:
        raise LoadError(f"The service should take {count} exceptions: {answer.status_code} {answer.text[:500]}")
    return answer.elapsed.total_seconds()


def _rows(partition: str) -> list[Entity]:
    """The rows that an import writes, for the same people."""
    owner = stores.account_id(0)
    like = [*stores.exceptions(owner, stores.domain(0), _ROWS)]
    return [Entity(each.table, partition, each.row, each.document) for each in like]


def _resolve(host: FunctionsHost, scale: Scale, when: str) -> dict[str, Reading]:
    """The latencies of one caller of resolve, for one user over and over, and for users who are new each time."""
    people = [Question(f"{when}-{each}@contoso.example", "unite") for each in range(50 * scale.questions)]
    people[0].must_mean_sso(host)
    return {
        "resolve, from its cache": ask(host, people[:1], 1, 5 * scale.seconds, again=True),
        "resolve, known account": ask(host, people[1:], 1, 5 * scale.seconds),
    }

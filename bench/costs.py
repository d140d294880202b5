"""What sign-ins cost in Azure: the tables of docs/operations.md, computed from those of docs/performance.md.

In units that Azure bills, and as the load that 1, 100 and 10,000 sign-ins a second are for each of its limits. Prices
are left to the reader: they change, and differ by region. `tests/architecture` computes the tables again and compares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from bench.many_accounts import ZIPF
from bench.report import Table, figure
from bench.sign_ins import BROWSERS, SERVICE, signing_in

RATES: Final = (1, 100, 10_000)

PLANNED: Final = 2
"""How many times the CPU that was measured one plans with: TLS, telemetry, the vault, and the platform's own host."""

BUSY: Final = 0.6
"""The share of a core that one plans to use: beyond it, responses wait for one another."""

CORES: Final[Mapping[int, float]] = {512: 0.25, 2_048: 1, 4_096: 2}
"""Of an instance, by its memory in MB: https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan"""

EXECUTIONS: Final = 4
"""resolve, authorize, callback and token."""

SIGNATURES: Final = 2
"""The access token and the ID token."""

LOGGED: Final = 15.5
LOGGED_BY_RESOLVE: Final = 2.9
"""kB that a sign-in and a resolve alone send: as docs/operations.md lists them."""

AUDITED: Final = 3.0
"""kB of these that are the vault's: they are not there with keys of a day, and do not pass Application Insights."""

ITEMS: Final = 17
"""Items that a sign-in sends to Application Insights: lines and requests, as docs/operations.md lists them."""

_GB_OF_A_CORE: Final = 2
"""At every size."""

_DAY: Final = 86_400
_ACCOUNT_LIMIT, _PARTITION_LIMIT, _SHARDS = 20_000, 2_000, 16
_FLOW_CALLS: Final = 5
"""Entities in the partitions of a day: session, its name for the person and code are written, a code is read and taken.

A state is written, read and marked in those of a minute, which is less.
"""

_CUSTOMER_ROWS: Final = 8
"""Rows of the customer's partition: the account's head, six at most, and the link, past the cache; and the link once
more at another instance. The limit of a partition counts rows, however many a query returns."""

_ELSEWHERE: Final = 3
"""Calls more than those of one warm instance: state, code and link are read where another instance has written them."""

_VAULT_LIMIT: Final = 400
"""4,000 operations in ten seconds, with an RSA key of 2,048 bits that no HSM holds."""

_ITEMS_A_SECOND, _KB_A_DAY = 32_000, 100e6
"""What Application Insights takes, the latter as long as nobody has raised it."""

_MAXIMUM_INSTANCES, _REGION_GB, _APP_INSTANCES = 100, 500, 1_000
_PURGED: Final = 4
_PURGED_A_SECOND: Final = 5_000
"""100 rows in a transaction of an assumed 20 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """What one sign-in takes, resolve included: CPU in ms as planned, and calls of the store."""

    cpu: float
    calls: float

    @property
    def of_a_core(self) -> float:
        """How many a core does in a second."""
        return BUSY * 1_000 / self.cpu


def measure(tables: Sequence[Table]) -> list[Table]:
    """The tables, if what they rest on was measured."""
    found = {table.name: table for table in tables if table.rows}
    if not {"sign_ins", "resolve", "journeys"} <= found.keys():
        return []
    resolve = _Cost(cpu=PLANNED * found["resolve"].value(ZIPF, "CPU ms"), calls=found["resolve"].value(ZIPF, "reads"))
    sign_in = _Cost(
        cpu=PLANNED * found["sign_ins"].value(signing_in(SERVICE, BROWSERS[-1]), "CPU ms") + resolve.cpu,
        calls=found["journeys"].value("sign-in", "storage calls") + _ELSEWHERE + resolve.calls,
    )
    return [_units(sign_in, resolve), _rates(sign_in), _limits(sign_in)]


def _units(sign_in: _Cost, resolve: _Cost) -> Table:
    both = (sign_in, resolve)
    return Table(
        "units",
        ["of a million", "sign-ins", "resolves alone"],
        [
            ["executions, millions", figure(EXECUTIONS), "1"],
            ["CPU ms of one, as planned", *(figure(each.cpu) for each in both)],
            ["GB-s of instances, thousands", *(figure(_GB_OF_A_CORE * 1_000 / each.of_a_core) for each in both)],
            ["storage transactions, millions", *(figure(each.calls) for each in both)],
            ["vault operations, millions", figure(SIGNATURES), "0"],
            ["the same with `envelopeSigning`", "0", "0"],
            ["log, GB", figure(LOGGED), figure(LOGGED_BY_RESOLVE)],
            ["log with `envelopeSigning`, GB", figure(LOGGED - AUDITED), figure(LOGGED_BY_RESOLVE)],
        ],
    )


def _rates(sign_in: _Cost) -> Table:
    instances = [
        [f"instances of {memory:,} MB", *(f"{ceil(rate / (cores * sign_in.of_a_core)):,}" for rate in RATES)]
        for memory, cores in CORES.items()
    ]
    vault, store = SIGNATURES / _VAULT_LIMIT, sign_in.calls / _ACCOUNT_LIMIT
    flows = _FLOW_CALLS / _SHARDS / _PARTITION_LIMIT
    logged, signed_here = LOGGED * _DAY / 1e6, (LOGGED - AUDITED) * _DAY / 1e6
    return Table(
        "rates",
        ["sign-ins a second", *(f"{rate:,}" for rate in RATES)],
        [
            ["executions a second", *(figure(rate * EXECUTIONS) for rate in RATES)],
            ["cores, each 60 % busy", *(figure(rate / sign_in.of_a_core) for rate in RATES)],
            *instances,
            ["storage transactions a second", *(figure(rate * sign_in.calls) for rate in RATES)],
            ["of what one storage account takes", *(_share(rate * store) for rate in RATES)],
            ["of what the busiest partition of the flows takes", *(_share(rate * flows) for rate in RATES)],
            ["vault operations a second", *(figure(rate * SIGNATURES) for rate in RATES)],
            ["of what one vault takes", *(_share(rate * vault) for rate in RATES)],
            ["log, GB a day", *(figure(rate * logged) for rate in RATES)],
            ["log with `envelopeSigning`, GB a day", *(figure(rate * signed_here) for rate in RATES)],
        ],
    )


def _limits(sign_in: _Cost) -> Table:
    """The limits, the one that is reached first on top."""
    an_instance = sign_in.of_a_core
    limits = [
        ("signatures by the vault, without `envelopeSigning`", _VAULT_LIMIT / SIGNATURES),
        ("the partition of one customer, by that customer's sign-ins", _PARTITION_LIMIT / _CUSTOMER_ROWS),
        ("what Application Insights takes a day, by the mean of the day", _KB_A_DAY / (LOGGED - AUDITED) / _DAY),
        ("what Application Insights takes a second", _ITEMS_A_SECOND / ITEMS),
        ("the purge of expired rows", _PURGED_A_SECOND / _PURGED),
        ("one storage account", _ACCOUNT_LIMIT / sign_in.calls),
        (f"`maximumInstances` of {_MAXIMUM_INSTANCES}, of 2,048 MB", _MAXIMUM_INSTANCES * an_instance),
        ("Flex Consumption in one region of a subscription", _REGION_GB / _GB_OF_A_CORE * an_instance),
        ("the partitions of the flows", _PARTITION_LIMIT * _SHARDS / _FLOW_CALLS),
        ("instances of one app, of 2,048 MB", _APP_INSTANCES * an_instance),
    ]
    ordered = sorted(limits, key=lambda limit: limit[1])
    return Table("limits", ["what ends", "at sign-ins a second"], [[what, figure(rate)] for what, rate in ordered])


def _share(part: float) -> str:
    return f"{figure(100 * part)} %"

"""A point read by the service's own adapter, beside aiohttp alone and azure-data-tables: the CPU time of who reads.

`python -m bench.reads` is the process that reads. aiohttp gets a request that was signed before, and no more is done
with its answer than to receive it, so it is the floor of everything in Python that speaks HTTP.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from typing import Any, Final

import aiohttp
from azure.data.tables.aio import TableClient
from yarl import URL

from bench import raw, stores
from bench.load import LoadError, Shot, shot_by, shot_from
from bench.report import Table, figure
from bench.rounds import Reading, cpu_of, interleaved, reading_of
from bench.scale import Scale
from bench.stores import Entity
from local.processes import Azurite
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTables
from shared.ports.table import Key

type Read = Callable[[Entity], Awaitable[object]]

AIOHTTP_TO_IT: Final = "aiohttp's CPU to it"
_CALLERS: Final = 16
_AIOHTTP, ADAPTER, _SDK = "aiohttp alone", "the service's adapter", "azure-data-tables"


@dataclass(frozen=True, slots=True)
class _Work:
    """Which rows to read over and over, by what, and for how long; `signed` are their requests' headers and URLs."""

    by: str
    connection_string: str
    entities: Sequence[Entity]
    signed: Sequence[tuple[str, Mapping[str, str]]]
    seconds: float


def measure(scale: Scale) -> list[Table]:
    """Read the same rows by each, in turn."""
    rows = [*stores.accounts(scale.questions)]
    heads = [each for each in rows if each.row == "head:account"]
    with stores.stored(rows) as store:
        cases = {by: partial(_measured, store, by, heads, scale.seconds) for by in (_AIOHTTP, ADAPTER, _SDK)}
        readings = interleaved(cases, scale.rounds)
    return [
        Table(
            "reads",
            [f"point reads, {_CALLERS} at once", "CPU ms", AIOHTTP_TO_IT, "a second"],
            [
                [
                    by,
                    figure(readings.middle(by, cpu_of)),
                    figure(readings.ratio(_AIOHTTP, by, cpu_of)),
                    figure(readings.middle(by, lambda reading: reading.rate)),
                ]
                for by in cases
            ],
            scale.rounds,
        )
    ]


def _measured(store: Azurite, by: str, entities: Sequence[Entity], seconds: float, _: int) -> Reading:
    signed = [raw.signed_get(store, each) for each in entities]
    work = _Work(by, store.connection_string, entities, signed, seconds)
    shot = shot_by("bench.reads", work)
    return reading_of(shot, shot.busy * shot.seconds)


async def _open(work: _Work, stack: AsyncExitStack) -> Read:
    """What reads a row; it lives as long as the stack."""
    table = work.entities[0].table
    if work.by == _SDK:
        sdk = await stack.enter_async_context(TableClient.from_connection_string(work.connection_string, table))
        return lambda entity: sdk.get_entity(entity.partition, entity.row)
    if work.by == ADAPTER:
        tables = AzureTables(Account.from_connection_string(work.connection_string))
        stack.push_async_callback(tables.close)
        own = tables.table(table)
        return lambda entity: own.get(Key(entity.partition, entity.row))
    session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
    signed = dict(zip([(each.partition, each.row) for each in work.entities], work.signed, strict=True))

    async def bare(entity: Entity) -> bytes:
        url, headers = signed[entity.partition, entity.row]
        async with session.get(URL(url, encoded=True), headers=headers) as answer:
            if answer.status != 200:  # noqa: PLR2004 - HTTP's number
                raise LoadError(f"A row should be read: {answer.status} {await answer.text()}")
            return await answer.read()

    return bare


async def _carry_out(work: _Work) -> Shot:
    latencies: list[float] = []
    entities = cycle(work.entities)
    async with AsyncExitStack() as stack:
        read = await _open(work, stack)
        await read(next(entities))
        began, computed = time.perf_counter(), time.process_time()

        async def caller() -> None:
            while (sent := time.perf_counter()) < began + work.seconds:
                await read(next(entities))
                latencies.append(time.perf_counter() - sent)

        await asyncio.gather(*(caller() for _ in range(_CALLERS)))
        seconds, computed = time.perf_counter() - began, time.process_time() - computed
    return shot_from({"200": len(latencies)}, seconds, computed, latencies)


def _read(document: dict[str, Any]) -> _Work:
    return _Work(**document | {"entities": [Entity(**each) for each in document["entities"]]})


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_carry_out(_read(json.load(sys.stdin)))))))

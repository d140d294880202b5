"""From the store to a file, and back. Both stream: neither holds more than a few transactions in memory.

Importing is safe to repeat: every write sets a whole row, independent of its current value. So an interrupted import is
completed by running it again.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from infra.backup import archive
from infra.backup.spool import Key, Spool
from shared.portal.session import PREFIX as SESSIONS
from shared.ports.table import TRANSACTION_LIMIT
from shared.wiring import TABLE_NAMES

TRANSACTION_BYTES: Final = 1_000_000
"""Bytes of the lines of one transaction. Azure Table Storage takes 4 MiB and Cosmos DB for Table 2 MB, as the SDK
writes it, which adds a type to each string and some 600 bytes to each row. An entity that is larger by itself goes
alone: it holds 1 MiB at most in the store, and 4 MiB hold that however it is written."""

_BUSY: Final = frozenset({500, 503})

_AT_ONCE: Final = 8
"""Concurrent transactions: one takes as long as a round trip to the store."""

_PAUSES: Final = (1, 2, 4, 8, 16)
"""Seconds between the attempts of a transaction that got no response."""

type Operation = tuple[str, Mapping[str, Any], Mapping[str, Any]]
"""A write as the SDK's transactions take it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of one table: rows written, and rows that exist in the table but not in the file."""

    written: int
    others: int


async def export_tables(service: TableServiceClient, path: Path) -> dict[str, int]:
    """Write all tables of a backup to a new file; the number of rows of each.

    Sessions in the portal are left out: one that has ended must not be restored.

    Raises:
        FileExistsError: a file of this name exists.
    """
    with archive.create(path) as file:
        for table in file.rows:
            with closing(Spool()) as spool:
                async for entity in service.get_table_client(table).list_entities():
                    if entity["RowKey"].startswith(SESSIONS):
                        continue
                    key = Key(table, entity["PartitionKey"], entity["RowKey"])
                    spool.put(key, archive.line_of(table, entity))
                for key, line in spool:
                    file.add(key, line)
        return file.rows


async def import_tables(service: TableServiceClient, path: Path, *, exact: bool) -> dict[str, Imported]:
    """Write every row of the file, replacing existing ones. Missing tables are created.

    Args:
        service: the store.
        path: the file; nothing is changed before all of it has been checked.
        exact: whether rows that the file does not have are removed. They are left alone otherwise, and counted.

    Raises:
        ArchiveError: the file cannot be restored from.
    """
    with closing(Spool()) as kept:
        written = archive.check(path, kept)
        for table in {*TABLE_NAMES, *written}:
            await service.create_table_if_not_exists(table)
        await _submit(service, transactions(_upserts(path)))
        return {
            table: Imported(rows, await _others(service, table, kept, remove=exact)) for table, rows in written.items()
        }


def transactions(operations: Iterable[tuple[Key, Operation, int]]) -> Iterator[tuple[str, list[Operation]]]:
    """Operations, in the order of their keys and with their bytes, in as few transactions as the store takes.

    Entity group transactions are of one partition (https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions).
    """
    for (table, _), partition in groupby(operations, lambda each: each[0][:2]):
        batch: list[Operation] = []
        size = 0
        for _, operation, length in partition:
            if len(batch) == TRANSACTION_LIMIT or (batch and size + length > TRANSACTION_BYTES):
                yield table, batch
                batch, size = [], 0
            batch.append(operation)
            size += length
        yield table, batch


def _upserts(path: Path) -> Iterator[tuple[Key, Operation, int]]:
    for key, entity, length in archive.entries(path):
        yield key, ("upsert", entity, {"mode": UpdateMode.REPLACE}), length


def _removals(keys: Spool) -> Iterator[tuple[Key, Operation, int]]:
    for key, _ in keys:
        yield key, ("delete", {"PartitionKey": key.partition, "RowKey": key.row}, {}), 0


async def _others(service: TableServiceClient, table: str, kept: Spool, *, remove: bool) -> int:
    """How many rows the table has, or had until now, that are not among those kept."""
    with closing(Spool()) as others:
        async for entity in service.get_table_client(table).list_entities(select=["PartitionKey", "RowKey"]):
            key = Key(table, entity["PartitionKey"], entity["RowKey"])
            if key not in kept:
                others.put(key)
        if remove:
            await _submit(service, transactions(_removals(others)))
        return len(others)


async def _write(table: TableClient, batch: list[Operation]) -> None:
    """One transaction, repeated until the store responds.

    The SDK does not repeat a POST, as it cannot know whether that is safe; these writes are. Only a removal whose
    response was lost is refused when it is repeated, and then the import has to be repeated.
    """
    for pause in _PAUSES:
        try:
            await table.submit_transaction(batch)
        except (ServiceRequestError, ServiceResponseError, TimeoutError):
            await asyncio.sleep(pause)
        except HttpResponseError as error:
            if error.status_code not in _BUSY:
                raise
            await asyncio.sleep(pause)
        else:
            return
    await table.submit_transaction(batch)


async def _submit(service: TableServiceClient, batches: Iterator[tuple[str, list[Operation]]]) -> None:
    """Write them all, several at a time. The first refusal ends the import."""

    async def work() -> None:
        for table, batch in batches:
            await _write(service.get_table_client(table), batch)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())
    except ExceptionGroup as refusals:
        raise refusals.exceptions[0] from None

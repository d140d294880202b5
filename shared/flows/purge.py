"""The purge of everything that has expired in the table of flows."""

from collections import defaultdict
from datetime import datetime

from shared.flows.expiry import BEYOND, first_to_keep
from shared.ports.table import TRANSACTION_LIMIT, Remove, Row, RowChanged, Table


async def purge_expired(table: Table, now: datetime) -> int:
    """Remove what has expired and return the number of rows, without reading any other row."""
    removed = 0
    waiting = defaultdict[str, list[Row]](list)
    async for row in table.partitions_before(first_to_keep(now)):
        batch = waiting[row.key.partition]
        batch.append(row)
        if len(batch) == TRANSACTION_LIMIT:
            removed += await _remove(table, waiting.pop(row.key.partition))
    for batch in waiting.values():
        removed += await _remove(table, batch)
    async for row in table.expired(now, BEYOND):  # of earlier releases
        removed += await _remove(table, [row])
    return removed


async def _remove(table: Table, rows: list[Row]) -> int:
    """Remove rows of one partition, in one transaction unless another caller has changed one of them."""
    try:
        await table.write(*map(Remove, rows))
    except RowChanged:
        return 0 if len(rows) == 1 else sum([await _remove(table, [row]) for row in rows])
    return len(rows)

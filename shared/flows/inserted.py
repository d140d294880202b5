"""Rows that are inserted, so that no write that the store repeats late brings an earlier one back.

A request may reach the store long after its sender gave up and sent it again, when the row has changed since. A put
would undo the change, such as the mark that a code was taken; an insert finds the row, and is refused.
"""

from shared.kernel.refusals import Unavailable
from shared.ports.table import Insert, Put, RowExists, Table


async def insert_once(table: Table, insert: Insert, *beside: Put, again: bool = True) -> str:
    """Insert a row, whose content has something random, and return its etag.

    So a row that says the same is this caller's: its response was lost, or the write was repeated.

    Args:
        table: where to.
        insert: the row.
        beside: what the same transaction writes.
        again: whether to try a second time if the store falls silent.

    Raises:
        RowExists: it was there before, whatever has become of it since.
        Unavailable: the store does not respond. Unless its response was lost, nothing is written.
    """
    try:
        return (await table.write(insert, *beside))[0]
    except (RowExists, Unavailable) as failure:
        row = await table.get(insert.key)
        if row is None and again and isinstance(failure, Unavailable):
            return await insert_once(table, insert, *beside, again=False)
        if row is None:
            raise
        if row.document != insert.document:
            raise RowExists(insert.key) from None
        return row.etag

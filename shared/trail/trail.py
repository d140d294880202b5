"""A trail, and the only way to change the thing that it belongs to: in one transaction with the record of the change.

The row key of a trail's record is made before the write and is unique, which makes the record the receipt of its
transaction: when its response was lost, or a write was refused because the SDK had repeated it, the receipt shows that
it took place.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from shared.access.roles import Actor
from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import Insert, Key, Operation, RowChanged, RowExists, Table
from shared.trail.events import Event

_END_OF_TIME = datetime(2300, 1, 1, tzinfo=UTC)


class AuditRecord(Record):
    """One change as it is stored; `action` and `details` are an event's (`shared.trail.events`)."""

    at: datetime
    actor: Actor
    action: str
    details: dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The records of one thing's changes, in the thing's own partition, so that both are one transaction."""

    table: Table
    """The table of the thing and its trail."""
    clock: Clock
    """Dates the records."""
    partition: str
    """The partition of both."""
    prefix: str
    """The prefix of the records' row keys; no other row of the partition has it."""

    async def commit(self, actor: Actor, event: Event, *changes: Operation) -> None:
        """Write the changes and the event in one transaction.

        Args:
            actor: the person or program that makes the change.
            event: the change.
            changes: 99 operations at most.

        Raises:
            RowChanged: a row has changed since it was read.
            RowExists: a row that should be new exists already.
        """
        now = self.clock.now()
        record = AuditRecord(at=now, actor=actor, action=event.action, details=event.details())
        receipt = Insert(Key(self.partition, self._newest_first(now)), record.document())
        try:
            await self.table.write(*changes, receipt)
        except (RowExists, RowChanged, Unavailable):
            if await self.table.get(receipt.key) is None:
                raise

    async def page(self, size: int, continuation: str | None) -> tuple[tuple[AuditRecord, ...], str | None]:
        """At most `size` records, the newest first, and the continuation for the next ones.

        Raises:
            Invalid: the service did not issue this continuation.
        """
        page = await self.table.page(self.partition, self.prefix, size, continuation)
        return tuple(AuditRecord.read(row) for row in page.rows), page.continuation

    def _newest_first(self, at: datetime) -> str:
        """A row key that sorts later times first and is unique even within a microsecond."""
        left = (_END_OF_TIME - at) // timedelta(microseconds=1)
        return f"{self.prefix}{left:017d}-{secrets.token_hex(8)}"

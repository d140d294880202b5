"""The audit trail, and the one way to change anything of an account: together with the record that says so.

The audit row's key is made before the write and is unique, which makes it the receipt of the transaction: when a
write is refused after its answer was lost and the SDK repeated it, the receipt shows that it took place.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import PREFIX as HEAD_PREFIX
from shared.accounts.head import read_head
from shared.kernel.names import AccountId
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import Insert, Key, Operation, RowChanged, RowExists, Table

PREFIX = "audit:"
_END_OF_TIME = datetime(2300, 1, 1, tzinfo=UTC)


class AuditRecord(Record):
    """One change: `action` in the form `thing.verb`, `details` what a reader needs to understand it."""

    at: datetime
    actor: Actor
    action: str
    details: dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The only way to change rows of an account: a change is written with the record of who made it, or not at all."""

    table: Table
    """The accounts' table."""
    clock: Clock
    """Dates the records."""

    async def commit(
        self,
        account_id: AccountId,
        actor: Actor,
        action: str,
        details: dict[str, JsonValue],
        *changes: Operation,
    ) -> None:
        """Write the changes and the record of them in one transaction.

        Args:
            account_id: whose rows change.
            actor: who changes them.
            action: what is done, in the form `thing.verb`.
            details: what a reader of the trail needs to understand it.
            changes: 99 operations at most.

        Raises:
            Stale: a row has changed since it was read.
            RowExists: a row that should be new is there already.
        """
        now = self.clock.now()
        record = AuditRecord(at=now, actor=actor, action=action, details=dict(details))
        receipt = Insert(Key(account_id, _newest_first(now)), record.document())
        try:
            await self.table.write(*changes, receipt)
        except (RowExists, RowChanged) as refusal:
            if await self.table.get(receipt.key) is not None:
                return
            if isinstance(refusal, RowExists) and refusal.key.row.startswith(HEAD_PREFIX):
                raise RowChanged from refusal
            raise

    async def page(
        self, administrator: AccountAdministrator, size: int, continuation: str | None
    ) -> tuple[tuple[AuditRecord, ...], str | None]:
        """At most `size` records, the newest first, and the continuation for the next ones.

        Raises:
            NotFound: there is no such account.
            Invalid: the continuation is none of ours.
        """
        await read_head(self.table, administrator.account_id)
        page = await self.table.page(administrator.account_id, PREFIX, size, continuation)
        return tuple(AuditRecord.read(row) for row in page.rows), page.continuation


def _newest_first(at: datetime) -> str:
    """A row key that sorts later times first and is unique even within a microsecond."""
    left = (_END_OF_TIME - at) // timedelta(microseconds=1)
    return f"{PREFIX}{left:017d}-{secrets.token_hex(8)}"

"""The trail of an account, and the only way to change an account: in one transaction with the event that records it."""

from dataclasses import dataclass

from shared.access.roles import AccountReader, Actor
from shared.accounts.head import PREFIX as HEAD_PREFIX
from shared.accounts.head import read_head
from shared.kernel.names import AccountId
from shared.ports.clock import Clock
from shared.ports.table import Operation, RowChanged, RowExists, Table
from shared.trail.events import Event
from shared.trail.persons import Persons
from shared.trail.trail import ShownRecord, Trail, Wanted

PREFIX = "audit:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The only way to change rows of an account: a change is written with its audit record, or not at all."""

    table: Table
    """The accounts' table."""
    clock: Clock
    """Dates the records."""

    async def commit(self, account_id: AccountId, actor: Actor, event: Event, *changes: Operation) -> None:
        """Write the changes and the event in one transaction.

        Args:
            account_id: the account to change.
            actor: the person or program that makes the change.
            event: the change.
            changes: 99 operations at most.

        Raises:
            Stale: a row has changed since it was read, or another writer has created a row of the head first.
            RowExists: another row that should be new exists already.
        """
        try:
            await self.trail(account_id).commit(actor, event, *changes)
        except RowExists as refusal:
            if refusal.key.row.startswith(HEAD_PREFIX):
                raise RowChanged from refusal
            raise

    async def page(
        self, reader: AccountReader, size: int, continuation: str | None
    ) -> tuple[tuple[ShownRecord, ...], str | None]:
        """At most `size` records, the newest first, and the continuation for the next ones.

        Raises:
            NotFound: there is no such account.
            Invalid: the service did not issue this continuation.
        """
        await read_head(self.table, reader.account_id)
        return await self.trail(reader.account_id).page(size, continuation)

    async def search(
        self, reader: AccountReader, wanted: Wanted, size: int, continuation: str | None
    ) -> tuple[tuple[ShownRecord, ...], str | None]:
        """The next records that are wanted, the newest first; see `Trail.search`.

        Raises:
            NotFound: there is no such account.
            Invalid: the service did not issue this continuation.
        """
        await read_head(self.table, reader.account_id)
        return await self.trail(reader.account_id).search(wanted, size, continuation)

    def trail(self, account_id: AccountId) -> Trail:
        """The trail of one account."""
        persons = Persons(table=self.table, partition=account_id)
        return Trail(table=self.table, clock=self.clock, partition=account_id, prefix=PREFIX, persons=persons)

"""The head of an account: the few rows that nearly every request needs, stored together and read by one range query."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from shared.kernel.names import AccountId, DomainName, Product
from shared.kernel.refusals import NotFound
from shared.ports.record import Record, Stored
from shared.ports.table import Key, Row, RowReader

PREFIX = "head:"


class HeadRecord(Record):
    """A record that exists once in an account's head. A subclass names its row."""

    row: ClassVar[str]

    @classmethod
    def key(cls, account_id: AccountId) -> Key:
        """The row key of the record."""
        return Key(account_id, PREFIX + cls.row)


class Account(HeadRecord):
    """A customer of the vendor.

    `domains` are the ones that the vendor knows to be this account's; None means that the vendor has not listed any.
    `closing` marks an account that is being erased: only a repeated erasure still finds it.
    """

    row = "account"

    account_id: AccountId
    name: str
    products: tuple[Product, ...] = ()
    domains: tuple[DomainName, ...] | None = None
    closing: bool = False
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head rows of one account, as they were read at one moment."""

    account: Stored[Account]
    """The row that every account has."""
    rows: dict[str, Row]
    """All head rows, by row key."""

    @property
    def account_id(self) -> AccountId:
        """The account of this head."""
        return self.account.record.account_id

    def stored[R: HeadRecord](self, record: type[R]) -> Stored[R]:
        """The record, or its default where no row is yet."""
        key = record.key(self.account_id)
        row = self.rows.get(key.row)
        return Stored(record.read(row) if row else record(), key, row)

    def then(self, record: HeadRecord) -> "Head":
        """The head after a record of it was written; for responses, not for further changes."""
        key = record.key(self.account_id)
        return replace(self, rows=self.rows | {key.row: Row(key, record.document(), etag="")})


async def find_head(reader: RowReader, account_id: AccountId, *, closing: bool = False) -> Head | None:
    """One range query for all head rows; None if there is no such account, or it is being erased.

    Args:
        reader: where to read.
        account_id: the account.
        closing: whether to find an account that is being erased, too.
    """
    rows = {row.key.row: row for row in await reader.under(account_id, PREFIX)}
    key = Account.key(account_id)
    row = rows.get(key.row)
    account = Account.read(row) if row else None
    if account is None or (account.closing and not closing):
        return None
    return Head(account=Stored(account, key, row), rows=rows)


async def existed_at(reader: RowReader, account_id: AccountId, moment: datetime) -> bool:
    """Whether the account exists, and did at this moment: one point read.

    False if it is missing or being erased, and if another of the same id has been registered since.
    """
    row = await reader.get(Account.key(account_id))
    account = Account.read(row) if row else None
    return account is not None and not account.closing and account.created_at <= moment


async def read_head(reader: RowReader, account_id: AccountId) -> Head:
    """One range query for all head rows.

    Raises:
        NotFound: there is no such account.
    """
    head = await find_head(reader, account_id)
    if head is None:
        raise NotFound("This account does not exist. An Operator can register it with PUT /v1/accounts/{accountId}.")
    return head

"""A table of documents in partitions, like Azure Table Storage.

A row is a key and a JSON document. `write` takes 1 to 100 operations on one partition and does all of them or none.
Every change names the version that it starts from, so that of any number of writers who start from one version exactly
one succeeds; the others get `Stale`. That is the only lock that the product has.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.kernel.refusals import AlreadyExists, Stale

TRANSACTION_LIMIT = 100
"""Operations that one transaction takes (Azure Table Storage, "Performing entity group transactions")."""


@dataclass(frozen=True, slots=True)
class Key:
    r"""The key of a row. Neither part may be empty, contain `/ \ # ?` or control characters, or exceed 255 bytes."""

    partition: str
    row: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was read; `etag` is the store's own tag of this version.

    `records` caches what readers have parsed from the document. It lives as long as the row, so that a cached row is
    parsed once.
    """

    key: Key
    document: str
    etag: str
    records: dict[type, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a partition; `continuation` gets the next ones, and is None at the end.

    A page without rows has no continuation, so that a reader who stops at an empty page has seen everything.
    """

    rows: tuple[Row, ...]
    continuation: str | None


@dataclass(frozen=True, slots=True)
class Insert:
    """Add a row; refused with `RowExists` if its key is taken. `expires_at` lets `expired` find it."""

    key: Key
    document: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Add a row or replace whatever is there. Safe to repeat, unless something else writes the row meanwhile.

    The store may get it a second time much later, and undo what came after it: see `shared.flows.inserted`.
    """

    key: Key
    document: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace exactly this version; refused with `RowChanged` if it has changed or is gone."""

    row: Row
    document: str

    @property
    def key(self) -> Key:
        """The key of the row."""
        return self.row.key


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove exactly this version; refused with `RowChanged` if it has changed or is gone.

    Of any number of callers who remove one version, exactly one succeeds.
    """

    row: Row

    @property
    def key(self) -> Key:
        """The key of the row."""
        return self.row.key


type Operation = Insert | Put | Replace | Remove


class RowExists(AlreadyExists):
    """An `Insert` found its key taken.

    Args:
        key: the key that was taken.
    """

    def __init__(self, key: Key) -> None:
        super().__init__("It already exists.")
        self.key = key


class RowChanged(Stale):
    """A `Replace` or `Remove` found another version, or none."""

    def __init__(self) -> None:
        super().__init__("Somebody else changed it at the same moment. Read it again and repeat your change.")


class RowReader(Protocol):
    """Reads rows, perhaps a few seconds old: the implementation documents how old."""

    async def get(self, key: Key) -> Row | None:
        """The row at this key, or None."""
        ...

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        """All rows of the partition whose row key starts with `prefix`, by one range query. For small families."""
        ...


@dataclass(slots=True, eq=False)
class Lease:
    """How long a cached read is valid: until it is too old, or is known to have changed."""

    until: timedelta
    """By the monotonic clock."""
    ended: bool = False

    def holds(self, now: timedelta) -> bool:
        """Whether the read is still valid."""
        return now < self.until and not self.ended


class RecentReader(RowReader, Protocol):
    """Reads rows that may be a few seconds old, and returns how long each read is valid."""

    def noting(self, leases: list[Lease]) -> RowReader:
        """A reader of the same rows that adds the lease of every read to `leases`."""
        ...

    def begin(self, key: Key) -> None:
        """Begin to read the row at this key, which is asked for in a moment, beside something else."""
        ...

    async def anew(self, key: Key) -> Row | None:
        """The row at this key as it is now, which later reads may return for some seconds."""
        ...


class Table(RowReader, Protocol):
    """Reads rows as they are now, and writes them.

    Every method may raise `Unavailable`. After a `write` raised it, either all of its operations took place or none;
    the caller cannot know which.
    """

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        """At most `size` (1 to 1000) rows of the partition whose row key starts with `prefix`.

        Args:
            partition: the partition to read.
            prefix: how the row keys start.
            size: how many rows at most.
            continuation: from the page before this one; None for the first.

        Raises:
            Invalid: the continuation was not made by this table.
        """
        ...

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        """Do all of these, or none. All keys are of one partition, and each is in one operation only.

        A write that is repeated because its response was lost may be refused although it took place.

        Returns:
            The etags of what the operations have written, in their order; an empty one where the store has named none,
            as for a removal.

        Raises:
            RowExists: an `Insert` found its key taken.
            RowChanged: a `Replace` or `Remove` found another version, or none.
            TooLarge: a document, or the transaction, exceeds the limits of the store.
        """
        ...

    def expired(self, now: datetime, first: str = "") -> AsyncIterator[Row]:
        """Every row whose `expires_at` is before `now`, of the partitions from `first` on, in any order: a scan."""
        ...

    def partitions_before(self, partition: str) -> AsyncIterator[Row]:
        """Every row of the partitions whose names sort before this one, in any order. No other row is read."""
        ...

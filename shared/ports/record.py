"""Records: the documents of rows as frozen models, so that no dict travels inward.

Schema changes are expand-then-contract: a record ignores fields that a newer version of the code has added, and new
fields have defaults, because during a rolling update old and new code read the same rows.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from shared.kernel.versions import version_of
from shared.ports.table import Insert, Key, Operation, Remove, Replace, Row, RowChanged


class Record(BaseModel):
    """The content of a row. Its document is JSON with camelCase names."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
        defer_build=True,  # until it is first used: the import is the cold start
    )

    @classmethod
    def read(cls, row: Row) -> Self:
        """The record in the row, parsed at the first read."""
        record: Self | None = row.records.get(cls)
        if record is None:
            record = row.records[cls] = cls.model_validate_json(row.document)
        return record

    def document(self) -> str:
        """The record as JSON, as rows store it."""
        return self.model_dump_json(by_alias=True)


class Stored[R: Record]:
    """A record and the row it came from, or the default where there is no row yet.

    Args:
        record: the stored record, or the default.
        key: the key of its row, which may not exist yet.
        row: the row it came from; None if there is none yet.
    """

    __slots__ = ("key", "record", "row")

    def __init__(self, record: R, key: Key, row: Row | None) -> None:
        self.record = record
        self.key = key
        self.row = row

    @property
    def version(self) -> str:
        """The strong entity tag that the API returns for it."""
        return version_of(self.row.document if self.row else self.record.document())

    def rewrite(self, record: R) -> Operation:
        """The operation that replaces it with `record`, and is refused if another writer was first."""
        document = record.document()
        return Replace(self.row, document) if self.row else Insert(self.key, document)

    def removal(self) -> Operation:
        """The operation that removes it, and is refused if another writer was first.

        Raises:
            RowChanged: there is no row to remove.
        """
        if self.row is None:
            raise RowChanged
        return Remove(self.row)

    def then(self, record: R) -> "Stored[R]":
        """The stored record after `rewrite(record)` was written; for responses, not for further changes."""
        return Stored(record, self.key, Row(self.key, record.document(), etag=""))

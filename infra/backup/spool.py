"""Lines sorted by key, on disk instead of in memory.

Azure Table Storage returns rows in its own order, by UTF-16, and Cosmos DB for Table in none.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple


class Key(NamedTuple):
    """The key of an entity. Keys are ordered by their characters' code points."""

    table: str
    partition: str
    row: str


class Spool:
    """A set of keys with a line each, in a temporary file that nobody else can open and that vanishes with `close`.

    SQLite makes such a file for a database without a name (https://www.sqlite.org/inmemorydb.html, "Temporary
    databases"). A key is stored as bytes: the store takes text that is no Unicode, such as half a surrogate pair.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute(
            "CREATE TABLE lines (kind BLOB, partition BLOB, row BLOB, line BLOB, PRIMARY KEY (kind, partition, row))"
            " WITHOUT ROWID"
        )

    def put(self, key: Key, line: bytes = b"") -> None:
        """Keep the line; the last one of a key counts."""
        self._database.execute("INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?)", (*_stored(key), line))

    def __contains__(self, key: Key) -> bool:
        found = self._database.execute("SELECT 1 FROM lines WHERE kind = ? AND partition = ? AND row = ?", _stored(key))
        return found.fetchone() is not None

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM lines").fetchone()
        return int(count)

    def __iter__(self) -> Iterator[tuple[Key, bytes]]:
        """All of them, in the order of their keys."""
        for *parts, line in self._database.execute("SELECT * FROM lines ORDER BY kind, partition, row"):
            yield Key(*(part.decode(errors="surrogatepass") for part in parts)), line

    def close(self) -> None:
        """Delete it from disk."""
        self._database.close()


def _stored(key: Key) -> tuple[bytes, ...]:
    return tuple(part.encode(errors="surrogatepass") for part in key)

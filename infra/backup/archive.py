"""The file: a header, a line for each entity by table, partition and row, and a seal with their number and SHA-256.

It is JSON Lines (https://jsonlines.org) in ASCII. Equal tables give equal bytes, whichever store they are in and
whenever they are read, so that two files can be compared: therefore it contains neither a time nor an origin. The seal
detects accidents, such as a file truncated or changed by hand. It is no signature: anyone who can change the file can
renew the seal.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import JsonValue

from infra.backup import TABLES
from infra.backup.entities import from_json, to_json
from infra.backup.spool import Key, Spool

_FORMAT: Final = "azure-sso tables"
_VERSION: Final = 1
_FOREIGN: Final = "This is no file that `make export` has written."
_BROKEN: Final = "The file was cut off or changed after it was written. Take another one."


class ArchiveError(Exception):
    """The file cannot be written or restored from; the message is a sentence that says why."""


class Archive:
    """A file that is being written. Args: `file`, open for writing, and the `tables` that will be in it."""

    def __init__(self, file: BinaryIO, tables: tuple[str, ...]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.rows = dict.fromkeys(tables, 0)
        self._write(_line({"format": _FORMAT, "version": _VERSION, "tables": [*tables]}))

    def add(self, key: Key, line: bytes) -> None:
        """Add an entity, in the order of keys."""
        self._write(line)
        self.rows[key.table] += 1

    def seal(self) -> None:
        """Seal the file and flush it to disk. Without a seal it is worthless."""
        self._file.write(_seal(self.rows, self._digest.hexdigest()))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write(self, line: bytes) -> None:
        self._digest.update(line)
        self._file.write(line)


@contextmanager
def create(path: Path) -> Iterator[Archive]:
    """Create a new file that only its owner can read, since it contains personal data.

    It is sealed at the end of the `with` block, and removed if the block fails.

    Raises:
        FileExistsError: a file of this name exists; no backup is ever overwritten.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            archive = Archive(file, TABLES)
            yield archive
            archive.seal()
        except BaseException:
            path.unlink()
            raise


def line_of(table: str, entity: Mapping[str, object]) -> bytes:
    """The line of an entity, as the SDK reads it; equal entities have equal lines.

    Raises:
        ArchiveError: it cannot be kept as it is.
    """
    try:
        document = to_json(entity)
    except ValueError as error:
        raise ArchiveError(f"An entity of the table {table} cannot be kept. {error}") from None
    return _line({"table": table, "entity": dict(sorted(document.items()))})


def check(path: Path, keys: Spool) -> dict[str, int]:
    """Read the file from end to end, changing nothing.

    Args:
        path: where it is.
        keys: takes the key of every entity.

    Returns: how many entities it has of each of its tables.

    Raises:
        ArchiveError: it is not ours, of another version, truncated or changed.
    """
    with path.open("rb") as file:
        header = file.readline()
        rows = dict.fromkeys(_tables(header), 0)
        digest = hashlib.sha256(header)
        before: Key | None = None
        seal = b""
        for line in file:
            document = _parsed(line)
            if "entity" not in document:
                seal = line
                break
            key, _ = _entry(document)
            if key.table not in rows or (before is not None and before >= key):
                raise ArchiveError(_BROKEN)
            rows[key.table] += 1
            keys.put(key)
            digest.update(line)
            before = key
        if seal != _seal(rows, digest.hexdigest()) or file.read(1):
            raise ArchiveError(_BROKEN)
    return rows


def entries(path: Path) -> Iterator[tuple[Key, dict[str, object], int]]:
    """The entities of a file that has been checked: each one's key, itself as the SDK writes it, and its bytes."""
    with path.open("rb") as file:
        for line in file:
            document = _parsed(line)
            if "entity" in document:
                yield *_entry(document), len(line)


def _tables(header: bytes) -> tuple[str, ...]:
    document = _parsed(header)
    if document.get("format") != _FORMAT:
        raise ArchiveError(_FOREIGN)
    if document.get("version") != _VERSION:
        raise ArchiveError(
            f"The file is of version {document.get('version')} and this release reads version {_VERSION}: "
            "import it with the release that wrote it."
        )
    tables = document.get("tables")
    if not isinstance(tables, list) or any(table not in TABLES for table in tables):
        raise ArchiveError(
            f"The file has tables other than {', '.join(TABLES)}: import it with the release that wrote it."
        )
    return tuple(map(str, tables))


def _entry(document: Mapping[str, JsonValue]) -> tuple[Key, dict[str, object]]:
    written = document["entity"]
    try:
        entity = from_json(written if isinstance(written, dict) else {})
    except ValueError:
        raise ArchiveError(_BROKEN) from None
    return Key(str(document.get("table")), str(entity["PartitionKey"]), str(entity["RowKey"])), entity


def _parsed(line: bytes) -> dict[str, JsonValue]:
    """The object of a line; one without anything if the line is none."""
    try:
        document = json.loads(line)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _line(document: Mapping[str, JsonValue]) -> bytes:
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def _seal(rows: Mapping[str, int], digest: str) -> bytes:
    return _line({"rows": dict(rows), "sha256": digest})

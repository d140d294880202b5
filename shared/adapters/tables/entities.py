"""Rows as entities: JSON of the Table service, and the limits of every store.

A document is stored in the properties `document`, `document1`, …, since one string property holds 64 KiB. Azurite
accepts what Azure refuses, so the limits are checked here.

https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from shared.kernel.refusals import TooLarge
from shared.ports.table import TRANSACTION_LIMIT, Key, Operation, Remove, Row

_SLICE: Final = 16_000
"""Characters of one property: 64 KiB hold 32 Ki UTF-16 units, and a character takes two of them at most."""

_DOCUMENT_BYTES: Final = 800_000
"""Bytes of one document in UTF-16, as the store keeps it: an entity holds 1 MiB."""

_TRANSACTION_BYTES: Final = 900_000
"""Bytes of the documents of one transaction in JSON, as they travel. Azure Table Storage takes 4 MiB and Cosmos DB for
Table 2 MB, but a request of more than 1 MiB would hold up the event loop in aiohttp."""

_KEY: Final = re.compile(r"[^/\\#?\x00-\x1f\x7f-\x9f]+")
_KEY_BYTES: Final = 255

_TAG: Final = re.compile(r"[\x21-\x7e]+")
"""An entity tag goes back into a header and into the lines of a batch."""


def entity_of(key: Key, document: str, expires_at: datetime | None = None) -> bytes:
    """The entity of a row. JSON in ASCII, so that no text of a document can be a line of a batch."""
    entity = {"PartitionKey": key.partition, "RowKey": key.row}
    for number, start in enumerate(range(0, len(document), _SLICE)):
        entity[f"document{number or ''}"] = document[start : start + _SLICE]
    if expires_at is not None:
        entity["expiresAt"] = f"{expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        entity["expiresAt@odata.type"] = "Edm.DateTime"
    return json.dumps(entity).encode()


def row_of(entity: object) -> Row:
    """The row in an entity.

    Raises:
        ValueError: it is not one of ours.
    """
    if not isinstance(entity, Mapping):
        raise ValueError("An entity is an object.")  # noqa: TRY004 - what was received is wrong, not who calls
    partition, row, etag = (_string(entity[name]) for name in ("PartitionKey", "RowKey", "odata.etag"))
    if not _TAG.fullmatch(etag):
        raise ValueError("An entity tag is visible ASCII.")
    return Row(Key(partition, row), "".join(_slices(entity)), etag)


def _slices(entity: Mapping[str, Any]) -> Iterator[str]:
    name, number = "document", 0
    while name in entity:
        yield _string(entity[name])
        number += 1
        name = f"document{number}"


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("It is not a string.")  # noqa: TRY004 - what was received is wrong, not who calls
    return value


def check_key(key: Key) -> None:
    """Check a key against the limits of every store.

    Raises:
        ValueError: the product has made a key that one of them refuses, which is a bug.
    """
    for part in (key.partition, key.row):
        if not _KEY.fullmatch(part) or len(part.encode()) > _KEY_BYTES:
            raise ValueError("A key holds 1 to 255 bytes without / \\ # ? and control characters.")


def check_operations(operations: Sequence[Operation]) -> None:
    """Check a transaction against the limits of every store.

    Raises:
        ValueError: too many operations, several partitions or one row twice, which is a bug.
        TooLarge: more text than the store takes, which may come from the caller.
    """
    keys = [operation.key for operation in operations]
    for key in keys:
        check_key(key)
    if not 1 <= len(keys) <= TRANSACTION_LIMIT or len({key.partition for key in keys}) > 1 or len({*keys}) < len(keys):
        raise ValueError("A transaction takes 1 to 100 operations on different rows of one partition.")
    documents = ["" if isinstance(operation, Remove) else operation.document for operation in operations]
    largest = max(len(document.encode("utf-16-le")) for document in documents)
    if largest > _DOCUMENT_BYTES or sum(len(json.dumps(document)) for document in documents) > _TRANSACTION_BYTES:
        raise TooLarge("This is too large to store. Shorten it.")

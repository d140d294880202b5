"""Requests of the Table service, and its answers.

https://learn.microsoft.com/rest/api/storageservices/addressing-table-service-resources
https://learn.microsoft.com/rest/api/storageservices/querying-tables-and-entities
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from shared.adapters.tables.entities import entity_of
from shared.kernel.refusals import Unavailable
from shared.ports.table import Insert, Key, Operation, Put, Replace, Row

_JSON: Final = "application/json"
_BODY: Final = {"Content-Type": _JSON}
_NO_ECHO: Final = {"Content-Type": _JSON, "Prefer": "return-no-content"}
"""An insert is answered with the whole entity unless it asks otherwise.

https://learn.microsoft.com/rest/api/storageservices/setting-the-prefer-header-to-manage-response-echo
"""

_IN_PATH: Final = "!$&'()*,:;=@"
_IN_QUERY: Final = "!$'()*,/:?@"
"""What stands for itself in a path, or in a value of a query (RFC 3986, sections 3.3 and 3.4). A plus sign never does:
some servers read it as a space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request."""

    method: str
    """HTTP's method."""
    path: str
    """Below the account, percent-encoded."""
    query: str = ""
    """With its question mark, percent-encoded; or empty."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that this request needs beyond the ones of all."""
    body: bytes = b""
    """An entity or a batch, in ASCII; or empty."""
    puts_alone: bool = False
    """Whether it is a batch that does nothing but put rows in their place, whatever was there."""

    @property
    def may_be_repeated(self) -> bool:
        """Whether a repetition does no harm and is not refused, whatever became of the first."""
        return self.method == "GET" or self.puts_alone or (self.method == "PUT" and "If-Match" not in self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The store's answer, complete."""

    status: int
    """HTTP's status."""
    headers: Mapping[str, str]
    """Its headers, whatever the case of their names."""
    body: bytes
    """Its body."""

    @property
    def code(self) -> str | None:
        """The store's own name for an error; None if something else than the store has answered.

        A proxy's page about 404 is thereby not a row that is absent.
        https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
        """
        return error_of(self.body)[0] or self.headers.get("x-ms-error-code")

    def document(self) -> dict[str, Any]:
        """The JSON object in the body.

        Raises:
            Unavailable: there is none.
        """
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise unexpected() from error
        if not isinstance(document, dict):
            raise unexpected()
        return document


def unexpected() -> Unavailable:
    """The refusal of an answer that means nothing known, whatever took place in the store."""
    return Unavailable("The storage sent an unexpected response. Try again in a few seconds.")


def error_of(body: bytes) -> tuple[str | None, str]:
    """Code and message of an error; no code in a body of another form.

    https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
    """
    try:
        error = json.loads(body)["odata.error"]
        code, message = error["code"], error["message"]["value"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None, ""
    return (code, message) if isinstance(code, str) and isinstance(message, str) else (None, "")


def point_read(table: str, key: Key) -> Request:
    """The request for one entity."""
    return Request(method="GET", path=_place(table, key))


def query(
    table: str, condition: str, size: int | None = None, continuation: Mapping[str, str | None] | None = None
) -> Request:
    """The request for one page of the entities that meet a condition.

    https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
    """
    options = {"$filter": condition}
    if size is not None:
        options["$top"] = str(size)
    for part, value in (continuation or {}).items():
        if value is not None:
            options[f"Next{part}"] = value
    encoded = "&".join(f"{name}={quote(value, safe=_IN_QUERY)}" for name, value in options.items())
    return Request(method="GET", path=f"/{table}()", query=f"?{encoded}")


def continuation_of(answer: Answer) -> dict[str, str | None]:
    """The store's own start of the next page; empty at the end."""
    partition, row = (answer.headers.get(f"x-ms-continuation-Next{part}Key") for part in ("Partition", "Row"))
    return {"PartitionKey": partition, "RowKey": row} if partition else {}


def change(table: str, operation: Operation) -> Request:
    """The request that does one operation.

    https://learn.microsoft.com/rest/api/storageservices/insert-entity
    https://learn.microsoft.com/rest/api/storageservices/insert-or-replace-entity
    https://learn.microsoft.com/rest/api/storageservices/update-entity2
    https://learn.microsoft.com/rest/api/storageservices/delete-entity1
    """
    match operation:
        case Insert(key, document, expires_at):
            return Request(method="POST", path=f"/{table}", headers=_NO_ECHO, body=entity_of(key, document, expires_at))
        case Put(key, document, expires_at):
            return Request(
                method="PUT", path=_place(table, key), headers=_BODY, body=entity_of(key, document, expires_at)
            )
        case Replace(row, document):
            headers = _BODY | _this_version(row)
            return Request(
                method="PUT", path=_place(table, row.key), headers=headers, body=entity_of(row.key, document)
            )
    return Request(method="DELETE", path=_place(table, operation.key), headers=_this_version(operation.row))


def _place(table: str, key: Key) -> str:
    """The path of an entity. A quote in a key is doubled, and what a path cannot hold is percent-encoded."""
    partition, row = (quote(part.replace("'", "''"), safe=_IN_PATH) for part in (key.partition, key.row))
    return f"/{table}(PartitionKey='{partition}',RowKey='{row}')"


def _this_version(row: Row) -> dict[str, str]:
    """The condition that the row is still as it was read: a row that was never read has no tag to name.

    Raises:
        ValueError: the row was not read from the store, which is a bug.
    """
    if not row.etag:
        raise ValueError("Only a row that was read can be replaced or removed.")
    return {"If-Match": row.etag}


# -- conditions --------------------------------------------------------------------------------------------------------


def under(partition: str, prefix: str) -> str:
    """The condition for the rows of a prefix: from the prefix up to the first key that cannot start with it."""
    condition = f"PartitionKey eq {_text(partition)}"
    if prefix:
        beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        condition += f" and RowKey ge {_text(prefix)} and RowKey lt {_text(beyond)}"
    return condition


def before(partition: str) -> str:
    """The condition for the rows of partitions that sort before this one."""
    return f"PartitionKey lt {_text(partition)}"


def expired(now: datetime, first: str) -> str:
    """The condition for rows whose `expiresAt` is before `now`, from this partition on."""
    return f"PartitionKey ge {_text(first)} and expiresAt lt datetime'{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"


def _text(value: str) -> str:
    """A string literal of a filter, in which a quote is doubled."""
    return "'" + value.replace("'", "''") + "'"

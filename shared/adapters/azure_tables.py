"""The table port on Azure Table Storage, Azurite and Azure Cosmos DB for Table.

A document is stored in the properties `document`, `document1`, …, since one string property holds 64 KiB. Every write
is an entity group transaction, even of one operation: in the SDK, a plain delete of a missing entity looks like a
success, and a transaction does not. Azurite accepts requests that Azure refuses, so the limits are checked here.
"""

import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.adapters.azure_sdk import RESPONSIVE
from shared.adapters.continuations import FOREIGN, closed, opened
from shared.kernel.refusals import Invalid, TooLarge, Unavailable
from shared.ports.table import (
    TRANSACTION_LIMIT,
    Insert,
    Key,
    Operation,
    Page,
    Put,
    Remove,
    Replace,
    Row,
    RowChanged,
    RowExists,
)

_SLICE = 16_000
"""Characters of one property: 64 KiB hold 32 Ki UTF-16 units, and a character takes two of them at most."""

_DOCUMENT_BYTES = 800_000
"""Bytes of one document in UTF-16, as the store keeps it: an entity holds 1 MiB."""

_TRANSACTION_BYTES = 900_000
"""Bytes of the documents of one transaction in JSON, as they travel. Azure Table Storage takes 4 MiB and Cosmos DB for
Table 2 MB, but a request of more than 1 MiB would hold up the event loop in aiohttp."""

_KEY = re.compile(r"[^/\\#?\x00-\x1f\x7f-\x9f]+")
_KEY_BYTES = 255


class AzureTables:
    """The storage account. Its client belongs to the event loop of its first use, like aiohttp's.

    Args:
        endpoint: `https://{account}.table.core.windows.net`, with `credential`.
        credential: proves the app's identity.
        connection_string: instead of both, for development.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        credential: AsyncTokenCredential | None = None,
        connection_string: str | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._connection_string = connection_string
        self._service: TableServiceClient | None = None
        self._clients: dict[str, TableClient] = {}

    def table(self, name: str) -> "AzureTable":
        """One of its tables."""
        return AzureTable(tables=self, name=name)

    def client(self, name: str) -> TableClient:
        """The SDK's client of one table, made once: making one costs a tenth of a read."""
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._open().get_table_client(name)
        return client

    def _open(self) -> TableServiceClient:
        if self._service is None:
            if self._connection_string is not None:
                self._service = TableServiceClient.from_connection_string(self._connection_string, **RESPONSIVE)
            else:
                self._service = TableServiceClient(self._endpoint or "", credential=self._credential, **RESPONSIVE)
        return self._service

    async def close(self) -> None:
        """Close the connections."""
        if self._service is not None:
            await self._service.close()
            self._service = None
            self._clients.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureTable:
    """One table; see `shared.ports.table.Table` for what it promises."""

    tables: AzureTables
    """The storage account."""
    name: str
    """The table's name in it."""

    @property
    def _client(self) -> TableClient:
        return self.tables.client(self.name)

    async def get(self, key: Key) -> Row | None:
        """See the port."""
        _check(key)
        with _in_our_words():
            try:
                return _row(await self._client.get_entity(str(key.partition), str(key.row)))
            except ResourceNotFoundError as error:
                if getattr(error, "error_code", None) == "TableNotFound":
                    raise
                return None

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        """See the port."""
        with _in_our_words():
            return tuple([row async for row in _rows(self._query(partition, prefix))])

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        """See the port."""
        pages = self._query(partition, prefix, size).by_page(opened(continuation))
        with _in_our_words():
            try:
                rows = [_row(entity) async for entity in await anext(pages)]
                while not rows and pages.continuation_token:
                    rows = [_row(entity) async for entity in await anext(pages)]
            except HttpResponseError as error:
                if continuation is not None and error.status_code == 400:  # noqa: PLR2004 - HTTP's number
                    raise Invalid(FOREIGN) from error
                raise
        return Page(tuple(rows), closed(pages.continuation_token))

    async def write(self, *operations: Operation) -> None:
        """See the port."""
        requests = [_request(operation) for operation in operations]
        _check_transaction(operations)
        with _in_our_words(operations):
            await self._client.submit_transaction(requests)

    async def expired(self, now: datetime) -> AsyncIterator[Row]:
        """See the port. A scan: the table of flows is small, since flows are removed when they are used."""
        with _in_our_words():
            async for row in _rows(self._client.query_entities("expiresAt lt @now", parameters={"now": now})):
                yield row

    async def partitions_before(self, partition: str) -> AsyncIterator[Row]:
        """See the port. A range of the primary index: what it costs depends on the rows it returns."""
        condition, parameters = "PartitionKey lt @partition", {"partition": partition}
        with _in_our_words():
            async for row in _rows(self._client.query_entities(condition, parameters=parameters)):
                yield row

    def _query(self, partition: str, prefix: str, size: int | None = None) -> Any:
        """The SDK's query for the rows of a prefix: from the prefix up to the first key that cannot start with it."""
        condition = "PartitionKey eq @partition"
        parameters = {"partition": str(partition)}
        if prefix:
            condition += " and RowKey ge @first and RowKey lt @beyond"
            parameters |= {"first": prefix, "beyond": prefix[:-1] + chr(ord(prefix[-1]) + 1)}
        return self._client.query_entities(condition, parameters=parameters, results_per_page=size)


async def _rows(query: Any) -> AsyncIterator[Row]:
    """Every row of a query, however many empty pages the store answers in between.

    It may answer one with a continuation whenever a query crosses its servers or takes long
    (https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination). The SDK's own iterator recurses
    over each, down to Python's limit, so the pages are turned here.
    """
    async for page in query.by_page():
        async for entity in page:
            yield _row(entity)


def _row(entity: TableEntity) -> Row:
    document = "".join(_slices(entity))
    return Row(Key(entity["PartitionKey"], entity["RowKey"]), document, entity.metadata["etag"] or "")


def _slices(entity: TableEntity) -> Iterator[str]:
    name, number = "document", 0
    while name in entity:
        yield entity[name]
        number += 1
        name = f"document{number}"


def _entity(key: Key, document: str, expires_at: datetime | None = None) -> dict[str, Any]:
    # The SDK looks types up exactly and does not know our kinds of strings.
    entity: dict[str, Any] = {"PartitionKey": str(key.partition), "RowKey": str(key.row)}
    for number, start in enumerate(range(0, len(document), _SLICE)):
        entity[f"document{number or ''}"] = document[start : start + _SLICE]
    if expires_at is not None:
        entity["expiresAt"] = expires_at.astimezone(UTC)
    return entity


def _request(operation: Operation) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The operation as the SDK's transactions take it."""
    match operation:
        case Insert(key, document, expires_at):
            return "create", _entity(key, document, expires_at), {}
        case Put(key, document, expires_at):
            return "upsert", _entity(key, document, expires_at), {"mode": UpdateMode.REPLACE}
        case Replace(row, document, expires_at):
            return "update", _entity(row.key, document, expires_at), {"mode": UpdateMode.REPLACE, **_this_version(row)}
    return "delete", _entity(operation.key, ""), _this_version(operation.row)


def _this_version(row: Row) -> dict[str, Any]:
    return {"etag": row.etag, "match_condition": MatchConditions.IfNotModified}


def _check(key: Key) -> None:
    """Check a key against the limits of every store.

    Raises:
        ValueError: the product has made a key that one of them refuses, which is a bug.
    """
    for part in (key.partition, key.row):
        if not _KEY.fullmatch(part) or len(part.encode()) > _KEY_BYTES:
            raise ValueError("A key holds 1 to 255 bytes without / \\ # ? and control characters.")


def _check_transaction(operations: Sequence[Operation]) -> None:
    """Check a transaction against the limits of every store.

    Raises:
        ValueError: too many operations, several partitions or one row twice, which is a bug.
        TooLarge: more text than the store takes, which may come from the caller.
    """
    keys = [operation.key for operation in operations]
    for key in keys:
        _check(key)
    if not 1 <= len(keys) <= TRANSACTION_LIMIT or len({key.partition for key in keys}) > 1 or len({*keys}) < len(keys):
        raise ValueError("A transaction takes 1 to 100 operations on different rows of one partition.")
    documents = ["" if isinstance(operation, Remove) else operation.document for operation in operations]
    largest = max(len(document.encode("utf-16-le")) for document in documents)
    if largest > _DOCUMENT_BYTES or sum(len(json.dumps(document)) for document in documents) > _TRANSACTION_BYTES:
        raise TooLarge("This is too large to store. Shorten it.")


@contextlib.contextmanager
def _in_our_words(operations: Sequence[Operation] = ()) -> Iterator[None]:
    """The one place where the SDK's errors become ours.

    Raises:
        RowExists: 409, an entity of this key exists.
        RowChanged: 412, or 404 of an entity that should exist.
        Unavailable: everything else, time-outs and refused connections included.
    """
    try:
        yield
    except HttpResponseError as error:
        status, code = error.status_code, getattr(error, "error_code", None)
        if operations and status == 409:  # noqa: PLR2004 - HTTP has names for numbers only in prose
            raise RowExists(operations[min(getattr(error, "index", 0), len(operations) - 1)].key) from error
        if operations and (status == 412 or (status == 404 and code != "TableNotFound")):  # noqa: PLR2004 - as above
            raise RowChanged from error
        raise Unavailable("The storage sent an unexpected response. Try again in a few seconds.") from error
    except (AzureError, TimeoutError) as error:
        raise Unavailable("The storage cannot be reached. Try again in a few seconds.") from error

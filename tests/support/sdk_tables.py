"""The table port over Microsoft's SDK: a second implementation of the promise, on a reading of the protocol by others.

Nothing of it is deployed (docs/decisions/0033-lean-tables.md). What holds for both is what the port says, and not what
one reader of the interface believes. Limits and keys are checked by the rules of the product.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.azure_sdk import RESPONSIVE
from shared.adapters.continuations import FOREIGN, closed, opened
from shared.adapters.tables.entities import check_key, check_operations
from shared.kernel.refusals import Invalid, Unavailable
from shared.ports.table import Insert, Key, Operation, Page, Put, Replace, Row, RowChanged, RowExists

PATIENT: dict[str, Any] = {**RESPONSIVE, "connection_timeout": 30, "read_timeout": 30}
"""How soon it gives up is no promise of the port, and a busy machine needs seconds for some TLS handshakes."""

SLICE = 16_000
FAMILY = "PartitionKey eq @partition"


@dataclass(frozen=True)
class SdkTable:
    """One table. Every write is a transaction: the SDK reports the delete of a missing entity as success."""

    client: TableClient

    @classmethod
    def at(cls, connection_string: str, name: str = "rows") -> "SdkTable":
        return cls(TableClient.from_connection_string(connection_string, name, **PATIENT))

    @classmethod
    def by_token(cls, endpoint: str, credential: AsyncTokenCredential, ca_file: str, name: str = "rows") -> "SdkTable":
        """By access tokens, over https alone. The SDK asks by requests' name of the option for the authority."""
        return cls(TableClient(endpoint, name, credential=credential, connection_verify=ca_file, **PATIENT))

    async def get(self, key: Key) -> Row | None:
        check_key(key)
        with in_the_ports_words():
            try:
                return row_of(await self.client.get_entity(key.partition, key.row))
            except ResourceNotFoundError as error:
                if error.error_code == "TableNotFound":
                    raise
                return None

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        with in_the_ports_words():
            return tuple([row async for row in rows_of(self._family(partition, prefix))])

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        pages = self._family(partition, prefix, size).by_page(opened(continuation))
        with in_the_ports_words():
            try:
                rows = [row_of(entity) async for entity in await anext(pages)]
                while not rows and pages.continuation_token:
                    rows = [row_of(entity) async for entity in await anext(pages)]
            except HttpResponseError as error:
                if continuation is not None and error.status_code == 400:
                    raise Invalid(FOREIGN) from error
                raise
        return Page(tuple(rows), closed(pages.continuation_token))

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        check_operations(operations)
        requests = [request_of(operation) for operation in operations]
        with in_the_ports_words(operations):
            done = await self.client.submit_transaction(requests)
        return tuple(each.get("etag") or "" for each in done)

    async def expired(self, now: datetime, first: str = "") -> AsyncIterator[Row]:
        condition = "PartitionKey ge @first and expiresAt lt @now"
        with in_the_ports_words():
            query = self.client.query_entities(condition, parameters={"first": first, "now": now})
            async for row in rows_of(query):
                yield row

    async def partitions_before(self, partition: str) -> AsyncIterator[Row]:
        with in_the_ports_words():
            query = self.client.query_entities("PartitionKey lt @partition", parameters={"partition": partition})
            async for row in rows_of(query):
                yield row

    async def close(self) -> None:
        await self.client.close()

    def _family(self, partition: str, prefix: str, size: int | None = None) -> Any:
        condition, parameters = FAMILY, {"partition": partition}
        if prefix:
            condition += " and RowKey ge @first and RowKey lt @beyond"
            parameters |= {"first": prefix, "beyond": prefix[:-1] + chr(ord(prefix[-1]) + 1)}
        return self.client.query_entities(condition, parameters=parameters, results_per_page=size)


async def rows_of(query: Any) -> AsyncIterator[Row]:
    """Every row of a query. The SDK's own iterator recurses over each empty page."""
    async for page in query.by_page():
        async for entity in page:
            yield row_of(entity)


def row_of(entity: TableEntity) -> Row:
    slices = [entity[name] for name in ("document", *(f"document{n}" for n in range(1, 30))) if name in entity]
    return Row(Key(entity["PartitionKey"], entity["RowKey"]), "".join(slices), entity.metadata["etag"] or "")


def request_of(operation: Operation) -> tuple[str, dict[str, Any], dict[str, Any]]:
    match operation:
        case Insert(key, document, expires_at):
            return "create", entity_of(key, document, expires_at), {}
        case Put(key, document, expires_at):
            return "upsert", entity_of(key, document, expires_at), {"mode": UpdateMode.REPLACE}
        case Replace(row, document):
            return "update", entity_of(row.key, document), {"mode": UpdateMode.REPLACE, **this_version(row)}
    return "delete", entity_of(operation.key, ""), this_version(operation.row)


def this_version(row: Row) -> dict[str, Any]:
    return {"etag": row.etag, "match_condition": MatchConditions.IfNotModified}


def entity_of(key: Key, document: str, expires_at: datetime | None = None) -> dict[str, Any]:
    entity: dict[str, Any] = {"PartitionKey": key.partition, "RowKey": key.row}
    entity |= {
        f"document{start // SLICE or ''}": document[start : start + SLICE] for start in range(0, len(document), SLICE)
    }
    return entity if expires_at is None else entity | {"expiresAt": expires_at.astimezone(UTC)}


@contextmanager
def in_the_ports_words(operations: Sequence[Operation] = ()) -> Iterator[None]:
    """The SDK's errors as the port's."""
    try:
        yield
    except HttpResponseError as error:
        status, code = error.status_code, getattr(error, "error_code", None)
        if operations and status == 409 and code == "EntityAlreadyExists":
            raise RowExists(operations[min(getattr(error, "index", 0), len(operations) - 1)].key) from error
        if operations and (status == 412 or (status == 404 and code != "TableNotFound")):
            raise RowChanged from error
        raise Unavailable("The storage sent an unexpected response.") from error
    except (AzureError, TimeoutError) as error:
        raise Unavailable("The storage cannot be reached.") from error

"""The same table without the service: reads and transactions by bare HTTP, and both by the SDK.

They are the baselines of the service. `python -m bench.raw` is the process that uses the SDK.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from email.utils import formatdate
from itertools import batched, cycle
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from azure.core.utils import parse_connection_string
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from bench.load import Shot, request, shot_by, shot_from
from bench.stores import Entity
from local.processes import Azurite

TRANSACTION: Final = 100
"""Rows that one transaction takes."""

_JSON: Final = "application/json;odata=nometadata"
_VERSIONS: Final = {"x-ms-version": "2019-02-02", "DataServiceVersion": "3.0"}


def point_read(store: Azurite, entity: Entity) -> str:
    """The request that reads one row. It is signed for the next quarter of an hour."""
    return _signed(store, "GET", _place(entity))


def signed_get(store: Azurite, entity: Entity) -> tuple[str, Mapping[str, str]]:
    """The same request for a client that composes it: its URL, in which nothing is to be quoted, and its headers."""
    return _endpoint(store) + _place(entity), _headers(store, _place(entity), "application/json")


def range_read(store: Azurite, table: str, partition: str, prefix: str) -> str:
    """The request that reads the rows of a partition whose keys begin with a prefix."""
    beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    condition = f"PartitionKey eq '{partition}' and RowKey ge '{prefix}' and RowKey lt '{beyond}'"
    return _signed(store, "GET", f"/{table}()", f"?$filter={quote(condition)}")


def transaction(store: Azurite, entities: Sequence[Entity]) -> str:
    """The request that puts up to 100 rows of one partition in their places."""
    batch, changes = f"batch_{uuid4()}", f"changeset_{uuid4()}"
    parts = [f"--{batch}", f"Content-Type: multipart/mixed; boundary={changes}", ""]
    for number, each in enumerate(entities):
        row = {"PartitionKey": each.partition, "RowKey": each.row, "document": each.document}
        parts += [
            f"--{changes}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            f"Content-ID: {number}",
            "",
            f"PUT {_endpoint(store)}{_place(each)} HTTP/1.1",
            f"Accept: {_JSON}",
            "Content-Type: application/json",
            "Prefer: return-no-content",
            "",
            json.dumps(row),
        ]
    body = "\r\n".join([*parts, f"--{changes}--", f"--{batch}--", ""])
    return _signed(store, "POST", "/$batch", body=body, content_type=f"multipart/mixed; boundary={batch}")


@dataclass(frozen=True, slots=True)
class _Work:
    """The work on one table: read each key over and over, or write each row once, 100 at a time."""

    connection_string: str
    entities: Sequence[Entity]
    callers: int
    seconds: float
    writes: bool = False


def read_by_sdk(store: Azurite, entities: Sequence[Entity], callers: int, seconds: float) -> Shot:
    """Read these rows of one table by azure-data-tables over and over, in a process of its own."""
    return shot_by("bench.raw", _Work(store.connection_string, entities, callers, seconds))


def write_by_sdk(store: Azurite, entities: Sequence[Entity]) -> Shot:
    """Put these rows of one partition in their places by azure-data-tables, one transaction after the other."""
    return shot_by("bench.raw", _Work(store.connection_string, entities, 1, 0, writes=True))


def _signed(
    store: Azurite, method: str, path: str, query: str = "", body: str = "", content_type: str = "application/json"
) -> str:
    """A request with a signature."""
    account = parse_connection_string(store.connection_string)["accountname"]
    return request(method, f"/{account}{path}{query}", _headers(store, path, content_type), body)


def _headers(store: Azurite, path: str, content_type: str) -> dict[str, str]:
    """Headers with a signature of their date and of an address (Shared Key Lite for the Table service).

    https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key
    """
    secrets = parse_connection_string(store.connection_string)
    account, date = secrets["accountname"], formatdate(usegmt=True)
    signed = f"{date}\n/{account}/{account}{path}"
    digest = hmac.new(base64.b64decode(secrets["accountkey"]), signed.encode(), hashlib.sha256).digest()
    return {
        **_VERSIONS,
        "x-ms-date": date,
        "Authorization": f"SharedKeyLite {account}:{base64.b64encode(digest).decode()}",
        "Accept": _JSON,
        "Content-Type": content_type,
    }


def _place(entity: Entity) -> str:
    return f"/{entity.table}(PartitionKey='{entity.partition}',RowKey='{quote(entity.row)}')"


def _endpoint(store: Azurite) -> str:
    return parse_connection_string(store.connection_string)["tableendpoint"].rstrip("/")


async def _read(table: TableClient, work: _Work) -> Shot:
    latencies: list[float] = []
    keys = cycle([(each.partition, each.row) for each in work.entities])
    await table.get_entity(*next(keys))
    began, computed = time.perf_counter(), time.process_time()

    async def caller() -> None:
        while (sent := time.perf_counter()) < began + work.seconds:
            await table.get_entity(*next(keys))
            latencies.append(time.perf_counter() - sent)

    await asyncio.gather(*(caller() for _ in range(work.callers)))
    return shot_from({"200": len(latencies)}, time.perf_counter() - began, time.process_time() - computed, latencies)


async def _write(table: TableClient, work: _Work) -> Shot:
    latencies: list[float] = []
    began, computed = time.perf_counter(), time.process_time()
    for some in batched(work.entities, TRANSACTION, strict=False):
        sent = time.perf_counter()
        rows = [{"PartitionKey": each.partition, "RowKey": each.row, "document": each.document} for each in some]
        await table.submit_transaction([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows])
        latencies.append(time.perf_counter() - sent)
    return shot_from({"202": len(latencies)}, time.perf_counter() - began, time.process_time() - computed, latencies)


async def _main(document: dict[str, Any]) -> Shot:
    work = _Work(**document | {"entities": [Entity(**each) for each in document["entities"]]})
    async with TableClient.from_connection_string(work.connection_string, work.entities[0].table) as table:
        return await (_write if work.writes else _read)(table, work)


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_main(json.load(sys.stdin))))))

"""The same table without the service: reads and transactions by bare HTTP, and reads by the SDK.

They are the floors that the service is compared with. `python -m bench.raw` is the process that reads by the SDK.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from email.utils import formatdate
from itertools import cycle
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from azure.core.utils import parse_connection_string
from azure.data.tables.aio import TableClient

from bench.load import Shot, request, shot_from, shot_of
from bench.stores import Entity
from local.processes import Azurite

_JSON: Final = "application/json;odata=nometadata"
_VERSIONS: Final = {"x-ms-version": "2019-02-02", "DataServiceVersion": "3.0"}


def point_read(store: Azurite, entity: Entity) -> str:
    """The request that reads one row. It is signed for the next quarter of an hour."""
    return _signed(store, "GET", f"/{entity.table}(PartitionKey='{entity.partition}',RowKey='{quote(entity.row)}')")


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
        place = f"{each.table}(PartitionKey='{each.partition}',RowKey='{quote(each.row)}')"
        parts += [
            f"--{changes}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            f"Content-ID: {number}",
            "",
            f"PUT {_endpoint(store)}/{place} HTTP/1.1",
            f"Accept: {_JSON}",
            "Content-Type: application/json",
            "Prefer: return-no-content",
            "",
            json.dumps(row),
        ]
    body = "\r\n".join([*parts, f"--{changes}--", f"--{batch}--", ""])
    return _signed(store, "POST", "/$batch", body=body, content_type=f"multipart/mixed; boundary={batch}")


@dataclass(frozen=True, slots=True)
class _Reads:
    connection_string: str
    table: str
    keys: Sequence[tuple[str, str]]
    callers: int
    seconds: float


def read_by_sdk(store: Azurite, entities: Iterable[Entity], callers: int, seconds: float) -> Shot:
    """Read these rows of one table by azure-data-tables over and over, in a process of its own."""
    read = [*entities]
    keys = [(each.partition, each.row) for each in read]
    reads = _Reads(store.connection_string, read[0].table, keys, callers, seconds)
    reader = [sys.executable, "-m", "bench.raw"]
    return shot_of(
        subprocess.run(reader, input=json.dumps(asdict(reads)), stdout=subprocess.PIPE, text=True, check=True)
    )


def _signed(
    store: Azurite, method: str, path: str, query: str = "", body: str = "", content_type: str = "application/json"
) -> str:
    """A request with a signature of its date and address (Shared Key Lite for the Table service).

    https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key
    """
    secrets = parse_connection_string(store.connection_string)
    account, date = secrets["accountname"], formatdate(usegmt=True)
    signed = f"{date}\n/{account}/{account}{path}"
    digest = hmac.new(base64.b64decode(secrets["accountkey"]), signed.encode(), hashlib.sha256).digest()
    headers = {
        **_VERSIONS,
        "x-ms-date": date,
        "Authorization": f"SharedKeyLite {account}:{base64.b64encode(digest).decode()}",
        "Accept": _JSON,
        "Content-Type": content_type,
    }
    return request(method, f"/{account}{path}{query}", headers, body)


def _endpoint(store: Azurite) -> str:
    return parse_connection_string(store.connection_string)["tableendpoint"].rstrip("/")


async def _read(reads: _Reads) -> Shot:
    latencies: list[float] = []
    keys = cycle(reads.keys)
    async with TableClient.from_connection_string(reads.connection_string, reads.table) as table:
        await table.get_entity(*reads.keys[0])
        began, computed = time.perf_counter(), time.process_time()

        async def caller() -> None:
            while (sent := time.perf_counter()) < began + reads.seconds:
                await table.get_entity(*next(keys))
                latencies.append(time.perf_counter() - sent)

        await asyncio.gather(*(caller() for _ in range(reads.callers)))
    return shot_from({"200": len(latencies)}, time.perf_counter() - began, time.process_time() - computed, latencies)


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_read(_Reads(**json.load(sys.stdin)))))))

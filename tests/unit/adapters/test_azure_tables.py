"""A store that does not answer: within seconds, and never as if there were no row."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from azure.core.credentials import AccessToken

from local.processes import Azurite, azurite, free_port
from shared.adapters.azure_tables import AzureTable, AzureTables
from shared.kernel.refusals import Invalid, Unavailable
from shared.ports.table import Insert, Key, Put, Remove, Replace, Row
from tests.support.wire import CannedWeb, canned_web, silent_port

KEY = Key("acme", "policy")
ROW = Row(KEY, "{}", 'W/"1"')
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECONDS = 10.0


async def first_expired(table: AzureTable) -> Row | None:
    return await anext(table.expired(NOON), None)


CALLS: dict[str, Callable[[AzureTable], Awaitable[object]]] = {
    "get": lambda table: table.get(KEY),
    "under": lambda table: table.under("acme", "exception:"),
    "page": lambda table: table.page("acme", "", 10, None),
    "insert": lambda table: table.write(Insert(KEY, "{}")),
    "put": lambda table: table.write(Put(KEY, "{}")),
    "replace": lambda table: table.write(Replace(ROW, "{}")),
    "remove": lambda table: table.write(Remove(ROW)),
    "expired": first_expired,
}


@pytest.fixture(params=CALLS.values(), ids=CALLS.keys())
def call(request: pytest.FixtureRequest) -> Callable[[AzureTable], Awaitable[object]]:
    made: Callable[[AzureTable], Awaitable[object]] = request.param
    return made


@asynccontextmanager
async def table_at(port: int, name: str = "rows") -> AsyncIterator[AzureTable]:
    tables = AzureTables(connection_string=Azurite(log=None, port=port).connection_string)
    yield tables.table(name)
    await tables.close()


@contextmanager
def refused_in_time() -> Iterator[None]:
    began = time.monotonic()
    with pytest.raises(Unavailable):
        yield
    assert time.monotonic() - began < SECONDS


async def test_a_closed_port_is_unavailable_in_time(call: Callable[[AzureTable], Awaitable[object]]) -> None:
    async with table_at(free_port()) as table:
        with refused_in_time():
            await call(table)


@pytest.mark.parametrize("name", ["get", "put"])
async def test_a_port_that_never_answers_is_unavailable_in_time(name: str) -> None:
    with silent_port() as port:
        async with table_at(port) as table:
            with refused_in_time():
                await CALLS[name](table)


async def test_a_table_that_is_missing_is_not_a_row_that_is_absent(
    store: Azurite, call: Callable[[AzureTable], Awaitable[object]]
) -> None:
    async with table_at(store.port, "nosuchtable") as table:
        with pytest.raises(Unavailable):
            await call(table)


async def test_a_store_that_dies_and_comes_back() -> None:
    with azurite() as dying:
        dying.create_tables(["rows"])
        async with table_at(dying.port) as table:
            await table.write(Insert(KEY, "{}"))
            dying.kill()
            for call in CALLS.values():
                with refused_in_time():
                    await call(table)
            dying.start()
            dying.create_tables(["rows"])
            await table.write(Insert(KEY, "{}"))
            assert await table.get(KEY) is not None


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
async def test_a_store_out_of_order_is_unavailable(status: int) -> None:
    with canned_web() as server:
        server.status = status
        async with table_at(int(server.url.rpartition(":")[2])) as table:
            with refused_in_time():
                await table.get(KEY)


async def test_a_continuation_that_the_store_does_not_know_is_the_callers_mistake(store: Azurite) -> None:
    """Azure Table Storage answers 400 to a continuation that it has not given, where Azurite takes any."""
    async with table_at(store.port) as table:
        for number in range(2):
            await table.write(Put(Key("acme", f"{number}"), "{}"))
        continuation = (await table.page("acme", "", 1, None)).continuation
    with canned_web() as server:
        server.status = 400
        async with table_at(int(server.url.rpartition(":")[2])) as table:
            with pytest.raises(Invalid):
                await table.page("acme", "", 1, continuation)
            with pytest.raises(Unavailable):
                await table.page("acme", "", 1, None)


class Credential:
    """A managed identity that has been asked for tokens of these scopes."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.scopes += scopes
        return AccessToken("token", 4_000_000_000)

    async def close(self) -> None:
        """Nothing to close."""


async def test_in_azure_the_app_proves_itself_by_its_identity() -> None:
    credential = Credential()
    tables = AzureTables(f"https://127.0.0.1:{free_port()}", credential)
    with refused_in_time():
        await tables.table("rows").get(KEY)
    await tables.close()
    assert {*credential.scopes} == {"https://storage.azure.com/.default"}


async def test_it_can_be_closed_before_it_was_used() -> None:
    await AzureTables(connection_string="").close()


@dataclass
class Emptiness(CannedWeb):
    """Azure Table Storage that has nothing to show in hundreds of pages, and then one row."""

    pages: int = 400

    def answer(self, path: str) -> bytes:
        self.pages -= 1
        more = {f"x-ms-continuation-Next{part}Key": f"{self.pages}" for part in ("Partition", "Row")}
        self.headers = {"Content-Type": "application/json;odata=minimalmetadata", **(more if self.pages else {})}
        found = {"PartitionKey": "acme", "RowKey": "row", "document": "{}", "odata.etag": 'W/"1"'}
        return json.dumps({"value": [] if self.pages else [found]}).encode()


async def under(table: AzureTable) -> Sequence[Row]:
    return await table.under("acme", "")


async def a_page(table: AzureTable) -> Sequence[Row]:
    page = await table.page("acme", "", 10, None)
    assert page.continuation is None
    return page.rows


async def expired(table: AzureTable) -> Sequence[Row]:
    return [row async for row in table.expired(NOON)]


@pytest.mark.parametrize("read", [under, a_page, expired])
async def test_every_query_goes_on_through_empty_pages_to_its_end(
    read: Callable[[AzureTable], Awaitable[Sequence[Row]]],
) -> None:
    """Azure may answer an empty page with a continuation, and the SDK recurses over each of them."""
    with canned_web(Emptiness()) as server:
        async with table_at(int(server.url.rpartition(":")[2])) as table:
            assert [row.key for row in await read(table)] == [Key("acme", "row")]

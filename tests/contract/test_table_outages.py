"""A store that does not answer: within seconds, and never as if there were no row."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from local.processes import Azurite, azurite, free_port
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTable, AzureTables
from shared.kernel.refusals import Unavailable
from shared.ports.table import Insert, Key, Put, Remove, Replace, Row
from tests.support.scripted_store import Reply, scripted_store
from tests.support.token_store import STORAGE, TokenCredential, token_store
from tests.support.wire import Relay, canned_web, silent_port

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
    tables = AzureTables(Account.from_connection_string(Azurite(log=None, port=port).connection_string))
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


async def all_refused_in_time(table: AzureTable, *names: str) -> None:
    """Make these calls at once, since each takes seconds of waiting."""

    async def one(name: str) -> None:
        with refused_in_time():
            await CALLS[name](table)

    await asyncio.gather(*map(one, names))


async def test_a_port_that_never_answers_is_unavailable_in_time() -> None:
    with silent_port() as port:
        async with table_at(port) as table:
            await all_refused_in_time(table, "get", "put")


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
            await all_refused_in_time(table, *CALLS)
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


@asynccontextmanager
async def table_by_token(endpoint: str, ca: Path | None, audience: str = STORAGE) -> AsyncIterator[AzureTable]:
    tables = AzureTables(Account(endpoint=endpoint, credential=TokenCredential(audience)), ca and str(ca))
    yield tables.table("rows")
    await tables.close()


async def test_in_azure_the_app_proves_itself_by_its_identity(tmp_path: Path) -> None:
    """Over https with a certificate that is trusted, by a token for storage, and in no other way."""
    with token_store(tmp_path, ["rows"]) as store:
        async with table_by_token(store.url, store.ca) as table:
            assert await table.get(KEY) is None
        for ca, audience in ((None, STORAGE), (store.ca, "https://vault.azure.net")):
            async with table_by_token(store.url, ca, audience) as table:
                with refused_in_time():
                    await table.get(KEY)


async def test_tokens_are_asked_for_storage_and_kept() -> None:
    credential = TokenCredential()
    tables = AzureTables(Account(endpoint=f"https://127.0.0.1:{free_port()}", credential=credential))
    for _ in range(2):
        with refused_in_time():
            await tables.table("rows").get(KEY)
    await tables.close()
    assert credential.scopes == ["https://storage.azure.com/.default"]


async def test_no_token_travels_in_the_clear() -> None:
    async with scripted_store() as store, table_by_token(f"http://127.0.0.1:{store.port}", None) as table:
        with pytest.raises(Unavailable):
            await table.get(KEY)
    assert store.asked == []


class NoIdentity(TokenCredential):
    """A platform that has no identity for the app."""

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.scopes += scopes
        raise ClientAuthenticationError("There is no such identity.")


async def test_an_identity_that_is_refused_is_not_asked_again_and_again() -> None:
    """azure-identity has asked as often as makes sense."""
    credential = NoIdentity()
    tables = AzureTables(Account(endpoint=f"https://127.0.0.1:{free_port()}", credential=credential))
    with refused_in_time():
        await tables.table("rows").get(KEY)
    await tables.close()
    assert len(credential.scopes) == 1


async def test_it_can_be_closed_before_it_was_used_and_opened_again(store: Azurite) -> None:
    tables = AzureTables(Account.from_connection_string(store.connection_string))
    await tables.close()
    for _ in range(2):
        assert await tables.table("rows").get(Key("acme", "nobody")) is None
        await tables.close()


async def test_one_row_is_never_a_batch_and_two_always_are(store: Azurite) -> None:
    """A batch costs several times as much, in the service and in the store."""
    with Relay(store.port) as relay:
        async with table_at(relay.port) as table:
            one, two = Key("unbatched", "one"), Key("unbatched", "two")
            await table.write(Insert(one, "{}"))
            await table.write(Put(one, "{}"))
            await table.write(Replace(await standing(table, one), "{}"))
            await table.write(Remove(await standing(table, one)))
            assert [path for path in relay.requests if "$batch" in path] == []
            await table.write(Insert(one, "{}"), Insert(two, "{}"))
            assert [path for path in relay.requests if "$batch" in path] == ["/devstoreaccount1/$batch"]


async def standing(table: AzureTable, key: Key) -> Row:
    row = await table.get(key)
    assert row is not None
    return row


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
    """Azure may answer an empty page with a continuation, and hundreds of them."""
    more = {f"x-ms-continuation-Next{part}Key": "further" for part in ("Partition", "Row")}
    found = {"PartitionKey": "acme", "RowKey": "row", "document": "{}", "odata.etag": 'W/"1"'}
    empty, last = Reply(200, '{"value": []}', more), Reply(200, json.dumps({"value": [found]}))
    async with scripted_store(*[empty] * 400, last) as store, table_at(store.port) as table:
        assert [row.key for row in await read(table)] == [Key("acme", "row")]
        assert len(store.asked) == 401

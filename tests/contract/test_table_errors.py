"""Errors of the store that no emulator gives: our requests and Microsoft's SDK hear the same in them.

Each answer names where it is documented or was recorded. `py:` is a recording of azure-sdk-for-python, below
sdk/tables/azure-data-tables/tests/recordings, and `doc:` a page below https://learn.microsoft.com/rest/api/storageservices/.
How strictly ours reads what is no answer of a store at all, `tests/unit/adapters/tables` says.
"""

import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTables
from shared.kernel.refusals import Unavailable
from shared.ports.table import Insert, Key, Operation, Put, Remove, Replace, Row, RowChanged, RowExists, Table
from tests.support.scripted_store import Reply, ScriptedStore, refused, scripted_store
from tests.support.sdk_tables import SdkTable

KEY = Key("pkbf5d1327", "rkbf5d1327")
ROW = Row(KEY, "{}", "W/\"datetime'2012-06-15T22%3A51%3A44.9662825Z'\"")
FOUND = {"odata.etag": ROW.etag, "PartitionKey": KEY.partition, "RowKey": KEY.row, "document": "{}"}
BUSY = refused(503, "ServerBusy", "The server is busy.")  # py:test_retry_on_server_error, in words
MISSING = refused(404, "TableNotFound", "The table specified does not exist.")  # doc:table-service-error-codes


def in_a_batch(*replies: Reply) -> Reply:
    """The answer to a transaction, as py:test_batch_inserts has it."""
    parts = "".join(
        "--inner\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"HTTP/1.1 {each.status} Said\r\nContent-Type: application/json\r\n\r\n{each.body}\r\n"
        for each in replies
    )
    body = f"--outer\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n{parts}--inner--\r\n--outer--\r\n"
    return Reply(202, body, {"Content-Type": "multipart/mixed; boundary=outer"})


class Ours:
    """One row is a plain request."""

    answered: Callable[[Reply], Reply] = staticmethod(lambda reply: reply)

    @asynccontextmanager
    async def table_of(self, *replies: Reply) -> AsyncIterator[tuple[Table, ScriptedStore]]:
        async with scripted_store(*replies) as store:
            tables = AzureTables(Account.from_connection_string(store.connection_string))
            yield tables.table("rows"), store
            await tables.close()


class Theirs:
    """Every write is a transaction."""

    answered: Callable[[Reply], Reply] = staticmethod(in_a_batch)

    @asynccontextmanager
    async def table_of(self, *replies: Reply) -> AsyncIterator[tuple[Table, ScriptedStore]]:
        async with scripted_store(*replies) as store:
            table = SdkTable.at(store.connection_string)
            yield table, store
            await table.close()


@pytest.fixture(params=[Ours, Theirs], ids=["ours", "sdk"])
def made(request: pytest.FixtureRequest) -> Ours | Theirs:
    return request.param()


async def refusal_of(made: Ours | Theirs, reply: Reply, *operations: Operation) -> Exception:
    """How a write ends that is answered so."""
    async with made.table_of(made.answered(reply) if len(operations) == 1 else reply) as (table, _):
        with pytest.raises((RowExists, RowChanged, Unavailable)) as refusal:
            await table.write(*operations)
    return refusal.value


@pytest.mark.parametrize("code", ["ResourceNotFound", "EntityNotFound"])
async def test_an_entity_that_does_not_exist_is_no_row(made: Ours | Theirs, code: str) -> None:
    """py:test_get_entity_not_existing; doc:table-service-error-codes."""
    async with made.table_of(refused(404, code, "The specified resource does not exist.")) as (table, _):
        assert await table.get(KEY) is None


async def test_a_table_that_does_not_exist_is_no_row_that_is_absent(made: Ours | Theirs) -> None:
    async with made.table_of(MISSING) as (table, _):
        for ask in (table.get(KEY), table.under(KEY.partition, "rk"), table.page(KEY.partition, "rk", 10, None)):
            with pytest.raises(Unavailable):
                await ask
    for operation in (Insert(KEY, "{}"), Put(KEY, "{}"), Replace(ROW, "{}"), Remove(ROW)):
        assert type(await refusal_of(made, MISSING, operation)) is Unavailable


async def test_a_key_that_is_taken_is_named(made: Ours | Theirs) -> None:
    """py:test_insert_entity_conflict."""
    taken = refused(409, "EntityAlreadyExists", "The specified entity already exists.")
    refusal = await refusal_of(made, taken, Insert(KEY, "{}"))
    assert isinstance(refusal, RowExists)
    assert refusal.key == KEY


async def test_a_table_that_is_being_deleted_takes_no_key(made: Ours | Theirs) -> None:
    """doc:table-service-error-codes, which gives it the number of a key that is taken."""
    deleted = refused(409, "TableBeingDeleted", "The specified table is being deleted.")
    assert type(await refusal_of(made, deleted, Insert(KEY, "{}"))) is Unavailable


@pytest.mark.parametrize("operation", [Replace(ROW, "{}"), Remove(ROW)], ids=["replace", "remove"])
@pytest.mark.parametrize(
    "reply",
    [
        refused(412, "UpdateConditionNotSatisfied"),  # py:test_delete_entity_with_if_doesnt_match, also of Cosmos DB
        refused(412, "ConditionNotMet"),  # doc:common-rest-api-error-codes
        refused(404, "ResourceNotFound"),  # py:test_delete_entity_not_existing
    ],
    ids=["412", "412 of all services", "404"],
)
async def test_a_version_that_is_not_there_any_more_has_changed(
    made: Ours | Theirs, reply: Reply, operation: Operation
) -> None:
    assert isinstance(await refusal_of(made, reply, operation), RowChanged)


@pytest.mark.parametrize(("size", "failing"), [(2, (0, 1)), (100, (0, 9, 10, 57, 99))])
async def test_a_transaction_that_fails_at_one_operation_names_its_key(
    made: Ours | Theirs, size: int, failing: Sequence[int]
) -> None:
    """doc:performing-entity-group-transactions: one answer, whose message begins with the index of the operation."""
    inserts = [Insert(Key(KEY.partition, f"row-{number}"), "{}") for number in range(size)]
    for index in failing:
        taken = refused(409, "EntityAlreadyExists", f"{index}:The specified entity already exists.")
        refusal = await refusal_of(made, in_a_batch(taken), *inserts)
        assert isinstance(refusal, RowExists)
        assert refusal.key == inserts[index].key


@pytest.mark.parametrize(
    "reply",
    [
        refused(412, "UpdateConditionNotSatisfied", "1:The update condition specified was not satisfied."),
        refused(404, "ResourceNotFound", "1:The specified resource does not exist."),
    ],
    ids=["412", "404"],
)
async def test_a_transaction_that_starts_from_a_stale_version_has_changed(made: Ours | Theirs, reply: Reply) -> None:
    operations = (Insert(Key(KEY.partition, "other"), "{}"), Remove(ROW))
    assert isinstance(await refusal_of(made, in_a_batch(reply), *operations), RowChanged)


@pytest.mark.parametrize(
    "reply",
    [
        refused(503, "ServerBusy", "0:The server is busy."),
        refused(400, "InvalidInput", "0:One of the request inputs is not valid."),
        MISSING,
    ],
    ids=["busy", "invalid", "no table"],
)
async def test_a_transaction_that_fails_otherwise_says_nothing_of_its_rows(made: Ours | Theirs, reply: Reply) -> None:
    """doc:table-service-error-codes."""
    operations = (Insert(Key(KEY.partition, "other"), "{}"), Remove(ROW))
    assert type(await refusal_of(made, in_a_batch(reply), *operations)) is Unavailable


async def test_a_busy_store_is_given_the_seconds_that_it_asks_for(made: Ours | Theirs) -> None:
    """doc:common-rest-api-error-codes, and RFC 9110, section 10.2.3."""
    waiting = Reply(BUSY.status, BUSY.body, {"Retry-After": "1"})
    async with made.table_of(waiting, Reply(200, json.dumps(FOUND))) as (table, store):
        began = time.monotonic()
        assert await table.get(KEY) == ROW
        assert time.monotonic() - began >= 1
    assert store.methods == ["GET", "GET"]


@pytest.mark.parametrize(
    "reply",
    [
        BUSY,  # a partition or an account of Azure Table Storage beyond its limit, as the next one:
        refused(500, "OperationTimedOut"),  # https://learn.microsoft.com/azure/storage/tables/scalability-targets
        refused(429, "TooManyRequests"),  # Cosmos DB beyond its request units
    ],
    ids=["503", "500", "429"],
)
async def test_a_store_that_throttles_is_asked_again_and_then_unavailable(made: Ours | Theirs, reply: Reply) -> None:
    async with made.table_of(reply, reply, Reply(200, json.dumps(FOUND))) as (table, _):
        assert await table.get(KEY) == ROW
    async with made.table_of(reply) as (table, store):
        with pytest.raises(Unavailable):
            await table.get(KEY)
    assert len(store.asked) == 3


async def test_an_empty_page_with_a_continuation_is_not_the_end(made: Ours | Theirs) -> None:
    """doc:query-timeout-and-pagination; the continuation is from py:test_query_entities_with_top_and_next."""
    more = {
        "x-ms-continuation-NextPartitionKey": "1!16!cGs4MDEwMTZlOA--",
        "x-ms-continuation-NextRowKey": "1!20!cms4MDEwMTZlODEyMw--",
    }
    empty, last = Reply(200, '{"value": []}', more), Reply(200, json.dumps({"value": [FOUND]}))
    async with made.table_of(empty, empty, last) as (table, _):
        assert await table.under(KEY.partition, "rk") == (ROW,)
    async with made.table_of(empty, empty, last) as (table, store):
        page = await table.page(KEY.partition, "rk", 10, None)
    assert (page.rows, page.continuation, len(store.asked)) == ((ROW,), None, 3)

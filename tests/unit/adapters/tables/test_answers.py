"""What the store answers, in the words of the port; each answer with where it is documented or was recorded.

`py:` is a recording of azure-sdk-for-python, below sdk/tables/azure-data-tables/tests/recordings, and `net:` a test of
azure-sdk-for-net, below sdk/tables/Azure.Data.Tables/tests. They are replies of Azure Table Storage, or of Azure Cosmos
DB for Table where it says so. `doc:` is a page below https://learn.microsoft.com/rest/api/storageservices/.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTable, AzureTables
from shared.kernel.refusals import Invalid, Refusal, Unavailable
from shared.ports.table import Insert, Key, Operation, Put, Remove, Replace, Row, RowChanged, RowExists
from tests.support.scripted_store import Hangup, Reply, ScriptedStore, Silence, refused, scripted_store

KEY = Key("pkbf5d1327", "rkbf5d1327")
ROW = Row(KEY, "{}", "W/\"datetime'2012-06-15T22%3A51%3A44.9662825Z'\"")
SINGLES: list[Operation] = [Insert(KEY, "{}"), Put(KEY, "{}"), Replace(ROW, "{}"), Remove(ROW)]
OTHER = Insert(Key(KEY.partition, "other"), "{}")
NAMES = ["insert", "put", "replace", "remove", "transaction"]
PAGE_404 = Reply(404, "<html><title>404 Not Found</title></html>", {"Content-Type": "text/html"})
BUSY = refused(503, "ServerBusy", "The server is currently unable to receive requests. Please retry your request.")


@asynccontextmanager
async def table_of(*replies: Reply) -> AsyncIterator[tuple[AzureTable, ScriptedStore]]:
    async with scripted_store(*replies) as store:
        tables = AzureTables(Account.from_connection_string(store.connection_string))
        yield tables.table("rows"), store
        await tables.close()


async def outcome(reply: Reply, operation: Operation) -> Refusal | None:
    """How a write ends that is answered so."""
    async with table_of(reply) as (table, _):
        try:
            await table.write(operation)
        except Refusal as refusal:
            return refusal
    return None


def entity(key: Key = KEY, **properties: object) -> dict[str, object]:
    return {"odata.etag": ROW.etag, "PartitionKey": key.partition, "RowKey": key.row, "document": "{}"} | properties


def found(*entities: object, **headers: str) -> Reply:
    return Reply(200, json.dumps({"value": entities}), headers)


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        refused(404, "ResourceNotFound", "The specified resource does not exist."),  # py:test_get_entity_not_existing
        refused(404, "EntityNotFound", "The specified entity does not exist."),  # doc:table-service-error-codes
        Reply(404, "", {"x-ms-error-code": "ResourceNotFound"}),  # doc:status-and-error-codes2
    ],
)
async def test_an_entity_that_does_not_exist_is_no_row(reply: Reply) -> None:
    async with table_of(reply) as (table, _):
        assert await table.get(KEY) is None


@pytest.mark.parametrize(
    "reply",
    [
        refused(404, "TableNotFound", "The table specified does not exist."),  # doc:table-service-error-codes
        PAGE_404,  # of a proxy
        Reply(404),
        Reply(404, json.dumps({"odata.error": ["ResourceNotFound"]})),
        Reply(404, json.dumps({"odata.error": {"code": 404, "message": {"value": "ResourceNotFound"}}})),
        refused(403, "AuthenticationFailed"),  # doc:common-rest-api-error-codes
        refused(409, "TableBeingDeleted", "The specified table is being deleted."),  # net:ExtractFailureContentTests
        Reply(200, "<html>Sign in to the hotel's network</html>", {"Content-Type": "text/html"}),
        Reply(200, "[]"),
        Reply(200, "[" * 100_000),
        Reply(200, json.dumps(entity())[:-1]),
        Reply(200, json.dumps(entity()), missing=1),
        Reply(200, json.dumps(entity(Key("another", KEY.row)))),
        Reply(200, json.dumps(entity(Key(KEY.partition, "another")))),
        Reply(200, json.dumps(entity(document=1))),
        Reply(200, json.dumps(entity(PartitionKey=None))),
        Reply(200, json.dumps({"PartitionKey": KEY.partition, "RowKey": KEY.row})),
        Reply(200, json.dumps({**entity(), "odata.etag": 'W/"1"\r\nIf-Match: *'})),
        Reply(307, "", {"Location": "http://127.0.0.1:1/elsewhere"}),
    ],
)
async def test_whatever_does_not_say_what_the_row_is_does_not_say_that_there_is_none(reply: Reply) -> None:
    async with table_of(reply) as (table, _):
        with pytest.raises(Unavailable):
            await table.get(KEY)


@pytest.mark.parametrize(
    "reply",
    [
        PAGE_404,
        Reply(200, "{}"),
        Reply(200, json.dumps({"value": {}})),
        found("entity"),
        found(entity(Key("another", KEY.row))),
        found(entity(Key(KEY.partition, "another"))),
        refused(404, "ResourceNotFound"),
    ],
)
async def test_a_page_of_something_else_is_no_page(reply: Reply) -> None:
    async with table_of(reply) as (table, _):
        with pytest.raises(Unavailable):
            await table.under(KEY.partition, "rk")
        with pytest.raises(Unavailable):
            await table.page(KEY.partition, "rk", 10, None)


async def test_empty_pages_are_turned_with_the_continuation_that_each_gives() -> None:
    """doc:query-timeout-and-pagination; the continuation is from py:test_query_entities_with_top_and_next."""
    more = {
        "x-ms-continuation-NextPartitionKey": "1!16!cGs4MDEwMTZlOA--",
        "x-ms-continuation-NextRowKey": "1!20!cms4MDEwMTZlODEyMw--",
    }
    async with table_of(found(**more), found(**more), found(entity())) as (table, store):
        (row,) = await table.under(KEY.partition, "rk")
    assert (row.key, row.etag) == (KEY, ROW.etag)
    first, second, third = (each.target.partition("?")[2] for each in store.asked)
    expected = "&NextPartitionKey=1!16!cGs4MDEwMTZlOA--&NextRowKey=1!20!cms4MDEwMTZlODEyMw--"
    assert second == third == first + expected


async def test_a_continuation_may_name_a_partition_alone() -> None:
    """doc:query-timeout-and-pagination: `NextRowKey` may be absent."""
    more = {"x-ms-continuation-NextPartitionKey": "partition"}
    async with table_of(found(entity(), **more), found(**more), found()) as (table, store):
        page = await table.page(KEY.partition, "rk", 1, None)
        assert await table.page(KEY.partition, "rk", 1, page.continuation) == type(page)((), None)
    assert [each.target.count("NextRowKey") for each in store.asked] == [0, 0, 0]
    assert [each.target.count("NextPartitionKey=partition") for each in store.asked] == [0, 1, 1]


async def test_a_continuation_that_the_store_does_not_know_is_the_callers_mistake() -> None:
    """Azure Table Storage answers 400 to a continuation that it has not given, where Azurite takes any."""
    more = {"x-ms-continuation-NextPartitionKey": "partition", "x-ms-continuation-NextRowKey": "row"}
    async with table_of(found(entity(), **more), refused(400, "InvalidInput")) as (table, _):
        continuation = (await table.page(KEY.partition, "rk", 1, None)).continuation
        with pytest.raises(Invalid):
            await table.page(KEY.partition, "rk", 1, continuation)
        with pytest.raises(Unavailable):
            await table.page(KEY.partition, "rk", 1, None)


# -- writing one row ---------------------------------------------------------------------------------------------------


async def test_an_insert_finds_its_key_taken() -> None:
    """py:test_insert_entity_conflict."""
    refusal = await outcome(refused(409, "EntityAlreadyExists", "The specified entity already exists."), SINGLES[0])
    assert isinstance(refusal, RowExists)
    assert refusal.key == KEY


@pytest.mark.parametrize("operation", SINGLES[2:], ids=["replace", "remove"])
@pytest.mark.parametrize(
    "reply",
    [
        refused(412, "UpdateConditionNotSatisfied"),  # py:test_delete_entity_with_if_doesnt_match, also of Cosmos DB
        refused(412, "ConditionNotMet"),  # doc:common-rest-api-error-codes
        refused(404, "ResourceNotFound"),  # py:test_delete_entity_not_existing
    ],
)
async def test_a_version_that_is_not_there_any_more_has_changed(reply: Reply, operation: Operation) -> None:
    assert isinstance(await outcome(reply, operation), RowChanged)


@pytest.mark.parametrize("operation", SINGLES, ids=["insert", "put", "replace", "remove"])
@pytest.mark.parametrize(
    "reply",
    [
        PAGE_404,
        Reply(412, "<html>412 Precondition Failed</html>", {"Content-Type": "text/html"}),
        Reply(409, "<html>409 Conflict</html>", {"Content-Type": "text/html"}),
        refused(404, "TableNotFound"),
        refused(409, "TableBeingDeleted"),
        refused(403, "AuthorizationFailure"),
        refused(413, "RequestBodyTooLarge"),
        Reply(200, "<html>Sign in to the hotel's network</html>", {"Content-Type": "text/html"}),
        Reply(202),
        Reply(307, "", {"Location": "http://127.0.0.1:1/elsewhere"}),
    ],
)
async def test_what_is_no_answer_of_the_store_leaves_the_outcome_open(reply: Reply, operation: Operation) -> None:
    assert type(await outcome(reply, operation)) is Unavailable


async def test_single_writes_say_what_they_do_and_nothing_more() -> None:
    async with table_of(Reply(204)) as (table, store):
        for operation in SINGLES:
            await table.write(operation)
    place = "/devstoreaccount1/rows(PartitionKey='pkbf5d1327',RowKey='rkbf5d1327')"
    assert [(each.method, each.target, each.headers.get("if-match")) for each in store.asked] == [
        ("POST", "/devstoreaccount1/rows", None),
        ("PUT", place, None),
        ("PUT", place, ROW.etag),
        ("DELETE", place, ROW.etag),
    ]
    assert [json.loads(each.body or b"null") for each in store.asked] == [
        *[{"PartitionKey": KEY.partition, "RowKey": KEY.row, "document": "{}"}] * 3,
        None,
    ]
    assert {each.headers["x-ms-version"] for each in store.asked} == {"2019-02-02"}


async def test_a_row_that_was_never_read_is_no_version_to_start_from() -> None:
    """Without the tag in `If-Match`, whatever is there would be replaced."""
    never_read = Row(KEY, "{}", etag="")
    async with table_of(Reply(204)) as (table, store):
        for operations in ((Replace(never_read, "{}"),), (Remove(never_read),), (SINGLES[0], Remove(never_read))):
            with pytest.raises(ValueError, match=r"\."):
                await table.write(*operations)
    assert store.asked == []


# -- writing several ---------------------------------------------------------------------------------------------------

BATCH = (
    "--outer\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\nContent-Type: application/http\r\n\r\n"
)
BATCH += "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n\r\n{body}\r\n--inner--\r\n--outer--\r\n"


def of_a_batch(reply: Reply) -> Reply:
    body = BATCH.format(status=reply.status, body=reply.body)
    return Reply(202, body, {"Content-Type": "multipart/mixed; boundary=outer"})


@pytest.mark.parametrize(
    ("reply", "operations", "expected"),
    [
        (refused(409, "EntityAlreadyExists", "1:It exists."), (SINGLES[3], OTHER), RowExists),
        (refused(409, "EntityAlreadyExists", "It exists."), (SINGLES[3], OTHER), RowExists),
        (refused(409, "EntityAlreadyExists", "It exists."), (SINGLES[0], OTHER), Unavailable),
        (refused(412, "UpdateConditionNotSatisfied", "0:Stale."), (SINGLES[3], OTHER), RowChanged),
        (refused(412, "UpdateConditionNotSatisfied", "Stale."), (SINGLES[3], OTHER), RowChanged),
        (refused(404, "ResourceNotFound", "0:Gone."), (SINGLES[3], OTHER), RowChanged),
        (refused(404, "TableNotFound", "0:The table specified does not exist."), (SINGLES[3], OTHER), Unavailable),
        (refused(400, "InvalidInput", "0:One of the inputs is not valid."), (SINGLES[3], OTHER), Unavailable),
    ],
)
async def test_a_transaction_that_fails_at_one_operation_fails_for_its_reason(
    reply: Reply, operations: tuple[Operation, ...], expected: type[Refusal]
) -> None:
    """doc:performing-entity-group-transactions; without an index as in py:test_batch_update_if_doesnt_match."""
    async with table_of(of_a_batch(reply)) as (table, _):
        with pytest.raises(Refusal) as refusal:
            await table.write(*operations)
    assert type(refusal.value) is expected
    assert getattr(refusal.value, "key", OTHER.key) == OTHER.key


# -- asking again ------------------------------------------------------------------------------------------------------


async def test_a_busy_store_is_asked_again_by_everybody() -> None:
    """doc:common-rest-api-error-codes; 429 is Cosmos DB's. They wait together."""

    async def asked_again(status: int) -> None:
        async with table_of(*[refused(status, "ServerBusy")] * 2, Reply(204)) as (table, store):
            await table.write(SINGLES[0])
        assert store.methods == ["POST"] * 3, status
        async with table_of(refused(status, "ServerBusy")) as (table, store):
            with pytest.raises(Unavailable):
                await table.get(KEY)
        assert store.methods == ["GET"] * 3, status

    await asyncio.gather(*map(asked_again, (408, 429, 500, 502, 503, 504)))


async def test_a_store_is_given_the_seconds_that_it_asks_for() -> None:
    """RFC 9110, section 10.2.3. Each attempt is dated and signed by itself, since a signature is good for minutes."""
    waiting = Reply(BUSY.status, BUSY.body, {"Retry-After": "1"})
    async with table_of(waiting, Reply(204)) as (table, store):
        began = time.monotonic()
        await table.write(SINGLES[0])
        assert time.monotonic() - began >= 1
    first, second = store.asked
    assert first.body == second.body
    assert first.headers["x-ms-date"] != second.headers["x-ms-date"]
    assert first.headers["authorization"] != second.headers["authorization"]


@pytest.mark.parametrize("asked_for", ["3", "30", "Thu, 26 Nov 2026 17:00:00 GMT", "soon", "-1", "1e9"])
async def test_a_store_that_asks_for_more_time_than_callers_have_is_unavailable_now(asked_for: str) -> None:
    async with table_of(Reply(BUSY.status, BUSY.body, {"Retry-After": asked_for})) as (table, store):
        with pytest.raises(Unavailable):
            await table.get(KEY)
    assert store.methods == ["GET"]


@pytest.mark.parametrize("operations", [*[(each,) for each in SINGLES], (SINGLES[1], OTHER)], ids=NAMES)
async def test_a_connection_that_breaks_is_made_anew(operations: tuple[Operation, ...]) -> None:
    """aiohttp repeats a PUT or DELETE by itself, too (RFC 9112, section 9.3.1)."""
    async with table_of(Hangup(0), refused(403, "AuthorizationFailure")) as (table, store):
        with pytest.raises(Unavailable):
            await table.write(*operations)
    assert len(store.asked) == 2
    async with table_of(Hangup(0)) as (table, store):
        with pytest.raises(Unavailable):
            await table.write(*operations)
    assert len(store.asked) in {3, 6}


async def test_a_read_whose_connection_breaks_is_asked_again() -> None:
    for broken in (Hangup(0), Reply(200, json.dumps(entity()), missing=1)):
        async with table_of(broken, refused(404, "ResourceNotFound")) as (table, store):
            assert await table.get(KEY) is None
        assert store.methods == ["GET", "GET"]


async def test_a_store_that_falls_silent_leaves_the_outcome_of_a_change_open() -> None:
    """A repetition would find the writer's own change in its way and call it somebody else's. They wait together."""

    async def asked_once(*operations: Operation) -> None:
        async with table_of(Silence(0)) as (table, store):
            with pytest.raises(Unavailable):
                await table.write(*operations)
            assert len(store.asked) == 1, operations

    await asyncio.gather(asked_once(SINGLES[0]), asked_once(SINGLES[3]), asked_once(SINGLES[1], OTHER))


async def test_a_store_that_falls_silent_is_asked_again_where_that_does_no_harm() -> None:
    async with table_of(Silence(0), Reply(204)) as (table, store):
        await table.write(SINGLES[1])
        assert store.methods == ["PUT", "PUT"]


async def test_a_change_that_took_place_unheard_may_be_refused_when_it_is_repeated() -> None:
    """As the port says: callers recognize their own receipts."""
    for first in (refused(500, "OperationTimedOut"), Hangup(0)):
        async with table_of(first, refused(409, "EntityAlreadyExists")) as (table, _):
            with pytest.raises(RowExists):
                await table.write(SINGLES[0])
        async with table_of(first, refused(404, "ResourceNotFound")) as (table, _):
            with pytest.raises(RowChanged):
                await table.write(SINGLES[3])

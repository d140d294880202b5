"""The table port: the fake, our requests and Microsoft's SDK (against Azurite) keep one promise."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from local.processes import Azurite
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTables
from shared.adapters.tables.requests import Answer, Request
from shared.kernel.refusals import Invalid, TooLarge
from shared.ports.table import Insert, Key, Operation, Put, Remove, Replace, Row, RowChanged, RowExists, Table
from tests.support.fakes import InMemoryTable
from tests.support.sdk_tables import SdkTable
from tests.support.token_store import TokenCredential, TokenStore, token_store


class WithEmptyPages(AzureTables):
    """Azure Table Storage on a bad day: each page of a query comes after empty ones with a continuation."""

    _turned = 0
    _kept: Request | None = None

    async def ask(self, request: Request) -> Answer:
        if not request.query:
            return await super().ask(request)
        self._turned += 1
        if self._turned % 3 == 0:
            return await super().ask(self._kept or request)
        if self._turned % 3 == 1:
            self._kept = request
        return NOTHING


NOTHING = Answer(
    status=200,
    headers={"x-ms-continuation-NextPartitionKey": "further", "x-ms-continuation-NextRowKey": "on"},
    body=b'{"value":[]}',
)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CROWD = 50


@pytest.fixture(scope="session")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenStore]:
    """An Azurite that takes access tokens alone."""
    with token_store(tmp_path_factory.mktemp("store"), ["rows"]) as running:
        yield running


@pytest.fixture(scope="session", params=["memory", "key", "token", "empty pages", "sdk", "sdk by token"])
async def table(request: pytest.FixtureRequest) -> AsyncIterator[Table]:
    """In memory; and in Azurite: by the account's key, by an access token over https, on a bad day, and by the SDK."""
    match request.param:
        case "memory":
            yield InMemoryTable()
        case "sdk" | "sdk by token":
            theirs = _by_sdk(request)
            yield theirs
            await theirs.close()
        case how:
            tables = _ours(request, how)
            yield tables.table("rows")
            await tables.close()


def _by_sdk(request: pytest.FixtureRequest) -> SdkTable:
    if request.param == "sdk":
        return SdkTable.at(request.getfixturevalue("store").connection_string)
    running: TokenStore = request.getfixturevalue("trusting")
    return SdkTable.by_token(running.url, TokenCredential(), str(running.ca))


def _ours(request: pytest.FixtureRequest, how: str) -> AzureTables:
    if how == "token":
        running: TokenStore = request.getfixturevalue("trusting")
        return AzureTables(Account(endpoint=running.url, credential=TokenCredential()), str(running.ca))
    store: Azurite = request.getfixturevalue("store")
    kind = AzureTables if how == "key" else WithEmptyPages
    return kind(Account.from_connection_string(store.connection_string))


@pytest.fixture
def partition() -> str:
    """A partition of the test's own."""
    return uuid4().hex


async def stored(table: Table, key: Key, document: str = "{}") -> Row:
    await table.write(Put(key, document))
    return await standing(table, key)


async def standing(table: Table, key: Key) -> Row:
    row = await table.get(key)
    assert row is not None
    return row


async def documents(table: Table, partition: str) -> dict[str, str]:
    return {row.key.row: row.document for row in await table.under(partition, "")}


async def refusals_of_a_crowd(table: Table, *operations: Operation) -> list[type[BaseException] | None]:
    """Write each by itself, all at the same moment, and tell how each was answered."""
    answers = await asyncio.gather(*(table.write(each) for each in operations), return_exceptions=True)
    return [type(answer) if isinstance(answer, BaseException) else None for answer in answers]


async def walked(table: Table, partition: str, prefix: str, size: int) -> list[str]:
    """The row keys that paging comes by."""
    keys: list[str] = []
    continuation = None
    while True:
        page = await table.page(partition, prefix, size, continuation)
        assert len(page.rows) <= size
        keys += [row.key.row for row in page.rows]
        continuation = page.continuation
        if continuation is None:
            return keys


# -- reading what was written ------------------------------------------------------------------------------------------


async def test_a_row_that_was_never_written_is_absent(table: Table, partition: str) -> None:
    assert await table.get(Key(partition, "nobody")) is None
    assert await table.under(partition, "") == ()
    assert (await table.page(partition, "", 10, None)).rows == ()


@pytest.mark.parametrize(
    "document",
    [
        "",
        "x",
        "x" * 16_000,
        "x" * 16_001,
        "x" * 200_000,
        "x" * 400_000,
        "🦊" * 70_000,
        "é\u2028\u0000\ufffe 'quoted' \"twice\" \\ % & +\r\n\t",
    ],
    ids=["empty", "one", "slice", "slice and one", "200,000", "the most", "astral", "strange"],
)
async def test_a_document_is_read_back_as_it_was_written(table: Table, partition: str, document: str) -> None:
    key = Key(partition, "document")
    await table.write(Insert(key, document))
    assert (await standing(table, key)).document == document
    assert await documents(table, partition) == {"document": document}


@pytest.mark.parametrize(
    "part",
    ["O'Brien", "''", "a b", " a ", "50%", "%2F", "a+b", "a&b=c", "ü", "🦊", "a:b;c,d", "$(x)", '"', "..", "x" * 255],
)
async def test_a_key_may_hold_whatever_is_not_forbidden(table: Table, partition: str, part: str) -> None:
    own = f"{part}{partition}"[:32] if len(part) < 32 else part
    key = Key(own, part)
    row = await stored(table, key, "first")
    assert row.key == key
    assert [found.key for found in await table.under(own, part)] == [key]
    assert [found.key for found in (await table.page(own, part, 1, None)).rows] == [key]
    await table.write(Replace(row, "second"))
    assert (await standing(table, key)).document == "second"
    await table.write(Remove(await standing(table, key)))
    assert await table.get(key) is None


@pytest.mark.parametrize("part", ["", "a/b", "a\\b", "a#b", "a?b", "a\tb", "a\x7f", "a\x85", "x" * 256, "é" * 128])
async def test_a_key_that_a_store_would_refuse_is_an_error_of_the_program(
    table: Table, partition: str, part: str
) -> None:
    for key in (Key(partition, part), Key(part, "row")):
        with pytest.raises(ValueError, match=r"\."):
            await table.get(key)
        with pytest.raises(ValueError, match=r"\."):
            await table.write(Put(key, "{}"))


async def test_keys_differ_by_case(table: Table, partition: str) -> None:
    await table.write(Insert(Key(partition, "Row"), "upper"), Insert(Key(partition, "row"), "lower"))
    assert await documents(table, partition) == {"Row": "upper", "row": "lower"}


# -- changes that start from a version ---------------------------------------------------------------------------------


async def test_an_insert_finds_its_key_taken(table: Table, partition: str) -> None:
    key = Key(partition, "row")
    await table.write(Insert(key, "first"))
    with pytest.raises(RowExists) as refused:
        await table.write(Insert(key, "second"))
    assert refused.value.key == key
    assert (await standing(table, key)).document == "first"


async def test_a_put_adds_or_replaces_and_may_be_repeated(table: Table, partition: str) -> None:
    key = Key(partition, "row")
    for document in ("first", "second", "second"):
        await table.write(Put(key, document))
        assert (await standing(table, key)).document == document


async def test_a_shorter_document_leaves_nothing_of_the_longer_one(table: Table, partition: str) -> None:
    long = await stored(table, Key(partition, "replaced"), "x" * 50_000)
    await stored(table, Key(partition, "put"), "x" * 50_000)
    await table.write(Replace(long, "short"), Put(Key(partition, "put"), "short"))
    assert await documents(table, partition) == {"replaced": "short", "put": "short"}


async def test_every_version_can_be_changed_once(table: Table, partition: str) -> None:
    row = await stored(table, Key(partition, "row"), "0")
    for number in range(1, 20):
        await table.write(Replace(row, str(number)))
        for late in (Replace(row, "late"), Remove(row)):
            with pytest.raises(RowChanged):
                await table.write(late)
        row = await standing(table, row.key)
        assert row.document == str(number)


async def test_a_write_names_the_version_that_it_has_made(table: Table, partition: str) -> None:
    """Alone, and with others: the next change may start from it without a read."""
    first, second = Key(partition, "first"), Key(partition, "second")
    for operations in ([Insert(first, "1")], [Put(first, "2")], [Insert(second, "1"), Put(first, "3")]):
        etags = await table.write(*operations)
        for operation, etag in zip(operations, etags, strict=True):
            assert await standing(table, operation.key) == Row(operation.key, operation.document, etag)
            (following,) = await table.write(Replace(Row(operation.key, operation.document, etag), "replaced"))
            assert (await standing(table, operation.key)).etag == following
    both = Remove(await standing(table, first)), Replace(await standing(table, second), "4")
    removed, replaced = await table.write(*both)
    assert (removed, replaced) == ("", (await standing(table, second)).etag)
    assert await table.write(Remove(await standing(table, second))) == ("",)


async def test_what_is_gone_can_be_neither_replaced_nor_removed(table: Table, partition: str) -> None:
    row = await stored(table, Key(partition, "row"))
    await table.write(Remove(row))
    for late in (Replace(row, "late"), Remove(row)):
        with pytest.raises(RowChanged):
            await table.write(late)
    assert await table.get(row.key) is None


async def test_a_row_that_came_back_is_another_version(table: Table, partition: str) -> None:
    row = await stored(table, Key(partition, "row"), "same")
    await table.write(Remove(row))
    await table.write(Insert(row.key, "same"))
    with pytest.raises(RowChanged):
        await table.write(Remove(row))
    assert (await standing(table, row.key)).document == "same"


# -- many at once ------------------------------------------------------------------------------------------------------


async def test_of_many_who_insert_one_key_exactly_one_gets_through(table: Table, partition: str) -> None:
    key = Key(partition, "row")
    answers = await refusals_of_a_crowd(table, *(Insert(key, str(number)) for number in range(CROWD)))
    assert sorted(answers, key=str) == sorted([None, *[RowExists] * (CROWD - 1)], key=str)
    assert (await standing(table, key)).document == str(answers.index(None))


async def test_of_many_who_replace_one_version_exactly_one_gets_through(table: Table, partition: str) -> None:
    row = await stored(table, Key(partition, "row"))
    answers = await refusals_of_a_crowd(table, *(Replace(row, str(number)) for number in range(CROWD)))
    assert sorted(answers, key=str) == sorted([None, *[RowChanged] * (CROWD - 1)], key=str)
    assert (await standing(table, row.key)).document == str(answers.index(None))


async def test_of_many_who_remove_one_version_exactly_one_gets_through(table: Table, partition: str) -> None:
    row = await stored(table, Key(partition, "row"))
    answers = await refusals_of_a_crowd(table, *[Remove(row)] * CROWD)
    assert sorted(answers, key=str) == sorted([None, *[RowChanged] * (CROWD - 1)], key=str)
    assert await table.get(row.key) is None


async def test_many_who_count_together_lose_no_count(table: Table, partition: str) -> None:
    key = Key(partition, "counter")
    await table.write(Insert(key, "0"))

    async def count() -> None:
        while True:
            row = await standing(table, key)
            try:
                await table.write(Replace(row, str(int(row.document) + 1)))
            except RowChanged:
                continue
            return

    await asyncio.gather(*(count() for _ in range(8)))
    assert (await standing(table, key)).document == "8"


# -- all or nothing ----------------------------------------------------------------------------------------------------


async def test_a_transaction_does_everything(table: Table, partition: str) -> None:
    changing = await stored(table, Key(partition, "changing"), "old")
    leaving = await stored(table, Key(partition, "leaving"))
    await table.write(
        Insert(Key(partition, "coming"), "new"),
        Put(Key(partition, "put"), "put"),
        Replace(changing, "changed"),
        Remove(leaving),
    )
    assert await documents(table, partition) == {"coming": "new", "put": "put", "changing": "changed"}


async def test_a_transaction_that_finds_a_key_taken_does_nothing_and_names_it(table: Table, partition: str) -> None:
    taken = (await stored(table, Key(partition, "taken"), "old")).key
    before, after = Insert(Key(partition, "before"), "new"), Insert(Key(partition, "after"), "new")
    with pytest.raises(RowExists) as refused:
        await table.write(before, after, Insert(taken, "new"))
    assert refused.value.key == taken
    assert await documents(table, partition) == {"taken": "old"}


@pytest.mark.parametrize("stale", [lambda row: Replace(row, "late"), Remove], ids=["replace", "remove"])
@pytest.mark.parametrize("gone", [True, False], ids=["gone", "changed"])
async def test_a_transaction_that_starts_from_a_stale_version_does_nothing(
    table: Table, partition: str, stale: type[Remove], *, gone: bool
) -> None:
    other = await stored(table, Key(partition, "other"), "old")
    row = await stored(table, Key(partition, "row"), "old")
    await table.write(Remove(row) if gone else Replace(row, "changed"))
    with pytest.raises(RowChanged):
        await table.write(Insert(Key(partition, "before"), "new"), Replace(other, "new"), stale(row))
    assert await documents(table, partition) == {"other": "old"} | ({} if gone else {"row": "changed"})


async def test_a_transaction_takes_a_hundred_rows(table: Table, partition: str) -> None:
    await table.write(*(Insert(Key(partition, f"{number}"), "x") for number in range(100)))
    assert len(await table.under(partition, "")) == 100


async def test_a_transaction_that_no_store_takes_is_an_error_of_the_program(table: Table, partition: str) -> None:
    one, same = Insert(Key(partition, "one"), "1"), Put(Key(partition, "one"), "2")
    elsewhere = Insert(Key(f"{partition}2", "two"), "2")
    for operations in [(), (one, same), (one, elsewhere), [Insert(Key(partition, f"{n}"), "x") for n in range(101)]]:
        with pytest.raises(ValueError, match="transaction"):
            await table.write(*operations)
    assert await documents(table, partition) == {}


async def test_a_document_larger_than_a_row_is_too_large(table: Table, partition: str) -> None:
    """What counts is how the store keeps it: in UTF-16, where every letter takes two bytes."""
    key = Key(partition, "row")
    with pytest.raises(TooLarge):
        await table.write(Put(key, "x" * 400_001))
    assert await table.get(key) is None


@pytest.mark.parametrize("character", ["x", '"', "é", "🦊"])
async def test_a_transaction_larger_than_a_request_is_too_large(table: Table, partition: str, character: str) -> None:
    """What counts is how the documents travel: in JSON, where a quote takes two bytes and é takes six."""
    size = 900_000 // (len(json.dumps(character)) - 2) // 50
    fitting = [Put(Key(partition, f"{number}"), character * (size - 2)) for number in range(50)]
    await table.write(*fitting)
    with pytest.raises(TooLarge):
        await table.write(*(Put(operation.key, character * (size + 2)) for operation in fitting))
    assert {row.document for row in await table.under(partition, "")} == {character * (size - 2)}


# -- families of rows --------------------------------------------------------------------------------------------------


async def test_a_prefix_finds_its_family_and_no_neighbour(table: Table, partition: str) -> None:
    family = ["exception:", "exception:0", "exception:Z", "exception:~", "exception:é", "exception:🦊"]
    neighbours = ["exception", "exception;", "exception;0", "exceptional", "Exception:0", "fxception:0", "audit:0"]
    await table.write(*(Insert(Key(partition, row), "x") for row in family + neighbours))
    await table.write(Insert(Key(f"{partition}:", "exception:0"), "of another partition"))
    assert {row.key.row for row in await table.under(partition, "exception:")} == {*family}
    assert {*await walked(table, partition, "exception:", 2)} == {*family}


async def test_a_quote_in_partition_or_prefix_leads_nowhere_else(table: Table, partition: str) -> None:
    await table.write(Insert(Key(partition, "x"), "secret"))
    for injected in (f"{partition}' or PartitionKey ne '", f"' or '1' eq '1{partition}"):
        assert await table.under(injected, "") == ()
        assert await table.under(partition, injected) == ()
        assert (await table.page(injected, injected, 10, None)).rows == ()
        assert await table.get(Key(injected, "x")) is None


# -- paging ------------------------------------------------------------------------------------------------------------

MANY = [f"exception:{number:05}" for number in range(1_203)]


@pytest.fixture(scope="session")
async def crowded(table: Table) -> str:
    """A partition of more rows than one answer of the store holds."""
    partition = f"crowded{uuid4().hex}"
    for start in range(0, len(MANY), 100):
        await table.write(*(Insert(Key(partition, row), "x") for row in MANY[start : start + 100]))
    await table.write(Insert(Key(partition, "account"), "x"), Insert(Key(partition, "policy"), "x"))
    return partition


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_paging_comes_by_every_row_exactly_once(
    table: Table, crowded: str, size: int, pytestconfig: pytest.Config
) -> None:
    """In small pages by a hundred of the rows, and by all of them with `--slow`: Azurite reads all for each page."""
    all_of_them = size == 1000 or pytestconfig.getoption("slow")
    prefix = "exception:" if all_of_them else "exception:000"
    assert await walked(table, crowded, prefix, size) == [row for row in MANY if row.startswith(prefix)]


async def test_a_family_larger_than_one_answer_is_read_whole(table: Table, crowded: str) -> None:
    assert [row.key.row for row in await table.under(crowded, "exception:")] == MANY


async def test_the_last_page_says_that_it_is_the_last(table: Table, partition: str) -> None:
    await table.write(*(Insert(Key(partition, f"{number}"), "x") for number in range(4)))
    first = await table.page(partition, "", 2, None)
    assert first.continuation is not None
    second = await table.page(partition, "", 2, first.continuation)
    assert (len(second.rows), second.continuation) == (2, None)


async def test_a_page_goes_on_where_it_was_although_rows_have_come_and_gone(table: Table, partition: str) -> None:
    await table.write(*(Insert(Key(partition, row), "x") for row in "bdfhj"))
    first = await table.page(partition, "", 2, None)
    await table.write(Remove(first.rows[0]), Remove(await standing(table, Key(partition, "f"))))
    await table.write(Insert(Key(partition, "a"), "x"), Insert(Key(partition, "i"), "x"))
    rest = await table.page(partition, "", 10, first.continuation)
    assert [row.key.row for row in rest.rows] == ["h", "i", "j"]


def closed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "continuation",
    [
        "",
        "garbage!",
        "%%%",
        "é",
        "a" * 5,
        closed("not json"),
        closed("[]"),
        closed('"text"'),
        closed("{}"),
        closed('{"PartitionKey": 1, "RowKey": 2}'),
        closed('{"PartitionKey": "a", "RowKey": "b", "more": "c"}'),
        closed(f'{{"PartitionKey": "{"x" * 100_000}", "RowKey": "b"}}'),
    ],
)
async def test_a_continuation_that_was_not_given_is_not_taken(table: Table, partition: str, continuation: str) -> None:
    with pytest.raises(Invalid):
        await table.page(partition, "", 10, continuation)


async def test_a_continuation_of_another_partition_leads_out_of_no_partition(table: Table, partition: str) -> None:
    other = f"{partition}x"
    for name in (partition, other):
        await table.write(*(Insert(Key(name, row), name) for row in "abc"))
    foreign = (await table.page(other, "", 1, None)).continuation
    assert foreign is not None
    try:
        page = await table.page(partition, "", 10, foreign)
    except Invalid:
        return
    assert {row.key.partition for row in page.rows} <= {partition}


# -- expiry ------------------------------------------------------------------------------------------------------------


async def expired(table: Table, partition: str, now: datetime) -> set[str]:
    return {row.key.row async for row in table.expired(now) if row.key.partition == partition}


async def test_exactly_the_rows_that_have_expired_are_found(table: Table, partition: str) -> None:
    moment = timedelta(milliseconds=1)  # Azurite compares no finer
    await table.write(
        Insert(Key(partition, "past"), "x", NOON - moment),
        Put(Key(partition, "long past"), "x", NOON - timedelta(days=400)),
        Insert(Key(partition, "now"), "x", NOON),
        Insert(Key(partition, "future"), "x", NOON + moment),
        Insert(Key(partition, "lasting"), "x"),
    )
    assert await expired(table, partition, NOON) == {"past", "long past"}
    for first, found in ((partition, {"past", "long past"}), (f"{partition}0", set[str]())):
        keys = {row.key.row async for row in table.expired(NOON, first) if row.key.partition == partition}
        assert keys == found
    assert await expired(table, partition, NOON + 2 * moment) == {"past", "long past", "now", "future"}


async def test_expired_rows_are_found_in_every_partition_and_can_be_removed(table: Table, partition: str) -> None:
    for number in range(3):
        await table.write(Insert(Key(f"{partition}{number}", "row"), "{}", NOON))
    later = NOON + timedelta(seconds=1)
    found = [row async for row in table.expired(later) if row.key.partition.startswith(partition)]
    assert {row.key.partition for row in found} == {f"{partition}{number}" for number in range(3)}
    for row in found:
        await table.write(Remove(row))
    assert [row async for row in table.expired(later) if row.key.partition.startswith(partition)] == []


async def test_the_rows_of_all_partitions_before_one_are_found_and_no_others(table: Table, partition: str) -> None:
    for minute in ("1458", "1459", "1500", "1501"):
        await table.write(*(Insert(Key(f"{partition}T{minute}", row), "{}") for row in ("a", "b")))
    found = [row async for row in table.partitions_before(f"{partition}T1500")]
    assert {(row.key.partition[-4:], row.key.row) for row in found if row.key.partition.startswith(partition)} == {
        (minute, row) for minute in ("1458", "1459") for row in ("a", "b")
    }
    assert all(row.key.partition < f"{partition}T1500" for row in found)
    for row in found:
        if row.key.partition.startswith(partition):
            await table.write(Remove(row))
    left = [row async for row in table.partitions_before(f"{partition}T1502")]
    assert {row.key.partition[-4:] for row in left if row.key.partition.startswith(partition)} == {"1500", "1501"}


async def test_a_row_that_is_written_again_expires_as_it_was_written_last(table: Table, partition: str) -> None:
    for row in ("put", "replaced"):
        await table.write(Insert(Key(partition, row), "x", NOON))
    await table.write(Put(Key(partition, "put"), "x", NOON + timedelta(days=1)))
    await table.write(Replace(await standing(table, Key(partition, "replaced")), "y"))
    assert await expired(table, partition, NOON + timedelta(hours=1)) == set()

"""Our requests and Microsoft's SDK understand each other: what one writes the other reads, whatever keys hold.

The SDK is a second reading of the same protocol, made by others. It also reads and writes these rows in `infra.backup`.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient
from azure.data.tables.aio import TableClient as AsyncTableClient
from hypothesis import given, reject, settings
from hypothesis import strategies as some

from local.processes import Azurite
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTable, AzureTables
from shared.ports.table import Insert, Key, Put, Remove, Replace, Row
from tests.support.scripted_store import refused, scripted_store

BOUNDED = settings(max_examples=2 * settings.default.max_examples // 5)
FORBIDDEN = "/\\#?"

keys = some.text(
    some.characters(exclude_categories=["Cs", "Cc"], exclude_characters=FORBIDDEN), min_size=1, max_size=40
).filter(lambda part: len(part.encode()) <= 250)
documents = some.one_of(
    some.text(some.characters(exclude_categories=["Cs"]), max_size=200),
    some.integers(15_990, 16_010).map("é".__mul__),
)
moments = some.datetimes(min_value=datetime(1601, 1, 1), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1_000 * 1_000, tzinfo=UTC)
)


@pytest.fixture(scope="module")
async def ours(store: Azurite) -> AsyncIterator[AzureTable]:
    tables = AzureTables(Account.from_connection_string(store.connection_string))
    yield tables.table("rows")
    await tables.close()


@pytest.fixture(scope="module")
def theirs(store: Azurite) -> Iterator[TableClient]:
    with TableClient.from_connection_string(store.connection_string, "rows") as client:
        yield client


async def standing(table: AzureTable, key: Key) -> Row:
    row = await table.get(key)
    assert row is not None
    return row


def read_by_them(theirs: TableClient, key: Key) -> dict[str, object]:
    """What they read; some keys Azurite takes and finds for nobody, such as one that begins with a comma."""
    try:
        return dict(theirs.get_entity(key.partition, key.row))
    except ResourceNotFoundError:
        reject()


@BOUNDED
@given(partition=keys, row=keys, document=documents, expires_at=some.none() | moments)
async def test_what_we_write_they_read_as_it_was_meant(
    ours: AzureTable, theirs: TableClient, partition: str, row: str, document: str, expires_at: datetime | None
) -> None:
    """Alone and with another row, which travels otherwise."""
    key, beside = Key(partition, f"{row}{uuid4().hex[:4]}"), Key(partition, f"{row}{uuid4().hex[:5]}")
    await ours.write(Insert(key, document, expires_at))
    await ours.write(Put(key, document, expires_at), Put(beside, document, expires_at))
    slices = [document[start : start + 16_000] for start in range(0, len(document), 16_000)]
    expected = {"PartitionKey": key.partition, "expiresAt": expires_at} | {
        f"document{number or ''}": part for number, part in enumerate(slices)
    }
    for each in (key, beside):
        found = read_by_them(theirs, each)
        assert {name: found.get(name) for name in expected} == expected
        assert found["RowKey"] == each.row
        await ours.write(Remove(await standing(ours, each)))


@BOUNDED
@given(partition=keys, row=keys, document=documents)
async def test_what_they_write_we_find_read_replace_and_remove(
    ours: AzureTable, theirs: TableClient, partition: str, row: str, document: str
) -> None:
    key = Key(partition, f"{row}{uuid4().hex[:4]}")
    slices = {
        f"document{start // 16_000 or ''}": document[start : start + 16_000] for start in range(0, 17_000, 16_000)
    }
    written = {name: part for name, part in slices.items() if part}
    etag = theirs.create_entity({"PartitionKey": key.partition, "RowKey": key.row, **written})["etag"]
    read_by_them(theirs, key)
    found = await standing(ours, key)
    assert (found.key, found.document, found.etag) == (key, document, etag)
    assert found in await ours.under(partition, row)
    await ours.write(Replace(found, "replaced"))
    assert read_by_them(theirs, key)["document"] == "replaced"
    await ours.write(Remove(await standing(ours, key)))
    assert await ours.get(key) is None


@BOUNDED
@given(partition=keys, prefix=keys)
async def test_a_prefix_finds_what_they_find(
    ours: AzureTable, theirs: TableClient, partition: str, prefix: str
) -> None:
    inside, outside = Key(partition, f"{prefix}{uuid4().hex[:4]}"), Key(partition, f"\u0020{uuid4().hex[:4]}")
    await ours.write(Put(inside, "x"), Put(outside, "x"))
    beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    condition = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @beyond"
    entities = theirs.query_entities(condition, parameters={"partition": partition, "first": prefix, "beyond": beyond})
    found = [row.key.row for row in await ours.under(partition, prefix)]
    assert found == [entity["RowKey"] for entity in entities]
    assert inside.row in found


@BOUNDED
@given(partition=keys, row=keys)
async def test_rows_have_the_addresses_that_they_give_them(partition: str, row: str) -> None:
    """As they arrive, whatever a store makes of them."""
    async with scripted_store(refused(404, "ResourceNotFound")) as store:
        tables = AzureTables(Account.from_connection_string(store.connection_string))
        assert await tables.table("rows").get(Key(partition, row)) is None
        await tables.close()
        async with AsyncTableClient.from_connection_string(store.connection_string, "rows") as client:
            with pytest.raises(ResourceNotFoundError):
                await client.get_entity(partition, row)
    ours, theirs = (each.target for each in store.asked)
    assert ours == theirs

"""A file is put back: all of it, any number of times, or nothing of it."""

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from azure.data.tables import EdmType, EntityProperty
from hypothesis import given
from hypothesis import strategies as st

from infra.backup.spool import Key
from infra.backup.transfer import TRANSACTION_BYTES, Operation, transactions
from local.cast.stack import at_port
from local.processes import azurite, free_port, running
from shared.ports.table import TRANSACTION_LIMIT
from shared.wiring import TABLE_NAMES
from tests.backup.conftest import SETTING, Backup, Store

ACME = {"PartitionKey": "acme", "RowKey": "head:account", "document": "{}"}
ALL_TABLES = {"format": "azure-sso tables", "version": 1, "tables": ["accounts", "applications", "domains", "duties"]}
EVERY_KIND: dict[str, Any] = {
    "Text": "Zoë \u2028 \U0001f389 \x01 ' \" \\ \n",
    "HalfAPair": "\ud83c",
    "Empty": "",
    "Longest": "x" * 32_768,
    "LongestOfAll": "\x01ü" * 16_384,
    "Yes": True,
    "No": False,
    "Int32": -(2**31),
    "Int64": EntityProperty(2**63 - 1, EdmType.INT64),
    "SmallInt64": EntityProperty(7, EdmType.INT64),
    "Whole": 3.0,
    "Least": 5e-324,
    "Most": 1.7976931348623157e308,
    "NotANumber": float("nan"),
    "Infinite": float("inf"),
    "Endless": float("-inf"),
    "SevenDigits": EntityProperty("2026-05-01T12:00:00.1234567Z", EdmType.DATETIME),
    "First": EntityProperty("1601-01-01T00:00:00Z", EdmType.DATETIME),
    "Bytes": bytes(range(256)),
    "NoBytes": b"",
    "Guid": UUID("c0c00000-0000-4000-8000-000000000000"),
}


def test_every_kind_of_property_comes_back_as_it_was(backup: Backup, store: Store) -> None:
    store.fill("accounts", {"PartitionKey": "o'neill ü", "RowKey": "\U0001f389'", **EVERY_KIND})
    before = store.wire("accounts")
    file = backup.exported()
    store.wipe()
    assert backup.must("import", file).splitlines()[1].split() == ["accounts", "1", "rows", "written"]
    assert store.wire("accounts") == before
    assert before[0]["SevenDigits"] == "2026-05-01T12:00:00.1234567Z"
    assert backup.exported("again.jsonl").read_bytes() == file.read_bytes()


def test_a_row_that_is_there_is_replaced_and_not_merged(backup: Backup, store: Store) -> None:
    store.fill("accounts", ACME)
    file = backup.exported()
    store.fill("accounts", {**ACME, "document": "[]", "document1": "left over"})
    backup.must("import", file)
    assert store.wire("accounts") == [ACME]


def test_other_rows_are_left_and_counted_unless_it_is_to_be_exact(backup: Backup, store: Store) -> None:
    store.fill("accounts", *({**ACME, "RowKey": str(number)} for number in range(3)))
    file = backup.exported()
    store.fill("accounts", *({**ACME, "RowKey": f"other {number}"} for number in range(101)))
    store.fill("accounts", {**ACME, "PartitionKey": "another", "RowKey": "1"})
    store.fill("flows", {"PartitionKey": "digest", "RowKey": "code"})

    said = backup.must("import", file)
    assert "3 rows written, 102 others left" in said
    assert said.endswith("The file does not have the others: `EXACT=yes` removes them.\n")
    assert len(store.wire("accounts")) == 105

    assert "3 rows written, 102 others removed" in backup.must("import", file, "--exact")
    assert backup.exported("again.jsonl").read_bytes() == file.read_bytes()
    assert store.keys("flows") == {"code"}, "flows are not in the file, and stay"
    assert "others" not in backup.must("import", file, "--exact"), "it is safe to repeat"


def test_a_new_store_gets_every_table(backup: Backup, store: Store) -> None:
    file = backup.exported()
    store.wipe()
    backup.must("import", file)
    assert store.tables() == {*TABLE_NAMES}


def test_a_file_of_an_older_release_leaves_newer_tables_alone(backup: Backup, store: Store) -> None:
    store.fill("applications", {**ACME, "RowKey": "unite"})
    header = {"format": "azure-sso tables", "version": 1, "tables": ["accounts"]}
    file = sealed(backup.folder / "old.jsonl", [header, {"table": "accounts", "entity": ACME}])
    backup.must("import", file, "--exact")
    assert (store.keys("accounts"), store.keys("applications")) == ({"head:account"}, {"unite"})


def test_an_import_that_was_cut_off_is_finished_by_repeating_it(backup: Backup, store: Store) -> None:
    rows = [{"table": "accounts", "entity": {"PartitionKey": f"{number:03}", "RowKey": "r"}} for number in range(400)]
    file = sealed(backup.folder / "many.jsonl", [ALL_TABLES, *rows])
    command = [sys.executable, "-m", "infra.backup", "import", file]
    with running("The import", command, backup.folder / "log", {SETTING: store.azurite.connection_string}) as child:
        child.wait_until(lambda: store.wire("accounts"), 30)
        child.kill()
    assert 0 < len(store.wire("accounts")) < 400
    backup.must("import", file)
    assert backup.exported("again.jsonl").read_bytes() == file.read_bytes()


def test_a_store_that_goes_away_in_between_is_waited_for(backup: Backup) -> None:
    rows = [{"table": "accounts", "entity": {"PartitionKey": f"{number:03}", "RowKey": "r"}} for number in range(400)]
    file = sealed(backup.folder / "many.jsonl", [ALL_TABLES, *rows])
    command = [sys.executable, "-m", "infra.backup", "import", file]
    (backup.folder / "data").mkdir()
    with azurite(location=backup.folder / "data") as lasting:
        lasting.create_tables(TABLE_NAMES)
        store = Store(lasting)
        with running("The import", command, backup.folder / "log", {SETTING: lasting.connection_string}) as child:
            child.wait_until(lambda: store.wire("accounts"), 30)
            lasting.stop()
            lasting.start()
            assert child.process.wait(60) == 0, child.last_words()
        backup.name(lasting.connection_string)
        assert backup.exported("again.jsonl").read_bytes() == file.read_bytes()
        store.service.close()


def test_a_store_that_cannot_be_reached_is_told_in_a_sentence(backup: Backup, store: Store) -> None:
    file = backup.exported()
    backup.name(at_port(store.azurite, free_port()))
    told = backup("import", file)
    assert told.code == 1
    assert told.err == "The store cannot be reached. Is the address right, and may this machine call it?"


def test_what_the_store_refuses_is_told_in_a_sentence(backup: Backup) -> None:
    header = {"format": "azure-sso tables", "version": 1, "tables": ["accounts"]}
    entity = {**ACME, "document": "x" * 40_000}
    told = backup("import", sealed(backup.folder / "long.jsonl", [header, {"table": "accounts", "entity": entity}]))
    assert (told.code, told.err) == (1, "The store refuses it with PropertyValueTooLarge. It is safe to repeat.")


def test_a_file_that_is_not_there_is_told_in_a_sentence(backup: Backup) -> None:
    told = backup("import", backup.folder / "none.jsonl")
    assert (told.code, told.err) == (1, f"{backup.folder}/none.jsonl: No such file or directory.")


# -- files that are not as they were written ---------------------------------------------------------------------------


def sealed(file: Path, documents: list[Any], counted: dict[str, int] | None = None) -> Path:
    """A file with a seal that fits it, as somebody makes it who knows how."""
    content = b"".join(json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in documents)
    rows = counted or dict.fromkeys(documents[0]["tables"], 0)
    for each in documents[1:]:
        if isinstance(each, dict) and each.get("table") in rows and counted is None:
            rows[each["table"]] += 1
    seal = {"rows": rows, "sha256": hashlib.sha256(content).hexdigest()}
    file.write_bytes(content + json.dumps(seal, separators=(",", ":")).encode() + b"\n")
    return file


BROKEN = "The file was cut off or changed after it was written. Take another one."
FOREIGN = "This is no file that `make export` has written."

DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut off in the middle": (lambda content: content[: len(content) // 2], BROKEN),
    "cut off after a line": (lambda content: b"".join(content.splitlines(keepends=True)[:3]), BROKEN),
    "without its seal": (lambda content: b"".join(content.splitlines(keepends=True)[:-1]), BROKEN),
    "without its last byte": (lambda content: content[:-1], BROKEN),
    "a letter changed": (lambda content: content.replace(b"name", b"nane", 1), BROKEN),
    "a row taken out": (lambda content: b"".join(content.splitlines(keepends=True)[::2]), BROKEN),
    "more behind the seal": (lambda content: content + b"\n", BROKEN),
    "twice the same": (lambda content: content + content, BROKEN),
    "line ends of Windows": (lambda content: content.replace(b"\n", b"\r\n"), BROKEN),
    "empty": (lambda _: b"", FOREIGN),
    "no JSON": (lambda _: b"PK\x03\x04", FOREIGN),
    "another JSON": (lambda _: b"[1]\n", FOREIGN),
    "a bare number": (lambda _: b"1\n", FOREIGN),
}


@pytest.fixture
def five_rows(backup: Backup, store: Store) -> Path:
    store.fill("accounts", *({**ACME, "RowKey": str(number), "document": '{"name":1}'} for number in range(5)))
    file = backup.exported()
    store.wipe()
    return file


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_refused_and_nothing_is_written(
    backup: Backup, store: Store, five_rows: Path, damage: Callable[[bytes], bytes], sentence: str
) -> None:
    content = five_rows.read_bytes()
    damaged = damage(content)
    assert damaged != content
    five_rows.write_bytes(damaged)
    told = backup("import", five_rows, "--exact")
    assert (told.code, told.err) == (1, sentence)
    assert store.tables() == set()


HEADER = {"format": "azure-sso tables", "version": 1, "tables": ["accounts"]}
ROW = {"table": "accounts", "entity": ACME}
NEWER = "The file is of version 2 and this release reads version 1: import it with the release that wrote it."
OTHERS = (
    "The file has tables other than accounts, applications, domains, duties: import it with the release that wrote it."
)


def with_property(**properties: Any) -> dict[str, Any]:
    return {"table": "accounts", "entity": {**ACME, **properties}}


FORGERIES: dict[str, tuple[list[Any], str]] = {
    "another program's": ([HEADER | {"format": "another"}], FOREIGN),
    "a newer version": ([HEADER | {"version": 2}], NEWER),
    "flows": ([HEADER | {"tables": ["accounts", "flows"]}], OTHERS),
    "a table that is no text": ([HEADER | {"tables": {"accounts": 1}}], OTHERS),
    "a row of a table that is not announced": ([HEADER, ROW | {"table": "flows"}], BROKEN),
    "rows out of order": ([HEADER, with_property(RowKey="2"), with_property(RowKey="1")], BROKEN),
    "a row twice": ([HEADER, ROW, ROW], BROKEN),
    "a row that is none": ([HEADER, ROW | {"entity": []}], BROKEN),
    "a row without a key": ([HEADER, {"table": "accounts", "entity": {"PartitionKey": "a"}}], BROKEN),
    "a property of no type": ([HEADER, with_property(a={})], BROKEN),
    "a number without a type": ([HEADER, with_property(a=1.5)], BROKEN),
    "an Int32 of 33 bits": ([HEADER, with_property(a=2**31)], BROKEN),
    "a type that there is not": ([HEADER, with_property(**{"a": "1", "a@odata.type": "Edm.Byte"})], BROKEN),
    "bytes that are none": ([HEADER, with_property(**{"a": "?", "a@odata.type": "Edm.Binary"})], BROKEN),
}


@pytest.mark.parametrize(("documents", "sentence"), FORGERIES.values(), ids=FORGERIES.keys())
def test_a_file_of_another_make_is_refused_though_its_seal_fits(
    backup: Backup, store: Store, documents: list[Any], sentence: str
) -> None:
    store.wipe()
    told = backup("import", sealed(backup.folder / "forged.jsonl", documents))
    assert (told.code, told.err) == (1, sentence)
    assert store.tables() == set()


def test_a_seal_that_counts_otherwise_does_not_fit(backup: Backup, store: Store) -> None:
    store.wipe()
    told = backup("import", sealed(backup.folder / "forged.jsonl", [HEADER, ROW], {"accounts": 2}))
    assert (told.code, told.err, store.tables()) == (1, BROKEN, set())


# -- what the store takes at once --------------------------------------------------------------------------------------

WRITES = st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, TRANSACTION_BYTES * 2)), max_size=300)


@given(writes=WRITES)
def test_a_transaction_is_of_one_partition_and_no_larger_than_the_store_takes(writes: list[tuple[str, int]]) -> None:
    operations: list[tuple[Key, Operation, int]] = [
        (Key("accounts", partition, f"{number:03}"), ("upsert", {"number": number}, {}), length)
        for number, (partition, length) in enumerate(sorted(writes))
    ]
    batches = [batch for _, batch in transactions(operations)]
    assert [operation for batch in batches for operation in batch] == [operation for _, operation, _ in operations]
    for batch in batches:
        taken = [operations[operation[1]["number"]] for operation in batch]
        assert len({key.partition for key, _, _ in taken}) == 1
        assert len(taken) <= TRANSACTION_LIMIT
        assert len(taken) == 1 or sum(length for _, _, length in taken) <= TRANSACTION_BYTES


def test_rows_travel_a_hundred_at_a_time() -> None:
    operations: list[tuple[Key, Operation, int]] = [
        (Key("accounts", "acme", f"{number:03}"), ("upsert", {}, {}), 100) for number in range(250)
    ]
    assert [len(batch) for _, batch in transactions(operations)] == [100, 100, 50]


def test_the_largest_rows_come_back(backup: Backup, store: Store) -> None:
    """Azurite counts bytes as they travel: these are of nearly a megabyte, and a transaction each."""
    properties = {f"p{number}": "ü" * 32_000 for number in range(5)}
    store.fill("accounts", *({"PartitionKey": "acme", "RowKey": str(row), **properties} for row in range(3)))
    file = backup.exported()
    before = store.wire("accounts")
    store.wipe()
    backup.must("import", file)
    assert store.wire("accounts") == before

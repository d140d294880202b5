"""What is in the file, and what is not."""

import hashlib
import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from azure.data.tables import EdmType, EntityProperty
from hypothesis import given
from hypothesis import strategies as st

from infra.backup import TABLES
from infra.backup.archive import ArchiveError, line_of
from infra.backup.entities import from_json, to_json
from infra.backup.store import Place
from local.cast.stack import Azurite
from local.processes import free_port, running
from shared.settings import Settings
from shared.wiring import TABLE_NAMES
from tests.backup.conftest import SETTING, Backup, Store
from tests.support.wire import silent_port

ACME = {"PartitionKey": "acme", "RowKey": "head:account", "document": '{"name":"Acmé"}'}


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]


def test_the_file_has_a_header_a_line_for_each_row_in_order_and_a_seal(backup: Backup, store: Store) -> None:
    store.fill("domains", {"PartitionKey": "acme.example", "RowKey": "claim", "document": "{}"})
    store.fill("accounts", {**ACME, "PartitionKey": "acme-2"}, {**ACME, "RowKey": "link:1"}, ACME)
    file = backup.exported()
    header, *rows, seal = lines(file)
    assert header == {
        "format": "azure-sso tables",
        "version": 1,
        "tables": ["accounts", "applications", "domains", "duties"],
    }
    assert rows == [
        {"table": "accounts", "entity": ACME},
        {"table": "accounts", "entity": {**ACME, "RowKey": "link:1"}},
        {"table": "accounts", "entity": {**ACME, "PartitionKey": "acme-2"}},
        {"table": "domains", "entity": {"PartitionKey": "acme.example", "RowKey": "claim", "document": "{}"}},
    ]
    sealed = b"".join(file.read_bytes().splitlines(keepends=True)[:-1])
    assert seal == {
        "rows": {"accounts": 3, "applications": 0, "domains": 1, "duties": 0},
        "sha256": hashlib.sha256(sealed).hexdigest(),
    }


def test_it_says_what_it_did(backup: Backup, store: Store) -> None:
    store.fill("accounts", ACME)
    first, accounts, *_, total, warning = backup.must("export", backup.folder / "a.jsonl").splitlines()
    assert first == f"Exporting {store.service.url} to {backup.folder}/a.jsonl"
    assert accounts.split() == ["accounts", "1", "rows"]
    assert total.startswith("1 rows, ")
    assert "email addresses" in warning


def test_the_order_of_lines_is_not_the_stores(backup: Backup, store: Store) -> None:
    """Azurite and Azure go by UTF-16, where the face comes before U+FFEE."""
    names = ["b\uffee", "b\U0001f389", "b!", 'b"', "b'", "b", "B", "a", "bü", "b b", "0"]
    store.fill("accounts", *({"PartitionKey": name, "RowKey": name} for name in names))
    _, *rows, _ = lines(backup.exported())
    keys = [row["entity"]["RowKey"] for row in rows]
    assert keys == sorted(names)
    assert keys != [row["RowKey"] for row in store.wire("accounts")]


def test_flows_and_sessions_in_the_portal_stay_where_they_are(backup: Backup, store: Store) -> None:
    store.fill("flows", {"PartitionKey": "digest", "RowKey": "code", "document": "{}"})
    store.fill("accounts", ACME, {**ACME, "RowKey": "portal-session:digest"})
    assert "digest" not in backup.exported().read_text(encoding="ascii")
    assert {*TABLE_NAMES} - {*TABLES} == {"flows", "keys"}


def test_the_store_is_named_as_the_service_names_it() -> None:
    fields = {name: field.alias for name, field in Settings.model_fields.items()}
    assert {name: field.alias for name, field in Place.model_fields.items()}.items() <= fields.items()


def test_only_its_owner_may_read_the_file(backup: Backup) -> None:
    before = os.umask(0)
    try:
        file = backup.exported()
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_file_is_overwritten(backup: Backup) -> None:
    file = backup.exported()
    content = file.read_bytes()
    told = backup("export", file)
    assert (told.code, told.err) == (1, f"{file} exists, and no file is overwritten: choose another name.")
    assert file.read_bytes() == content


def test_without_a_store_there_is_one_sentence_and_no_file(backup: Backup) -> None:
    backup.name(Azurite(backup.folder, port=free_port()).connection_string)
    told = backup("export", backup.folder / "a.jsonl")
    assert (told.code, told.err) == (
        1,
        "The store cannot be reached. Is the address right, and may this machine call it?",
    )
    assert list(backup.folder.iterdir()) == []


def test_another_store_than_ours_is_seen_to_be_none(backup: Backup, store: Store) -> None:
    store.wipe()
    told = backup("export", backup.folder / "a.jsonl")
    assert (told.code, told.err) == (1, "The tables are not there. Is it the right store?")
    assert list(backup.folder.iterdir()) == []


def test_a_key_that_is_not_the_stores_opens_nothing(backup: Backup, store: Store) -> None:
    settings = {SETTING: store.azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=AAAA")}
    # The SDK reads Azurite's refusal in a way that Python warns of.
    command = [sys.executable, "-m", "infra.backup", "export", backup.folder / "a.jsonl"]
    told = backup.apart(*command, **settings)
    assert told.code == 1
    assert told.err.startswith("The store does not let you in. Sign in with `az login`")


def test_who_is_signed_in_nowhere_is_told_how(backup: Backup) -> None:
    backup.monkeypatch.delenv(SETTING)
    with silent_port() as port:
        backup.monkeypatch.setenv("SSO_TABLES_URL", f"https://127.0.0.1:{port}")
        backup.monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
        backup.monkeypatch.setenv("PATH", str(backup.folder))
        told = backup("export", backup.folder / "a.jsonl")
    assert told.code == 1
    assert told.err.startswith("The store does not let you in. Sign in with `az login`")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "Set SSO_TABLES_URL, or SSO_TABLES_CONNECTION_STRING, but not both"),
        ({"SSO_TABLES_URL": "https://a.example", SETTING: "AccountName=a"}, "but not both"),
        ({SETTING: "AccountName=a"}, f"{SETTING}: It must name AccountName, AccountKey and TableEndpoint"),
        ({"SSO_TABLES_URL": "a.example"}, "SSO_TABLES_URL: It must be an https address"),
        ({"SSO_TABLES_URL": "http://127.0.0.1:1"}, "SSO_TABLES_URL: It must be https."),
    ],
    ids=["none", "both", "half a connection string", "no address", "no https"],
)
def test_a_store_that_is_not_named_well_is_told(backup: Backup, settings: dict[str, str], sentence: str) -> None:
    backup.monkeypatch.delenv(SETTING)
    backup.monkeypatch.chdir(backup.folder)
    for name, value in settings.items():
        backup.monkeypatch.setenv(name, value)
    told = backup("export", "a.jsonl")
    assert told.code == 1
    assert sentence in told.err
    assert list(backup.folder.iterdir()) == []


def test_beside_make_run_nothing_needs_to_be_named(backup: Backup, store: Store) -> None:
    store.fill("accounts", ACME)
    backup.monkeypatch.delenv(SETTING)
    backup.monkeypatch.chdir(backup.folder)
    values = {"SSO_PUBLIC_URL": "http://localhost:7071", SETTING: store.azurite.connection_string}
    Path("local.settings.json").write_text(json.dumps({"Values": values}), encoding="utf-8")
    assert "1 rows" in backup.must("export", "a.jsonl")


def test_make_says_what_it_needs_to_know(backup: Backup, store: Store) -> None:
    store.fill("accounts", ACME)
    # The packages are installed, or this would not run.
    make = ["make", "--assume-old=.venv/.requirements"]
    file = backup.folder / "a name with spaces.jsonl"
    assert "make export FILE=../backup.jsonl" in backup.apart(*make, "export").err
    assert backup.apart(*make, "export", f"FILE={file}").code == 0
    store.fill("accounts", {**ACME, "RowKey": "another"})
    assert "1 others left" in backup.apart(*make, "import", f"FILE={file}").out
    assert "1 others removed" in backup.apart(*make, "import", f"FILE={file}", "EXACT=yes").out
    assert "make import FILE=../backup.jsonl" in backup.apart(*make, "import").err


def test_who_stops_an_export_keeps_no_part_of_it(backup: Backup) -> None:
    file = backup.folder / "a.jsonl"
    with silent_port() as port:
        settings = {SETTING: Azurite(backup.folder, port=port).connection_string}
        command = [sys.executable, "-m", "infra.backup", "export", file]
        with running("The export", command, backup.folder / "log", settings) as child:
            child.wait_until(file.exists, 30)
            child.process.send_signal(signal.SIGINT)
            assert child.process.wait(30) == 1
        assert child.last_words().endswith(
            "Stopped. An export is gone; an import that had begun is finished by repeating it."
        )
    assert not file.exists()


def test_a_property_of_a_new_kind_ends_an_export_rather_than_being_lost() -> None:
    with pytest.raises(ArchiveError, match="accounts cannot be kept"):
        line_of("accounts", {**ACME, "a": EntityProperty("1", "Edm.Decimal")})


STRINGS = st.text(st.characters(codec=None, exclude_categories=[]), max_size=50)
PROPERTIES = st.one_of(
    STRINGS,
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(),
    st.binary(max_size=50),
    st.uuids(),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: EntityProperty(number, EdmType.INT64)),
)
NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,9}\Z")


@given(entity=st.dictionaries(NAMES, PROPERTIES), partition=STRINGS, row=STRINGS)
def test_an_entity_comes_back_from_json_with_its_types(entity: dict[str, object], partition: str, row: str) -> None:
    entity |= {"PartitionKey": partition, "RowKey": row}
    text = json.dumps(to_json(entity), allow_nan=False)
    back = from_json(json.loads(text))
    assert [*back] == [*entity]
    for name, value in entity.items():
        match value:
            case float():
                number, edm_type = back[name]
                assert (repr(float(number)), edm_type) == (repr(value), EdmType.DOUBLE)
            case UUID():
                assert back[name] == (str(value), EdmType.GUID)
            case EntityProperty():
                assert back[name] == (str(value.value), EdmType.INT64)
            case _:
                assert (back[name], type(back[name])) == (value, type(value))

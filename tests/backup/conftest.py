"""One Azurite for all, empty for each test, and the command as an operator runs it."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from azure.core.pipeline import PipelineResponse
from azure.data.tables import TableServiceClient

from infra.backup.__main__ import main
from local.processes import ROOT, Azurite, azurite
from shared.wiring import TABLE_NAMES
from tests.support.token_store import TokenStore, token_store

SETTING = "SSO_TABLES_CONNECTION_STRING"


@dataclass
class Store:
    """The store, seen without any code of the product."""

    azurite: Azurite
    service: TableServiceClient = field(init=False)

    def __post_init__(self) -> None:
        self.service = TableServiceClient.from_connection_string(self.azurite.connection_string)

    def wipe(self) -> None:
        for table in self.service.list_tables():
            self.service.delete_table(table.name)

    def fill(self, table: str, *entities: dict[str, Any]) -> None:
        client = self.service.create_table_if_not_exists(table)
        for entity in entities:
            client.upsert_entity(entity)

    def tables(self) -> set[str]:
        return {table.name for table in self.service.list_tables()}

    def wire(self, table: str) -> list[dict[str, Any]]:
        """Every row as the store sends it, without what is new after each write."""
        rows: list[dict[str, Any]] = []

        def keep(response: PipelineResponse[Any, Any]) -> None:
            rows.extend(json.loads(response.http_response.text())["value"])

        list(self.service.get_table_client(table).list_entities(raw_response_hook=keep))
        return [{name: row[name] for name in row if name not in {"odata.etag", "Timestamp"}} for row in rows]

    def keys(self, table: str) -> set[str]:
        return {row["RowKey"] for row in self.wire(table)}


@pytest.fixture(scope="session")
def running_store() -> Iterator[Azurite]:
    with azurite() as running:
        yield running


@pytest.fixture
def store(running_store: Azurite) -> Iterator[Store]:
    """A store with empty tables."""
    running_store.create_tables(TABLE_NAMES)
    opened = Store(running_store)
    yield opened
    opened.wipe()
    opened.service.close()


@pytest.fixture
def tokens_only(tmp_path: Path) -> Iterator[TokenStore]:
    """A store with empty tables that no key opens."""
    with token_store(tmp_path, TABLE_NAMES) as running:
        yield running


@dataclass(frozen=True)
class Told:
    """How the command ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass
class Backup:
    """The command `python -m infra.backup`."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    folder: Path

    def name(self, connection_string: str) -> None:
        """Say which store."""
        self.monkeypatch.setenv(SETTING, connection_string)

    def __call__(self, *arguments: str | Path) -> Told:
        """Run it here."""
        self.monkeypatch.setattr(sys, "argv", ["infra.backup", *map(str, arguments)])
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        said = self.capsys.readouterr()
        return Told(1, said.out, code) if isinstance(code, str) else Told(int(str(code)), said.out, said.err)

    def must(self, *arguments: str | Path) -> str:
        """Run it, and see it succeed; what it said."""
        told = self(*arguments)
        assert (told.code, told.err) == (0, "")
        return told.out

    def exported(self, name: str = "backup.jsonl") -> Path:
        """A new file of what the store has."""
        self.must("export", self.folder / name)
        return self.folder / name

    def apart(self, *command: str | Path, **environment: str) -> Told:
        """Run a command in a process of its own."""
        ended = subprocess.run(
            [*command],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=500,  # a large store takes its time where a machine is busy; pytest's own limit is shorter for most
            check=False,
        )
        return Told(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def backup(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Backup]:
    for name in [name for name in os.environ if name.startswith("SSO_")]:
        monkeypatch.delenv(name)
    command = Backup(monkeypatch, capsys, tmp_path)
    command.name(store.azurite.connection_string)
    level = logging.getLogger("azure").level
    yield command
    logging.getLogger("azure").setLevel(level)

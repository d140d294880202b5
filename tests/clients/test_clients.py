"""The clients of the table sign in as it says: the light ones here, a dozen of different kinds with `--slow`."""

import json
import re
from pathlib import Path

import pytest

from tests.clients.groups import GROUPS, prepared
from tests.clients.page import PAGE, written
from tests.clients.provider import running_provider
from tests.clients.table import HERE, clients
from tests.clients.verdict import verdict_of

CLIENTS = clients()


@pytest.mark.timeout(1_800)
def test_a_client_signs_in_as_the_table_says(pytestconfig: pytest.Config, subtests: pytest.Subtests) -> None:
    slow = pytestconfig.getoption("slow")
    chosen = [each for each in CLIENTS if each.in_tests or (slow and each.in_ci)]
    able, skipped = prepared(chosen)
    assert len(able) >= 2
    assert skipped == []
    with running_provider() as provider:
        for client in able:
            with subtests.test(client.library):
                verdict = verdict_of(client, provider)
                assert verdict.works == client.works, verdict.seen


def test_the_table_has_a_line_for_each_program_and_a_program_for_each_line() -> None:
    lines = {(client.group, client.name) for client in CLIENTS}
    assert len(lines) == len(CLIENTS)
    assert {group for group, _ in lines} == {*GROUPS}
    programs = {(group, file.stem) for group in GROUPS for file in (HERE / group).iterdir() if is_program(file)}
    assert programs - {("python", "django_site"), ("browser", "serve")} == lines


def is_program(file: Path) -> bool:
    """A file of code, or a folder that Maven builds."""
    return (
        file.suffix in {".py", ".mjs", ".ts", ".tsx", ".go", ".rs", ".rb", ".pl", ".sh"} or (file / "pom.xml").exists()
    )


def test_a_client_that_does_not_work_has_a_reason_and_no_other_has() -> None:
    assert [client.name for client in CLIENTS if (client.works is None) != (client.why is not None)] == []
    assert [client.name for client in CLIENTS if client.setting and client.works != "none"] == []


def test_enough_kinds_are_run_where_nobody_looks() -> None:
    assert 2 <= sum(client.in_tests for client in CLIENTS) <= 3
    run_by_ci = [client for client in CLIENTS if client.in_tests or client.in_ci]
    assert len(run_by_ci) >= 12
    assert {client.group for client in run_by_ci} >= {"dev", "python", "node"}


LOCKS = [file for pattern in ("*/requirements.txt", "*/package-lock.json") for file in HERE.glob(pattern)]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda file: file.parent.name)
def test_a_group_is_locked_and_no_registry_is_named(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    if lock.suffix == ".json":
        packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
        assert packages
        assert [name for name, entry in packages.items() if "resolved" in entry or "integrity" not in entry] == []
    else:
        assert (
            text.count("==") == len(re.findall(r"^\S+==\S+ .*\n(?:.*\\\n)*    --hash=sha256:", text, re.MULTILINE)) > 0
        )
        assert "://" not in text


def test_the_page_is_written_from_the_table_and_the_programs() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page, "run make clients-page"
    assert page.count("<details>") >= len(CLIENTS)

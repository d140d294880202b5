"""The clients of the table sign in as it says: the light ones here, a dozen of different kinds with `--slow`."""

from pathlib import Path

import pytest

from tests.clients.groups import GROUPS, prepared
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
    assert {line for line in lines if program(*line) is None} == set()
    supports = {"django_site"}
    programs = {(group, file.stem) for group in GROUPS for file in (HERE / group).iterdir() if file.suffix in SUFFIXES}
    assert {(group, name) for group, name in programs - lines if name not in supports} == set()


SUFFIXES = {".py", ".mjs", ".go", ".sh"}


def program(group: str, name: str) -> Path | None:
    """The program of a line."""
    return next((file for file in (HERE / group).glob(f"{name}.*") if file.suffix in SUFFIXES), None)


def test_a_client_that_does_not_work_has_a_reason_and_no_other_has() -> None:
    assert [client.name for client in CLIENTS if (client.works is None) != (client.why is not None)] == []
    assert [client.name for client in CLIENTS if client.setting and client.works != "none"] == []


def test_enough_kinds_are_run_where_nobody_looks() -> None:
    assert 2 <= sum(client.in_tests for client in CLIENTS) <= 3
    run_by_ci = [client for client in CLIENTS if client.in_tests or client.in_ci]
    assert len(run_by_ci) >= 12
    assert {client.group for client in run_by_ci} >= {"dev", "python", "node"}


@pytest.mark.parametrize("group", [name for name, group in GROUPS.items() if group.lock])
def test_a_group_is_locked_and_no_registry_is_named(group: str) -> None:
    lock = GROUPS[group].lock
    assert lock is not None
    text = (HERE / lock).read_text(encoding="utf-8")
    assert text
    assert '"resolved"' not in text
    assert "index-url" not in text
    assert "://" not in text or lock.endswith(".json"), "npm keeps the addresses of those who ask for money"

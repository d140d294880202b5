"""Microsoft's own parser of KQL takes every query, against the tables that it reads as Microsoft documents them."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local.processes import ROOT
from tests.infra.plans import Infra
from tests.infra.policy.watch import asked_queries

PROGRAM = Path(__file__).parent / "js" / "kql.mjs"
TABLES = {
    name: table["columns"]
    for name, table in json.loads((Path(__file__).parent / "log_tables.json").read_text(encoding="utf-8")).items()
}
RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def complaints(queries: Mapping[str, str]) -> Mapping[str, list[str]]:
    """What the parser says against each query."""
    asked = json.dumps({"tables": TABLES, "queries": queries})
    ended = subprocess.run(["node", PROGRAM], input=asked, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    found: Mapping[str, list[str]] = json.loads(ended.stdout)
    assert found.keys() == queries.keys()
    return found


def in_the_runbook() -> set[str]:
    """The queries that operators are told to ask, as the shell hands them over; those of files are read there."""
    said = re.findall(r'\bkql "(?!\$\()(.+?)(?<!\\)"', RUNBOOK, re.DOTALL)
    return {" ".join(each.replace("\\\n", " ").replace('\\"', '"').split()) for each in said}


def test_every_query_is_taken() -> None:
    """In a file, in an alert, in the workbook and in the runbook."""
    infra = Infra.read()
    asked = {query for plan in infra.stage_3() for query in asked_queries(plan)}
    assert asked
    assert len(in_the_runbook()) > 10
    queries = infra.queries | {query: query for query in asked | in_the_runbook()}
    assert {name: found for name, found in complaints(queries).items() if found} == {}


def test_the_parser_refuses_what_azure_would() -> None:
    wrong = {
        "a reserved word": "AppTraces | summarize last = count()",
        "another reserved word": "AppMetrics | summarize sum(Sum) by kind = Name",
        "no such table": "Traces | take 1",
        "no such column": "AppTraces | where Text == ''",
        "a column of another table": "AppMetrics | where Message == ''",
        "another type": "AppRequests | summarize sum(ResultCode)",
        "no such operator": "AppTraces | filterr Message == ''",
        "not closed": "AppTraces | where Message == (''",
    }
    assert {name for name, found in complaints(wrong).items() if not found} == set()

"""The import is the cold start: what it brings in is counted in modules, which no busy machine makes more of.

`make bench` measures how long it takes.
"""

import sys

from bench.cold_start import MODEL
from tests.architecture.test_deployment import IN_DEVELOPMENT, run

OURS = {"function_app", "functions", "shared"}
PYTHONS = {"_csv", "csv", "_queue", "queue", "concurrent"}
"""Python's own modules that the app needs at start beyond those that its packages need."""


def imported_by(statement: str) -> set[str]:
    """Every module that a statement brings into a fresh interpreter."""
    printed = run(f"before = {{*sys.modules}}\n{statement}\nprint(*{{*sys.modules}} - before)", IN_DEVELOPMENT)
    return {*printed.split()}


def test_the_app_imports_nothing_that_its_main_imports_do_not_bring() -> None:
    beyond = imported_by("import function_app") - imported_by(MODEL)
    assert {module.partition(".")[0] for module in beyond} - OURS <= PYTHONS | {"pydantic"}


def test_a_foreign_package_at_start_would_be_seen() -> None:
    beyond = imported_by("import function_app, httpx") - imported_by(MODEL)
    assert "httpx" in {module.partition(".")[0] for module in beyond} - sys.stdlib_module_names

"""The import is the cold start: what it brings in and builds is counted, which no busy machine makes more of.

`make bench` measures how long it takes.
"""

import sys

from tests.architecture.test_deployment import IN_DEVELOPMENT, run

MODEL = "import azure.functions, pydantic; type('Model', (pydantic.BaseModel,), {})"
"""What cannot be done without, and one model, because pydantic imports most of itself when the first is made."""

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


def test_resolve_knows_its_own_part_of_the_product_and_no_other() -> None:
    ours = {module for module in imported_by("import functions.resolve") if module.partition(".")[0] in OURS}
    assert [
        module for module in ours if module.startswith(("shared.provider", "shared.assembly", "shared.trail.trail"))
    ] == []
    assert len(ours) <= 63


MODELS = """
from functions.policy import PolicyBody
from pydantic import BaseModel

def below(model):
    for each in model.__subclasses__():
        yield each
        yield from below(each)

def ours():
    found = [model for model in below(BaseModel) if model.__module__.startswith(("functions.", "shared."))]
    return [model for model in found if not model.__pydantic_generic_metadata__["origin"]]
"""
"""Models that the app defines. What a `RootModel[...]` is made of is pydantic's, and always built."""


def built_by(statement: str) -> set[str]:
    """Every model whose validator is built after a statement, in a fresh interpreter."""
    report = "print(*(model.__name__ for model in ours() if model.__pydantic_complete__))"
    return {*run(f"import function_app\n{MODELS}\n{statement}\n{report}", IN_DEVELOPMENT).split()}


def test_no_model_is_built_at_start_but_the_settings_that_are_read_there() -> None:
    assert built_by("") == {"Settings"}


def test_a_model_that_is_used_at_start_would_be_seen() -> None:
    assert built_by("PolicyBody()") == {"Settings", "PolicyBody"}


def test_every_model_can_be_built_when_it_is_first_used() -> None:
    """What is wrong with a model shows only then, so none may wait for its first caller."""
    built = built_by("for model in ours():\n    model.model_rebuild()")
    assert {"PolicyBody", "ResolveDocument", "Jwk", "MisconfiguredDocument"} < built

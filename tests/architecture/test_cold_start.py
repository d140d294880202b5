"""The import is the cold start: what it brings in and builds is counted, which no busy machine makes more of.

`make bench` measures how long it takes.
"""

import sys
from collections.abc import Iterable

from tests.architecture.test_deployment import IN_DEVELOPMENT, ROOT, run

MODEL = "import azure.functions, pydantic; type('Model', (pydantic.BaseModel,), {})"
"""What cannot be done without, and one model, because pydantic imports most of itself when the first is made."""

OURS = {"function_app", "functions", "shared"}

AT_START, IN_THE_FIRST_CALL = 51, 46
"""Our modules that a start imports: settings, the store, and the index of functions, but no feature and no other
adapter; and those that the first resolve imports besides."""

ADAPTERS_AT_START = {"app_identity", "continuations", "later", "recent_rows", "system_clock", "tables", "telemetry"}
"""The store, and what costs next to nothing."""

DATACLASSES_AT_START, MODELS_AT_START = 27, 2
"""Python compiles the methods of a dataclass when it is made, for half a millisecond; a model takes a third of one."""

RESOURCES = {path.stem for path in (ROOT / "functions").glob("*.py")} - {"__init__", "app", "timers"}
PARTS = {"accounts", "applications", "domains", "duties", "flows", "policies", "portal", "provider", "resolution"}
PARTS |= {"trail", "users"}
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


def ours_among(modules: Iterable[str]) -> set[str]:
    return {module for module in modules if module.partition(".")[0] in OURS}


def adapters_among(modules: Iterable[str]) -> set[str]:
    return {module.split(".")[2] for module in modules if module.startswith("shared.adapters.")}


def test_a_start_imports_no_resource_and_no_part_of_the_product() -> None:
    ours = ours_among(imported_by("import function_app"))
    assert len(ours) <= AT_START
    assert ours.isdisjoint(f"functions.{resource}" for resource in RESOURCES)
    assert ours.isdisjoint(f"shared.{part}" for part in PARTS)
    assert adapters_among(ours) == ADAPTERS_AT_START


CALLED = """
import asyncio, function_app
from azure.functions import HttpRequest

class Invocation:
    invocation_id = "of the test"

def call(name, method, path, headers, body):
    (function,) = (each for each in function_app.app.get_functions() if each.get_function_name() == name)
    req = HttpRequest(method, f"http://sso.example{{path}}", headers=headers, body=body)
    return asyncio.run(function.get_user_function()(req, Invocation()))

before = {{*sys.modules}}
answer = call({name!r}, {method!r}, {path!r}, {headers!r}, {body!r})
assert answer.status_code == {status}, answer.get_body()
print(*{{*sys.modules}} - before)
"""
RESOLVE = {
    "name": "resolve_email",
    "method": "POST",
    "path": "/v1/resolve",
    "headers": {"content-type": "application/json", "content-length": "2"},
    "body": b'{"email": "alice@contoso.example"}',
    "status": 503,  # nobody answers at the store's address
}


def test_a_call_imports_its_own_resource_and_no_other() -> None:
    ours = ours_among(run(CALLED.format(**RESOLVE), IN_DEVELOPMENT).split())
    assert {module for module in ours if module.removeprefix("functions.") in RESOURCES} == {"functions.resolve"}
    assert not any(module.startswith(("shared.provider", "shared.portal", "shared.trail.trail")) for module in ours)
    assert adapters_among(ours) == {"azure_sdk", "tables", "trust"}
    assert len(ours) <= IN_THE_FIRST_CALL


MADE = """
import dataclasses, function_app
from pydantic import BaseModel

def below(kind):
    for each in type.__subclasses__(kind):
        yield each
        yield from below(each)

ours = {each for each in below(object) if each.__module__.partition(".")[0] in {"functions", "shared"}}
names = {f"{each.__module__}.{each.__qualname__}" for each in ours if dataclasses.is_dataclass(each)}
models = {each for each in ours if issubclass(each, BaseModel)}
print(len(names), len(models))
"""
"""With slots a dataclass is made twice, so names are counted."""


def test_few_classes_are_made_at_start_whose_making_takes_long() -> None:
    dataclasses, models = map(int, run(MADE, IN_DEVELOPMENT).split())
    assert 0 < dataclasses <= DATACLASSES_AT_START
    assert 0 < models <= MODELS_AT_START


def test_resolve_knows_its_own_part_of_the_product_and_no_other() -> None:
    ours = ours_among(imported_by("import functions.resolve"))
    assert [
        module for module in ours if module.startswith(("shared.provider", "shared.assembly", "shared.trail.trail"))
    ] == []
    assert len(ours) <= 63


MODELS = """
from importlib import import_module
from pkgutil import walk_packages
import functions, shared
from functions.app import build_routes
from functions.policy import PolicyBody
from pydantic import BaseModel
from shared.settings import read_settings
from shared.wiring import build_services

build_routes(build_services(read_settings()))
for package in (functions, shared):
    for module in walk_packages(package.__path__, package.__name__ + "."):
        import_module(module.name)

def below(model):
    for each in model.__subclasses__():
        yield each
        yield from below(each)

def ours():
    found = [model for model in below(BaseModel) if model.__module__.startswith(("functions.", "shared."))]
    return [model for model in found if not model.__pydantic_generic_metadata__["origin"]]
"""
"""Models of the whole app. What a `RootModel[...]` is made of is pydantic's, and always built."""


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

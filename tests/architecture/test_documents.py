"""The documents say what there is: every setting, every call, every kind of refusal."""

import json
import re
from pathlib import Path

import pytest

from functions.app import build_routes
from functions.http import index
from functions.http.endpoint import Endpoint
from functions.http.refusals import every_kind, status_of_kind
from local import openapi
from local.processes import ROOT
from shared.kernel.refusals import Refusal
from shared.services import Services
from shared.settings import Settings, read_settings
from shared.wiring import build_services
from tests.architecture.test_deployment import run
from tests.unit.test_wiring import IN_DEVELOPMENT

CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
DEPENDENCIES = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = json.loads((ROOT / "local.settings.example.json").read_text(encoding="utf-8"))["Values"]
SETTINGS = {field.alias: field for field in Settings.model_fields.values()}


def endpoints() -> list[Endpoint]:
    services = build_services(read_settings(IN_DEVELOPMENT))
    assert isinstance(services, Services)
    return [endpoint for routes in build_routes(services) for endpoint in routes.endpoints]


ENDPOINTS = endpoints()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_described_in_its_own_words(name: str) -> None:
    assert f"| `{name}` |" in CONFIGURATION
    assert SETTINGS[name].description in CONFIGURATION


def test_no_setting_is_described_that_there_is_not() -> None:
    assert {*re.findall(r"SSO_[A-Z_]+[A-Z]", CONFIGURATION)} <= {*SETTINGS}


@pytest.mark.parametrize("name", [name for name, field in SETTINGS.items() if field.is_required()])
def test_a_required_setting_is_called_required_and_has_an_example(name: str) -> None:
    assert f"| `{name}` | yes |" in CONFIGURATION
    assert EXAMPLE[name]


def test_the_example_sets_nothing_that_there_is_not() -> None:
    assert {name for name in EXAMPLE if name.startswith("SSO_")} <= {*SETTINGS}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_every_call_is_described(endpoint: Endpoint) -> None:
    """A document may shorten an address that it has given in full: `PUT /v1/x`, `GET`, `DELETE`."""
    (paragraphs,) = [[text for text in re.split(r"\n\n|\n\|", API) if endpoint.path in text]]
    assert paragraphs, f"{endpoint.path} does not occur"
    assert any(re.search(rf"\b{endpoint.method}\b", text) for text in paragraphs)


def test_the_description_for_programs_is_that_of_the_code() -> None:
    """In a process of its own, because refusals that other tests define would be listed, too."""
    described = run("from local.openapi import described\nprint(described(), end='')", {})
    assert openapi.FILE.read_text(encoding="utf-8") == described, "run make openapi, and commit what it writes"


def test_the_index_that_functions_are_registered_by_is_that_of_the_code() -> None:
    indexed = run("from local.openapi import indexed\nprint(indexed(), end='')", {})
    assert index.FILE.read_text(encoding="utf-8") == indexed, "run make openapi, and commit what it writes"


def test_no_call_is_described_that_there_is_not() -> None:
    paths = {endpoint.path for endpoint in ENDPOINTS}
    described = {*re.findall(r"`(?:[A-Z/]+ )?(/[a-z0-9.{}A-Z/_-]+)`", API)}
    assert described
    assert {path for path in described if path not in paths} == set()


def test_the_readme_names_every_call_and_every_folder() -> None:
    """It names several calls of one address once, `GET` `POST /portal`, and those of an account without its address."""
    glance, layout = README.partition("## The API at a glance")[2].split("## Layout")
    named = {
        path.removeprefix("/v1/accounts/{accountId}/").removeprefix("/"): methods
        for methods, path in re.findall(r"((?:`[A-Z]+` )*`[A-Z]+ )([^` ]+)`", glance)
    }
    paths = [(each.method, each.path.removeprefix("/v1/accounts/{accountId}/").removeprefix("/")) for each in ENDPOINTS]
    assert [(method, path) for method, path in paths if f"`{method}" not in named.get(path, "")] == []
    listed = {*re.findall(r"^ *([\w.]+)/? ", layout, re.MULTILINE)}
    parts = {each.name for folder in (ROOT, ROOT / "shared") for each in folder.iterdir() if is_part(each)}
    assert parts - listed == set()


def is_part(file: Path) -> bool:
    """A module, or a folder with sources in it."""
    made = file.name.startswith(".") or file.name in {"dist", "node_modules", "__pycache__"}
    folder = file.is_dir() and not made and any(file.glob("*.*"))
    return folder or (file.suffix == ".py" and file.stem != "__init__")


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"| [{page}]({page}) |" not in index} == set()


@pytest.mark.parametrize("kind", sorted(every_kind(), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_every_kind_of_refusal_is_described_beside_its_status(kind: type[Refusal]) -> None:
    line = next(line for line in API.splitlines() if f"`{kind.slug}`" in line)
    assert str(status_of_kind(kind)) in line.partition("|")[2].partition("|")[0]


REQUIRED = [
    line.partition("[")[0]
    for file in ("requirements.in", "requirements-dev.in")
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
    if line and not line.startswith(("#", "-r "))
]
"""The packages that are asked for by name."""


@pytest.mark.parametrize("name", REQUIRED)
def test_every_dependency_is_explained(name: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", DEPENDENCIES, re.IGNORECASE)

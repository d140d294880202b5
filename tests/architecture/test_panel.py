"""The panel: its page says what there is, its package is of this version, and nothing in it makes markup of text."""

import base64
import hashlib
import json
import re

import pytest

from local.processes import ROOT

PANEL = ROOT / "panel"
SOURCES = {file: file.read_text(encoding="utf-8") for file in sorted((PANEL / "src").rglob("*.ts"))}
SOURCES = {file: text for file, text in SOURCES.items() if "generated" not in file.parts}
EVERYTHING = "\n".join(SOURCES.values())
STYLES = (PANEL / "src" / "style.css").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "panel.md").read_text(encoding="utf-8")
PACKAGE = json.loads((PANEL / "package.json").read_text(encoding="utf-8"))
LOCK = json.loads((PANEL / "package-lock.json").read_text(encoding="utf-8"))


def test_the_package_has_the_version_of_the_service() -> None:
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert (PACKAGE["version"], LOCK["version"], LOCK["packages"][""]["version"]) == (version, version, version)
    assert PACKAGE["private"], "it is packed, and nobody uploads it by mistake"


def test_packages_are_pinned_by_hash_and_come_from_no_registry_in_particular() -> None:
    asked = PACKAGE["dependencies"] | PACKAGE["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values())
    packages = [each for name, each in LOCK["packages"].items() if name and not each.get("link")]
    assert len(packages) > len(asked)
    assert all("resolved" not in each and "integrity" in each for each in packages)


@pytest.mark.parametrize("name", sorted(PACKAGE["dependencies"] | PACKAGE["devDependencies"]))
def test_every_package_is_explained(name: str) -> None:
    assert name in (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "word", ["innerHTML", "unsafeHTML", "unsafeSVG", "insertAdjacentHTML", "document.write", "eval("]
)
def test_no_text_becomes_markup(word: str) -> None:
    assert word not in EVERYTHING


def test_no_style_or_handler_stands_in_an_attribute() -> None:
    """A strict Content-Security-Policy of the page around it would refuse them."""
    assert re.findall(r"\sstyle=|\son[a-z]+=", EVERYTHING) == []


def test_the_page_has_the_hash_for_subresource_integrity() -> None:
    script = (PANEL / "dist" / "azure-sso-panel.js").read_bytes()
    integrity = base64.b64encode(hashlib.sha384(script).digest()).decode()
    assert f'integrity="sha384-{integrity}"' in PAGE, "run make panel, and commit what it writes into docs/panel.md"
    assert f"/panel/azure-sso-panel.{hashlib.sha256(script).hexdigest()[:16]}.js\n" in PAGE


def test_every_event_is_described() -> None:
    (kinds,) = re.findall(r"export type PanelEvent =(.*?);", EVERYTHING, re.DOTALL)
    events = {f"azure-sso-{name}" for name in re.findall(r'"([a-z-]+)"', kinds)}
    assert events == {*re.findall(r"^\| `(azure-sso-[a-z-]+)` \|", PAGE, re.MULTILINE)}


def test_every_attribute_and_property_is_described() -> None:
    text = SOURCES[PANEL / "src" / "azure-sso-panel.ts"]
    properties = {*re.findall(r"@property\(.*\) (\w+)", text)}
    table = PAGE.partition("## Attributes and properties")[2].partition("\n`reload")[0]
    assert properties == {*re.findall(r"^\| (?:`[a-z-]+`)? ?\| `(\w+)` \|", table, re.MULTILINE)}


def test_every_custom_property_that_is_described_is_there() -> None:
    described = {*re.findall(r"`(--azure-sso-[a-z-]+)`", PAGE)}
    assert len(described) > 10
    assert [name for name in described if f"  {name}:" not in STYLES] == []


def test_every_part_that_is_described_is_there() -> None:
    there = {name for part in re.findall(r'part="([a-z ]+)"', EVERYTHING) for name in part.split()}
    described = PAGE.partition("\nParts: ")[2].partition(".\n")[0]
    assert {*re.findall(r"`([a-z]+)`", described)} == there


def test_every_picture_is_there() -> None:
    pictures = {*re.findall(r"\]\((panel/.+?\.webp)\)", PAGE)}
    assert pictures == {file.relative_to(ROOT / "docs").as_posix() for file in (ROOT / "docs" / "panel").iterdir()}

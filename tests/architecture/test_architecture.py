"""docs/architecture.md draws what there is: packages, endpoints, states, rows and their writers."""

import re
import tomllib
from pathlib import Path

import pytest

from local.processes import ROOT
from shared.connection import connection
from shared.connection.connection import Status
from shared.wiring import TABLE_NAMES
from tests.architecture.test_documents import ENDPOINTS

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTEXT, SIGN_IN, STATES, ROWS = re.findall(r"^```mermaid\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
MODULES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "shared").rglob("*.py"))
}
"""The product's modules, by their paths."""


def table(heading: str) -> list[list[str]]:
    """The cells of each row of the table that starts with these words."""
    lines = PAGE.partition(f"| {heading} |")[2].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def section(heading: str) -> str:
    """The text below a heading of the second level, without its drawings."""
    text = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# -- packages and endpoints ------------------------------------------------------------------------------------------


def test_packages_are_listed_in_the_order_that_imports_keep() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [
        each["layers"] for each in settings["tool"]["importlinter"]["contracts"] if each.get("containers") == ["shared"]
    ]
    assert [code(row[0]) for row in table("packages of `shared/`")] == [layer.split(" | ") for layer in layers]


def test_a_sign_in_calls_endpoints_that_exist() -> None:
    calls = set(re.findall(r"(GET|POST) (/\S+)", SIGN_IN))
    assert len(calls) == 3
    assert calls <= {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


def test_the_paths_in_the_context_are_those_of_endpoints() -> None:
    paths = set(re.findall(r'-- "(/\w+(?:/\w+)*)[^"]*" --> http', CONTEXT))
    assert len(paths) == 3
    assert [path for path in paths if not any(f"{each.path}/".startswith(f"{path}/") for each in ENDPOINTS)] == []


# -- states ------------------------------------------------------------------------------------------------------------


def test_the_states_are_drawn_as_beside_the_record() -> None:
    assert f"```mermaid\n{STATES}```" in (connection.__doc__ or "")
    ends = {state for each in re.findall(r"^ +(\S+) --> (\w+)", STATES, re.MULTILINE) for state in each}
    assert ends == {"[*]", *Status}


# -- rows --------------------------------------------------------------------------------------------------------------


_STORES = ("shared/adapters/tables/", "shared/adapters/recent_rows.py")
"""What implements the port; the rows that pass through it are of others."""


def rows_in_the_code() -> set[str]:
    """Every row key, or its beginning, that the product has a name for; a client id has none."""
    source = "\n".join(text for name, text in MODULES.items() if not name.startswith(_STORES))
    names = "PREFIX|ROW|TRAIL|PERSON|KNOWN|OF_PERSON|OF_SESSION"
    named = {*re.findall(rf'^_?(?:{names}) = "([^"]+)"', source, re.MULTILINE)}
    heads = {f"head:{row}" for row in re.findall(r'^    row = "(\w+)"', source, re.MULTILINE)}
    kinds = {*re.findall(r'^    kind: ClassVar\[str\] = "([\w-]+)"', source, re.MULTILINE)}
    literal = {*re.findall(r'Key\([^\n]+, "([\w-]+)"\)', source)} - {"health"}
    return named - {"head:"} | heads | kinds | literal | {"client id"}


DESCRIBED = [(*code(row[0]), *code(row[1]), row[2], code(row[3])) for row in table("table | row key")]
"""Each row of the table: a table, the key of a row, its record, and the modules that write it."""


def test_every_row_of_every_table_is_described_and_drawn() -> None:
    described = {key for _, key, _, _ in DESCRIBED}
    assert described == rows_in_the_code()
    drawn = {*re.findall(r'--> \w+\["([^"]+)"\]', ROWS)}
    assert drawn == described


def test_rows_are_drawn_in_the_table_that_they_are_in() -> None:
    nodes = dict(re.findall(r'--> (\w+)\["([^"]+)"\]', ROWS))
    drawn = {
        (name, nodes[node])
        for name, inside in re.findall(
            r'subgraph \w+\["(\w+): [^"]+"\]\n(.*?)^    end$', ROWS, re.DOTALL | re.MULTILINE
        )
        for node in inside.split()
    }
    assert drawn == {(name, key) for name, key, _, _ in DESCRIBED}
    assert {name for name, _ in drawn} == {*TABLE_NAMES}


@pytest.mark.parametrize("row", DESCRIBED, ids=lambda row: f"{row[0]} {row[1]}")
def test_who_writes_a_row_knows_its_record(row: tuple[str, str, str, list[str]]) -> None:
    _, key, record, writers = row
    if record == "none":
        assert f'"{key}"' in MODULES[writers[0]]
        return
    (name,) = code(record)
    assert any(re.search(rf"^class {name}\(", text, re.MULTILINE) for text in MODULES.values())
    assert re.search(rf"\b{name}\b", MODULES[writers[0]])


@pytest.mark.parametrize("row", DESCRIBED, ids=lambda row: f"{row[0]} {row[1]}")
def test_the_package_that_writes_a_row_is_drawn_beside_it(row: tuple[str, str, str, list[str]]) -> None:
    packages = {name: node for node, name in re.findall(r'(\w+_p)\["(\w+)"\]', ROWS)}
    nodes = {label: node for node, label in re.findall(r'--> (\w+)\["([^"]+)"\]', ROWS)}
    drawn = {writer for writer, node in re.findall(r"(\w+_p)(?:\[[^]]+\])? --> (\w+)", ROWS) if node == nodes[row[1]]}
    writers = row[3][:1] if row[2] == "`AuditRecord`" else row[3]  # a trail writes for the ones who commit
    assert drawn == {packages[Path(name).parent.name] for name in writers}


def test_every_module_that_writes_is_named() -> None:
    writes = re.compile(
        r"\.commit\(|\b_?table\.write\(|\binsert_once\(|\bflows\.(?:issue|put)\(|\bduties\.plan(?:_once)?\("
    )
    found = {name for name, text in MODULES.items() if writes.search(text) and name != "shared/adapters/recent_rows.py"}
    assert found == {name for name in code(section("Rows and writers")) if name.endswith(".py")}


# -- where things go ---------------------------------------------------------------------------------------------------


def test_only_its_own_package_reads_a_list_of_domains_from_one_row() -> None:
    """A long list is packed into several, and would look empty (`shared/domains/stored_domains.py`)."""
    readers = {
        name for name, text in MODULES.items() if re.search(r"stored\(TenantDomains\)|TenantDomains\.read\(", text)
    }
    assert {name for name in readers if not name.startswith("shared/domains/")} == set()


def test_what_a_newcomer_is_pointed_to_is_there() -> None:
    named = code(section("Where does it go?"))
    files = [ROOT / name for name in named if re.match(r"(shared|functions|tests|bench)/.+\.py", name)]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    names = [name for name in named if re.fullmatch(r"[A-Z]\w+(\.\w+)?", name)]
    assert len(names) > 5
    for name in names:
        thing, _, member = name.partition(".")
        assert re.search(rf"^(?:class )?{thing}\b", source, re.MULTILINE), name
        assert not member or re.search(rf"def {member}\(", source), name

"""What is installed is what was pinned: every package by version and hash, every import asked for by name."""

import ast
import json
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from bench.scale import FULL, QUICK
from local.processes import ROOT

LOCKED = ["requirements.txt", "requirements-dev.txt", ".ci/requirements.txt"]


def pinned(file: str) -> dict[str, list[str]]:
    """The requirements of a file, without comments, each with its hashes."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {requirement: hashes for requirement, *hashes in lines}


def test_no_dependency_hides_our_packages() -> None:
    """The app's folder comes last on the worker's path, so a dependency of the same name would win."""
    ours = {"shared", "functions", "function_app"}
    for requirement in pinned("requirements.txt"):
        files = distribution(requirement.partition("==")[0]).files or []
        assert ours.isdisjoint(Path(file.parts[0]).stem for file in files), requirement


@pytest.mark.parametrize("file", LOCKED)
def test_every_package_is_pinned_by_version_and_hash_and_no_index_is_named(file: str) -> None:
    assert pinned(file)
    for requirement, hashes in pinned(file).items():
        name, pin, version = requirement.partition("==")
        assert (pin, bool(name), bool(version)) == ("==", True, True), requirement
        assert hashes, requirement
        assert all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", each) for each in hashes), requirement
    assert "://" not in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_a_package_with_compiled_code_is_pinned_for_every_platform(file: str) -> None:
    """Linux in Azure and CI, macOS and ARM at a desk: each downloads another wheel of the same version."""
    compiled = [each for each in pinned(file) if not _is_pure(each.partition("==")[0])]
    assert len(compiled) > 5
    assert [requirement for requirement in compiled if len(pinned(file)[requirement]) < 4] == []


def _is_pure(package: str) -> bool:
    return "Root-Is-Purelib: true" in str(distribution(package).read_text("WHEEL"))


def imported() -> set[str]:
    """The modules of others that the product imports, by their whole names."""
    files = [ROOT / "function_app.py", *(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names | {"functions", "shared"}}


def test_what_is_imported_is_asked_for_by_name() -> None:
    """And does not merely come with something else, which may let go of it."""
    asked_for = {line.partition("[")[0] for line in pinned("requirements.in")}
    brought = {str(file) for name in asked_for for file in distribution(name).files or []}
    modules = {name.replace(".", "/") for name in imported()}
    assert modules
    assert {name for name in modules if brought.isdisjoint({f"{name}.py", f"{name}/__init__.py"})} == set()


def test_what_is_deployed_is_what_is_developed_with() -> None:
    deployed, developed = pinned("requirements.txt"), pinned("requirements-dev.txt")
    assert {requirement: developed.get(requirement) for requirement in deployed} == deployed


@pytest.mark.parametrize(("folder", "package"), [(".", "azurite"), ("bench/peers/npm", "oidc-provider")])
def test_the_node_packages_are_pinned_without_addresses(folder: str, package: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages[f"node_modules/{package}"]["version"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if not entry.get("link") and "integrity" not in entry] == []


def plan_of(*arguments: str) -> str:
    """What make would run if nothing was there yet."""
    command = ["make", "--dry-run", "--always-make", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout


def test_other_products_are_fetched_and_run_by_the_bench_on_demand_alone() -> None:
    plain, beside_them = plan_of("bench"), plan_of("bench", "PEERS=1")
    assert "python -m bench" in plain
    assert "peers" not in plain
    assert "cd bench/peers/npm && npm ci" in beside_them
    assert beside_them.rstrip().endswith("--peers")
    assert (FULL.peers, QUICK.peers) == (False, False), "without the option nobody asks for Maven, either"

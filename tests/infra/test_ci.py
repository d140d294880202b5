"""`.ci/run` finds the Bicep CLI, or says that it is missing, before it does anything else; a browser it installs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from local.processes import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing in it but `.ci/run`, and a `make` that prints what it is told of Bicep."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    program(tmp_path / "bin" / "make", 'echo "$* with $BICEP and ${BICEP_GRAPH_TYPES:-the registry}"')
    return folder


def program(file: Path, line: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def run(checkout: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`.ci/run` on a machine that has Python, Node and, unless the environment says otherwise, a browser."""
    for name, line in (("python3.13", "exit 0"), ("npm", ""), ("node", "exit 0")):
        program(checkout.parent / "bin" / name, line)
    environment = {"CHROMIUM": "chromium"} | environment
    path = f"{checkout.parent / 'bin'}:{bare(checkout.parent / 'debian')}"
    return subprocess.run(
        [checkout / ".ci" / "run"], env={"PATH": path, **environment}, capture_output=True, text=True, check=False
    )


def bare(folder: Path) -> Path:
    """A folder with the programs of every Debian that `.ci/run` needs, and no browser."""
    folder.mkdir(exist_ok=True)
    for name in ("bash", "sh", "env", "dirname", "mktemp", "cat", "rm", "id"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(f"/usr/bin/{name}")
    return folder


def made(ended: "subprocess.CompletedProcess[str]") -> list[str]:
    """What `make` was told."""
    assert ended.returncode == 0, ended.stderr
    return [line for line in ended.stdout.splitlines() if " with " in line]


def test_without_a_cli_it_says_so_and_runs_nothing(checkout: Path) -> None:
    ended = run(checkout)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Please name the Bicep CLI, 0.49 or newer, in BICEP: it is not there")


def test_a_cli_that_is_not_there_is_none(checkout: Path) -> None:
    ended = run(checkout, BICEP="/nowhere/bicep")
    assert ended.returncode == 1
    assert "/nowhere/bicep is not there" in ended.stderr


def test_it_takes_the_cli_that_is_named(checkout: Path) -> None:
    mine = program(checkout.parent / "mine" / "bicep", "")
    program(checkout.parent / "shared" / "tools" / "bicep", "")
    assert made(run(checkout, BICEP=str(mine))) == [f"test SLOW=1 with {mine} and the registry"]


def test_it_takes_the_cli_beside_the_checkout(checkout: Path) -> None:
    tools = checkout.parent / "shared" / "tools"
    program(tools / "bicep", "")
    types = tools / "microsoft-graph-v1.0-1.0.0.tgz"
    types.touch()
    (said,) = made(run(checkout))
    words = said.split()
    assert words[:2] == ["test", "SLOW=1"]
    assert [Path(words[place]).resolve() for place in (3, 5)] == [tools / "bicep", types]


@pytest.mark.parametrize("wanted", ["", "0", "no"])
def test_the_real_az_is_asked_only_where_it_is_wanted(checkout: Path, wanted: str) -> None:
    mine = program(checkout.parent / "mine" / "bicep", "")
    ended = run(checkout, BICEP=str(mine), AZ_CHECK=wanted)
    assert [line.split()[0] for line in made(ended)] == ["test"]
    assert "were not held against the real az: AZ_CHECK=1 does that (make check-az)." in ended.stdout
    asked = run(checkout, BICEP=str(mine), AZ_CHECK="1")
    assert [line.split()[0] for line in made(asked)] == ["test", "check-az"]
    assert "were not held" not in asked.stdout


def test_a_machine_without_a_browser_gets_debians(checkout: Path) -> None:
    mine = program(checkout.parent / "mine" / "bicep", "")
    asked = checkout.parent / "apt-get.log"
    program(checkout.parent / "bin" / "apt-get", f'echo "$*" >>{asked}')
    program(checkout.parent / "bin" / "sudo", 'exec "$@"')
    assert made(run(checkout, BICEP=str(mine), CHROMIUM=""))
    assert asked.read_text().split("\n")[:2] == ["update", "install --yes --no-install-recommends chromium"]
    for name in ("chromium", "google-chrome"):
        asked.unlink(missing_ok=True)
        found = program(checkout.parent / "bin" / name, "")
        assert made(run(checkout, BICEP=str(mine), CHROMIUM=""))
        assert not asked.exists(), name
        found.unlink()


def test_a_test_that_fails_ends_it(checkout: Path) -> None:
    mine = program(checkout.parent / "mine" / "bicep", "")
    program(checkout.parent / "bin" / "make", "exit 2")
    ended = run(checkout, BICEP=str(mine), AZ_CHECK="1")
    assert (ended.returncode, ended.stdout) == (2, "")

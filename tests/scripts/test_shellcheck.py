"""Every shell script of the project is clean, and says what it does."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.processes import ROOT

SCRIPTS = [*sorted((ROOT / "infra").glob("*.sh")), ROOT / ".ci" / "run"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_clean(script: Path) -> None:
    checker = Path(sys.executable).with_name("shellcheck")
    found = subprocess.run(
        [checker, "--external-sources", "--severity=style", script.relative_to(ROOT)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("name", ["deploy.sh", "entra.sh", "teardown.sh"])
def test_a_script_tells_how_it_is_used(name: str) -> None:
    """And takes every option that it tells of."""
    script = ROOT / "infra" / name
    told = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    text = script.read_text(encoding="utf-8")
    options = {word for line in told.splitlines() for word in line.split() if line.startswith("  --")}
    for option in (option for option in options if option.startswith("--")):
        assert f"\n    {option})" in text, option


@pytest.mark.parametrize("name", ["deploy.sh", "entra.sh", "teardown.sh"])
def test_an_option_that_there_is_not_is_refused(name: str) -> None:
    script = ROOT / "infra" / name
    ended = subprocess.run([script, "--force"], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.strip()) == (1, f"There is no option --force. See infra/{name} --help.")

"""What only the Bicep CLI can say: that the stages compile, and that its linter has no error. Skipped without it."""

import os
import subprocess

import pytest

from tests.infra.bicep_files import INFRA

BICEP = os.environ.get("BICEP")


@pytest.mark.skipif(not BICEP, reason="BICEP names no Bicep CLI, 0.36.1 or newer")
@pytest.mark.parametrize("stage", ["identity.bicep", "entra.bicep", "main.bicep"])
@pytest.mark.parametrize("asked", [("build", "--stdout"), ("lint",)], ids=["build", "lint"])
def test_a_stage_compiles_and_lints(stage: str, asked: tuple[str, ...]) -> None:
    command, *options = asked
    ended = subprocess.run(
        [str(BICEP), command, str(INFRA / stage), *options], capture_output=True, text=True, timeout=150, check=False
    )
    assert ended.returncode == 0, ended.stderr

"""The component tests of the panel (panel/test), in a Chromium of this machine, in front of a service in memory."""

import os
import subprocess

import pytest

from local.processes import ROOT
from tests.support.chromium import find_chromium


def test_the_components_of_the_panel_do_what_their_tests_say() -> None:
    try:
        program = find_chromium()
    except FileNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)
    done = subprocess.run(
        ["node", "node_modules/vitest/vitest.mjs", "run", "--reporter=dot"],
        cwd=ROOT / "panel",
        env=os.environ | {"CHROMIUM": program, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

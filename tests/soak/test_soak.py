"""The soak finds nothing to complain about in a short run, and finds a leak when there is one."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest

from local.processes import ROOT

SHORT = ["--minutes", "0.33", "--pace", "2"]
LEAKING = '''
    """The service with a handler that keeps ten objects and some memory for each event, and a file for some.

    Each of the three is found by one count alone: 20,000 bytes are none of Python's blocks, nor is a small number.
    """

    import logging
    import os
    import runpy

    app = runpy.run_path({app!r})["app"]


    class Hoarder(logging.Handler):
        def __init__(self):
            super().__init__()
            self.objects, self.bytes = [], []

        def emit(self, record):
            self.objects += [object() for _ in range(10)]
            self.bytes.append(os.urandom(20_000))
            if len(self.bytes) % 20 == 0:
                os.open(os.devnull, os.O_RDONLY)


    logging.getLogger("azure_sso").addHandler(Hoarder())
'''


def soaked(*arguments: str | Path) -> tuple[int, str]:
    """Run the soak; its exit code, and what it printed."""
    command = [sys.executable, "-m", "bench.soak", *SHORT, *arguments]
    environment = {**os.environ, "NO_COLOR": "1"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(1_800)  # twenty times as long as it takes: how busy a machine is says nothing about a leak
def test_a_short_soak_is_flat_and_one_with_a_leak_is_not(tmp_path: Path) -> None:
    """Both at the same time: each waits for much of it."""
    app = ROOT / "bench" / "soak" / "app"
    (tmp_path / "host.json").write_text((app / "host.json").read_text(encoding="utf-8"), encoding="utf-8")
    leaking = dedent(LEAKING).format(app=str(app / "function_app.py"))
    (tmp_path / "function_app.py").write_text(leaking, encoding="utf-8")
    with ThreadPoolExecutor() as pool:
        sound, leaky = pool.submit(soaked), pool.submit(soaked, "--app", tmp_path)
    assert sound.result()[0] == 0, sound.result()[1]
    assert "Everything is flat." in sound.result()[1]
    code, said = leaky.result()
    rising = re.findall(r"^Not flat: (.*)\.$", said, re.MULTILINE)
    assert code == 1, said
    assert rising == ["resident memory, MB, descriptors, blocks of memory beside caches and connections"], said

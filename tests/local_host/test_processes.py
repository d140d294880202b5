"""No child process is ever left behind, however its parent ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.processes import ROOT, StackError, free_port, listens, running, start

SLEEP = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]
NESTED = "import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
"""Ends by SIGTERM, and what it has started does not, unless it gets one of its own."""
PARENT = f"""
import sys, time
from pathlib import Path
from local.processes import running, unwind_on_signals
unwind_on_signals()
with running("child", [sys.executable, "-c", {NESTED!r}], Path(sys.argv[1])) as child:
    print(child.process.pid, child.wait_until(child.first_line, 30), flush=True)
    time.sleep(60)
"""


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return not state.strip().startswith("Z")


def _ends(pid: int) -> bool:
    """Whether a process ends that was told to: a busy machine takes its time over it."""
    deadline = time.monotonic() + 30
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _is_alive(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_child_and_what_it_has_started_end_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(each) for each in parent.stdout.readline().split()]
        assert [_is_alive(pid) for pid in pids] == [True, True]
        parent.send_signal(number)
        parent.wait(30)
    assert [_ends(pid) for pid in pids] == [True, True]


def test_all_of_them_end_with_make(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    (tmp_path / "Makefile").write_text(f"run:\n\t@exec {sys.executable} {tmp_path}/parent.py {tmp_path}/log\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["make", "--file", tmp_path / "Makefile"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as make:
        assert make.stdout is not None
        pids = [int(each) for each in make.stdout.readline().split()]
        assert [_is_alive(pid) for pid in pids] == [True, True]
        make.kill()
    assert [_ends(pid) for pid in pids] == [True, True]


@pytest.mark.parametrize("ignores", ["", "import signal; signal.signal(15, signal.SIG_IGN); "])
def test_grandchildren_end_too(tmp_path: Path, ignores: str) -> None:
    """Also those that ignore what ends the program itself."""
    script = "import os, subprocess, sys; p = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); p.wait()"
    grandchild = f"{ignores}import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with running("parent", [sys.executable, "-c", script, grandchild], tmp_path / "log") as child:
        pid = int(child.wait_until(child.first_line, 30))
        assert _is_alive(pid)
    assert _ends(pid)


def test_nothing_stays_of_a_child_that_has_ended_by_itself(tmp_path: Path) -> None:
    with running("child", [sys.executable, "-c", "print('over')"], tmp_path / "log") as child:
        child.process.wait(30)
        os.killpg(child.guard.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.killpg(child.guard.pid, 0)


def test_a_child_that_ignores_sigterm_is_made_to_end(tmp_path: Path) -> None:
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    child = start("stubborn", [sys.executable, "-c", script], tmp_path / "log")
    child.wait_until(child.first_line, 10)
    child.stop(patience=0.2)
    assert not child.running


def test_a_child_hears_sigint_though_its_parent_runs_in_the_background(tmp_path: Path) -> None:
    """A shell starts background jobs with SIGINT ignored, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with running("in the background", SLEEP, tmp_path / "log") as child:
            child.wait_until(child.first_line, 10)
            child.process.send_signal(signal.SIGINT)
            assert child.process.wait(10) == -signal.SIGINT
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_child_that_ends_too_soon_is_told_with_its_last_words(tmp_path: Path) -> None:
    with (
        running("Failing", [sys.executable, "-c", "import sys; sys.exit('no reason')"], tmp_path / "log") as child,
        pytest.raises(StackError, match=r"Failing ended at once with code 1\.\nno reason"),
    ):
        child.wait_until(lambda: None, 10)


def test_a_child_that_never_gets_ready_is_told(tmp_path: Path) -> None:
    with (
        running("Slow", SLEEP, tmp_path / "log") as child,
        pytest.raises(StackError, match="Slow is not ready"),
    ):
        child.wait_until(lambda: None, 0.1)


def test_a_variable_can_be_taken_out_of_a_childs_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    script = "import os; print(os.environ.get('OURS'), os.environ.get('GIVEN'))"
    with running("child", [sys.executable, "-c", script], tmp_path / "log", {"OURS": None, "GIVEN": "2"}) as child:
        child.process.wait(10)
        assert child.first_line() == "None 2"


def test_a_free_port_is_free() -> None:
    assert not listens(free_port())


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - Java listens everywhere
def test_a_free_port_is_kept_for_its_server_also_when_that_is_started_again(host: str) -> None:
    port = free_port()
    for _ in range(2):
        assert not _is_given_away(port)
        with socket.create_server((host, port)):
            assert listens(port)
    assert not listens(port)


def _is_given_away(port: int) -> bool:
    """Whether the system would give the port to a connection, or to who asks for any: they do not share ports."""
    if sys.platform != "linux":
        return False
    with socket.socket() as stranger:
        try:
            stranger.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

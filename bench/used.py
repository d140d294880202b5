"""What a process has used: its CPU time and its memory, as Linux counts them in /proc; 0 where there is no /proc."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_COMPILER: Final = re.compile("C[12] Compiler")


def cpu_seconds(pid: int) -> float:
    """A process's CPU time since its start (proc_pid_stat(5))."""
    return _cpu_seconds(Path(f"/proc/{pid}"))


def cpu_seconds_warm(pid: int) -> float:
    """The same without the threads of HotSpot's compilers, for what a request costs.

    They go on long after what is hot has been compiled, so their share of a request depends on how many came before; in
    a server that has run for a day it is nothing.
    """
    return cpu_seconds(pid) - sum(_cpu_seconds(each) for each in Path(f"/proc/{pid}/task").glob("*") if _compiles(each))


def resident(pids: Iterable[int]) -> float:
    """The memory of some processes in all, in MB."""
    return sum(_megabytes(pid, "VmRSS") for pid in pids)


def most_resident(pid: int) -> float:
    """The most memory that a process has had at one time, in MB."""
    return _megabytes(pid, "VmHWM")


def _megabytes(pid: int, what: str) -> float:
    """A line of proc_pid_status(5) that is in kB."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith(what)), 0.0)


def _compiles(thread: Path) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):  # threads come and go; these live as long as the process
        return _COMPILER.match((thread / "comm").read_text(encoding="utf-8")) is not None
    return False


def _cpu_seconds(task: Path) -> float:
    stat = task / "stat"
    if not stat.exists():
        return 0.0
    fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS

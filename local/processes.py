"""Child processes that never outlive their parent, the ports they listen on, and Azurite.

Each child has a process group of its own, so that Ctrl-C reaches the parent alone, which then stops its
children in order. If the parent is killed outright, a guard ends the group: a shell that reads from a pipe of which
only the parent has the other end. What the children are is the business of `local.run` and of the tests; only
Azurite is known here.
"""

import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

from azure.data.tables import TableServiceClient

ROOT: Final = Path(__file__).parent.parent
_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that this process gets when its parent ends."""
_GUARD: Final = "trap '' INT TERM; read -r _; kill -KILL 0"
_LAUNCHER: Final = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # which a shell has switched off for what runs in the background
os.execvp(sys.argv[1], sys.argv[1:])
"""


type Environment = Mapping[str, str | None]


class StackError(Exception):
    """Something of the local stack cannot start; the message is one sentence that says what to do."""


@dataclass(slots=True)
class Child:
    """A running program, the guard that leads its group, its log file and how to end it."""

    name: str
    process: subprocess.Popen[bytes]
    guard: subprocess.Popen[bytes]
    log: Path
    goodbye: signal.Signals = signal.SIGTERM

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet."""
        return self.process.poll() is None

    def stop(self, patience: float = 5.0) -> None:
        """Ask the program and its group to end; when it has, or after `patience` seconds, make them."""
        self._signal(self.goodbye)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        self.kill()

    def kill(self) -> None:
        """End the program and its group at once, without a chance to tidy up."""
        self._signal(signal.SIGKILL)
        self.process.wait()
        self.guard.communicate()  # closes the pipe, and waits

    def wait_until[T](self, ready: Callable[[], T | None], seconds: float) -> T:
        """Poll `ready` until it gives something true, and return that. Raises StackError."""
        deadline = time.monotonic() + seconds
        while self.running:
            if answer := ready():
                return answer
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} is not ready after {seconds:.0f} seconds.\n{self.last_words()}")
            time.sleep(0.05)
        raise StackError(f"{self.name} ended at once with code {self.process.returncode}.\n{self.last_words()}")

    def first_line(self) -> str | None:
        """The first line of the log, once it is complete."""
        line, newline, _ = self.log.read_text(encoding="utf-8", errors="replace").partition("\n")
        return line if newline else None

    def last_words(self, lines: int = 20) -> str:
        """The end of the log, for the message of a failure."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        # The group, so that nothing the program started stays behind.
        with suppress(ProcessLookupError):
            os.killpg(self.guard.pid, number)


def start(name: str, command: Sequence[str | Path], log: Path, env: Environment | None = None) -> Child:
    """Start `command` in the project's root, with its output in `log`.

    `env` comes on top of our own environment; None takes a variable out of it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *map(str, command)]
    environment = {name: value for name, value in {**os.environ, **(env or {})}.items() if value is not None}
    guard = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            launcher,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=guard.pid,
        )
    return Child(name, process, guard, log)


@contextmanager
def running(name: str, command: Sequence[str | Path], log: Path, env: Environment | None = None) -> Generator[Child]:
    """`start` a program and stop it at the end of the `with` block, whatever happens."""
    child = start(name, command, log, env)
    try:
        yield child
    finally:
        child.stop()


def unwind_on_signals() -> None:
    """Make SIGTERM unwind the `with` blocks of this process, as Ctrl-C does.

    A shell starts background jobs with SIGINT ignored; Ctrl-C, or its like, must stop those as well. And if `make` has
    started this process and is killed outright, Linux sends SIGTERM here.
    """

    def leave(*_: object) -> NoReturn:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parent = Path(f"/proc/{os.getppid()}/comm")
    if parent.exists() and parent.read_text(encoding="utf-8") == "make\n":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port() -> int:
    """Return a port on loopback for a server to come, which the system gives to nobody else while this process runs.

    A port that was free a moment ago may have become the near end of somebody's connection before the server takes it.
    So it stays bound here, on Linux: a server that sets SO_REUSEADDR, as servers do, may listen beside a socket that
    does not, and the system counts the port as taken. Elsewhere that would keep the server out, too.
    """
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.bind(("127.0.0.1", 0))
    port: int = reservation.getsockname()[1]
    if sys.platform == "linux":
        atexit.register(reservation.close)
    else:
        reservation.close()
    return port


def listens(port: int) -> bool:
    """Tell whether something accepts connections on `port` of this machine."""
    with socket.socket() as caller:
        caller.settimeout(0.5)
        return caller.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Azurite:
    """Microsoft's storage emulator, tables only.

    https://learn.microsoft.com/en-us/azure/storage/common/storage-use-azurite

    In memory unless it has a `location`. With a location it can be stopped and started again with its data;
    `kill` may lose what came in the last seconds, since it writes at intervals.
    """

    log: Path
    port: int = field(default_factory=free_port)
    location: Path | None = None
    child: Child | None = None

    @property
    def connection_string(self) -> str:
        """How clients reach it: the account and key that every Azurite has."""
        return (
            "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
            "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
            f"TableEndpoint=http://127.0.0.1:{self.port}/devstoreaccount1;"
        )

    def start(self) -> None:
        """Start it and wait until it listens. Raises StackError."""
        program = ROOT / "node_modules" / ".bin" / "azurite-table"
        if not program.exists() or not shutil.which("node"):
            raise StackError("Azurite is not installed: install Node 20 or newer, then run `npm ci`.")
        # It refuses a location beside --inMemoryPersistence.
        where = ["--location", self.location] if self.location else ["--inMemoryPersistence"]
        quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        self.child = start("Azurite", [program, "--tablePort", str(self.port), *quiet, *where], self.log)
        # It saves its data on SIGINT; SIGTERM just ends it.
        self.child.goodbye = signal.SIGINT
        self.child.wait_until(lambda: listens(self.port), 30)

    def stop(self) -> None:
        """Stop it and let it write its data."""
        if self.child:
            self.child.stop()

    def kill(self) -> None:
        """Cut it off, as a failing machine would."""
        if self.child:
            self.child.kill()

    def create_tables(self, names: Iterable[str]) -> None:
        """Create the tables that do not exist yet, as the deployment does in Azure."""
        with TableServiceClient.from_connection_string(self.connection_string) as service:
            for name in names:
                service.create_table_if_not_exists(name)


@contextmanager
def azurite(port: int | None = None, location: Path | None = None, log: Path | None = None) -> Generator[Azurite]:
    """Run Azurite for the length of a `with` block, on a free port unless one is given."""
    with TemporaryDirectory(prefix="azurite-") as scratch:
        emulator = Azurite(log or Path(scratch) / "azurite.log", port or free_port(), location)
        try:
            emulator.start()
            yield emulator
        finally:
            emulator.stop()

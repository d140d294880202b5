"""What each group of clients needs of the machine, how it is installed, and how one of its programs is run.

Everything is installed into `.local/clients` or beside the lock file, where Git ignores it, once for each lock file.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.processes import ROOT
from tests.clients.table import HERE, Client

INSTALLED: Final = ROOT / ".local" / "clients"


@dataclass(frozen=True)
class Group:
    """`needs` are programs on the `PATH`; `lock` is the file that pins the versions."""

    needs: tuple[str, ...]
    lock: str | None
    install: Callable[[], None]
    command: Callable[[Client], list[str | Path]]

    def missing(self) -> list[str]:
        """The programs that this machine does not have."""
        return [program for program in self.needs if shutil.which(program) is None]

    def ensure(self, name: str) -> None:
        """Install the group, unless that has been done for this lock file.

        Raises:
            subprocess.CalledProcessError: it could not be installed.
        """
        if self.lock is None:
            return
        stamp, now = INSTALLED / f"{name}.lock", hashlib.sha256((HERE / self.lock).read_bytes()).hexdigest()
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != now:
            self.install()
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.write_text(now, encoding="utf-8")


def _run(*command: str | Path, at: Path = HERE) -> None:
    subprocess.run(command, cwd=at, check=True)


def _python(name: str) -> Group:
    place, lock = INSTALLED / name, f"{name}/requirements.txt"

    def install() -> None:
        _run(sys.executable, "-m", "venv", "--clear", place)
        pip = [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(*pip, "--require-hashes", "--requirement", HERE / lock)

    return Group((), lock, install, lambda client: [place / "bin" / "python", HERE / name / f"{client.name}.py"])


def _install_node() -> None:
    _run("npm", "ci", "--silent", "--ignore-scripts", at=HERE / "node")


def _install_go() -> None:
    place = INSTALLED / "go"
    place.mkdir(parents=True, exist_ok=True)
    for program in sorted((HERE / "go").glob("*.go")):
        _run("go", "build", "-o", place / program.stem, program.name, at=HERE / "go")
    _run("go", "build", "-o", place, "tool", at=HERE / "go")


def _go(client: Client) -> list[str | Path]:
    script = HERE / "go" / f"{client.name}.sh"
    return (
        ["env", f"PATH={INSTALLED / 'go'}:/usr/bin:/bin", "sh", script]
        if script.exists()
        else [INSTALLED / "go" / client.name]
    )


GROUPS: Final[dict[str, Group]] = {
    "dev": Group((), None, lambda: None, lambda client: [sys.executable, HERE / "dev" / f"{client.name}.py"]),
    "python": _python("python"),
    "python_apart": _python("python_apart"),
    "node": Group(
        ("node", "npm"),
        "node/package-lock.json",
        _install_node,
        lambda client: ["node", HERE / "node" / f"{client.name}.mjs"],
    ),
    "go": Group(("go",), "go/go.sum", _install_go, _go),
}


def prepared(clients: list[Client]) -> tuple[list[Client], list[tuple[Client, str]]]:
    """The clients that can run on this machine, whose groups are then installed, and the others with the reason."""
    reasons: dict[str, str] = {}
    for name in {client.group: None for client in clients}:
        if missing := GROUPS[name].missing():
            reasons[name] = f"this machine has no {' and no '.join(missing)}"
            continue
        try:
            GROUPS[name].ensure(name)
        except subprocess.CalledProcessError as fault:
            reasons[name] = f"it could not be installed: {fault}"
    able = [client for client in clients if client.group not in reasons]
    return able, [(client, reasons[client.group]) for client in clients if client.group in reasons]

"""What each group of clients needs of the machine, how it is installed, and how one of its programs is run.

Everything is installed into `.local/clients` or beside the lock file, where Git ignores it, and again when one of the
files changes that it is made from.
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

type Command = list[str | Path]


@dataclass(frozen=True)
class Group:
    """`needs` are programs on the `PATH`. `made_from`, `install` and `command` take one of its clients.

    A group whose clients are built one by one says so in `apart`; the others are installed together.
    """

    needs: tuple[str, ...]
    made_from: Callable[[Client], list[Path]]
    install: Callable[[Client], None]
    command: Callable[[Client], Command]
    apart: bool = False

    def missing(self) -> list[str]:
        """The programs that this machine does not have."""
        return [program for program in self.needs if shutil.which(program) is None]

    def ensure(self, client: Client) -> None:
        """Install what the client needs, unless that has been done for these files.

        Raises:
            subprocess.CalledProcessError: it could not be installed.
        """
        content = b"".join(file.read_bytes() for file in self.made_from(client))
        stamp = INSTALLED / f"{client.group}{f'.{client.name}' if self.apart else ''}.made-from"
        made_from = hashlib.sha256(content).hexdigest()
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != made_from:
            self.install(client)
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.write_text(made_from, encoding="utf-8")


def prepared(clients: list[Client]) -> tuple[list[Client], list[tuple[Client, str]]]:
    """The clients that can run on this machine, which are then installed, and the others with the reason."""
    able, skipped = [], []
    for client in clients:
        group = GROUPS[client.group]
        if missing := group.missing():
            skipped.append((client, f"this machine has no {' and no '.join(missing)}"))
            continue
        try:
            group.ensure(client)
            able.append(client)
        except subprocess.CalledProcessError as fault:
            skipped.append((client, f"it could not be installed: {fault}"))
    return able, skipped


def _run(*command: str | Path, at: Path = HERE) -> None:
    subprocess.run(command, cwd=at, check=True)


def _python(name: str) -> Group:
    """A group with an environment of its own."""
    place, lock = INSTALLED / name, HERE / name / "requirements.txt"

    def install(_: Client) -> None:
        _run(sys.executable, "-m", "venv", "--clear", place)
        pip = [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(*pip, "--require-hashes", "--requirement", lock)

    return Group((), lambda _: [lock], install, lambda client: [place / "bin" / "python", _file(client, "py")])


def _file(client: Client, suffix: str) -> Path:
    return HERE / client.group / f"{client.name}.{suffix}"


def _install_node(client: Client) -> None:
    _run("npm", "ci", "--silent", "--ignore-scripts", at=HERE / client.group)


def _install_go(client: Client) -> None:
    program = "tool" if _file(client, "sh").exists() else _file(client, "go").name
    place = INSTALLED / "go"
    place.mkdir(parents=True, exist_ok=True)
    _run("go", "build", "-o", place if program == "tool" else place / client.name, program, at=HERE / "go")


def _go(client: Client) -> Command:
    script, place = _file(client, "sh"), INSTALLED / "go"
    return ["env", f"PATH={place}:/usr/bin:/bin", "sh", script] if script.exists() else [place / client.name]


def _install_java(client: Client) -> None:
    build = INSTALLED / "java" / client.name
    _run("mvn", "--quiet", "--batch-mode", f"-Dclient.build={build}", "package", at=HERE / "java" / client.name)


def _java(client: Client) -> Command:
    build = INSTALLED / "java" / client.name
    if (quarkus := build / "quarkus-app" / "quarkus-run.jar").exists():
        return ["java", "-jar", quarkus]
    if (libraries := build / "lib").exists():
        return ["java", "-cp", f"{build / 'client.jar'}:{libraries}/*", "clients.App"]
    return ["java", "-jar", build / "client.jar"]


def _install_rust(_: Client) -> None:
    _run("cargo", "build", "--quiet", "--target-dir", INSTALLED / "rust", at=HERE / "rust")


GROUPS: Final[dict[str, Group]] = {
    "dev": Group((), lambda _: [], lambda _: None, lambda client: [sys.executable, _file(client, "py")]),
    "python": _python("python"),
    "python_apart": _python("python_apart"),
    "node": Group(
        ("node", "npm"),
        lambda _: [HERE / "node" / "package-lock.json"],
        _install_node,
        lambda client: ["node", _file(client, "mjs")],
    ),
    "browser": Group(
        ("node", "npm"),
        lambda _: [HERE / "browser" / "package-lock.json"],
        _install_node,
        lambda client: ["node", HERE / "browser" / "serve.mjs", *HERE.glob(f"browser/{client.name}.ts*")],
    ),
    "go": Group(
        ("go",),
        lambda client: [HERE / "go" / "go.sum", *HERE.glob(f"go/{client.name}.*")],
        _install_go,
        _go,
        apart=True,
    ),
    "java": Group(
        ("java", "mvn"),
        lambda client: sorted((HERE / "java" / client.name).iterdir()),
        _install_java,
        _java,
        apart=True,
    ),
    "rust": Group(
        ("cargo",),
        lambda client: [HERE / "rust" / "Cargo.toml", _file(client, "rs")],
        _install_rust,
        lambda client: [INSTALLED / "rust" / "debug" / client.name],
        apart=True,
    ),
    "apache": Group(("apache2",), lambda _: [], lambda _: None, lambda client: ["sh", _file(client, "sh")]),
    "perl": Group(("perl",), lambda _: [], lambda _: None, lambda client: ["perl", _file(client, "pl")]),
    "ruby": Group(("ruby",), lambda _: [], lambda _: None, lambda client: ["ruby", _file(client, "rb")]),
}

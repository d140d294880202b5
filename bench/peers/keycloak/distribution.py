"""Keycloak's distribution: fetched once by Maven, built once for production, and started from an empty database.

It keeps its own defaults for the heap and the garbage collector, and its embedded H2 database in a file.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zipfile import ZipFile

import httpx

from bench.peers.peer import PeerMissingError
from local import loopback
from local.processes import ROOT, Child, running
from local.terminal import faint, say

VERSION: Final = "26.7.3"
_SHA256: Final = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
_ARTIFACT: Final = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
_OLDEST_JAVA: Final = 17
_FOLDER: Final = ROOT / ".local" / "peers"
_HOME: Final = _FOLDER / f"keycloak-{VERSION}"
_BUILT: Final = _HOME / "built"
_KC: Final[tuple[str | Path, ...]] = ("sh", _HOME / "bin" / "kc.sh")

# The compiler's threads live as long as the process, so that `bench.used.cpu_seconds_warm` can leave their time out.
_ENVIRONMENT: Final = {"JAVA_OPTS_APPEND": "-XX:-UseDynamicNumberOfCompilerThreads"}


@dataclass(frozen=True, slots=True)
class KeycloakServer:
    """A running Keycloak: its address, its Java process, and the seconds from its start to its first answer."""

    url: str
    pid: int
    started_in: float


def install() -> int:
    """Fetch and build it, unless that was done before; the version of Java that runs it. Raises PeerMissingError."""
    java = _java_here()
    if not _BUILT.exists():
        _fetch_and_build()
    return java


@contextmanager
def keycloak_server(port: int, realm: Mapping[str, Any], certificate_authority: str) -> Generator[KeycloakServer]:
    """Run it in production mode with this realm and nothing else, on plain http, trusting one more CA."""
    url = f"http://localhost:{port}"
    shutil.rmtree(_HOME / "data", ignore_errors=True)
    with TemporaryDirectory(prefix="keycloak-") as scratch:
        file = Path(scratch) / "realm.json"
        file.write_text(json.dumps(realm), encoding="utf-8")
        _run(*_KC, "import", "--optimized", "--file", file)
        listen = ["--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={port}", f"--hostname={url}"]
        alone = ["--cache=local", f"--truststore-paths={certificate_authority}"]
        began = time.monotonic()
        command = [*_KC, "start", "--optimized", *listen, *alone]
        with running("Keycloak", command, Path(scratch) / "keycloak.log", _ENVIRONMENT) as child:
            child.wait_until(lambda: _answers(f"{url}/realms/{realm['realm']}"), 120)
            yield KeycloakServer(url, _java_of(child), time.monotonic() - began)


def _java_here() -> int:
    if not Path("/proc").exists():
        raise PeerMissingError("its process is found in /proc, which only Linux has.")
    home = os.environ.get("JAVA_HOME")  # which `kc.sh` prefers
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        raise PeerMissingError(f"it needs Java {_OLDEST_JAVA} or newer, and there is none.")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        raise PeerMissingError(f"it needs Java {_OLDEST_JAVA} or newer, and this is {said.partition('\n')[0]}")
    return int(version[1])


def _fetch_and_build() -> None:
    if not shutil.which("mvn"):
        raise PeerMissingError("Maven fetches it, and there is no `mvn`.")
    say(faint(f"  fetching Keycloak {VERSION} from Maven Central, once ..."))
    shutil.rmtree(_HOME, ignore_errors=True)
    with TemporaryDirectory(prefix="keycloak-") as scratch:
        _run("mvn", "--batch-mode", "--quiet", _COPY, f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={scratch}")
        archive = Path(scratch) / f"keycloak-quarkus-dist-{VERSION}.zip"
        with archive.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != _SHA256:
                raise PeerMissingError(f"{archive.name} is not the file that this bench was written with.")
        with ZipFile(archive) as content:
            content.extractall(_FOLDER)
    _run(*_KC, "build", "--db=dev-file")
    _BUILT.touch()


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().rpartition("\n")[2]
        raise PeerMissingError(f"`{' '.join(map(str, command[:3]))}` ended with {done.returncode}: {last}")


def _answers(url: str) -> bool:
    try:
        return loopback.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def _java_of(child: Child) -> int:
    """The process that `kc.sh` has started."""
    script = child.process.pid
    return int(Path(f"/proc/{script}/task/{script}/children").read_text(encoding="ascii").split()[0])

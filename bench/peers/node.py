"""Peers that are packages of npm: each is a script of `bench/peers/npm`, run by Node on packages pinned there."""

import json
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.peers.peer import PeerMissingError
from local.processes import ROOT, free_port, running

_FOLDER: Final = ROOT / "bench" / "peers" / "npm"


@dataclass(frozen=True, slots=True)
class NodeServer:
    """A script that listens: its port, its process, the seconds until it listened, and its package's version."""

    port: int
    pid: int
    started_in: float
    version: str


@contextmanager
def node_server(package: str, script: str, *arguments: str) -> Generator[NodeServer]:
    """Run a script that is about this package, with its port before the arguments, until it has printed a line."""
    manifest, node = _FOLDER / "node_modules" / package / "package.json", shutil.which("node")
    if not manifest.exists() or not node:
        raise PeerMissingError(f"{package} is not installed in {_FOLDER.relative_to(ROOT)}: `npm ci` there.")
    version = json.loads(manifest.read_text(encoding="utf-8"))["version"]
    port = free_port()
    with TemporaryDirectory(prefix="bench-peer-") as scratch:
        began = time.perf_counter()
        command: list[str | Path] = [node, _FOLDER / script, str(port), *arguments]
        # Production is what they are measured as: Better Auth and Koa say and check more in development.
        environment = {"NODE_ENV": "production"}
        with running(package, command, Path(scratch) / "peer.log", environment) as child:
            child.wait_until(lambda: "ready\n" in child.log.read_text(encoding="utf-8"), 30)
            yield NodeServer(port, child.process.pid, time.perf_counter() - began, version)

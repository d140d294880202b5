"""The local stack for tests: Azurite, local Entra and the Functions host, on free ports, as context managers.

They know nothing of pytest; fixtures wrap them. Each writes its output to a log file that a test can search,
and each fails with the end of that log when it cannot start.
"""

import json
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from local import loopback
from local.processes import ROOT, Azurite, Child, azurite, free_port, running

__all__ = ["Azurite", "Entra", "FunctionsHost", "azurite", "functions_host", "local_entra"]


@dataclass(frozen=True, slots=True)
class Entra:
    """A running local Entra: `http` for browsers and the control API, `https` for the back channel, `ca` to
    trust it."""

    http: str
    https: str
    ca: str
    child: Child


@dataclass(frozen=True, slots=True)
class FunctionsHost:
    """A running Functions host: where it answers, and what it has written to stdout and stderr so far."""

    url: str
    child: Child

    def log(self) -> str:
        """Everything the host and the app have logged so far."""
        return self.child.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def local_entra(service_url: str, *arguments: str) -> Generator[Entra]:
    """Run local Entra with its control API; `service_url` is where its redirect URIs point."""
    with TemporaryDirectory(prefix="entra-") as scratch:
        module = [sys.executable, "-m", "local.entra", "--control", "--http-port", "0", "--https-port", "0"]
        place = ["--service-url", service_url, "--state-dir", scratch]
        with running("Local Entra", [*module, *place, *arguments], Path(scratch) / "entra.log") as child:
            ready = json.loads(child.wait_until(child.first_line, 30))
            yield Entra(ready["http"], ready["https"], ready["ca"], child)


@contextmanager
def functions_host(
    env: Mapping[str, str],
    *,
    directory: Path = ROOT,
    port: int | None = None,
    settings: Mapping[str, object] | None = None,
) -> Generator[FunctionsHost]:
    """Run the app of `directory` with the settings `env`; `settings` is the `Host` section of
    local.settings.json.

    Settings of the service that happen to be in our own environment do not reach it.
    """
    with TemporaryDirectory(prefix="host-") as scratch:
        port = port or free_port()
        settings_file = Path(scratch) / "local.settings.json"
        settings_file.write_text(json.dumps({"Host": dict(settings or {})}), encoding="utf-8")
        inherited = dict.fromkeys(name for name in os.environ if name.startswith("SSO_"))
        command = [sys.executable, "-m", "local.host", "--directory", directory, "--port", str(port)]
        log = Path(scratch) / "host.log"
        with running("The Functions host", [*command, "--settings", settings_file], log, {**inherited, **env}) as child:
            url = f"http://localhost:{port}"
            child.wait_until(lambda: _answers(url), 30)
            yield FunctionsHost(url, child)


def _answers(url: str) -> bool:
    try:
        loopback.get(url, timeout=5)
    except httpx.TransportError:
        return False
    return True

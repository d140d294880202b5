"""The service and its surroundings as processes on free ports: Azurite, local Entra and the Functions host.

They are context managers. Each writes its output to a log file that can be searched, and each fails with the end of
that log when it cannot start. `local.stack` starts the same parts on known ports, for a person.
"""

import json
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from local import loopback
from local.processes import ROOT, Azurite, Child, azurite, free_port, running

__all__ = [
    "Azurite",
    "Entra",
    "EntraAddresses",
    "FunctionsHost",
    "azurite",
    "functions_host",
    "local_entra",
    "settings",
]

FUNCTION_KEY: Final = "the-function-key-of-the-cast"
MASTER_KEY: Final = "the-master-key-of-the-cast"
HOST: Final[Mapping[str, object]] = {"FunctionKey": FUNCTION_KEY, "MasterKey": MASTER_KEY}
"""The `Host` section of local.settings.json."""

CLIENT_ID: Final = "a5500000-0000-4000-8000-0000000000a5"
CLIENT_SECRET: Final = "local-client-secret"
HOME_TENANT: Final = "5e110000-0000-4000-8000-000000000000"
PSEUDONYM_KEY: Final = "the pseudonym key of the cast, long enough"
REMEMBER_KEY: Final = "the remember key of the cast, long enough"


@dataclass(frozen=True, slots=True)
class EntraAddresses:
    """Where a local Entra answers: `http` for browsers and tests, `https` for the back channel; `ca` is its CA."""

    http: str
    https: str
    ca: str


@dataclass(frozen=True, slots=True)
class Entra(EntraAddresses):
    """A running local Entra."""

    child: Child


def settings(url: str, entra: EntraAddresses, connection_string: str) -> dict[str, str]:
    """The app settings of a service at `url` on this store and this Entra."""
    return {
        "SSO_PUBLIC_URL": url,
        "SSO_TABLES_CONNECTION_STRING": connection_string,
        "SSO_ENTRA_CLIENT_ID": CLIENT_ID,
        "SSO_ENTRA_CLIENT_SECRET": CLIENT_SECRET,
        "SSO_ENTRA_HOME_TENANT": HOME_TENANT,
        "SSO_ENTRA_AUTHORITY": entra.https,
        "SSO_ENTRA_BROWSER_URL": entra.http,
        "SSO_ENTRA_CA_FILE": entra.ca,
        "SSO_GRAPH_URL": entra.https,
        "SSO_CONTROL_PANEL_ISSUER": f"{entra.http}/control-panel",
        "SSO_CONTROL_PANEL_AUDIENCE": "azure-sso",
        "SSO_SIGNING_KEY_FOLDER": str(Path(entra.ca).with_name("keys")),
        "SSO_NOTICES_TO_PRIVATE_ADDRESSES": "true",
        "SSO_PSEUDONYM_KEY": PSEUDONYM_KEY,
        "SSO_REMEMBER_KEY": REMEMBER_KEY,
    }


def at_port(store: Azurite, port: int) -> str:
    """The store's connection string, through another port."""
    return store.connection_string.replace(f":{store.port}/", f":{port}/")


@dataclass(frozen=True, slots=True)
class FunctionsHost:
    """A running Functions host: its address, and its output so far."""

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
    """Run the app of `directory` with the app settings `env` and the `Host` section `settings`.

    Settings of the service that happen to be in our own environment do not reach it.
    """
    with TemporaryDirectory(prefix="host-") as scratch:
        port = port or free_port()
        settings_file = Path(scratch) / "local.settings.json"
        settings_file.write_text(json.dumps({"Host": dict(settings or {})}), encoding="utf-8")
        inherited = dict.fromkeys(name for name in os.environ if name.startswith("SSO_"))
        command: list[str | Path] = [sys.executable, "-m", "local.host", "--directory", directory, "--port", str(port)]
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

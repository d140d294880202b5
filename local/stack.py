"""The whole service on one machine: Azurite, local Entra and the app, then a sample application and a control panel.

It checks the machine first and says in one sentence what is missing. `local.run` keeps a stack up for a
person, `local.demo` uses the one that is there or starts its own. Tests start the same parts by themselves,
on free ports.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, fields, replace
from typing import Final, Self

import httpx

from local import loopback
from local.cast.person import PASSWORD
from local.processes import ROOT, Child, StackError, azurite, listens, running
from local.terminal import say
from shared.wiring import TABLE_NAMES

SETTINGS_FILE: Final = ROOT / "local.settings.json"
_EXAMPLE: Final = ROOT / "local.settings.example.json"
_GENERATED: Final = "<generated>"
_OLDEST_NODE: Final = 20
_PATIENCE: Final = 600
"""Seconds to wait for an app that somebody else starts."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen. The defaults are those of local.settings.example.json."""

    app: int = 7071
    tables: int = 10002
    entra_http: int = 7080
    entra_https: int = 7443
    sample: int = 7090
    panel: int = 7070

    @classmethod
    def from_environment(cls) -> Self:
        """Read APP_PORT, TABLES_PORT, ENTRA_HTTP_PORT, ENTRA_HTTPS_PORT, SAMPLE_PORT, PANEL_PORT. Raises StackError."""
        chosen = {field.name: os.environ.get(_variable(field.name)) for field in fields(cls)}
        for name, value in chosen.items():
            if value and not re.fullmatch("[0-9]{1,5}", value):
                raise StackError(f"{_variable(name)} must be a port number, not {value!r}.")
        return cls(**{name: int(value) for name, value in chosen.items() if value})

    @property
    def state_dir(self) -> str:
        """The folder of this stack's logs and certificates; a stack on other ports does not share it."""
        return ".local" if self == Ports() else f".local/{self.app}"

    def applied_to(self, text: str) -> str:
        """Return `text` with the default ports in its URLs, and the folder of its paths, replaced by these."""
        names = {f":{default}": f":{getattr(self, name)}" for name, default in asdict(Ports()).items()}
        text = re.sub("|".join(rf"{name}\b" for name in names), lambda match: names[match[0]], text)
        return re.sub(r"^\.local/", f"{self.state_dir}/", text)


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: its addresses, the key of its functions, and its processes if they are ours."""

    ports: Ports
    function_key: str
    children: tuple[Child, ...] = ()

    @property
    def app_url(self) -> str:
        """The public URL of the service."""
        return f"http://localhost:{self.ports.app}"

    @property
    def entra_url(self) -> str:
        """Where browsers find local Entra, and the control panel's issuer below it."""
        return f"http://localhost:{self.ports.entra_http}"

    @property
    def sample_url(self) -> str:
        """Where the sample application answers, once it is started."""
        return f"http://localhost:{self.ports.sample}"

    @property
    def panel_url(self) -> str:
        """Where the control panel answers, once it is started."""
        return f"http://localhost:{self.ports.panel}"

    def panel_token(self, username: str) -> str:
        """Sign one of the control panel's people in and return the access token, good for an hour."""
        form = {"grant_type": "password", "username": username, "password": PASSWORD}
        answer = loopback.post(f"{self.entra_url}/control-panel/token", data=form)
        if answer.is_error:
            raise StackError(f"The control panel's issuer gives {username} no token: {answer.text}")
        return str(answer.json()["access_token"])


def running_already(ports: Ports) -> Stack | None:
    """Return the stack that answers on `ports`, if one does."""
    parts = (ports.entra_http, ports.sample)
    if not (SETTINGS_FILE.exists() and _is_healthy(ports) and all(map(listens, parts))):
        return None
    return Stack(ports, _function_key())


@contextmanager
def started(ports: Ports, *, with_app: bool = True) -> Generator[Stack]:
    """Start a stack, and stop it at the end of the `with` block. Raises StackError.

    Without its app, it waits until something else serves the app, such as `func start` or a debugger.
    """
    _check_machine(ports, with_app=with_app)
    _make_settings()
    logs = ROOT / ports.state_dir / "logs"
    with (
        azurite(ports.tables, log=logs / "azurite.log") as storage,
        running("Local Entra", _entra_command(ports), logs / "entra.log") as entra,
    ):
        storage.create_tables(TABLE_NAMES)
        entra.wait_until(entra.first_line, 30)
        if not with_app:
            say("Everything but the app is up. Start the app with `func start` or a debugger. Waiting for it ...")
        own_app = running("The app", _app_command(ports), logs / "app.log", _moved_settings(ports))
        with own_app if with_app else nullcontext() as app:
            (app or entra).wait_until(lambda: _is_healthy(ports), 30 if app else _PATIENCE)
            children = [child for child in (app, entra, storage.child) if child]
            yield Stack(ports, _function_key(), tuple(children))


@contextmanager
def with_sample(stack: Stack, client_secret: str) -> Generator[Stack]:
    """Start the sample application beside a stack that knows it, and stop it at the end. Raises StackError."""
    ports = stack.ports
    command = [sys.executable, "-m", "local.sample_app", "--port", str(ports.sample), "--issuer", stack.app_url]
    log = ROOT / ports.state_dir / "logs" / "sample.log"
    with running("The sample application", command, log, {"SAMPLE_CLIENT_SECRET": client_secret}) as sample:
        sample.wait_until(lambda: listens(ports.sample), 30)
        yield replace(stack, children=(*stack.children, sample))


@contextmanager
def with_panel(stack: Stack) -> Generator[Stack]:
    """Start the control panel beside a stack, and stop it at the end. Raises StackError."""
    ports = stack.ports
    command = [sys.executable, "-m", "local.control_panel", "--port", str(ports.panel), "--service", stack.app_url]
    log = ROOT / ports.state_dir / "logs" / "panel.log"
    with running("The control panel", [*command, "--issuer", f"{stack.entra_url}/control-panel"], log) as panel:
        panel.wait_until(lambda: listens(ports.panel), 30)
        yield replace(stack, children=(*stack.children, panel))


def _check_machine(ports: Ports, *, with_app: bool) -> None:
    if sys.version_info[:2] != (3, 13):
        raise StackError(f"Python 3.13 is needed, and this is {sys.version.split()[0]}: see .python-version.")
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""
    if not version.startswith("v") or int(version[1:].split(".")[0]) < _OLDEST_NODE:
        found = f"and this is {version.strip()}" if version else "and there is none"
        raise StackError(f"Node {_OLDEST_NODE} or newer is needed for Azurite, {found}: https://nodejs.org/en/download")
    for name, port in asdict(ports).items():
        if (with_app or name != "app") and listens(port):
            change = f"{_variable(name)}={port + 1}"
            raise StackError(f"Port {port} is taken: stop what listens there, or choose another with {change}.")


def _make_settings() -> None:
    """Write local.settings.json from its example, with secrets of its own, unless there is one."""
    if not SETTINGS_FILE.exists():
        text = _EXAMPLE.read_text(encoding="utf-8")
        text = re.sub(re.escape(_GENERATED), lambda _: secrets.token_urlsafe(32), text)
        SETTINGS_FILE.touch(mode=0o600)
        SETTINGS_FILE.write_text(text, encoding="utf-8")


def _moved_settings(ports: Ports) -> dict[str, str]:
    """Give the settings that differ from local.settings.json because the ports do."""
    values: dict[str, str] = json.loads(SETTINGS_FILE.read_text(encoding="utf-8"))["Values"]
    return {name: moved for name, value in values.items() if (moved := ports.applied_to(value)) != value}


def _function_key() -> str:
    return str(json.loads(SETTINGS_FILE.read_text(encoding="utf-8"))["Host"]["FunctionKey"])


def _entra_command(ports: Ports) -> list[str]:
    listen = ["--http-port", str(ports.entra_http), "--https-port", str(ports.entra_https), "--control"]
    place = ["--service-url", f"http://localhost:{ports.app}", "--state-dir", f"{ports.state_dir}/entra"]
    return [sys.executable, "-m", "local.entra", *listen, *place]


def _app_command(ports: Ports) -> list[str]:
    command = [sys.executable, "-m", "local.host", "--port", str(ports.app), "--settings", str(SETTINGS_FILE)]
    return [*command, "--cors", f"http://localhost:{ports.panel}"]


def _is_healthy(ports: Ports) -> bool:
    try:
        return loopback.get(f"http://localhost:{ports.app}/health", timeout=5).is_success
    except httpx.TransportError:
        return False


def _variable(name: str) -> str:
    return f"{name.upper()}_PORT"

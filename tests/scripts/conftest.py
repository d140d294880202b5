"""A machine on which the scripts are run: az, make and sleep are played, and the deployed app is a real web server."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.processes import ROOT
from tests.scripts.az_says import NO_REGISTRATION, NO_VAULT, ZIPPED
from tests.scripts.stand_in import Break, Part, Stage
from tests.support.wire import CannedWeb, canned_web

GROUP = "rg-sso"
SUBSCRIPTION = "5c500000-0000-4000-8000-000000000001"
TENANT = "5e110000-0000-4000-8000-000000000000"
PRINCIPAL = "5e110000-0000-4000-8000-0000000001d1"
CLIENT_ID = "a5500000-0000-4000-8000-0000000000a5"
OWNER = "5e110000-0000-4000-8000-00000000ada0"
SERVICE_PRINCIPAL = "5e110000-0000-4000-8000-00000000005b"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
ROLES = (
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "3913510d-42f4-4e42-8a64-420c390055eb",
    "12338af0-0e69-4776-bea7-57ae8d297424",
    "4633458b-17de-408a-b874-0445c86b69e6",
)
PARTS = {"storage": "ok", "entra": "ok", "controlPanel": "ok", "signingKeys": "ok", "credential": "ok"}
WELL = {"status": "ok", "parts": PARTS}
PARAMETERS = {"parameters": {"controlPanelIssuer": {"value": "https://panel.vendor.net"}}}

PROVIDERS = (
    "Microsoft.AlertsManagement",
    "Microsoft.App",
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
    "Microsoft.Features",
)

COOKIE = "__Host-health=probe; secure; httponly; samesite=lax; path=/"
"""What the service sets at /health/cookie: no domain, whatever the case of the attributes."""


def lines(*text: str) -> str:
    return "".join(f"{line}\n" for line in text)


DEPLOYED = "az deployment group create … --name azure-sso-dev "
APP_SETTINGS = "az functionapp config appsettings list"
PSEUDONYM_KEY = "az rest … /vaults/kv-sso-dev-x/secrets/pseudonym-key?"
REMEMBER_KEY = "az rest … /vaults/kv-sso-dev-x/secrets/remember-key?"

REFERENCES = "az rest --method get … /sites/func-sso-dev-x/config/configreferences/appsettings"
REFRESH = "az rest --method post … /sites/func-sso-dev-x/config/configreferences/appsettings/refresh?"
"""Which settings are Key Vault references that are not resolved, and asking Azure to resolve them anew."""


def azure(url: str) -> list[Part]:
    """Azure and a directory where all goes well, for somebody who may do everything, with an empty resource group."""
    roles = [
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}" for role in ROLES
    ]
    return [
        Part("az version", lines("2.79.0")),
        Part("az bicep version", lines("Bicep CLI version 0.38.33 (6bb5d5f859)")),
        Part("az account show … --query [tenantId, ", lines(TENANT, "ada@vendor.net", "user")),
        Part("az account show … --query user.name", lines("ada@vendor.net")),
        Part("az account show", lines(SUBSCRIPTION, TENANT, "ada@vendor.net", "user")),
        Part("az group show", lines("westeurope")),
        Part(
            "az cloud show … [name",
            lines("AzureCloud", "https://login.microsoftonline.com", "https://graph.microsoft.com/"),
        ),
        Part("az cloud show", lines("https://login.microsoftonline.com", "https://graph.microsoft.com/")),
        Part("az rest … /permissions?", lines("*/read|", "*|")),
        Part("az rest … directoryRole", lines(APPLICATION_ADMINISTRATOR)),
        Part("az functionapp list-flexconsumption-locations", lines("northeurope", "westeurope", "uksouth")),
        Part("az provider list", lines(*PROVIDERS)),
        Part(
            "az deployment group create … --name azure-sso-dev-identity ",
            lines(PRINCIPAL, "func-sso-dev-x", "kv-sso-dev-x", url),
        ),
        Part("az deployment group create … --name azure-sso-dev-entra ", lines(CLIENT_ID)),
        Part(f"{APP_SETTINGS} … SSO_ENTRA_CLIENT_ID", lines(CLIENT_ID), after=DEPLOYED),
        Part(
            APP_SETTINGS
        ),  # of an app that is not there: nothing, and no error (`empty_on_404` in azure.cli.core.util)
        Part(PSEUDONYM_KEY, lines("pseudonym-key"), after=DEPLOYED),
        Part(PSEUDONYM_KEY, complains=NO_VAULT, fails=1),
        Part(REMEMBER_KEY, lines("remember-key"), after=DEPLOYED),
        Part(REMEMBER_KEY, complains=NO_VAULT, fails=1),
        Part("az deployment group what-if", lines("Resource changes: 21 to create.")),
        Part(DEPLOYED, lines("Succeeded")),
        Part("az rest … /roleAssignments?", lines(*roles)),
        Part("make zip", lines("dist/azure-sso.zip: 90 files, 150 kB")),
        Part("az functionapp deployment source config-zip", complains=ZIPPED.text),
        Part(f"{REFERENCES}?"),
        Part(REFRESH),
        Part("sleep"),
    ]


CREATED = "az rest --method patch … Prefer=create-if-missing"
TRUST = "az ad app federated-credential create"
TRUSTED = "az ad app federated-credential list … [?subject != "
"""Whom else a registration trusts: asked before it is changed."""


def directory() -> list[Part]:
    """A directory in which whoever runs the script may make registrations; there is none yet."""
    return [
        Part("az ad signed-in-user show", lines(OWNER)),
        Part("az rest --method get … /applications(uniqueName=", lines(CLIENT_ID), after=CREATED),
        Part("az rest --method get … /applications(uniqueName=", complains=NO_REGISTRATION, fails=1),
        Part("az ad app list … [?uniqueName != 'azure-sso-"),
        Part("az ad app list", lines(CLIENT_ID), after=CREATED),
        Part("az ad app list"),
        Part("az ad app owner list"),
        Part("az ad app show"),
        Part(CREATED, after=CREATED),  # 204, and no body
        Part(CREATED, lines(CLIENT_ID)),
        Part("az rest --method patch"),
        Part(TRUSTED),
        Part("az ad app federated-credential list … .id | [0]", lines("the-credential"), after=TRUST),
        Part("az ad app federated-credential list … .subject | [0]", lines(PRINCIPAL)),
        Part("az ad app federated-credential list"),
        Part(TRUST),
        Part("az ad app federated-credential update"),
        Part("az ad sp list", lines(SERVICE_PRINCIPAL), after="az ad sp create"),
        Part("az ad sp list"),
        Part("az ad sp create", lines(SERVICE_PRINCIPAL)),
    ]


class DeployedApp(CannedWeb):
    """What answers at the service's address: to /health each answer once, and the last one for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[int, object]] = [(200, WELL)]
        self.cookie_lines = {"Set-Cookie": COOKIE}

    def answer(self, path: str) -> bytes:
        self.asked.append(path)
        self.headers = {}
        if path == "/health/cookie":
            self.status, self.headers = 204, {"Cache-Control": "no-store", **self.cookie_lines}
            return b""
        self.status, document = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return json.dumps(document).encode()


@dataclass(frozen=True)
class Ended:
    """How a script ended, and the commands that it ran, in words."""

    code: int
    output: str
    sentence: str
    words: tuple[tuple[str, ...], ...]

    @property
    def calls(self) -> tuple[str, ...]:
        """The commands as one would say them, without quotes."""
        return tuple(map(" ".join, self.words))


@dataclass
class Machine:
    """Runs the scripts in a copy of the folder, with stand-ins on the PATH. What a run has done, the next one finds."""

    folder: Path
    app: DeployedApp
    stage: Stage
    parts: list[Part] = field(default_factory=list)
    breaks: Break | None = None

    def plays(self, *parts: Part) -> None:
        """From now on these come before what was played so far."""
        self.parts = [*parts, *self.parts]

    def runs(self, script: str, *options: str, stdin: int = subprocess.DEVNULL) -> Ended:
        return self._runs([self.folder / "infra" / script, *options], Path("/"), stdin)

    def pastes(self, commands: str) -> Ended:
        """Runs what somebody pastes into a shell in the project's folder; it ends where something fails."""
        return self._runs(["bash", "-euo", "pipefail", "-c", commands], ROOT, subprocess.DEVNULL)

    def _runs(self, command: list[Path | str], folder: Path, stdin: int) -> Ended:
        for name in ("az", "make", "sleep", "curl") if folder == ROOT else ("az", "make", "sleep"):
            stand_in = self.folder / "bin" / name
            stand_in.write_text(self.stage.command(name))
            stand_in.chmod(0o755)
        self.stage.run += 1
        self.stage.parts, self.stage.breaks = self.parts, self.breaks
        ended = subprocess.run(
            command,
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "TMPDIR": str(self.folder),
                "NO_PROXY": "*",
                "AZURE_CORE_ONLY_SHOW_ERRORS": "true",  # as pipelines have it
            },
            cwd=folder,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        calls = [call for call in self.stage.calls if call.run == self.stage.run]
        unexpected = [shlex.join(call.words) for call in calls if call.part is None]
        assert unexpected == []
        left = [file.name for file in self.folder.glob("tmp.*")]
        assert left == [], "the script leaves files behind"
        words = tuple(call.words for call in calls)
        keep_for_real_az(call for call in [*words, *suggested(ended.stderr)] if call[0] == "az")
        return Ended(ended.returncode, ended.stdout, ended.stderr.strip(), words)


SUGGESTED = re.compile(r"\baz(?: [a-z][a-z-]*)+(?: --[a-z-]+(?: [^\s-]\S*)?)+")


def suggested(sentence: str) -> list[list[str]]:
    """The commands, with their options, that a script tells somebody to run."""
    return [shlex.split(found.rstrip(".,;:")) for found in SUGGESTED.findall(sentence)]


def keep_for_real_az(lines: Iterable[object]) -> None:
    """Keep calls, or names of commands, for `make check-az`: it runs these tests with AZ_CALLS naming a file."""
    if file := os.environ.get("AZ_CALLS"):
        kept = "".join(f"{json.dumps(line)}\n" for line in lines)
        with Path(file).open("ab", buffering=0) as end:
            end.write(kept.encode())  # at once, for tests run in parallel


@pytest.fixture
def app() -> Iterator[DeployedApp]:
    served = DeployedApp()
    with canned_web(served):
        yield served


@pytest.fixture
def machine(tmp_path: Path, app: DeployedApp) -> Iterator[Machine]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "infra").mkdir()
    for script in (ROOT / "infra").glob("*.sh"):
        shutil.copy(script, tmp_path / "infra")
    for environment in ("dev", "prod"):
        (tmp_path / "infra" / f"{environment}.parameters.json").write_text(json.dumps(PARAMETERS))
    with Stage() as stage:
        yield Machine(tmp_path, app, stage, azure(app.url))


def shown(ended: Ended) -> list[str]:
    """The commands among what a dry run prints, in the words that a shell makes of them, without quotes."""
    commands = [line for line in ended.output.splitlines() if re.match(r"(az|make|curl|timeout) ", line)]
    return [" ".join(shlex.split(line)) for line in commands]

"""Every command of az in docs/operations.md runs as it stands there, in the shell of whoever pastes it.

The stand-in takes the calls, variables and functions filled in, so that `make check-az` can hand each to the real az.
"""

import json
import re
import subprocess

import pytest

from local.processes import ROOT
from tests.scripts.conftest import (
    APP_SETTINGS,
    CLIENT_ID,
    PRINCIPAL,
    SUBSCRIPTION,
    Machine,
    Part,
    keep_for_real_az,
    lines,
)

RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
AZ = re.compile(r"\b(az|kql|setting) ")

NOT_IN_AZ = {"az monitor log-analytics query"}
NOT_ON_FLEX = {"az webapp log tail"}
"""Named to say why they are not used."""


def is_whole(command: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False).returncode == 0


def statements(block: str) -> list[str]:
    """What is pasted: from a dollar on, as many lines as a shell wants."""
    found: list[str] = []
    for line in block.splitlines():
        text = line.strip()
        if text.startswith("$ "):
            found.append(text.removeprefix("$ "))
        elif found and (found[-1].endswith("\\") or not is_whole(found[-1])):
            found[-1] += f"\n{text}"
    return found


BLOCKS = [statements(block) for language, block in FENCED.findall(RUNBOOK) if language == "console"]
SPANS = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCED.sub("", RUNBOOK))]
SETUP, *OTHERS = BLOCKS
COMMANDS = [
    command for block in OTHERS for command in block if AZ.search(command) and "infra/" not in command.split()[0]
]
COMMANDS += [
    span for span in SPANS if span.startswith(("az ", "kql ")) and " --" in span + " " * span.startswith("kql")
]
NAMES = {span for span in SPANS if re.fullmatch(r"az( [a-z-]+)+", span)} - NOT_IN_AZ - NOT_ON_FLEX

GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-sso-prod"
PROVIDERS = f"{GROUP_ID}/providers"


@pytest.fixture
def production(machine: Machine) -> Machine:
    """Azure, with the service in it."""
    machine.parts = [
        Part(f"{APP_SETTINGS} … SSO_PUBLIC_URL", lines("https://sso.vendor.net")),
        Part(f"{APP_SETTINGS} … SSO_ENTRA_CLIENT_ID", lines(CLIENT_ID)),
        Part(APP_SETTINGS, lines("@Microsoft.KeyVault(x)")),
        Part("az functionapp list --resource-group", lines("func-sso-prod-x")),
        Part("az functionapp show … --query id ", lines(f"{PROVIDERS}/Microsoft.Web/sites/func-sso-prod-x")),
        Part("az keyvault list --resource-group", lines("kv-sso-prod-x")),
        Part("az keyvault show … --query id ", lines(f"{PROVIDERS}/Microsoft.KeyVault/vaults/kv-sso-prod-x")),
        Part("az keyvault secret show", lines("a pseudonym key of the tests, long enough")),
        Part("az storage account list", lines(f"{PROVIDERS}/Microsoft.Storage/storageAccounts/statessoprodx")),
        Part("az monitor log-analytics workspace list", lines(SUBSCRIPTION)),
        Part("az ad app show … --query id ", lines(PRINCIPAL)),
        Part("az"),
        Part("curl"),
        Part("make"),
    ]
    return machine


def test_the_variables_and_functions_can_be_pasted(production: Machine) -> None:
    ended = production.pastes("\n".join([*SETUP, 'echo "$APP $URL $CLIENT $VAULT $STATE $WORKSPACE"']))
    assert (ended.code, ended.sentence) == (0, "")
    assert ended.output.split() == [
        "func-sso-prod-x",
        "https://sso.vendor.net",
        CLIENT_ID,
        "kv-sso-prod-x",
        f"{PROVIDERS}/Microsoft.Storage/storageAccounts/statessoprodx",
        SUBSCRIPTION,
    ]


ASKED_ELSEWHERE = "ACCOUNT=contoso KEY=function-key OPERATOR=token"


def test_every_command_can_be_pasted(production: Machine) -> None:
    """All in one shell, one after the other, as they stand in the page."""
    assert len(COMMANDS) > 50
    ended = production.pastes("\n".join([*SETUP, ASKED_ELSEWHERE, *COMMANDS]))
    assert (ended.code, ended.sentence) == (0, "")
    setup = production.pastes("\n".join(SETUP))
    assert len(ended.calls) >= len(setup.calls) + len(COMMANDS)


def test_a_query_reaches_the_workspace_whole(production: Machine) -> None:
    query = "AppTraces | where Message has 'it\\'s \"x\"'\n| take 1"
    ended = production.pastes("\n".join([*SETUP, "kql \"$(cat <<'END'\n" + query + '\nEND\n)" P1D']))
    assert ended.code == 0
    words = list(ended.words[-1])
    body = json.loads(words[words.index("--body") + 1])
    assert body == {"query": query, "timespan": "P1D"}
    assert f"/v1/workspaces/{SUBSCRIPTION}/query" in words[words.index("--url") + 1]


# -- what is only named ------------------------------------------------------------------------------------------------

PROSE = {"says", "does", "doubts", "names", "means", "stops", "ask", "asks", "is", "make"}
"""What may follow `az` where it is the subject of a sentence."""

SCRIPTS = [*sorted((ROOT / "infra").glob("*.sh"))]


def named(script: str) -> set[str]:
    """The commands that a script names in what it says or comments."""
    found = re.findall(r"\baz((?: [a-z][a-z-]*)+)", script)
    return {f"az{words}" for words in found if words.split()[0] not in PROSE}


def test_what_is_named_is_kept_for_the_real_az() -> None:
    everywhere = NAMES.union(*(named(script.read_text(encoding="utf-8")) for script in SCRIPTS))
    assert {"az login", "az functionapp stop"} <= everywhere
    keep_for_real_az({"names": name} for name in sorted(everywhere))
    keep_for_real_az({"not in az": name} for name in sorted(NOT_IN_AZ))


def test_nothing_that_does_not_work_is_called() -> None:
    texts = [RUNBOOK, *(script.read_text(encoding="utf-8") for script in SCRIPTS)]
    for name in NOT_IN_AZ | NOT_ON_FLEX:
        assert not any(re.search(rf"{name} --", text) for text in texts)

"""Holds what this project says of az against the az that is installed: `make check-az` runs it with az's own Python.

Run as `python real_az.py FILE`. FILE has a line of JSON for each command: a list is the words of a call, which must
pass az's own parser, validators and JMESPath; {"names": "…"} is a text that names a command, which must be there;
{"not in az": "…"} is one that we say is not. No call is carried out, none reaches a network, and nobody need be signed
in. The texts of az_says.py must be in az's own source.
"""

import ast
import importlib.util
import io
import json
import os
import socket
import sys
import tempfile
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, NoReturn

from az_says import SAID

SUBSCRIPTION = "5c500000-0000-4000-8000-000000000001"
TENANT = "5e110000-0000-4000-8000-000000000000"
ASKS_AZURE = "A validator asks Azure."


def settle_in(folder: str) -> None:
    """A configuration in which somebody is signed in, so that validators find a subscription; and no network."""
    os.environ.update(
        AZURE_CONFIG_DIR=folder,
        AZURE_EXTENSION_DIR=f"{folder}/extensions",
        AZURE_CORE_COLLECT_TELEMETRY="false",
        AZURE_CORE_NO_COLOR="true",
    )
    user = {"name": "ada@vendor.net", "type": "user"}
    account = {
        "id": SUBSCRIPTION,
        "name": "one",
        "state": "Enabled",
        "user": user,
        "isDefault": True,
        "tenantId": TENANT,
        "environmentName": "AzureCloud",
        "homeTenantId": TENANT,
        "managedByTenants": [],
    }
    Path(folder, "azureProfile.json").write_text(json.dumps({"installationId": "x", "subscriptions": [account]}))

    def refuse(*_: object) -> NoReturn:
        raise OSError(ASKS_AZURE)

    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse


def unknown_functions(query: str) -> list[str]:
    """The functions of a JMESPath expression that az does not have: it finds out only once there is an answer."""
    import jmespath
    from jmespath.functions import Functions

    def inside(node: dict[str, Any]) -> list[str]:
        own = [node["value"]] if node["type"] == "function_expression" else []
        return own + [name for child in node["children"] for name in inside(child)]

    return [name for name in inside(jmespath.compile(query).parsed) if name not in Functions.FUNCTION_TABLE]


class Az:
    """The real one, which stops short of doing anything."""

    def __init__(self) -> None:
        from azure.cli.core import get_default_cli
        from azure.cli.core.azclierror import AzCLIError
        from azure.cli.core.commands import AzCliCommandInvoker

        AzCliCommandInvoker._run_jobs_serially = lambda *_: ([None], [])
        AzCliCommandInvoker._run_jobs_concurrently = lambda *_: ([None], [])
        self._heard: list[str] = []
        AzCLIError.print_error = lambda error: self._heard.append(error.error_msg)
        self._cli: Any = get_default_cli
        self._commands: dict[str, object] = {}

    def fault(self, words: list[str]) -> str:
        """What az says against a call; nothing if it would carry it out."""
        self._heard.clear()
        with redirect_stderr(io.StringIO()):
            try:
                code = self._cli().invoke(words[1:], out_file=io.StringIO())
            except SystemExit as ended:
                code = ended.code
        if code and any(ASKS_AZURE in heard for heard in self._heard):
            return ""  # as that of `az keyvault show`, for the resource group: what could be said without Azure is fine
        if code:
            return " ".join(self._heard) or f"It ends with {code}."
        if "--query" in words and (unknown := unknown_functions(words[words.index("--query") + 1])):
            return f"JMESPath has no {', '.join(unknown)}."
        return ""

    def has(self, text: str) -> bool:
        """Whether a text begins with a command; prose may follow it."""
        if not self._commands:
            from azure.cli.core import MainCommandsLoader

            self._commands = MainCommandsLoader(self._cli()).load_command_table(None)
        words = text.split()[1:]
        return any(" ".join(words[:end]) in self._commands for end in range(1, len(words) + 1))


def constants(module: str) -> set[str]:
    """Every string that stands in the source of a module, the parts of formatted ones too."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return set()
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def main(file: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        settle_in(folder)
        lines = [json.loads(line) for line in dict.fromkeys(Path(file).read_text(encoding="utf-8").splitlines())]
        az = Az()
        calls = [line for line in lines if isinstance(line, list)]
        names = [line["names"] for line in lines if "names" in line]
        absent = [line["not in az"] for line in lines if "not in az" in line]
        faults = [f"{' '.join(call)}\n    {fault}" for call in calls if (fault := az.fault(call))]
        faults += [f"{name}\n    There is no such command." for name in names if not az.has(name)]
        faults += [f"{name}\n    There is such a command by now." for name in absent if az.has(name)]
    for said, text in SAID.items():
        there = constants(text.module)
        faults += [f"{said}\n    {text.module} no longer says {words!r}." for words in text.words if words not in there]
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    sys.stdout.write(f"az: {len(calls)} calls, {len(names)} names, {len(SAID)} texts; {len(faults)} faults.\n")
    return 1 if faults or not (calls and names and absent) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

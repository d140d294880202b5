"""The Bicep CLI as a server: it takes seconds to start, and then tenths of a second for a file.

It remembers the text and JSON that Bicep loads, so a copy of the files is changed before its first request only.
"""

import json
import os
import subprocess
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.plans.bicep import DEPLOYED_TO, ENVIRONMENT, RefusedError, cli, normalized

METADATA = dict(zip(("tenantId", "subscriptionId", "resourceGroup", "location"), DEPLOYED_TO[1::2], strict=True))


class Compiler:
    """Compiles files by JSON-RPC inside a `with` block. Beside them lies the `bicepconfig.json` that holds for them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [cli(), "jsonrpc", "--stdio"],
            env=os.environ | ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._numbers = count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)

    def build(self, file: Path) -> Any:
        """The template.

        Raises:
            RefusedError: with every warning and error, if there is one.
        """
        answer = self._ask("bicep/compile", path=str(file))
        said = [f"{each['level']} {each['code']}: {each['message']}" for each in answer["diagnostics"]]
        if said or not answer["success"]:
            raise RefusedError("\n".join(said))
        return json.loads(answer["contents"])

    def snapshot(self, plan: Path) -> str:
        """What comes of a `.bicepparam`, as `make plan` writes it.

        Raises:
            RefusedError: with what the CLI says against it.
        """
        return normalized(self._ask("bicep/getSnapshot", path=str(plan), metadata=METADATA)["snapshot"])

    def _ask(self, method: str, **params: object) -> Any:
        asked = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": params}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        body = json.dumps(asked).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        answer = json.loads(self._process.stdout.read(length))
        if "error" in answer:
            raise RefusedError(answer["error"]["message"])
        return answer["result"]

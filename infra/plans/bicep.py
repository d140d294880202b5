"""The Bicep CLI, wherever it is: `BICEP` names it.

`BICEP_GRAPH_TYPES` names an archive of the types of the Microsoft Graph extension, for machines that cannot fetch them
from Microsoft's registry.
"""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from infra.plans import FOLDER

INFRA: Final = FOLDER.parent
SCRATCH: Final = INFRA.parent / ".local" / "bicep"

ENVIRONMENT: Final = {
    "DOTNET_BUNDLE_EXTRACT_BASE_DIR": str(SCRATCH / "unpacked"),
    "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",  # it runs without ICU, too
    "DOTNET_TieredPGO": "0",  # it ends before it has made itself faster
    "DOTNET_TC_CallCounting": "0",  # likewise
}

DEPLOYED_TO: Final = (
    *("--tenant-id", "7e4a4700-0000-4000-8000-000000000001"),
    *("--subscription-id", "50b50000-0000-4000-8000-000000000001"),
    *("--resource-group", "rg-sso"),
    *("--location", "westeurope"),
)
"""Where the plans pretend to be deployed to."""

MISSING: Final = (
    "This needs the Bicep CLI, 0.49 or newer, and BICEP names none."
    " `az bicep install` brings one: BICEP=~/.azure/bin/bicep."
)


class NoBicepError(Exception):
    """There is no Bicep CLI."""


class RefusedError(Exception):
    """The Bicep CLI refuses a file."""


def bicep(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the CLI with the rules of `infra/bicepconfig.json`.

    Raises:
        NoBicepError: if `BICEP` names none.
    """
    return subprocess.run(
        [cli(), *map(str, command), "--config", str(config())],
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def cli() -> str:
    """The path of the CLI.

    Raises:
        NoBicepError: if `BICEP` names none.
    """
    path = os.environ.get("BICEP")
    if not path:
        raise NoBicepError(MISSING)
    return path


def write_snapshot(plan: Path) -> None:
    """Compute what comes of a `.bicepparam`, into the file beside it.

    Raises:
        NoBicepError: if `BICEP` names none.
        RefusedError: with what the CLI says against it.
    """
    ended = bicep("snapshot", plan, "--mode", "overwrite", *DEPLOYED_TO)
    if ended.returncode:
        raise RefusedError(ended.stderr.strip())
    file = plan.with_suffix(".snapshot.json")
    file.write_text(normalized(file.read_text(encoding="utf-8")), encoding="utf-8")


def normalized(snapshot: str) -> str:
    """A snapshot as it is committed: the CLI writes outputs in any order, and `<` as an escape.

    `--mode validate` does not mind.
    """
    content = json.loads(snapshot)
    content["outputs"] = dict(sorted(content["outputs"].items()))
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@cache
def config() -> Path:
    """The configuration of `infra/`, with a cache of its own, and the archive of Graph's types where one is named."""
    config = json.loads((INFRA / "bicepconfig.json").read_text(encoding="utf-8"))
    config["cacheRootDirectory"] = str(SCRATCH / "cache")
    types = os.environ.get("BICEP_GRAPH_TYPES")
    if types:
        config["extensions"]["microsoftGraphV1"] = str(Path(types).absolute())
    SCRATCH.mkdir(parents=True, exist_ok=True)
    file = SCRATCH / "bicepconfig.json"
    file.write_text(json.dumps(config, indent=2), encoding="utf-8")
    return file

"""What infra/deploy.sh hands to each stage of the deployment and reads from it, as its dry run prints it."""

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from local.processes import ROOT

OPTIONS = ("--resource-group", "rg", "--location", "westeurope", "--environment", "dev", "--dry-run")


@dataclass(frozen=True, slots=True)
class Stage:
    """The names of the parameters that it takes beside those of a file, and of the outputs that are read."""

    takes: frozenset[str]
    tells: frozenset[str]


def stages() -> Mapping[str, Stage]:
    """By the names of their files."""
    script = [ROOT / "infra" / "deploy.sh", *OPTIONS, "--public-url", "https://sso.vendor.net"]
    ended = subprocess.run(script, capture_output=True, text=True, timeout=60, check=True)
    commands = [
        shlex.split(line) for line in ended.stdout.splitlines() if line.startswith("az deployment group create ")
    ]
    return {_after("--template-file", words)[0].removeprefix("infra/"): _stage(words) for words in commands}


def _stage(words: list[str]) -> Stage:
    given = [word.partition("=")[0] for word in _after("--parameters", words) if not word.startswith("@")]
    (query,) = _after("--query", words)
    return Stage(frozenset(given), frozenset(re.findall(r"(\w+)\.value\b", query)))


def _after(option: str, words: list[str]) -> list[str]:
    """The values of an option."""
    values = words[words.index(option) + 1 :]
    end = next((place for place, word in enumerate(values) if word.startswith("--")), len(values))
    return values[:end]

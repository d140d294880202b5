"""What only the compiled template of a stage tells: its parameters and outputs, and what its modules wait for.

A plan has none of it left. The fixture `compiled` of `tests/infra/conftest.py` compiles each stage once.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.plans.bicep import INFRA

STAGES = tuple(sorted(file.name for file in INFRA.glob("*.bicep")))


@dataclass(frozen=True, slots=True)
class Template:
    """A file of Bicep, compiled. `name` is that of the stage, or of the stage and of a module in it."""

    name: str
    content: Mapping[str, Any]

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        return self.content.get("parameters") or {}

    @property
    def needed(self) -> set[str]:
        """The parameters without a default."""
        return {name for name, each in self.parameters.items() if "defaultValue" not in each}

    @property
    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        return self.content.get("outputs") or {}

    @property
    def functions(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            name: each for namespace in self.content.get("functions", []) for name, each in namespace["members"].items()
        }

    @property
    def modules(self) -> Mapping[str, "Template"]:
        """By the symbols that they are declared under."""
        return {
            symbol: Template(f"{self.name} {symbol}", each["properties"]["template"])
            for symbol, each in _deployments(self.content)
        }

    @property
    def waits_for(self) -> Mapping[str, set[str]]:
        """What each module is deployed after."""
        return {symbol: {*each.get("dependsOn", [])} for symbol, each in _deployments(self.content)}

    @property
    def makes(self) -> set[str]:
        """The types of its own resources."""
        resources = self.content["resources"]
        return {each["type"] for each in (resources.values() if isinstance(resources, dict) else resources)}

    @property
    def reads(self) -> set[tuple[str, str]]:
        """Which outputs of which modules it reads."""
        return {*re.findall(r"reference\('(\w+)'\)\.outputs\.(\w+)", json.dumps(self.content))}

    def everything(self) -> Iterator["Template"]:
        """It, and the modules in it."""
        yield self
        for module in self.modules.values():
            yield from module.everything()

    def without_wait(self, module: str, awaited: str) -> "Template":
        """A copy in which a module is not deployed after another one."""
        content = copy.deepcopy(self.content)
        content["resources"][module]["dependsOn"].remove(awaited)
        return Template(self.name, content)

    def without_description(self, section: str, name: str) -> "Template":
        content = copy.deepcopy(self.content)
        content[section][name].pop("metadata")
        return Template(self.name, content)

    def with_output(self, module: str, name: str) -> "Template":
        """A copy in which a module has one more output."""
        content = copy.deepcopy(self.content)
        template = content["resources"][module]["properties"]["template"]
        template.setdefault("outputs", {})[name] = {"type": "string", "value": "red"}
        return Template(self.name, content)


def _deployments(content: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    resources = content["resources"]
    symbols = resources.items() if isinstance(resources, dict) else []
    return [(symbol, each) for symbol, each in symbols if each["type"] == "Microsoft.Resources/deployments"]

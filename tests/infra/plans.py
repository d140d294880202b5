"""The plans of `infra/plans/` as resources that a policy can look at and a test can take things out of.

The Bicep CLI has evaluated them. What only Azure knows is left as an expression in brackets. The text of the files is
kept beside them, for what a plan cannot tell: a word in a branch that no plan takes, a setting that another one hides.
"""

import copy
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.plans import FOLDER, PLANS

INFRA = FOLDER.parent

ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"

STAGE_3 = ("dev", "prod", "prod-private")

type Node = Any
"""Text, a number, a truth, nothing, a list of nodes, or a mapping from names to nodes."""


@dataclass(frozen=True)
class Resource:
    """One resource of a plan, as the CLI writes it."""

    plan: str
    body: Mapping[str, Node]

    def __str__(self) -> str:
        return f"{self.name} in the plan {self.plan}"

    @property
    def kind(self) -> str:
        """Its type, without the version."""
        return str(self.body["type"]).partition("@")[0]

    @property
    def version(self) -> str:
        """Types of an extension carry theirs behind an @."""
        return str(self.body.get("apiVersion") or self.body["type"].partition("@")[2])

    @property
    def id(self) -> str:
        return str(self.body.get("id", self.kind))

    @property
    def name(self) -> str:
        """The last segment of its name; resources of Microsoft Graph have none that counts."""
        return str(self.body.get("name", self.kind)).rpartition("/")[2]

    @property
    def scope(self) -> str:
        """The id of what a role or a diagnostic setting is about."""
        found = re.match(r"\[extensionResourceId\('([^']+)'", self.id)
        return found[1] if found else self.id.rpartition(f"/providers/{self.kind}/")[0]

    def at(self, path: str) -> Node:
        """What stands at `properties.siteConfig.cors`, say; None if nothing does."""
        node: Node = self.body
        for name in path.split("."):
            node = node.get(name) if isinstance(node, Mapping) else None
        return node


@dataclass(frozen=True)
class Plan:
    """What one deployment would make, and the parameters that it was given."""

    name: str
    parameters: Mapping[str, Node]
    snapshot: Mapping[str, Node]

    @cached_property
    def resources(self) -> list[Resource]:
        return [Resource(self.name, body) for body in self.snapshot["predictedResources"]]

    def of(self, kind: str) -> list[Resource]:
        """The resources of one type."""
        return self._by_kind.get(kind, [])

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for each in self.resources:
            found.setdefault(each.kind, []).append(each)
        return found

    @cached_property
    def text(self) -> str:
        """All of it."""
        return json.dumps(self.snapshot)

    def called(self, resource_id: str) -> Resource | None:
        return next((each for each in self.resources if each.id == resource_id), None)

    @property
    def outputs(self) -> Mapping[str, Node]:
        """What a script reads when it is deployed."""
        return dict(self.snapshot["outputs"])

    @property
    def app_settings(self) -> Mapping[str, str]:
        """The settings of the function app."""
        return {
            each["name"]: each["value"]
            for site in self.of("Microsoft.Web/sites")
            for each in site.at("properties.siteConfig.appSettings")
        }

    def without(self, resource: Resource, *path: str | int) -> "Plan":
        """A copy without a resource, or without what stands at a path in it."""
        return self._changed(resource, path, lambda node, last: node.pop(last))

    def with_value(self, value: Node, resource: Resource, *path: str | int) -> "Plan":
        """A copy in which something else stands at a path in a resource."""
        return self._changed(resource, path, lambda node, last: operator.setitem(node, last, value))

    def _changed(
        self, resource: Resource, path: tuple[str | int, ...], change: Callable[[Node, str | int], object]
    ) -> "Plan":
        snapshot = copy.deepcopy(self.snapshot)
        node: Node = snapshot["predictedResources"]
        *way, last = (self.resources.index(resource), *path)
        for step in way:
            node = node[step]
        change(node, last)
        return replace(self, snapshot=snapshot)


@dataclass(frozen=True)
class Infra:
    """All plans, and the text of the Bicep and of the queries, by path below `infra/`."""

    plans: Mapping[str, Plan]
    texts: Mapping[str, str]
    queries: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "Infra":
        """What lies in `infra/`."""
        return cls(
            {name: read_plan(name, FOLDER / f"{name}.snapshot.json", _parameters(name)) for name in PLANS},
            _texts("*.bicep"),
            _texts("*.kql"),
        )

    def put(self, plan: Plan) -> "Infra":
        """A copy with another plan in place of the one of its name."""
        return replace(self, plans={**self.plans, plan.name: plan})

    def stage_3(self) -> Iterator[Plan]:
        """The plans of everything but the identity and the registration."""
        return (self.plans[name] for name in STAGE_3)


def parameters_of(environment: str) -> Mapping[str, Node]:
    """What a file of parameters says."""
    content = json.loads((INFRA / f"{environment}.parameters.json").read_text(encoding="utf-8"))
    return {name: each["value"] for name, each in content["parameters"].items()}


def read_plan(name: str, snapshot: Path, parameters: Mapping[str, Node]) -> Plan:
    """A plan from a file that the CLI has written."""
    return Plan(name, parameters, json.loads(snapshot.read_text(encoding="utf-8")))


def _parameters(plan: str) -> Mapping[str, Node]:
    """What is said for the plan; in stage 3 over what its environment says, and over the defaults of main.bicep."""
    own = _literals(FOLDER / f"{plan}.bicepparam")
    if plan not in STAGE_3:
        return own
    environment = plan.partition("-")[0]
    extended = _literals(FOLDER / f"{environment}.bicepparam")
    return _literals(INFRA / "main.bicep") | parameters_of(environment) | extended | own


def _literals(file: Path) -> Mapping[str, Node]:
    """The parameters whose values stand there as a text, a number or a truth."""
    text = file.read_text(encoding="utf-8")
    said = re.findall(r"^param (\w+)(?: \w+)? = (\d+|true|false|'[^'$]*')$", text, re.MULTILINE)
    return {name: json.loads(value.replace("'", '"')) for name, value in said}


def _texts(pattern: str) -> Mapping[str, str]:
    return {_path(file): file.read_text(encoding="utf-8") for file in sorted(INFRA.rglob(pattern))}


def _path(file: Path) -> str:
    return file.relative_to(INFRA).as_posix()

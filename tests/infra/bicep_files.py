"""The Bicep of `infra/` as data that a policy can look at and a test can take things out of.

`pycep` reads the syntax. Here its trees are made flat: `a.b.c` is text, a loop or a condition is told beside the body
that it is about. Nothing here knows what the files should say.
"""

import copy
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pycep import BicepParser

from local.processes import ROOT

INFRA = ROOT / "infra"

ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"

type Node = Any
"""Text, a number, a truth, nothing, a list of nodes, or a mapping from names to nodes."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One `resource`: its type without the version, and what stands between its braces."""

    file: str
    symbol: str
    kind: str
    version: str
    existing: bool
    loops_over: Node
    body: Mapping[str, Node]

    def at(self, path: str) -> Node:
        """What stands at `properties.siteConfig.cors`, say; None if nothing does."""
        node: Node = self.body
        for name in path.split("."):
            node = node.get(name) if isinstance(node, Mapping) else None
        return node


@dataclass(frozen=True, slots=True)
class Module:
    """One `module`: the file that it runs, and what it hands over."""

    file: str
    symbol: str
    runs: str
    params: Mapping[str, Node]


@dataclass(frozen=True)
class Infra:
    """All files: their trees, and the text of those and of the queries, by path below `infra/`."""

    trees: dict[str, dict[str, Any]]
    texts: Mapping[str, str]
    queries: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    @cache
    def read(cls) -> "Infra":
        """What lies in `infra/`, parsed once: the parser takes seconds to make."""
        parser = BicepParser(cache=False)
        texts = {_path(file): file.read_text(encoding="utf-8") for file in sorted(INFRA.rglob("*.bicep"))}
        queries = {_path(file): file.read_text(encoding="utf-8") for file in sorted(INFRA.rglob("*.kql"))}
        return cls({path: _flat(parser.parse(text=text)) for path, text in texts.items()}, texts, queries)

    def without(self, file: str, section: str, *path: str | int) -> "Infra":
        """A copy in which what stands at `path` in a section is not there."""
        return self._changed(file, section, path, lambda node, last: node.pop(last))

    def with_value(self, value: Node, file: str, section: str, *path: str | int) -> "Infra":
        """A copy in which something else stands at `path` in a section."""
        return self._changed(file, section, path, lambda node, last: operator.setitem(node, last, value))

    def _changed(
        self, file: str, section: str, path: tuple[str | int, ...], change: Callable[[Node, str | int], Node]
    ) -> "Infra":
        trees = {**self.trees, file: copy.deepcopy(self.trees[file])}
        node: Node = trees[file][section]
        *way, last = path
        for step in way:
            node = node[step]
        change(node, last)
        return Infra(trees, self.texts, self.queries)

    def resources(self, kind: str | None = None) -> list[Resource]:
        """Those that are made, of one type or of all."""
        return [each for each in self._resources() if not each.existing and kind in {None, each.kind}]

    def every_resource(self) -> list[Resource]:
        """Those that are made and those that are only looked up."""
        return list(self._resources())

    def modules(self) -> list[Module]:
        """Each time that a file runs another one."""
        return [
            Module(file, symbol, str(Path(file).parent / each["detail"]["path"]), _body(each["config"])["params"])
            for file, tree in self.trees.items()
            for symbol, each in tree.get("modules", {}).items()
        ]

    def handed(self, symbol: str, name: str) -> Node:
        """What main.bicep hands to one of its modules under a name; nothing if it does not."""
        mine = (each for each in self.modules() if (each.file, each.symbol) == ("main.bicep", symbol))
        return next((each.params.get(name) for each in mine), None) or {}

    def variable(self, file: str, name: str) -> Node:
        """What a `var` holds; nothing if there is none."""
        return self.trees[file].get("variables", {}).get(name, {}).get("value") or {}

    def _resources(self) -> Iterator[Resource]:
        for file, tree in self.trees.items():
            for symbol, each in tree.get("resources", {}).items():
                loop = each["config"].get("loop_type") or {}
                yield Resource(
                    file,
                    symbol,
                    each["type"].removesuffix(f"@{each['api_version']}"),  # it stays in the type of a nested resource
                    each["api_version"],
                    each["existing"],
                    loop.get("detail", {}).get("array_name"),
                    _body(each["config"]),
                )


def texts_in(node: Node) -> Iterator[str]:
    """Every text in a tree, names of properties excepted."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for each in node.values():
            yield from texts_in(each)
    elif isinstance(node, list):
        for each in node:
            yield from texts_in(each)


def references(node: Node) -> set[tuple[str, str]]:
    """Which outputs of which modules a tree reads."""
    return {found for text in texts_in(node) for found in re.findall(r"\b(\w+)\.outputs\.(\w+)", text)}


def _path(file: Path) -> str:
    return file.relative_to(INFRA).as_posix()


def _body(config: Mapping[str, Node]) -> Mapping[str, Node]:
    """Without the loop and the condition around it."""
    while config.keys() <= {"loop_type", "condition", "config"}:
        config = config["config"]
    return config


def _flat(node: Node) -> Node:
    """Accessors as `a.b.c`, and names of properties without the quotes that they are written in."""
    if isinstance(node, list):
        return [_flat(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    if set(node) == {"operator"} and node["operator"]["type"] == "property_accessor":
        operands = node["operator"]["operands"]
        left, right = _flat(operands["operand_1"]), _flat(operands["operand_2"])
        if isinstance(left, str) and isinstance(right, str):
            return f"{left}.{right}"
    return {name.strip("'"): _flat(each) for name, each in node.items()}

"""Routes as Azure Functions matches them: ASP.NET templates, tried in alphabetical order of function names.

Azure does not prefer `connect/callback` to `connect/{ticket}`: whichever function's name sorts first gets the
request (https://github.com/Azure/azure-functions-host/issues/3153, issues/9876). The table does the same, so
that a shadowed route shows here and not after a deployment; constraints (`{ticket:length(43)}`) keep such
templates apart. A method that no function takes is a 404; HEAD is a method of its own.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import unquote

type Params = dict[str, str]


class RouteError(Exception):
    """A route template that Azure would refuse, or one that this host does not know how to match."""


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """One function's place: its template, prefix included, and the methods it takes; none means every one."""

    function: str
    template: str
    methods: frozenset[str]
    pattern: re.Pattern[str]

    @classmethod
    def compile(cls, function: str, template: str, methods: Iterable[str], prefix: str) -> Self:
        """Compile a template: `v1/{name}`, `{name:constraint}`, `{name?}`, `{*rest}`. Raises RouteError."""
        template = template.strip("/")
        # https://learn.microsoft.com/en-us/azure/azure-functions/functions-bindings-http-webhook-trigger
        if template.lower().split("/")[0] in {"admin", "runtime"}:
            raise RouteError(f"{function}: the route {template!r} conflicts with a built-in route of Azure Functions.")
        full = "/".join(part for part in (prefix, template) if part)
        pattern = "".join(_segment(segment, function) for segment in full.split("/") if segment)
        return cls(function, full, frozenset(m.upper() for m in methods), re.compile(pattern + "/?", re.IGNORECASE))

    def takes(self, method: str) -> bool:
        """Tell whether the function takes `method`, in upper case."""
        return not self.methods or method in self.methods


class RouteTable:
    """All routes of an app, in the order in which Azure tries them."""

    def __init__(self, routes: Iterable[HttpRoute]) -> None:
        self.routes: Final = tuple(sorted(routes, key=lambda route: route.function.lower()))

    def match(self, method: str, raw_path: str) -> tuple[str, Params] | None:
        """Find the function for a request: its name and its decoded route parameters, or None for a 404."""
        path = _decode(raw_path)
        for route in self.routes:
            if route.takes(method) and (match := route.pattern.fullmatch(path)):
                return route.function, {k: v for k, v in match.groupdict().items() if v is not None}
        return None


def _decode(raw_path: str) -> str:
    """Decode a path as ASP.NET does: all but an encoded slash, which must not end a segment."""
    return unquote(re.sub("%2f", "%252F", raw_path, flags=re.IGNORECASE)) or "/"


def _segment(segment: str, function: str) -> str:
    if not segment.startswith("{"):
        if "{" in segment:
            raise RouteError(f"{function}: this host does not match {segment!r}, text and parameter in one.")
        return "/" + re.escape(segment)
    inner = segment[1:-1]
    if inner.startswith("*"):
        return f"(?:/(?P<{inner.lstrip('*')}>.*))?"
    name, _, constraint = inner.removesuffix("?").partition(":")
    if not segment.endswith("}") or not name.isidentifier():
        raise RouteError(f"{function}: {segment!r} is not a route parameter.")
    value = _constraint(constraint, function) if constraint else "[^/]+"
    return f"(?:/(?P<{name}>{value}))?" if inner.endswith("?") else f"/(?P<{name}>{value})"


# https://learn.microsoft.com/en-us/aspnet/core/fundamentals/routing#route-constraints
_CONSTRAINTS: Final[Mapping[str, Callable[[str], str]]] = {
    "alpha": lambda _: "[a-z]+",
    "int": lambda _: "-?[0-9]+",
    "long": lambda _: "-?[0-9]+",
    "guid": lambda _: "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
    "length": lambda bounds: f"[^/]{{{bounds}}}",
    "minlength": lambda least: f"[^/]{{{least},}}",
    "maxlength": lambda most: f"[^/]{{1,{most}}}",
}


def _constraint(constraint: str, function: str) -> str:
    name, _, argument = constraint.removesuffix(")").partition("(")
    if name not in _CONSTRAINTS or not re.fullmatch(r"[0-9]*(,[0-9]+)?", argument.replace(" ", "")):
        raise RouteError(f"{function}: this host does not know the route constraint {constraint!r}.")
    return _CONSTRAINTS[name](argument.replace(" ", ""))

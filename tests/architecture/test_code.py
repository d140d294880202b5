"""What the code must look like where no linter can see it."""

import ast
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

import functions
import shared
from functions.http.refusals import STATUS, every_kind
from local.processes import ROOT
from shared.kernel.refusals import FlowSpent, Refusal
from shared.ports.table import RowChanged
from shared.provider.errors import InvalidClientError
from shared.users.link import SsoSwitchedOff

DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "core", "base"}
PRODUCT = [
    ROOT / "function_app.py",
    *sorted(file for at in ("functions", "shared") for file in (ROOT / at).rglob("*.py")),
]
STANDS = sorted(file for folder in ("local", "infra", "tests", "bench") for file in (ROOT / folder).rglob("*.py"))


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for file in PRODUCT:
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def handlers() -> list[tuple[str, ast.AsyncFunctionDef]]:
    """Every function that is offered as a route."""
    return [
        (f"{file.stem}.{node.name}", node)
        for file, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef) and any(map(_offers, node.decorator_list))
    ]


def _offers(decorator: ast.expr) -> bool:
    match decorator:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="routes"))):
            return True
    return False


HANDLERS = handlers()


def test_there_are_handlers_to_look_at() -> None:
    assert len(HANDLERS) >= 25


@pytest.mark.parametrize("handler", [node for _, node in HANDLERS], ids=[name for name, _ in HANDLERS])
def test_a_handler_parses_calls_and_renders(handler: ast.AsyncFunctionDef) -> None:
    decisions = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match, ast.comprehension)
    assert [type(node).__name__ for node in ast.walk(handler) if isinstance(node, decisions)] == []
    assert ast.get_docstring(handler), "its first line is the summary of the call"
    assert len(handler.body) <= 8


@pytest.fixture(scope="module")
def kinds() -> frozenset[type[Refusal]]:
    """Every kind of refusal, wherever it is defined."""
    for package in (functions, shared):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    return every_kind()


def test_every_refusal_has_a_status(kinds: frozenset[type[Refusal]]) -> None:
    assert {FlowSpent, InvalidClientError, RowChanged, SsoSwitchedOff} <= kinds
    for kind in kinds:
        assert [parent for parent in kind.__mro__ if parent in STATUS], f"{kind.__name__} needs a row in STATUS"


def test_only_what_differs_has_a_row(kinds: frozenset[type[Refusal]]) -> None:
    """Whoever catches the parent may treat the child as one of them, in its status, too. So each branch has one."""
    assert {*STATUS} == {*Refusal.__subclasses__()}
    assert {*STATUS} <= kinds


def test_every_type_of_problem_is_told_apart_by_its_slug(kinds: frozenset[type[Refusal]]) -> None:
    slugs = [kind.slug for kind in kinds if "slug" in vars(kind)]
    assert len({*slugs}) == len(slugs)


@pytest.mark.parametrize("file", PRODUCT + STANDS, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_is_called_a_drawer(file: Path) -> None:
    assert DRAWERS.isdisjoint(part.removesuffix(".py") for part in file.relative_to(ROOT).parts)


@pytest.mark.parametrize("file", PRODUCT, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_says_what_it_is(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.partition("\n\n")[0].endswith((".", ":"))


@pytest.mark.parametrize("package", ["adapters/entra", "adapters/tables", "flows", "provider", "users"])
def test_a_package_that_lists_its_modules_lists_all_of_them(package: str) -> None:
    folder = ROOT / "shared" / package
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    modules = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert modules - {*re.findall(r"\w+", docstring)} == set()


def test_the_local_stand_ins_share_no_code_with_the_service() -> None:
    """A stand-in that shared our code would share our mistakes."""
    for file in (ROOT / "local" / "entra").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert {"shared", "functions"}.isdisjoint(name.partition(".")[0] for name in modules), file


def calls_of(name: str) -> set[str]:
    """The modules of the product that call a name."""
    return {
        str(file.relative_to(ROOT))
        for file, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name
    }


def test_only_client_authentication_makes_a_client_that_proved_itself() -> None:
    assert calls_of("AuthenticatedClient") == {"shared/provider/client_authentication.py"}


def test_only_who_knows_client_and_redirect_uri_returns_an_error_to_a_client() -> None:
    assert calls_of("RequestError") == {"shared/provider/authorization_request.py"}


def test_the_steps_of_a_sign_in_never_call_one_another() -> None:
    """What follows a step is decided in `sign_in`, by what the step returns."""
    steps = {"authorize", "callback"}
    for step in steps:
        tree = ast.parse((ROOT / "shared" / "provider" / f"{step}.py").read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert imported.isdisjoint({f"shared.provider.{other}" for other in {*steps, "sign_in"} - {step}}), step


CLASSES = {
    f"{file.stem}.{node.name}": node
    for file, tree in trees()
    for node in ast.walk(tree)
    if isinstance(node, ast.ClassDef)
}
PARTS = {
    name: node
    for name, node in CLASSES.items()
    if any("kw_only=True" in ast.unparse(each) for each in node.decorator_list)
}
"""What is made by naming what it needs."""


def test_the_product_is_made_of_parts() -> None:
    assert {"product_ports.Ports", "connections.Connections", "consent.ConsentFlow", "callback.CallbackStep"} <= {
        *PARTS
    }


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_part_is_frozen_and_says_of_each_thing_that_it_needs_what_it_is(part: ast.ClassDef) -> None:
    assert [*map(ast.unparse, part.decorator_list)] == ["dataclass(frozen=True, slots=True, kw_only=True)"]
    for statement, following in pairwise(part.body):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                said = following.value if isinstance(following, ast.Expr) else None
                assert isinstance(said, ast.Constant), name


def test_nothing_is_made_of_a_row_of_arguments_without_names() -> None:
    for name, node in CLASSES.items():
        for made in node.body:
            if isinstance(made, ast.FunctionDef) and made.name == "__init__":
                assert len(made.args.args) <= 4, f"{name}: self and three at most; name the others"


def test_nobody_reads_a_query_that_the_host_has_joined() -> None:
    """Names that differ in case, and those that are sent twice, are one in `HttpRequest.params`: see `query_of`."""
    reading = [file for file, tree in trees() for node in ast.walk(tree) if _reads_params(node)]
    assert reading == []
    assert _reads_params(ast.parse("req.params").body[0].value)  # type: ignore[attr-defined]


def _reads_params(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "params"

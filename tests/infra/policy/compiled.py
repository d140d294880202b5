"""What the compiled templates must say, beside what the compiler itself refuses."""

from collections.abc import Callable, Iterator

from tests.infra.plans import ROLE_ASSIGNMENT
from tests.infra.templates import Template


def roles_come_first(stage: Template) -> Iterator[str]:
    """The app is deployed after every module that assigns a role, so that it starts with all of them."""
    for symbol, module in stage.modules.items():
        if ROLE_ASSIGNMENT in module.makes and symbol not in stage.waits_for["functionApp"]:
            yield f"The app does not wait for the roles of {symbol}."


def outputs_are_read(stage: Template) -> Iterator[str]:
    """No module tells what nobody asks."""
    for symbol, module in stage.modules.items():
        yield from (f"Nobody reads {name} of {symbol}." for name in module.outputs if (symbol, name) not in stage.reads)


def descriptions(stage: Template) -> Iterator[str]:
    """Whoever deploys is told what each parameter, output and function is."""
    for file in stage.everything():
        for named in (file.parameters, file.outputs, file.functions):
            for name, each in named.items():
                if not str(each.get("metadata", {}).get("description", "")).endswith("."):
                    yield f"{name} in {file.name} is not described."


COMPILED: tuple[Callable[[Template], Iterator[str]], ...] = (roles_come_first, outputs_are_read, descriptions)

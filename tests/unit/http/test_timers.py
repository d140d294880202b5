"""Timers report what they did, or the type and the place of what failed: never its message, and never by raising."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from azure.functions import TimerRequest

from functions.timers import timers_blueprint
from shared.assembly import Services, assemble
from shared.kernel.refusals import Unavailable
from tests.support.fakes import InMemoryTable
from tests.support.ports import fakes

TABLES = {"purge_flows": "flows", "run_duties": "duties"}


class Broken(InMemoryTable):
    """A table that cannot be queried."""

    error: Exception = Unavailable("It is out.")

    def partitions_before(self, partition: str) -> object:  # type: ignore[override]
        raise self.error


def timer(services: Services, name: str) -> Callable[[TimerRequest], Awaitable[None]]:
    blueprint = timers_blueprint(services)
    functions = {each._function.get_function_name(): each._function for each in blueprint._function_builders}
    run: Callable[[TimerRequest], Awaitable[None]] = functions[name].get_user_function()
    return run


@pytest.mark.parametrize(("name", "said"), [("purge_flows", "removed=0"), ("run_duties", "found=0")])
async def test_a_run_that_succeeds_says_so_even_if_there_was_nothing_to_do(
    caplog: pytest.LogCaptureFixture, name: str, said: str
) -> None:
    caplog.set_level("INFO")
    await timer(assemble(fakes()), name)(TimerRequest())
    assert f"{name} {said}" in caplog.messages


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("error", [Unavailable("alice@contoso.example"), ValueError("alice@contoso.example\nforged")])
async def test_a_run_that_fails_is_logged_by_its_type_and_place(
    caplog: pytest.LogCaptureFixture, name: str, error: Exception
) -> None:
    table = Broken()
    table.error = error
    await timer(assemble(replace(fakes(), **{TABLES[name]: table})), name)(TimerRequest())
    (message,) = [message for message in caplog.messages if name in message]
    assert message.startswith(f"{name} failed: {type(error).__name__}\n")
    assert "alice" not in message


@pytest.mark.parametrize("name", TABLES)
async def test_a_part_that_cannot_be_made_is_logged_as_a_run_that_fails(
    caplog: pytest.LogCaptureFixture, name: str
) -> None:
    lacking: dict[str, Any] = {"return_urls": None}
    await timer(assemble(replace(fakes(), **lacking)), name)(TimerRequest())
    (message,) = [message for message in caplog.messages if name in message]
    assert message.startswith(f"{name} failed: AttributeError\n")
    assert "return_urls" not in message.partition("\n")[0]

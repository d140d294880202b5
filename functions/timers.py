"""Timers: the purge of expired flows, and the duties that are due. An alert notices if one of them fails."""

import logging
from collections.abc import Awaitable, Callable

from azure.functions import Blueprint, TimerRequest

from shared.kernel.failures import log_failure
from shared.services import Services

_EVERY_QUARTER_OF_AN_HOUR = "0 */15 * * * *"
_EVERY_MINUTE = "0 * * * * *"

_log = logging.getLogger(__name__)


def timers_blueprint(services: Services) -> Blueprint:
    """The timers. Azure runs each on one instance at a time."""
    blueprint = Blueprint()

    @blueprint.function_name("purge_flows")
    @blueprint.timer_trigger(schedule=_EVERY_QUARTER_OF_AN_HOUR, arg_name="timer")
    async def purge_flows(timer: TimerRequest) -> None:  # noqa: ARG001 - the worker wants every binding as a parameter
        """Remove everything that has expired, such as tickets, states and codes."""
        await _run("purge_flows", "purge_flows removed=%d", _purge, services)

    @blueprint.function_name("run_duties")
    @blueprint.timer_trigger(schedule=_EVERY_MINUTE, arg_name="timer")
    async def run_duties(timer: TimerRequest) -> None:  # noqa: ARG001 - the worker wants every binding as a parameter
        """Do the work that is due."""
        await _run("run_duties", "run_duties found=%d", _run_duties, services)

    return blueprint


async def _purge(services: Services) -> int:
    return await services.upkeep.flows.purge()


async def _run_duties(services: Services) -> int:
    return await services.upkeep.run_duties()


async def _run(name: str, line: str, work: Callable[[Services], Awaitable[int]], services: Services) -> None:
    """Do the work of one timer and log its result in a line. The worker would log an error with its message.

    So the work asks for its part of the product itself: one that is asked for the first time is made, which may fail.
    """
    try:
        _log.info(line, await work(services))
    except Exception as error:  # noqa: BLE001 - the next run tries again
        log_failure(_log, name, error)

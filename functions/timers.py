"""Timers: the purge of expired flows, and the duties that are due."""

import logging

from azure.functions import Blueprint, TimerRequest

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
        """Remove tickets, states and codes that nobody redeemed in time."""
        _log.info("purge_flows removed=%d", await services.flows.purge())

    @blueprint.function_name("run_duties")
    @blueprint.timer_trigger(schedule=_EVERY_MINUTE, arg_name="timer")
    async def run_duties(timer: TimerRequest) -> None:  # noqa: ARG001 - the worker wants every binding as a parameter
        """Do the work that is due."""
        await services.privacy.begin()
        found = await services.duties.run()
        if found:
            _log.info("run_duties found=%d", found)

    return blueprint

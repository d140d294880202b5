"""What runs by the clock."""

import logging

from azure.functions import Blueprint, TimerRequest

from shared.assembly import Services

_EVERY_QUARTER_OF_AN_HOUR = "0 */15 * * * *"

_log = logging.getLogger(__name__)


def upkeep_blueprint(services: Services) -> Blueprint:
    """The timers."""
    blueprint = Blueprint()

    @blueprint.function_name("purge_flows")
    @blueprint.timer_trigger(schedule=_EVERY_QUARTER_OF_AN_HOUR, arg_name="timer")
    async def purge_flows(timer: TimerRequest) -> None:  # noqa: ARG001 - the worker wants every binding as a parameter
        """Remove tickets, states and codes that nobody redeemed in time."""
        _log.info("purge_flows removed=%d", await services.flows.purge())

    return blueprint

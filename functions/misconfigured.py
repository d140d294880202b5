"""The app when its settings are invalid: it starts, and reports what is wrong at every address.

Without it the app would have no functions at all. It reports the names of settings and what to do, never a value.
"""

import logging

from azure.functions import AuthLevel, Blueprint, HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict

from functions.http.responses import Down
from shared.kernel.refusals import FieldFault
from shared.settings import Misconfiguration

_log = logging.getLogger(__name__)
_EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class MisconfiguredDocument(BaseModel):
    """The faults in the settings."""

    model_config = ConfigDict(defer_build=True)

    status: str = "misconfigured"
    detail: str = "An operator must fix the app settings listed in `faults` and restart the app."
    faults: tuple[FieldFault, ...]


def misconfigured_blueprint(misconfiguration: Misconfiguration) -> Blueprint:
    """The one function that replaces all others, including `/health`."""
    blueprint = Blueprint()
    told = MisconfiguredDocument(faults=misconfiguration.faults)
    for fault in misconfiguration.faults:
        _log.error("misconfigured setting=%s %s", fault.field, fault.detail)

    @blueprint.function_name("explain_misconfiguration")
    @blueprint.route(route="{*path}", methods=_EVERY_METHOD, auth_level=AuthLevel.ANONYMOUS)
    async def explain_misconfiguration(req: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the worker wants every binding
        """Report what is wrong with the settings, at every address."""
        return Down(told)

    return blueprint

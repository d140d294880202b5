"""A resource: one module of endpoints, which is imported when one of its functions is first called.

The import is the cold start: an instance that is started by one request pays for that request's resource only.

So an import that fails, or a part of the product that cannot be made, shows in a call. The call responds in the dialect
of its endpoint, and the next one tries again, since nothing is kept of what has failed. Calls that come at once do not
race: nothing is awaited between the import and the finished endpoints, and the worker calls functions in one thread.
"""

import functools
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from azure.functions import Context, HttpRequest, HttpResponse

from functions.http.dialects import FAILED, FAILURES
from functions.http.index import Indexed
from functions.http.invocation import Answer
from shared.kernel.failures import log_failure
from shared.ports.telemetry import Telemetry

if TYPE_CHECKING:
    from functions.http.endpoint import Routes

_log = logging.getLogger(__name__)


class Resource:
    """The routes of one resource, made when they are first asked for, and then kept.

    Args:
        name: the function that returns them, as `module:name`.
        telemetry: reports errors to operators.
        given: what that function takes, by name.
    """

    def __init__(self, name: str, telemetry: Telemetry, **given: Any) -> None:
        self.name = name
        self._telemetry = telemetry
        self._given = given

    @functools.cached_property
    def routes(self) -> "Routes":
        """The routes."""
        module, _, maker = self.name.partition(":")
        routes: Routes = vars(import_module(module))[maker](**self._given)
        return routes

    def indexed(self) -> tuple[Indexed, ...]:
        """The endpoints, for the index."""
        return tuple(
            Indexed(self.name, each.name, each.method, each.path, each.demand.level.name, each.dialect.name)
            for each in self.routes.endpoints
        )

    def answer(self, indexed: Indexed) -> Answer:
        """Return the function of an endpoint, as the worker calls it. It always responds."""

        @functools.cache
        def found() -> Answer:
            """Raises TypeError unless the endpoint is as Azure knows it: Azure checks the key that it knows of."""
            if indexed not in self.indexed():
                raise TypeError(f"{indexed.function} is not as functions/index.json has it: run `make openapi`.")
            return self.routes.answer(indexed.function)

        async def answer(req: HttpRequest, context: Context) -> HttpResponse:
            try:
                return await found()(req, context)
            except Exception as error:  # noqa: BLE001 - also when there is no endpoint that could respond to it
                log_failure(_log, indexed.function, error)
                self._telemetry.note(FAILED)
                return FAILURES[indexed.dialect](context.invocation_id)

        return answer

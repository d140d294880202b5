"""A resource: one module of endpoints, which is imported when one of its functions is first called.

The import is the cold start: an instance that is started by one request pays for that request's resource only.
"""

import functools
from importlib import import_module
from typing import TYPE_CHECKING, Any

from azure.functions import Context, HttpRequest, HttpResponse

from functions.http.index import Indexed
from functions.http.invocation import Answer

if TYPE_CHECKING:
    from functions.http.endpoint import Routes


class Resource:
    """The routes of one resource, made when they are first asked for, and then kept.

    Args:
        name: the function that returns them, as `module:name`.
        given: what that function takes, by name.
    """

    def __init__(self, name: str, **given: Any) -> None:
        self.name = name
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
            Indexed(self.name, each.name, each.method, each.path, each.demand.level.name)
            for each in self.routes.endpoints
        )

    def answer(self, indexed: Indexed) -> Answer:
        """Return the function of an endpoint, as the worker calls it."""

        @functools.cache
        def found() -> Answer:
            """Raises TypeError unless the endpoint is as Azure knows it: Azure checks the key that it knows of."""
            if indexed not in self.indexed():
                raise TypeError(f"{indexed.function} is not as functions/index.json has it: run `make openapi`.")
            return self.routes.answer(indexed.function)

        async def answer(req: HttpRequest, context: Context) -> HttpResponse:
            return await found()(req, context)

        return answer

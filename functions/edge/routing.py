"""Routes: what a blueprint offers, told once to Azure Functions and to the OpenAPI document.

The Python worker passes a handler nothing but its bindings, so services come by closure, and a function's name, which
operators read in the portal, is its handler's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from azure.functions import AuthLevel, Blueprint, Context, HttpRequest, HttpResponse
from pydantic import BaseModel

from functions.edge.invocation import invocation_id
from functions.edge.problems import Dialect, Problems, log_failure
from shared.kernel.refusals import Refusal

type Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Caller(StrEnum):
    """Who may call, as the OpenAPI document names the scheme."""

    ANYBODY = "anybody"
    CONTROL_PANEL = "controlPanel"
    APPLICATION = "functionKey"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API.

    `takes` maps content types to the models of the body; `gives` is the model of the answer; `parameters` are names of
    query parameters; `changes` says that it needs `If-Match`.
    """

    method: str
    path: str
    name: str
    summary: str
    tag: str
    caller: Caller
    status: int
    takes: dict[str, type[BaseModel] | None]
    gives: type[BaseModel] | str | None
    parameters: tuple[str, ...]
    changes: bool


class Routes:
    """What one blueprint offers.

    Args:
        tag: the resource, as the OpenAPI document groups it.
        dialect: how refusals are told.
    """

    def __init__(self, tag: str, dialect: Dialect | None = None) -> None:
        self.blueprint = Blueprint()
        self.endpoints: list[Endpoint] = []
        self._tag = tag
        self._dialect = dialect or Problems()

    def add(
        self,
        method: str,
        path: str,
        *,
        caller: Caller = Caller.CONTROL_PANEL,
        status: int = 200,
        takes: type[BaseModel] | dict[str, type[BaseModel] | None] | None = None,
        gives: type[BaseModel] | str | None = None,
        parameters: tuple[str, ...] = (),
        changes: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Offer a call; the handler's name becomes the function's, its docstring's first line the summary."""

        def offer(handler: Handler) -> Handler:
            name = handler.__name__
            summary = (handler.__doc__ or "").partition("\n")[0]
            bodies: dict[str, type[BaseModel] | None] = (
                takes if isinstance(takes, dict) else {"application/json": takes} if takes else {}
            )
            self.endpoints.append(
                Endpoint(method, path, name, summary, self._tag, caller, status, bodies, gives, parameters, changes)
            )
            level = AuthLevel.FUNCTION if caller is Caller.APPLICATION else AuthLevel.ANONYMOUS
            route = self.blueprint.route(route=path.lstrip("/"), methods=[method], auth_level=level)
            self.blueprint.function_name(name)(route(_answering(handler, name, self._dialect)))
            return handler

        return offer


def _answering(
    handler: Handler, name: str, dialect: Dialect
) -> Callable[[HttpRequest, Context], Awaitable[HttpResponse]]:
    """The handler as the worker calls it: it answers whatever happens."""

    async def answer(req: HttpRequest, context: Context) -> HttpResponse:
        invocation_id.set(context.invocation_id)
        try:
            return await handler(req)
        except Refusal as refusal:
            return dialect.refused(refusal, context.invocation_id)
        except Exception as error:  # noqa: BLE001 - the last place where an error can be told in words
            log_failure(name, error)
            return dialect.failed(context.invocation_id)

    return answer

"""Routes: what a blueprint offers, told once to Azure Functions and to the OpenAPI document.

The Python worker passes a handler nothing but its bindings, so services come by closure, and a function's name, which
operators read in the portal, is its handler's.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from azure.functions import AuthLevel, Blueprint, Context, HttpRequest, HttpResponse
from pydantic import BaseModel

from functions.edge.invocation import invocation_id
from functions.edge.problems import Dialect, Problems, log_failure, log_unavailable, status_of
from shared.kernel.refusals import Refusal, Unavailable
from shared.ports.telemetry import Event, EventName, Telemetry

type Bodies = Mapping[str, type[BaseModel] | None]
"""Content types of a body, each with its model, or None where it is no JSON."""

type Answers = Mapping[int, type[BaseModel] | str | None]
"""Statuses of an answer, each with its model, its content type, or None where there is no body."""

type IfMatch = Literal["required", "optional"]

type Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Caller(StrEnum):
    """Who may call, as the OpenAPI document names the scheme."""

    ANYBODY = "anybody"
    CONTROL_PANEL = "controlPanel"
    APPLICATION = "functionKey"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API.

    `takes` maps content types to the models of the body, `gives` statuses to the models or content types of the
    answer; `parameters` are names of query parameters; `if_match` says whether that header is wanted,
    `body_optional` that there need be no body.
    """

    method: str
    path: str
    name: str
    summary: str
    tag: str
    caller: Caller
    takes: Bodies
    gives: Answers
    parameters: tuple[str, ...]
    if_match: IfMatch | None
    body_optional: bool


class Routes:
    """What one blueprint offers.

    Args:
        tag: the resource, as the OpenAPI document groups it.
        telemetry: where refusals are told.
        dialect: how refusals are told.
    """

    def __init__(self, tag: str, telemetry: Telemetry, dialect: Dialect | None = None) -> None:
        self.blueprint = Blueprint()
        self.endpoints: list[Endpoint] = []
        self._tag = tag
        self._telemetry = telemetry
        self._dialect = dialect or Problems()

    def add(
        self,
        method: str,
        path: str,
        *,
        caller: Caller = Caller.CONTROL_PANEL,
        gives: Answers,
        takes: Bodies | None = None,
        parameters: tuple[str, ...] = (),
        if_match: IfMatch | None = None,
        body_optional: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Offer a call; the handler's name becomes the function's, its docstring's first line the summary."""

        def offer(handler: Handler) -> Handler:
            name = handler.__name__
            summary = (handler.__doc__ or "").partition("\n")[0]
            self.endpoints.append(
                Endpoint(
                    method,
                    path,
                    name,
                    summary,
                    self._tag,
                    caller,
                    takes or {},
                    gives,
                    parameters,
                    if_match,
                    body_optional,
                )
            )
            level = AuthLevel.FUNCTION if caller is Caller.APPLICATION else AuthLevel.ANONYMOUS
            route = self.blueprint.route(route=path.lstrip("/"), methods=[method], auth_level=level)
            self.blueprint.function_name(name)(route(_answering(handler, name, self._dialect, self._telemetry)))
            return handler

        return offer


def _answering(
    handler: Handler, name: str, dialect: Dialect, telemetry: Telemetry
) -> Callable[[HttpRequest, Context], Awaitable[HttpResponse]]:
    """The handler as the worker calls it: it answers whatever happens."""

    async def answer(req: HttpRequest, context: Context) -> HttpResponse:
        invocation_id.set(context.invocation_id)
        try:
            return await handler(req)
        except Unavailable as refusal:
            log_unavailable(name, refusal)
            telemetry.note(_told(refusal))
            return dialect.refused(refusal, context.invocation_id)
        except Refusal as refusal:
            telemetry.note(_told(refusal))
            return dialect.refused(refusal, context.invocation_id)
        except Exception as error:  # noqa: BLE001 - the last place where an error can be told in words
            log_failure(name, error)
            telemetry.note(_FAILED)
            return dialect.failed(context.invocation_id)

    return answer


def _told(refusal: Refusal) -> Event:
    return Event(EventName.REFUSAL, str(status_of(refusal)), refusal.reason)


_FAILED = Event(EventName.REFUSAL, "500", "internal")
"""An error of ours; what and where is in the log."""

"""Endpoints: each handler becomes an Azure function, with its route, its checks and its dialect.

The Python worker passes a function only its bindings, so it gets a wrapper, and services come by closure. A function's
name, which operators read in the portal, is its handler's. Roles are read when the resource is imported; everything
else of a signature when its endpoint is first called.
"""

import contextlib
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from azure.functions import Context, HttpRequest, HttpResponse

from functions.http.dialects import FAILED
from functions.http.dialects.problem_json import Problems
from functions.http.invocation import Answer, invocation_id
from functions.http.parameters import Reader
from functions.http.refusals import Dialect, log_unavailable, status_of
from functions.http.responses import Described
from functions.http.roles import DEMANDS, Demand
from functions.http.signature import Handler, Parameter, parameters_of, responses_of, role_of
from shared.edge_ports import EdgePorts
from shared.kernel.failures import log_failure
from shared.kernel.refusals import Refusal, Unavailable
from shared.kernel.versions import Expected
from shared.ports.table import RowChanged
from shared.ports.telemetry import Event, EventName

_ATTEMPTS = 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API: a method, a path, and a handler whose signature and docstring declare the rest."""

    method: str
    path: str
    handler: Handler
    tag: str
    dialect: Dialect

    @property
    def name(self) -> str:
        """The name of the function, in Azure and in the OpenAPI document."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (self.handler.__doc__ or "").partition("\n")[0]

    @property
    def demand(self) -> Demand:
        """The role's demand on a request.

        Raises:
            TypeError: the signature does not begin with a role.
        """
        role = role_of(self.handler)
        if role not in DEMANDS:
            raise TypeError(f"{self.name}: the first parameter must be a role, and {role} is none.")
        return DEMANDS[role]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters after the role."""
        return parameters_of(self.handler)

    @property
    def takes(self) -> Mapping[str, type | None]:
        """The content types of the body that it reads, each with its model; None for one without a model."""
        bodies = [] if self.method == "GET" else [each.bodies() for each in self.parameters]
        return {media: model for each in bodies for media, model in each.items()}

    @property
    def responses(self) -> tuple[Described, ...]:
        """The responses that it may return, except refusals."""
        return responses_of(self.handler)


class Routes:
    """The endpoints of one resource.

    Args:
        tag: the resource, as the OpenAPI document groups it.
        edge: verifies bearer tokens and sessions, and reports refusals.
        dialect: how refusals are worded.
    """

    def __init__(self, tag: str, edge: EdgePorts, dialect: Dialect | None = None) -> None:
        self.endpoints: list[Endpoint] = []
        self._answers: dict[str, Answer] = {}
        self._tag = tag
        self._edge = edge
        self._dialect = dialect or Problems()

    def get[H: Handler](self, path: str) -> Callable[[H], H]:
        """Offer a handler at GET of a path, and at HEAD."""
        return self._offer("GET", path)

    def put[H: Handler](self, path: str) -> Callable[[H], H]:
        """Offer a handler at PUT of a path."""
        return self._offer("PUT", path)

    def post[H: Handler](self, path: str) -> Callable[[H], H]:
        """Offer a handler at POST of a path."""
        return self._offer("POST", path)

    def patch[H: Handler](self, path: str) -> Callable[[H], H]:
        """Offer a handler at PATCH of a path."""
        return self._offer("PATCH", path)

    def delete[H: Handler](self, path: str) -> Callable[[H], H]:
        """Offer a handler at DELETE of a path."""
        return self._offer("DELETE", path)

    def answer(self, name: str) -> Answer:
        """Return the function of this name, as the worker calls it."""
        return self._answers[name]

    def _offer[H: Handler](self, method: str, path: str) -> Callable[[H], H]:
        def offer(handler: H) -> H:
            endpoint = Endpoint(method, path, handler, self._tag, self._dialect)
            self._answers[endpoint.name] = _answering(endpoint, self._edge)
            self.endpoints.append(endpoint)
            return handler

        return offer


def _answering(endpoint: Endpoint, edge: EdgePorts) -> Answer:
    """The endpoint as the worker calls it. It always responds, after an unexpected error, too."""
    handler, name, dialect = endpoint.handler, endpoint.name, endpoint.dialect
    prove = endpoint.demand.prove

    @functools.cache
    def signature() -> tuple[Handler, tuple[Reader, ...]]:
        taken = endpoint.parameters
        changes = any(parameter.source.if_match for parameter in taken)
        return _repeated(handler) if changes else handler, tuple(parameter.reader() for parameter in taken)

    async def answer(req: HttpRequest, context: Context) -> HttpResponse:
        invocation_id.set(context.invocation_id)
        try:
            role = await prove(req, edge)
            handle, readers = signature()
            return await handle(role, *[read(req) for read in readers])
        except Unavailable as refusal:
            log_unavailable(name, refusal)
            edge.telemetry.note(_refused(refusal))
            return dialect.refused(refusal, context.invocation_id)
        except Refusal as refusal:
            edge.telemetry.note(_refused(refusal))
            return dialect.refused(refusal, context.invocation_id)
        except Exception as error:  # noqa: BLE001 - the last place where an error becomes a response
            log_failure(_log, name, error)
            edge.telemetry.note(FAILED)
            return dialect.failed(context.invocation_id)

    async def answer_get_or_head(req: HttpRequest, context: Context) -> HttpResponse:
        response = await answer(req, context)
        return _without_content(response) if req.method == "HEAD" else response

    return answer_get_or_head if endpoint.method == "GET" else answer


def _repeated(change: Handler) -> Handler:
    """The change, which with `If-Match: *` changes any version, including one that was written at the same moment."""

    async def repeated(*values: Any) -> HttpResponse:
        for _ in range(_ATTEMPTS - 1 if Expected(None) in values else 0):
            with contextlib.suppress(RowChanged):
                return await change(*values)
        return await change(*values)

    return repeated


def _without_content(response: HttpResponse) -> HttpResponse:
    """The response to HEAD: status and headers as for GET."""
    return HttpResponse(
        status_code=response.status_code,
        headers=response.headers,
        mimetype=response.mimetype,
        charset=response.charset,
    )


def _refused(refusal: Refusal) -> Event:
    return Event(EventName.REFUSAL, str(status_of(refusal)), refusal.reason)

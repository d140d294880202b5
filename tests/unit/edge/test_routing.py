"""Whatever a handler raises is answered, and told once."""

import pytest
from azure.functions import HttpRequest, HttpResponse

from functions.edge.routing import Caller, Routes
from shared.kernel.refusals import NotFound, Unavailable
from shared.ports.telemetry import Event, EventName
from shared.provider.errors import invalid_grant
from tests.support.fakes import NotedEvents


class Invocation:
    """What the worker hands to a handler beside the request."""

    invocation_id = "5e110000-0000-4000-8000-0000000000aa"


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (NotFound("This account does not exist."), "404", "not-found"),
        (Unavailable("The store does not answer."), "503", "unavailable"),
        (invalid_grant("The code is not good."), "400", "invalid_grant"),
        (ValueError("alice@contoso.example"), "500", "internal"),
    ],
)
async def test_what_a_handler_raises_is_told_once_by_status_and_kind(
    error: Exception, outcome: str, reason: str
) -> None:
    telemetry = NotedEvents()
    routes = Routes("broken", telemetry)

    @routes.add("GET", "/broken", caller=Caller.ANYBODY, gives={200: "text/plain"})
    async def get_broken(_req: HttpRequest) -> HttpResponse:
        """Fail."""
        raise error

    (builder,) = routes.blueprint._function_builders
    answer = await builder._function.get_user_function()(HttpRequest("GET", "/broken", body=b""), Invocation())
    assert str(answer.status_code) == outcome
    assert telemetry.events == [Event(EventName.REFUSAL, outcome, reason)]

"""A handler becomes a function of Azure's: its role is demanded first, and whatever it raises is answered, once."""

from typing import Any

import pytest
from azure.functions import AuthLevel, HttpRequest, HttpResponse

from functions.http.endpoint import Routes
from functions.http.parameters import Body, IfMatch
from functions.http.responses import NoContent, Ok
from functions.http.roles import Anybody, KeyHolder
from functions.policy import PolicyBody, PolicyDocument
from shared.access.roles import AccountAdministrator
from shared.assembly import assemble
from shared.edge_ports import EdgePorts
from shared.kernel.refusals import NotFound, Unavailable
from shared.ports.table import RowChanged
from shared.ports.telemetry import Event, EventName
from shared.provider.errors import invalid_grant
from tests.support.fakes import NotedEvents
from tests.support.invocation import Invocation
from tests.support.ports import fakes


def edge(telemetry: NotedEvents | None = None) -> EdgePorts:
    return assemble(fakes(telemetry=telemetry or NotedEvents())).edge


async def called(routes: Routes, **request: Any) -> HttpResponse:
    """Call the only function as the worker does."""
    (endpoint,) = routes.endpoints
    req = HttpRequest("PUT", "/probed", **{"body": b"", "route_params": {"accountId": "acme"}} | request)
    return await routes.answer(endpoint.name)(req, Invocation())


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
    routes = Routes("broken", edge(telemetry))

    @routes.get("/broken")
    async def get_broken(_: Anybody) -> NoContent:
        """Fail."""
        raise error

    response = await called(routes)
    assert str(response.status_code) == outcome
    assert telemetry.events == [Event(EventName.REFUSAL, outcome, reason)]


def test_a_handler_without_a_role_is_not_offered() -> None:
    routes = Routes("open", edge())

    async def put_open(_settings: Body[PolicyBody]) -> NoContent:
        """Forget who calls."""
        return NoContent()

    with pytest.raises(TypeError, match="put_open: the first parameter must be a role"):
        routes.put("/open")(put_open)


async def test_the_role_is_demanded_before_anything_else_is_read() -> None:
    routes = Routes("closed", edge())
    reached = []

    @routes.put("/closed")
    async def put_closed(_: AccountAdministrator, settings: Body[PolicyBody], expected: IfMatch) -> NoContent:
        """Be called by an administrator only."""
        reached.append((settings, expected))
        return NoContent()

    assert (await called(routes)).status_code == 401
    assert reached == []


async def test_parameters_are_read_from_left_to_right() -> None:
    routes = Routes("probed", edge())

    @routes.put("/probed")
    async def put_probed(_: Anybody, _settings: Body[PolicyBody], _expected: IfMatch) -> NoContent:
        """Take two that are both wrong."""
        return NoContent()

    assert (await called(routes, body=b"{")).status_code == 415
    assert (await called(routes, body=b"{}", headers={"content-type": "application/json"})).status_code == 428


@pytest.mark.parametrize(("role", "level"), [(KeyHolder, AuthLevel.FUNCTION), (Anybody, AuthLevel.ANONYMOUS)])
def test_azure_checks_the_function_key_where_the_signature_demands_it(role: type, level: AuthLevel) -> None:
    routes = Routes("keyed", edge())

    async def get_keyed(_: Any) -> Ok[PolicyDocument]:
        """Be called."""
        return Ok(PolicyDocument.model_construct())

    get_keyed.__annotations__["_"] = role
    routes.get("/keyed")(get_keyed)
    (endpoint,) = routes.endpoints
    assert endpoint.demand.level is level


@pytest.mark.parametrize(("if_match", "others", "status"), [("*", 9, 204), ("*", 10, 412), ('"abc"', 1, 412)], ids=str)
async def test_any_version_is_changed_although_somebody_else_was_first(if_match: str, others: int, status: int) -> None:
    """`If-Match: *` has seen no version that could be out of date (RFC 9110, section 13.1.1)."""
    routes = Routes("crowded", edge())
    first = iter(range(others))

    @routes.put("/crowded")
    async def put_crowded(_: Anybody, _expected: IfMatch) -> NoContent:
        """Come too late a few times."""
        if next(first, None) is not None:
            raise RowChanged
        return NoContent()

    assert (await called(routes, headers={"if-match": if_match})).status_code == status

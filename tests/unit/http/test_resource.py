"""An endpoint answers only as Azure knows it, and its resource is imported when it is first called.

`test_cold_start.py` shows that it is not imported before, and `test_lost_modules.py` what a broken deployment answers.
"""

import asyncio
import json
import logging
import tomllib
from collections.abc import Callable
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from azure.functions import HttpRequest, HttpResponse

from functions.app import build_app, build_resources
from functions.http.dialects import FAILURES
from functions.http.dialects.oauth_json import OAuthJson
from functions.http.dialects.pages import Pages
from functions.http.dialects.problem_json import Problems
from functions.http.endpoint import Routes
from functions.http.index import Indexed, read_index, written
from functions.http.refusals import Dialect
from functions.http.resource import Resource
from functions.http.responses import NoContent
from functions.http.roles import Anybody
from local.processes import ROOT
from shared.assembly import assemble
from shared.branding import Branding, Colour
from shared.kernel.refusals import NotFound, Refusal
from shared.ports.telemetry import Event, EventName
from tests.support.fakes import NotedEvents
from tests.support.ports import fakes
from tests.unit.http.test_endpoint import Invocation, edge

INDEX = {each.function: each for each in read_index()}
ID = Invocation.invocation_id
INTERNAL = Event(EventName.REFUSAL, "500", "internal")


def resource_of(indexed: Indexed, telemetry: NotedEvents) -> Resource:
    services = assemble(fakes(telemetry=telemetry))
    (resource,) = (each for each in build_resources(services) if each.name == indexed.resource)
    return resource


CHANGES: dict[str, dict[str, Any]] = {
    "the key that Azure demands": {"level": "ANONYMOUS"},
    "the method": {"method": "GET"},
    "the path": {"path": "/v1/resolved"},
    "the name": {"function": "resolve"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_an_endpoint_that_azure_knows_otherwise_does_not_answer(
    change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Azure has checked the key that the index names, so the index must name the one that the signature demands."""
    indexed, telemetry = INDEX["resolve_email"]._replace(**change), NotedEvents()
    answer = resource_of(indexed, telemetry).answer(indexed)
    for _ in range(2):
        response = await answer(HttpRequest("POST", "/v1/resolve", body=b""), Invocation())
        assert json.loads(response.get_body())["type"] == "urn:azure-sso:problem:internal"
    assert telemetry.events == [INTERNAL, INTERNAL]
    errors = [record.message.partition("\n")[0] for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == [f"{indexed.function} failed: TypeError"] * 2
    assert "run `make openapi`" in caplog.text


def test_an_index_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "index.json"
    file.write_text(written(read_index()), encoding="utf-8")
    assert read_index(file) == read_index() == tuple(INDEX.values())
    assert file.read_text(encoding="utf-8").count("\n") == len(INDEX) + 2


class Late:
    """Makes the routes of a resource of one endpoint, perhaps not at the first time.

    Args:
        dialect: of the endpoint.
        failing: how often it cannot be made.
        error: what the endpoint raises.
    """

    def __init__(self, dialect: Dialect | None = None, failing: int = 0, error: Exception | None = None) -> None:
        self.calls = 0
        self._dialect = dialect
        self._failing = failing
        self._error = error

    def __call__(self, telemetry: NotedEvents) -> Routes:
        self.calls += 1
        if self.calls <= self._failing:
            raise RuntimeError("alice@contoso.example")
        routes = Routes("late", edge(telemetry), self._dialect)

        @routes.get("/late")
        async def get_late(_: Anybody) -> NoContent:
            """Answer, after others have had their turn."""
            await asyncio.sleep(0)
            if self._error:
                raise self._error
            return NoContent()

        return routes


def late_routes(make: Late, noted: NotedEvents) -> Routes:
    return make(noted)


def calling(make: Late, noted: NotedEvents, dialect: str = "Problem") -> Callable[[], Any]:
    """Call the endpoint as the worker does."""
    resource = Resource(f"{__name__}:late_routes", noted, make=make, noted=noted)
    answer = resource.answer(Indexed(resource.name, "get_late", "GET", "/late", "ANONYMOUS", dialect))
    return lambda: answer(HttpRequest("GET", "/late", body=b""), Invocation())


async def test_a_resource_that_could_not_be_made_is_made_at_the_next_call(caplog: pytest.LogCaptureFixture) -> None:
    make, noted = Late(failing=2), NotedEvents()
    call = calling(make, noted)
    assert [(await call()).status_code for _ in range(5)] == [500, 500, 204, 204, 204]
    assert make.calls == 3
    assert noted.events == [INTERNAL, INTERNAL]
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
    assert [record.message.partition("\n")[0] for record in caplog.records] == ["get_late failed: RuntimeError"] * 2
    assert "in late_routes" in caplog.text
    assert "alice" not in caplog.text.replace('RuntimeError("alice@contoso.example")', "")


async def test_calls_that_come_at_once_make_a_resource_once() -> None:
    make = Late()
    call = calling(make, NotedEvents())
    answers = await asyncio.gather(*(asyncio.create_task(call()) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [204] * 8
    assert make.calls == 1


async def test_calls_that_come_at_once_fail_each_on_their_own() -> None:
    make = Late(failing=1)
    call = calling(make, NotedEvents())
    answers = await asyncio.gather(*(asyncio.create_task(call()) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [204, 204, 500]


def test_the_worker_runs_every_function_in_its_event_loop() -> None:
    """A plain function would run in a thread, beside others, and there a resource could be made twice."""
    functions = build_app(assemble(fakes())).get_functions()
    assert all(iscoroutinefunction(each.get_user_function()) for each in functions)


class Speechless:
    """A dialect that cannot say anything, as pages without Jinja2."""

    name = "Page"

    def refused(self, refusal: Refusal, invocation_id: str) -> HttpResponse:
        raise LookupError(invocation_id)

    def failed(self, invocation_id: str) -> HttpResponse:
        raise LookupError(invocation_id)


@pytest.mark.parametrize("error", [NotFound("This does not exist."), ValueError("alice@contoso.example")])
async def test_an_error_that_its_own_dialect_cannot_word_is_worded_without_it(error: Exception) -> None:
    noted = NotedEvents()
    response = await calling(Late(Speechless(), error=error), noted, "Page")()
    assert (response.status_code, response.mimetype) == (500, "text/html")
    assert f"<code>id {ID}</code>".encode() in response.get_body()
    assert noted.events[-1] == INTERNAL


BLUE = Branding(name=None, logo=None, colour=Colour("#0b5cad"))
DIALECTS: dict[str, Dialect] = {each.name: each for each in (Problems(), OAuthJson(), Pages(BLUE))}


def test_every_dialect_can_report_an_error_without_its_module() -> None:
    assert {*FAILURES} == {*DIALECTS} == {each.dialect for each in INDEX.values()}


@pytest.mark.parametrize("name", FAILURES)
def test_an_error_reads_the_same_whoever_reports_it(name: str) -> None:
    plain, whole = FAILURES[name](ID), DIALECTS[name].failed(ID)
    assert (plain.status_code, plain.mimetype) == (whole.status_code, whole.mimetype) == (500, whole.mimetype)
    assert {*whole.headers.keys()} - {"Vary"} == {*plain.headers.keys()}
    if name == "Page":
        words = tomllib.loads((ROOT / "functions" / "pages" / "words.toml").read_text(encoding="utf-8"))
        for response in (plain, whole):
            shown = response.get_body().decode()
            reference = words["reference"]["failure"].format(id=ID)
            assert all(text in shown for text in (*words["failure"].values(), words["reference"]["label"], reference))
    else:
        assert plain.get_body() == whole.get_body()


def test_a_plain_page_shows_its_reference_as_text() -> None:
    shown = FAILURES["Page"]("</code><script>").get_body()
    assert b"<script>" not in shown
    assert b"&lt;script&gt;" in shown

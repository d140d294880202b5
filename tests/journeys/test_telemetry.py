"""With telemetry on, what happens reaches Application Insights by the worker's OpenTelemetry, and nobody by name."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
import pytest

from local.cast.stack import (
    CLIENT_SECRET,
    FUNCTION_KEY,
    HOST,
    PSEUDONYM_KEY,
    REMEMBER_KEY,
    Entra,
    FunctionsHost,
    functions_host,
    settings,
)
from local.cast.story import Story
from local.processes import ROOT, Azurite
from tests.infra.plans import Infra
from tests.support.ingestion import Ingestion, ingestion

BY_IDENTITY = (
    "AzureWebJobsStorage__",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
)
"""What leads to Azure's own resources, and who the app is there."""

ON: dict[str, str] = {
    name: value
    for name, value in Infra.read().plans["prod"].app_settings.items()
    if not name.startswith(("SSO_", *BY_IDENTITY))
}
"""As the infrastructure sets them."""

INSTRUMENTATIONS = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"

AT_ONCE = {
    "OTEL_METRIC_EXPORT_INTERVAL": "300",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
}
"""In milliseconds; a minute and 5 seconds are usual."""

ALL_OF_IT = {"OTEL_TRACES_SAMPLER": "always_on"}
"""Five traces a second are usual, so that whether an address is told would be a matter of chance."""

ALONE = {"APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true"}
"""What the exporter would tell us of itself stays out of a test."""

PATIENCE = 30.0
"""Seconds."""

CALLING = """
    import runpy
    import sys
    from urllib.request import urlopen
    from urllib.error import HTTPError

    from azure.functions import AuthLevel, HttpRequest

    sys.path.append({root!r})
    app = runpy.run_path({root!r} + "/function_app.py")["app"]


    @app.route(route="call", methods=["GET"], auth_level=AuthLevel.FUNCTION)
    def call_elsewhere(req: HttpRequest) -> str:
        try:
            urlopen(req.params["url"])
        except HTTPError as error:
            return str(error.code)
"""
"""The app with one more function, which calls what it is told to call."""

type Run = Callable[..., AbstractContextManager[FunctionsHost]]


@pytest.fixture
def taken() -> Iterator[Ingestion]:
    with ingestion() as running:
        yield running


@pytest.fixture
def run(port: int, url: str, store: Azurite, entra: Entra, taken: Ingestion) -> Run:
    """Runs an app, without one of the settings if asked to. When it ends it sends all that it has left to tell."""

    def running(without: str | None = None, directory: Path = ROOT) -> AbstractContextManager[FunctionsHost]:
        insights = {"APPLICATIONINSIGHTS_CONNECTION_STRING": taken.connection_string}
        environment = settings(url, entra, store.connection_string) | ON | AT_ONCE | ALL_OF_IT | ALONE | insights
        environment.pop(without or "", None)
        return functions_host(environment, directory=directory, port=port, settings=HOST)

    return running


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


def counts(taken: Ingestion) -> dict[tuple[str, str, str | None], float]:
    """Counters by name, outcome and reason; the exporter sends what was added since it last did."""
    sums: dict[tuple[str, str, str | None], float] = {}
    for data in taken.of_type("MetricData"):
        for metric in data["metrics"]:
            if metric["name"].startswith("azure_sso."):
                key = (metric["name"], data["properties"]["outcome"], data["properties"].get("reason"))
                sums[key] = sums.get(key, 0) + metric["value"]
    return sums


def events(taken: Ingestion) -> list[dict[str, str]]:
    messages = [data["message"] for data in taken.of_type("MessageData")]
    return [json.loads(message) for message in messages if message.startswith('{"event":')]


def addresses(taken: Ingestion) -> list[str]:
    return [data["data"] for data in taken.of_type("RemoteDependencyData")]


def test_lines_and_counters_arrive_and_nothing_that_is_personal_does(
    run: Run, taken: Ingestion, url: str, entra: Entra
) -> None:
    with run() as host, Story.at(url, entra) as story:
        story.begin()
        for _ in range(3):
            assert story.method("alice@contoso.example") == "sso"
        assert story.method("nora@northwind.example") == "password"
        story.resolve("broken address@contoso.example")
        expected = {
            ("azure_sso.connections", "started", None): 1.0,
            ("azure_sso.connections", "opened", None): 1.0,
            ("azure_sso.connections", "consented", None): 1.0,
            ("azure_sso.connections", "connected", None): 1.0,
            ("azure_sso.resolutions", "sso", "sso_applies"): 3.0,
            ("azure_sso.resolutions", "password", "domain_not_routed"): 1.0,
            ("azure_sso.refusals", "422", "invalid"): 1.0,
        }
        wait_for(lambda: counts(taken) == expected)
        wait_for(lambda: len(events(taken)) == 9)
        secrets = {secret for secret in story.secrets if len(secret) > 6} | {CLIENT_SECRET, PSEUDONYM_KEY, REMEMBER_KEY}
        assert "Traceback" not in host.log()
    told = [(event["event"], event["outcome"]) for event in events(taken)]
    assert told.count(("resolve", "sso")) == 3
    assert {event.get("account") for event in events(taken)} == {"contoso", None}
    lines = [item for item in taken.items if item["data"]["baseData"].get("message", "").startswith('{"event":')]
    assert all(item["tags"]["ai.operation.id"] for item in lines), "each line belongs to a request"
    assert addresses(taken) == [], "those of rows and of Entra stay here"
    sent = json.dumps(taken.items)
    people = {"alice@contoso", "nora@northwind", "broken address", "ada@contoso", "Ada Admin"}
    assert {text for text in people | secrets if text.lower() in sent.lower()} == set()


def test_with_the_instrumentations_on_calls_would_be_told_though_not_those_of_the_service(
    run: Run, taken: Ingestion, url: str, entra: Entra, tmp_path: Path
) -> None:
    """So that nothing of a call is told above is no accident, nor a matter of when one looks."""
    (tmp_path / "host.json").write_text((ROOT / "host.json").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "function_app.py").write_text(dedent(CALLING).format(root=str(ROOT)), encoding="utf-8")
    with run(without=INSTRUMENTATIONS, directory=tmp_path) as host, Story.at(url, entra) as story:
        story.begin()
        assert story.method("alice@contoso.example") == "sso"
        called = {"url": f"{entra.http}/called"}
        httpx.get(f"{host.url}/call", params=called, headers={"x-functions-key": FUNCTION_KEY}).raise_for_status()
        wait_for(lambda: called["url"] in addresses(taken))
    assert addresses(taken) == [called["url"]], "rows are never told, and Entra is called by what nobody instruments"

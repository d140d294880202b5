"""The hosts of a comparison: the service, alone or with an empty function beside it, in a separate process."""

import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self
from urllib.parse import urlsplit

from bench.load import LoadError, Plan, fire, request
from bench.rounds import Reading, reading_of
from bench.used import cpu_seconds
from local import loopback
from local.cast.stack import (
    FUNCTION_KEY,
    HOST,
    Entra,
    EntraAddresses,
    FunctionsHost,
    at_port,
    functions_host,
    local_entra,
    settings,
)
from local.cast.story import Story
from local.processes import ROOT, Azurite, free_port
from shared.wiring import TABLE_NAMES

WITH_EMPTY_FUNCTION: Final = ROOT / "bench" / "empty_app"
"""The app that has one."""

_HEADERS: Final = {"x-functions-key": FUNCTION_KEY, "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Question:
    """What an application asks resolve, or the empty function."""

    email: str
    application: str
    path: str = "/v1/resolve"

    @property
    def to_empty_function(self) -> Self:
        """The same request for the empty function, which does not read it."""
        return replace(self, path="/v1/nothing")

    @property
    def as_sent(self) -> str:
        """The request as it travels."""
        return request("POST", self.path, _HEADERS, self._body)

    @property
    def _body(self) -> str:
        return json.dumps({"email": self.email, "application": self.application})

    def must_mean_sso(self, host: FunctionsHost) -> None:
        """Send one request. Raises LoadError unless the response matches the store of the comparison."""
        answer = loopback.post(host.url + self.path, content=self._body, headers=_HEADERS)
        if answer.json().get("method") != "sso":
            raise LoadError(f"{self} should mean SSO, and the answer is {answer.status_code} {answer.text}")


@contextmanager
def service(connection_string: str, directory: Path = ROOT) -> Generator[FunctionsHost]:
    """Run the service, or another app that contains it, on a store, without an Entra, which resolve never calls."""
    port = free_port()
    with TemporaryDirectory(prefix="bench-service-") as scratch:
        environment = settings_without_entra(Path(scratch), f"http://localhost:{port}", connection_string)
        with functions_host(environment, directory=directory, port=port, settings=HOST) as host:
            yield host


@dataclass(frozen=True, slots=True)
class WholeService:
    """The service with everything around it, each part in a process of its own, and the people who call it."""

    host: FunctionsHost
    entra: Entra
    story: Story


@contextmanager
def whole_service(store: Azurite, store_port: int | None = None, directory: Path = ROOT) -> Generator[WholeService]:
    """Run the service, or another app that contains it, with a local Entra and an empty store.

    It may reach the store by way of another port.
    """
    port = free_port()
    url = f"http://localhost:{port}"
    store.create_tables(TABLE_NAMES)
    with local_entra(url) as entra:
        environment = settings(url, entra, at_port(store, store_port or store.port))
        with (
            functions_host(environment, directory=directory, port=port, settings=HOST) as host,
            Story.at(url, entra) as story,
        ):
            yield WholeService(host, entra, story)


def settings_without_entra(scratch: Path, url: str, connection_string: str) -> dict[str, str]:
    """The settings of a service at `url` without a reachable Entra."""
    nobody = EntraAddresses("http://localhost:9", "https://localhost:9", str(scratch / "ca.pem"))
    Path(nobody.ca).touch()
    return settings(url, nobody, connection_string)


def ask(
    host: FunctionsHost, questions: Iterable[Question], callers: int, seconds: float, *, again: bool = False
) -> Reading:
    """Send requests to a host and measure the responses: each once, or `again` and again until the time is up."""
    port = urlsplit(host.url).port or 0
    plan = Plan(port, [each.as_sent for each in questions], callers, seconds, again)
    before = cpu_seconds(host.child.process.pid)
    shot = fire(plan)
    return reading_of(shot, cpu_seconds(host.child.process.pid) - before)

"""The service behind a relay that counts the storage calls of each request, by rounds of concurrent ones."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx

from bench.load import LoadError
from functions.app import build_routes
from local import loopback
from local.cast.stack import at_port
from local.entra.server import LocalEntra
from local.host.routing import HttpRoute, RouteTable
from local.processes import azurite, free_port
from shared.wiring import STALENESS, TABLE_NAMES
from tests.support.service import RunningService, settings_for
from tests.support.wire import Relay, canned_web

_LATE: Final = 22
"""The hour from which on a count begins on the day after, so that no day ends in it."""
_MOMENT: Final = 0.01
"""Seconds between two looks at what is read in the background, which counts, too."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One call of an endpoint: the function, under what circumstances, and the store's requests of each round.

    `batches` has the number of operations in each entity group transaction.
    """

    function: str
    when: str
    rounds: tuple[int, ...]
    batches: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The function and the circumstances."""
        return f"{self.function}, {self.when}" if self.when else self.function

    @property
    def calls(self) -> int:
        """The store's requests in all."""
        return sum(self.rounds)


@dataclass
class Stage:
    """The service between a client and a relay, and the counts so far."""

    service: RunningService
    entra: LocalEntra
    relay: Relay
    client: httpx.Client
    application: str
    counts: dict[str, Counted] = field(default_factory=dict)
    when: str = ""
    warm: bool = False
    """Whether people hurry, so that what is cached stays so."""

    def __post_init__(self) -> None:
        self._routes = RouteTable(
            HttpRoute.compile(each.name, each.path, [each.method], "")
            for routes in build_routes(self.service.services)
            for each in routes.endpoints
        )

    def watch(self, method: str, url: str, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send a request, and count it if it is the service's. Raises LoadError if it is refused."""
        path = urlsplit(url).path
        found = self._routes.match(method, path) if url.startswith(self.service.url) else None
        self.relay.rounds.clear()
        self.relay.batches.clear()
        answer = send()
        while self.service.services.resolution.readers.exemptions.readings:
            sleep(_MOMENT)
        if answer.is_error:
            raise LoadError(f"{method} {url} should succeed: {answer.status_code} {answer.text}")
        if found:
            when = "consent" if "admin_consent" in parse_qs(urlsplit(url).query) else self.when
            count = Counted(found[0], when, tuple(map(len, self.relay.rounds)), tuple(self.relay.batches))
            self.counts.setdefault(count.name, count)
        return answer

    def watch_afresh(self, method: str, url: str, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send and count a request with nothing cached, unless it is warm: people take their time between two pages."""
        if not self.warm:
            self.forget()
        return self.watch(method, url, send)

    def must_have_called_all(self) -> None:
        """Raise LoadError unless every route has been counted."""
        uncounted = {route.function for route in self._routes.routes} - {each.function for each in self.counts.values()}
        if uncounted:
            raise LoadError(f"The story calls everything but {', '.join(sorted(uncounted))}.")

    def call(self, token: str, method: str, path: str, when: str = "", **more: Any) -> httpx.Response:
        """Call the API as the holder of a token of the control panel."""
        headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
        return self.ask(method, path, when, headers=headers, **more)

    def ask(self, method: str, path: str, when: str = "", **more: Any) -> httpx.Response:
        """Call the API."""
        self.when = when
        url = self.service.url + path
        return self.watch(method, url, lambda: self.client.request(method, url, **more))

    def token(self, username: str, **claims: str) -> str:
        """The control panel's token for one of its people."""
        body = {"username": username, "claims": claims}
        answer = self.client.post(f"{self.entra.http}/_local/control-panel/token", json=body)
        return str(answer.raise_for_status().json()["access_token"])

    def forget(self) -> None:
        """Let everything that the service caches expire."""
        self.service.clock.advance(STALENESS + timedelta(seconds=1))


@contextmanager
def stage(hold: float) -> Generator[Stage]:
    """Start everything. For `hold` seconds responses of the store are held back, so that concurrent requests show."""
    port = free_port()
    url = f"http://localhost:{port}"
    with (
        TemporaryDirectory(prefix="bench-entra-") as scratch,
        azurite() as store,
        Relay(store.port, hold) as relay,
        LocalEntra(state_dir=Path(scratch), service_url=url) as entra,
        loopback.client(timeout=60) as client,
        canned_web() as application,
    ):
        store.create_tables(TABLE_NAMES)
        with RunningService(port, settings_for(url, at_port(store, relay.port), entra)) as service:
            entra.cloud.clock = service.clock.now
            if service.clock.now().hour >= _LATE:  # the first sign-in of a day writes that the link was used
                service.clock.advance(timedelta(hours=24 - _LATE))
            yield Stage(service, entra, relay, client, application.url)

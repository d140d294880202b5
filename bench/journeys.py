"""Whole journeys: an administrator connects a company, a colleague signs in to an application.

Time is measured at the browser, by the recipient of each request. While a request is with the service, the service
itself may be waiting for Entra or for the store; so the CPU time of both processes is shown, too. Requests to the store
pass a relay, which counts them.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Final

import httpx

from bench.load import LoadError
from bench.people import WatchedBrowser, code_of
from bench.report import Table, figure
from bench.scale import Scale
from bench.stage import WholeService, whole_service
from bench.used import cpu_seconds
from local.cast.application import AuthorizationRequest
from local.cast.person import ADA, ALICE
from local.cast.story import ACCOUNT
from local.processes import azurite
from tests.support.wire import Relay, canned_web

_TIMES_A_ROUND: Final = 3


@dataclass
class _Journey:
    """One journey: milliseconds in all, with the service and with Entra; what both computed; and storage calls."""

    waited: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    requests: Counter[str] = field(default_factory=Counter)
    computed: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    storage_calls: int = 0


@dataclass(frozen=True, slots=True)
class _Road:
    """Where journeys are made."""

    whole: WholeService
    relay: Relay
    application: str

    @contextmanager
    def journey(self) -> Generator[tuple[_Journey, WatchedBrowser]]:
        """Give a person a new browser, and record everything until they arrive."""
        journey = _Journey()

        def watch(_: str, url: str, send: Callable[[], httpx.Response]) -> httpx.Response:
            whose = self._whose(url)
            began = time.perf_counter()
            answer = send()
            journey.waited[whose] += 1000 * (time.perf_counter() - began)
            journey.requests[whose] += 1
            return answer

        processes = {"service": self.whole.host.child.process.pid, "entra": self.whole.entra.child.process.pid}
        before = {name: cpu_seconds(pid) for name, pid in processes.items()}
        self.relay.rounds.clear()
        began = time.perf_counter()
        with WatchedBrowser(watch) as browser:
            yield journey, browser
        journey.total = 1000 * (time.perf_counter() - began)
        journey.storage_calls = len(self.relay.requests)
        journey.computed = {name: 1000 * (cpu_seconds(pid) - before[name]) for name, pid in processes.items()}

    def connect(self) -> _Journey:
        """Connect the account, or renew its consent, from the start address on."""
        story = self.whole.story
        started = story.must("manager", "POST", f"{ACCOUNT}/connection", json={})
        with self.journey() as (journey, browser):
            page = browser.walk(browser.open(started["startUrl"]), ADA)
        if page.title != "Connected":
            raise LoadError(f"The account should be connected: {page.url} {page.title}")
        return journey

    def sign_in(self) -> _Journey:
        """Sign a colleague in, from the application's redirect to the tokens that it gets."""
        signing_in = AuthorizationRequest("unite", f"{self.application}/callback", ALICE)
        with self.journey() as (journey, browser):
            page = browser.walk(browser.open(signing_in.address(self.whole.host.url)), ALICE)
            answer = browser.send("POST", f"{self.whole.host.url}/oauth2/token", signing_in.redemption(code_of(page)))
        if "id_token" not in answer.json():
            raise LoadError(f"The application should get its tokens: {answer.status_code} {answer.text}")
        return journey

    def _whose(self, url: str) -> str:
        if url.startswith(self.whole.host.url):
            return "service"
        return "application" if url.startswith(self.application) else "entra"


def measure(scale: Scale) -> list[Table]:
    """Make each journey several times, in turn; the first of each is a warm-up."""
    times = _TIMES_A_ROUND * scale.rounds
    journeys: dict[str, list[_Journey]] = {"connect": [], "sign-in": []}
    with (
        azurite() as store,
        Relay(store.port) as relay,
        canned_web() as web,
        whole_service(store, relay.port) as whole,
    ):
        road = _Road(whole, relay, web.url)
        _prepare(road)
        for _ in range(1 + times):
            journeys["connect"].append(road.connect())
            road.sign_in()  # the first one by a link since its tenant was connected anew reads more
            journeys["sign-in"].append(road.sign_in())
    return [Table("journeys", _COLUMNS, [_row(name, made[1:]) for name, made in journeys.items()], times)]


def _prepare(road: _Road) -> None:
    """Register the account and the application, connect once and switch SSO on."""
    story = road.whole.story
    story.register()
    application = {"name": "Unite", "ssoSupported": True, "redirectUris": [f"{road.application}/callback"]}
    story.must("operator", "PUT", "/v1/applications/unite", json=application, etag="*")
    road.connect()
    story.switch_on()


_COLUMNS: Final = [
    "journey",
    "ms",
    "ms with the service",
    "ms with Entra",
    "service computed, ms",
    "Entra computed, ms",
    "requests to the service",
    "storage calls",
]


def _row(name: str, made: list[_Journey]) -> list[str]:
    def middle(value: Callable[[_Journey], float]) -> str:
        return figure(median(map(value, made)))

    def mean(process: str) -> str:
        # The system counts in hundredths of a second: only the sum of many says something.
        return figure(fmean(each.computed[process] for each in made))

    return [
        name,
        middle(lambda each: each.total),
        middle(lambda each: each.waited["service"]),
        middle(lambda each: each.waited["entra"]),
        mean("service"),
        mean("entra"),
        middle(lambda each: each.requests["service"]),
        middle(lambda each: each.storage_calls),
    ]

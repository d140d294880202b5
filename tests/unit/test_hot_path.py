"""What runs at every sign-in costs what it costs, counted without a clock: calls, memory, and what is left behind.

A request goes through the worker library and the whole product, on ports that are kept in memory. Counted are the
functions that run, of Python and of C, which are the same ones every time; a computer's speed and load change nothing.
When a bound is passed, look at what the change made the path do, as `python -m cProfile` shows it. If that is worth it,
write the new number down, with the reason in the commit; if a number falls by much, write that down, too.
"""

import asyncio
import gc
import json
import logging
import sys
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native

from functions.app import build_app
from local.cast.application import AuthorizationRequest
from local.host.indexing import index
from shared.adapters.recent_rows import RecentRows
from shared.adapters.telemetry import LinesAndCounters
from shared.assembly import assemble
from shared.kernel.pseudonyms import Pseudonyms
from shared.services import Services
from tests.support.fakes import FakeEntra, FixedClock, InMemoryTable
from tests.support.measuring import own_thread_unmeasured
from tests.support.ports import ISSUER, fakes
from tests.unit.provider.world import ALICE, CALLBACK, Provider, identity

REQUESTS = 200
"""So many are made before anything is counted, so that every cache is warm, and again while it is."""

ADVICE = "See the docstring of this module: make it cheaper again, or write the new number down with its reason."

type Send = Callable[[], Awaitable[object]]
type Path = Callable[["Worker"], Send]


@pytest.fixture
def entra() -> FakeEntra:
    return FakeEntra()


@pytest.fixture
async def services(entra: FakeEntra) -> Services:
    """The product with an account that has SSO on, and with the caches of `shared.wiring`."""
    clock, tables = FixedClock(), {name: InMemoryTable() for name in ("accounts", "domains", "applications")}
    story = Provider(
        clock=clock,
        accounts_table=tables["accounts"],
        domains_table=tables["domains"],
        applications=tables["applications"],
        entra=entra,
    )
    await story.add()
    await story.switch_on()
    bounds = {"max_age": timedelta(seconds=10), "most": 20_000, "most_bytes": 64_000_000}
    recent = {f"recent_{name}": RecentRows(table=table, clock=clock, **bounds) for name, table in tables.items()}
    telemetry = LinesAndCounters(Pseudonyms(b"the pseudonym key of this test, long enough"), None)
    return assemble(fakes(clock=clock, entra=entra, telemetry=telemetry, **tables, **recent))


class Worker:
    """The worker library with the product's functions."""

    def __init__(self, services: Services, entra: FakeEntra) -> None:
        self.entra = entra
        self._functions = {each.name: each for each in index(build_app(services))}
        self._numbers = count()
        self.cookies: dict[str, str] = {}

    async def answer(
        self, name: str, method: str, url: str, body: str = "", media: str = "application/json", **query: str
    ) -> tuple[int, str]:
        """Call a function as a browser that keeps cookies; status and body of its response, whose location is one."""
        function = self._functions[name]
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"content-type": Datum(media, "string")} | ({"cookie": Datum(kept, "string")} if kept else {})
        request = {
            "method": Datum(method, "string"),
            "url": Datum(url, "string"),
            "headers": headers,
            "params": {},
            "query": {name: Datum(value, "string") for name, value in query.items()},
            "body": Datum(body.encode(), "bytes"),
        }
        sent = [(function.parameter, Datum(request, "http"))]
        trace_parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        ok, answer, *_ = await invocation_request_native(
            f"{next(self._numbers):032}", function.function_id, sent, {}, trace_parent
        )
        assert ok
        value = answer.value
        self.cookies |= {name: morsel.value for each in value["cookies"] or () for name, morsel in each.items()}
        headers = value["headers"]
        location = headers["location"].value if "location" in headers else headers.get("Location", Datum("", "")).value
        return int(value["status_code"].value), location or value["body"].value.decode()


@pytest.fixture
async def worker(services: Services, entra: FakeEntra) -> Worker:
    return Worker(services, entra)


async def resolve(worker: Worker, email: str) -> None:
    body = json.dumps({"email": email, "application": "unite"})
    status, document = await worker.answer("resolve_email", "POST", f"{ISSUER}/v1/resolve", body)
    assert (status, json.loads(document)["method"]) == (200, "sso")


def from_the_cache(worker: Worker) -> Send:
    return lambda: resolve(worker, ALICE.address)


def of_a_known_account(worker: Worker) -> Send:
    """Somebody who was not asked about before, each time."""
    names = count()
    return lambda: resolve(worker, f"colleague-{next(names):06}@contoso.example")


def authorized(worker: Worker) -> Send:
    """Until the browser is sent to Microsoft."""

    async def authorize() -> None:
        worker.cookies.clear()
        request = AuthorizationRequest("unite", CALLBACK, ALICE.address, "v" * 43, "state", "nonce")
        status, location = await worker.answer("authorize", "GET", request.address(ISSUER), **request.parameters())
        assert (status, urlsplit(location).hostname) == (303, "entra.example")

    return authorize


def signed_in(worker: Worker) -> Send:
    """From the request of an application until it has its tokens; at Microsoft it takes nothing."""

    async def sign_in() -> None:
        worker.cookies.clear()
        request = AuthorizationRequest("unite", CALLBACK, ALICE.address, "v" * 43, "state", "nonce")
        _, there = await worker.answer("authorize", "GET", request.address(ISSUER), **request.parameters())
        answer = {"state": query_of(there)["state"], "code": worker.entra.sign_in(there, identity())}
        _, back = await worker.answer("complete_sign_in", "GET", f"{ISSUER}/signin/callback?{urlencode(answer)}")
        form = urlencode(request.redemption(query_of(back)["code"]))
        media = "application/x-www-form-urlencoded"
        status, tokens = await worker.answer("redeem_code", "POST", f"{ISSUER}/oauth2/token", form, media)
        assert (status, "id_token" in tokens) == (200, True)

    return sign_in


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@contextmanager
def undisturbed() -> Iterator[None]:
    """A line a decision is written as it is deployed, and neither pytest keeps it nor coverage follows this thread."""
    log = logging.getLogger("azure_sso")
    before = log.level, log.propagate, log.handlers
    log.level, log.propagate, log.handlers = logging.INFO, False, [logging.NullHandler()]
    log.manager._clear_cache()
    try:
        with own_thread_unmeasured():
            yield
    finally:
        log.level, log.propagate, log.handlers = before
        log.manager._clear_cache()


async def warmed(send: Send) -> None:
    """Nothing is done for the first time any more, also in the background."""
    for _ in range(REQUESTS):
        await send()
        await asyncio.sleep(0)
    gc.collect()


async def functions_of(send: Send) -> tuple[int, int]:
    """How many functions of Python begin, or go on, in this thread, and how many of C."""
    counts = Counter[str]()
    sys.setprofile(lambda _, event, __: counts.update((event,)))
    try:
        await send()
    finally:
        sys.setprofile(None)
    return counts["call"], counts["c_call"]


async def memory_of(send: Send) -> int:
    """The most bytes that are in use for a request at the same time."""
    tracemalloc.start()
    try:
        await send()  # what was there before counts as nothing: this makes room for what replaces it
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        await send()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


async def left_by(send: Send) -> float:
    """How many blocks of memory a request leaves behind."""
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(REQUESTS):
        await send()
    gc.collect()
    return (sys.getallocatedblocks() - before) / REQUESTS


@dataclass(frozen=True)
class Bound:
    """The most that a path may cost. Bounds are some five percent above what was measured."""

    path: Path
    python: int
    c: int
    bytes: int
    left: float


PATHS = {
    "resolve, from its cache": Bound(from_the_cache, python=123, c=85, bytes=5_400, left=0.1),
    "resolve, somebody new of a known account": Bound(of_a_known_account, python=153, c=128, bytes=7_300, left=2.1),
    "authorize until Microsoft": Bound(authorized, python=713, c=890, bytes=18_800, left=15),
    "a whole sign-in": Bound(signed_in, python=3_070, c=2_975, bytes=28_000, left=21),
}
"""What is left is nothing; or a number for a body that came once (2 blocks), of which there are at most 1,000, for ten
seconds; or a sign-in's rows in the test's table and their copies."""


@pytest.mark.parametrize("bound", PATHS.values(), ids=PATHS.keys())
async def test_a_request_runs_no_more_functions_and_takes_no_more_memory_than_is_written_here(
    worker: Worker, bound: Bound
) -> None:
    send = bound.path(worker)
    with undisturbed():
        await warmed(send)
        found = [await functions_of(send) for _ in range(3)]
        memory, left = await memory_of(send), await left_by(send)
    assert len({*found}) == 1, "the same request runs the same functions"
    python, c = found[0]
    assert python <= bound.python, ADVICE
    assert c <= bound.c, ADVICE
    assert memory <= bound.bytes, ADVICE
    assert left <= bound.left, ADVICE

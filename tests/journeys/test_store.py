"""The service and its store: how often it asks, what another host sees and when, and what happens without a store."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from local import loopback
from local.cast.stack import HOST, Entra, at_port, azurite, functions_host, settings
from local.cast.story import ACCOUNT, Story
from local.processes import Azurite, free_port
from shared.wiring import STALENESS, TABLE_NAMES
from tests.support.wire import Relay

SECONDS = 10.0
ALICE, BOB, CAROL = "alice@contoso.example", "bob@contoso-mail.example", "carol@contoso-mail.example"


@pytest.fixture
def relay(store: Azurite) -> Iterator[Relay]:
    with Relay(store.port) as running:
        yield running


def asked_of_the_store(relay: Relay, call: Callable[[], object]) -> list[int]:
    """How many requests reach the store because of a call, by rounds of those that are under way together.

    Timers ask the store, too, at full minutes.
    """
    while not 2 < time.time() % 60 < 55:
        time.sleep(0.1)
    relay.rounds.clear()
    relay.hold = 0.4
    call()
    relay.hold = 0.0
    return [len(together) for together in relay.rounds]


def test_resolve_asks_the_store_four_times_in_two_rounds_and_from_its_memory_never(
    port: int, url: str, store: Azurite, relay: Relay, entra: Entra
) -> None:
    environment = settings(url, entra, at_port(store, relay.port))
    with functions_host(environment, port=port, settings=HOST), Story.at(url, entra) as story:
        story.begin()
    # A second host has nothing in its memory yet.
    with functions_host(environment, port=port, settings=HOST), Story.at(url, entra) as story:
        assert relay.requests, "the store is reached through the relay"
        cold = asked_of_the_store(relay, lambda: story.method(ALICE))
        assert cold == [2, 2]
        again = asked_of_the_store(relay, lambda: story.method(ALICE))
        assert again == []
        for number in range(100):
            colleague = asked_of_the_store(relay, partial(story.method, f"hire-{number}@contoso.example"))
            assert sum(colleague) <= 2, "domain, application and head are known, and the list is read beside the row"
            if colleague == [] and number > 0:
                break
            time.sleep(0.05)
        assert colleague == [], "the exceptions are known, too"
        foreign = asked_of_the_store(relay, lambda: story.method("pat@outlook.example"))
        assert foreign == [1], "a domain that nobody has claimed"
        anywhere = asked_of_the_store(relay, lambda: story.method(ALICE, None))
        assert anywhere == []


def test_a_change_is_seen_at_once_where_it_was_made_and_soon_elsewhere(
    port: int, url: str, store: Azurite, entra: Entra
) -> None:
    environment = settings(url, entra, store.connection_string)
    other_port = free_port()
    with (
        functions_host(environment, port=port, settings=HOST),
        functions_host(environment, port=other_port, settings=HOST),
        Story.at(url, entra) as here,
        Story.at(f"http://localhost:{other_port}", entra) as there,
    ):
        here.register()
        here.integrate()
        assert [here.method(ALICE), there.method(ALICE)] == ["password", "password"]
        here.switch_on()
        changed = time.monotonic()
        assert here.method(ALICE) == "sso"
        asked = changed
        while there.method(ALICE) != "sso":
            assert asked - changed < STALENESS.total_seconds(), "who asks later than that is told of the change"
            time.sleep(0.2)
            asked = time.monotonic()
        here.except_for(ALICE)
        assert here.method(ALICE) == "password"
        assert there.must("manager", "GET", f"{ACCOUNT}/policy")["mode"] == "on", "the API itself is never stale"


@pytest.fixture
def lasting_store(tmp_path: Path) -> Iterator[Azurite]:
    """A store that keeps its data when it is stopped."""
    with azurite(location=tmp_path) as running:
        running.create_tables(TABLE_NAMES)
        yield running


def refused_in_time(call: Callable[[], httpx.Response]) -> httpx.Response:
    began = time.monotonic()
    answer = call()
    assert time.monotonic() - began < SECONDS
    assert answer.status_code == 503, answer.text
    return answer


def is_told_as_a_problem(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:azure-sso:problem:unavailable"
    assert int(answer.headers["retry-after"]) > 0


def wait_for_health(url: str, status: str) -> dict[str, object]:
    """Its findings are kept for some seconds."""
    deadline = time.monotonic() + 20
    while True:
        health: dict[str, object] = loopback.get(f"{url}/health", timeout=20).json()
        if health["status"] == status:
            return health
        assert time.monotonic() < deadline, health
        time.sleep(0.2)


def test_a_store_that_is_killed_is_told_in_time_and_comes_back_with_nothing_half_made(
    port: int, url: str, lasting_store: Azurite, entra: Entra
) -> None:
    environment = settings(url, entra, lasting_store.connection_string)
    with functions_host(environment, port=port, settings=HOST) as host, Story.at(url, entra) as story:
        story.begin()
        story.except_for(CAROL)
        # Stopped in good order it has written everything to its disk.
        lasting_store.stop()
        lasting_store.start()
        assert story.method(BOB) == "sso"
        before = set_of_exceptions(story)

        added = killed_in_the_middle_of_changes(story, lasting_store)
        assert {answer.status_code for answer in added} <= {201, 503}
        assert any(answer.status_code == 503 for answer in added)
        for answer in added:
            if answer.status_code == 503:
                is_told_as_a_problem(answer)

        is_told_as_a_problem(refused_in_time(lambda: story.resolve("somebody.new@contoso.example")))
        is_told_as_a_problem(refused_in_time(lambda: story.call("manager", "GET", f"{ACCOUNT}/policy")))
        is_told_as_a_problem(refused_in_time(lambda: story.call("manager", "POST", f"{ACCOUNT}/connection", json={})))
        is_told_as_a_problem(refused_in_time(lambda: story.call("manager", "DELETE", f"{ACCOUNT}/policy", etag="*")))
        assert wait_for_health(url, "degraded")["parts"]["storage"] != "ok"

        lasting_store.start()
        wait_for_health(url, "ok")
        assert story.method("somebody.new@contoso.example") == "sso"
        assert story.must("manager", "GET", f"{ACCOUNT}/policy")["mode"] == "on"
        after = set_of_exceptions(story)
        assert before <= after
        assert sum("exception" in action for action in story.audit()) == len(after), "each change has its record"
        assert story.call("manager", "POST", f"{ACCOUNT}/exceptions", json=exception("late")).status_code == 201
        assert "Traceback" not in host.log()


def exception(name: str) -> dict[str, str]:
    return {"email": f"{name}@contoso.example", "reason": "keeps the password"}


def set_of_exceptions(story: Story) -> set[str]:
    page = story.must("manager", "GET", f"{ACCOUNT}/exceptions?pageSize=1000")
    assert page["continuationToken"] is None
    return {item["email"] for item in page["items"]}


def killed_in_the_middle_of_changes(story: Story, store: Azurite) -> list[httpx.Response]:
    """Exceptions are added one after the other by four callers, until each has been refused."""

    def add_until_refused(caller: int) -> list[httpx.Response]:
        answers: list[httpx.Response] = []
        while not answers or answers[-1].status_code == 201:
            body = exception(f"person-{caller}-{len(answers)}")
            answers.append(story.call("manager", "POST", f"{ACCOUNT}/exceptions", json=body))
            if len(answers) == 3 and caller == 0:
                store.kill()
        return answers

    with ThreadPoolExecutor(4) as callers:
        return [answer for answers in callers.map(add_until_refused, range(4)) for answer in answers]

"""What travels to the store, and what azure-core's policies see of a response and of its absence."""

import pytest
from azure.core.exceptions import AzureError, HttpResponseError, IncompleteReadError, ServiceRequestError

from local.processes import free_port
from shared.adapters.tables.transport import Received, Sent, Transport
from tests.support.scripted_store import Hangup, Reply, scripted_store
from tests.unit.adapters.tables.test_answers import SINGLES, outcome, table_of


async def received(port: int) -> Received:
    transport = Transport(None)
    async with transport:
        await transport.open()
        return await transport.send(
            Sent(method="GET", url=f"http://127.0.0.1:{port}/rows()", headers={"Accept": "text/plain"}, body=b"")
        )


async def test_a_response_is_read_whole() -> None:
    async with scripted_store(Reply(302, "Elsewhere.", {"Location": "/there"})) as store:
        response = await received(store.port)
    assert (response.status_code, response.reason, response.content) == (302, "Said", b"Elsewhere.")
    assert response.headers["location"] == "/there"
    assert len(store.asked) == 1


async def test_a_request_has_the_headers_that_it_was_given() -> None:
    async with scripted_store(Reply(204)) as store:
        await received(store.port)
    assert store.asked[0].headers["accept"] == "text/plain"
    assert "content-type" not in store.asked[0].headers


async def test_an_error_quotes_what_was_received() -> None:
    async with scripted_store(Reply(401, "No such key.")) as store:
        error = HttpResponseError(response=await received(store.port))  # type: ignore[arg-type]
    assert (error.status_code, error.reason) == (401, "Said")
    assert "No such key." in str(error)


@pytest.mark.parametrize(
    ("reply", "meaning"), [(Hangup(0), ServiceRequestError), (Reply(200, "{", missing=1), IncompleteReadError)]
)
async def test_a_broken_connection_is_told_from_a_broken_response(reply: Reply, meaning: type[AzureError]) -> None:
    """The first is asked again; the second only if that does no harm."""
    async with scripted_store(reply) as store:
        with pytest.raises(meaning):
            await received(store.port)


async def test_a_closed_port_is_a_request_that_was_not_sent() -> None:
    with pytest.raises(ServiceRequestError):
        await received(free_port())


async def test_a_request_says_nothing_that_the_store_need_not_know() -> None:
    """No trace, no id of a client, and of what we run on only what aiohttp says of itself."""
    async with table_of(Reply(204)) as (table, store):
        for operation in SINGLES:
            await table.write(operation)
    common = {"host", "accept", "accept-encoding", "dataserviceversion", "x-ms-version", "x-ms-date", "authorization"}
    needed = {"content-type", "content-length", "prefer", "if-match"}
    assert {name for each in store.asked for name in each.headers} - common - needed == {"user-agent"}
    assert {each.headers["user-agent"].partition("/")[0] for each in store.asked} == {"Python"}


async def test_requests_one_after_the_other_take_one_connection() -> None:
    async with table_of(Reply(204)) as (table, store):
        for operation in SINGLES:
            await table.write(operation)
    assert (len(store.asked), store.connections) == (len(SINGLES), 1)


async def test_the_environment_leads_it_to_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert await outcome(Reply(204), SINGLES[0]) is None

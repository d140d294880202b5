"""HTTP as the tables are asked by it: what a response is, what is none, and which connection may be used again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import HttpRequest

from local.processes import free_port
from shared.adapters.azure_sdk import RESPONSIVE
from shared.adapters.tables import connections, exchanges
from shared.adapters.tables.connections import Connections
from shared.adapters.tables.exchanges import Response
from shared.adapters.trust import trusting

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
TEN = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SILENCE = b""


class Cut(bytes):
    """An answer after which the connection breaks."""


@dataclass
class Server:
    """Sends one text after the other, as one answer each. `carried` counts the requests of each connection."""

    answers: Sequence[bytes]
    piece: int = 1_000_000
    asked: list[bytes] = field(default_factory=list)
    carried: list[int] = field(default_factory=list)
    url: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.carried.append(0)
        mine = len(self.carried) - 1
        while head := await _head(reader):
            self.asked.append(head)
            self.arrived.set()
            self.carried[mine] += 1
            answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
            await self.gate.wait()
            for start in range(0, len(answer), self.piece):
                writer.write(answer[start : start + self.piece])
                await asyncio.sleep(0)
            if isinstance(answer, Cut):
                break
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@asynccontextmanager
async def serving(*answers: bytes, piece: int = 1_000_000) -> AsyncIterator[tuple[Server, Connections]]:
    server = Server(answers, piece)
    server.gate.set()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/account"
    try:
        asking = Connections(server.url, trusting())
        async with asking:
            yield server, asking
    finally:
        listening.close()
        listening.close_clients()
        await listening.wait_closed()


async def ask(server: Server, asking: Connections, content: bytes = b"", **headers: str) -> Response:
    return await asking.send(HttpRequest("GET", f"{server.url}/table?x=1", headers=headers, data=content))


# -- what a response is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 7, 1_000_000])
@pytest.mark.parametrize(
    ("answer", "status", "content"),
    [
        (EMPTY, 200, b""),
        (TEN + b"0123456789", 200, b"0123456789"),
        (CHUNKED + b"0\r\n\r\n", 200, b""),
        (CHUNKED + b"4\r\n0123\r\n06 ; x=y\r\n456\r\n7\r\n0\r\nTrailer: x\r\n\r\n", 200, b"0123456\r\n7"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + EMPTY, 200, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304\r\nContent-Length: 7\r\n\r\n", 304, b""),
        (b"HTTP/1.1 503 \r\ncontent-length:2\t \r\n\r\nno", 503, b"no"),
    ],
)  # fmt: skip
async def test_a_response_is_read_however_it_arrives(answer: bytes, status: int, content: bytes, piece: int) -> None:
    async with serving(answer, piece=piece) as (server, asking):
        for _ in range(2):
            response = await ask(server, asking)
            assert (response.status_code, response.content) == (status, content)
    assert server.carried == [2]


async def test_headers_have_any_case_and_may_come_twice() -> None:
    answer = (
        b"HTTP/1.1 401 Who are you\r\nWWW-Authenticate: Basic\r\nwww-authenticate:Bearer \r\nContent-Length: 0\r\n\r\n"
    )
    async with serving(answer) as (server, asking):
        response = await ask(server, asking)
    assert response.reason == "Who are you"
    assert response.headers["Www-Authenticate"] == "Basic, Bearer"


async def test_a_request_says_where_it_goes_and_how_long_it_is() -> None:
    async with serving(EMPTY) as (server, asking):
        await ask(server, asking, b"", Accept="x")
        await ask(server, asking, b"four")
    host = server.url.removeprefix("http://").removesuffix("/account").encode()
    assert server.asked[0] == b"GET /account/table?x=1 HTTP/1.1\r\nHost: " + host + b"\r\nAccept: x\r\n\r\n"
    assert b"\r\nContent-Length: 4\r\n" in server.asked[1]


@pytest.mark.parametrize("value", ["x\r\nIf-Match: *", "x\nIf-Match: *", "x\rIf-Match: *"])
async def test_a_header_cannot_become_two(value: str) -> None:
    async with serving(EMPTY) as (server, asking):
        with pytest.raises(ValueError, match="one line"):
            await ask(server, asking, Accept=value)
    assert server.asked == []


# -- what is none ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 600 Beyond\r\nContent-Length: 0\r\n\r\n",
        b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nnothing\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        CHUNKED + b"\r\n\r\n",
        CHUNKED + b"-1\r\n\r\n",
        CHUNKED + b"2\r\n123\r\n0\r\n\r\n",
        CHUNKED + b"20\r\n" + 32 * b"x" + b"\r\n20\r\n" + 32 * b"x" + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n" + 90 * b"x",
    ],
)
async def test_a_response_that_is_malformed_or_too_long_is_none(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection ends, since nobody knows where the next response would begin."""
    monkeypatch.setattr(exchanges, "_LONGEST", 63)
    async with serving(answer, EMPTY, piece=50) as (server, asking):
        with pytest.raises(ServiceResponseError):
            await ask(server, asking)
        assert (await ask(server, asking)).status_code == 200
    assert server.carried == [1, 1]


async def test_a_connection_that_breaks_is_another_failure_before_a_response_than_in_it() -> None:
    """Before it, most requests have never been read; and other connections have probably broken with it."""
    async with serving(EMPTY, EMPTY, Cut(), EMPTY, Cut(TEN + b"012"), EMPTY) as (server, asking):
        await asyncio.gather(ask(server, asking), ask(server, asking))
        with pytest.raises(ServiceRequestError):
            await ask(server, asking)
        await ask(server, asking)
        with pytest.raises(ServiceResponseError):
            await ask(server, asking)
        await ask(server, asking)
    assert sorted(server.carried) == [1, 1, 2, 2]


async def test_nobody_there_is_a_request_that_never_came() -> None:
    asking = Connections(f"http://127.0.0.1:{free_port()}", trusting())
    with pytest.raises(ServiceRequestError):
        await asking.send(HttpRequest("GET", "http://127.0.0.1/"))


async def test_a_silent_server_is_waited_for_no_longer_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RESPONSIVE, "read_timeout", 0.05)
    for answer in (SILENCE, TEN + b"012"):
        async with serving(answer, EMPTY) as (server, asking):
            with pytest.raises(ServiceResponseTimeoutError):
                await ask(server, asking)
            await ask(server, asking)
        assert server.carried == [1, 1]


# -- which connection is used again ------------------------------------------------------------------------------------


async def test_as_many_connections_are_open_as_there_are_requests_at_once() -> None:
    async with serving(EMPTY) as (server, asking):
        for _ in range(3):
            await asyncio.gather(*(ask(server, asking) for _ in range(4)))
    assert sum(server.carried) == 12
    assert len(server.carried) == 4


async def test_only_so_many_are_open_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MOST_CONNECTIONS", 2)
    async with serving(EMPTY) as (server, asking):
        await asyncio.gather(*(ask(server, asking) for _ in range(9)))
    assert sum(server.carried) == 9
    assert len(server.carried) == 2


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 204 No Content\r\nConnection: Close\r\n\r\n", id="the server says so"),
        pytest.param(Cut(EMPTY), id="the server has ended it"),
        pytest.param(EMPTY + b"HTTP/1.1 204 No Content\r\n\r\n", id="an answer that nobody asked for"),
    ],
)
async def test_a_connection_is_not_used_again(answer: bytes) -> None:
    async with serving(answer, EMPTY) as (server, asking):
        await ask(server, asking)
        await asyncio.sleep(0.01)
        assert (await ask(server, asking)).status_code == 200
    assert server.carried == [1, 1]


async def test_what_comes_unasked_while_a_connection_is_idle_answers_nothing() -> None:
    async with serving(EMPTY + b"HTTP/1.1 204 No Content\r\n\r\n", EMPTY, piece=len(EMPTY)) as (server, asking):
        await ask(server, asking)
        await asyncio.sleep(0.01)
        assert (await ask(server, asking)).status_code == 200
    assert server.carried == [1, 1]


async def test_a_connection_that_was_idle_for_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(EMPTY) as (server, asking):
        await ask(server, asking)
        monkeypatch.setattr(connections, "_IDLE_SECONDS", -1.0)
        await ask(server, asking)
    assert server.carried == [1, 1]


async def test_a_caller_who_leaves_takes_the_connection_along() -> None:
    """Otherwise the response to their request would be the next caller's."""
    async with serving(EMPTY) as (server, asking):
        server.gate.clear()
        leaving = asyncio.ensure_future(ask(server, asking))
        await server.arrived.wait()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        server.gate.set()
        await ask(server, asking)
    assert server.carried == [1, 1]


async def test_a_request_that_is_under_way_when_all_is_closed_is_answered_and_closes_its_connection() -> None:
    async with serving(EMPTY) as (server, asking):
        server.gate.clear()
        asked = asyncio.ensure_future(ask(server, asking))
        await server.arrived.wait()
        await asking.close()
        server.gate.set()
        assert (await asked).status_code == 200
        await ask(server, asking)
    assert server.carried == [1, 1]

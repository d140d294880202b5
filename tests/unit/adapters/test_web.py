"""JSON over HTTP: every foreign failure is one refusal, and nothing is believed that was not asked for."""

from collections.abc import AsyncIterator, Iterator

import pytest

from local.processes import free_port
from shared.adapters import web as web_module
from shared.adapters.web import Web
from shared.kernel.refusals import Unavailable
from tests.support.wire import CannedWeb, canned_web, silent_port


@pytest.fixture
def server() -> Iterator[CannedWeb]:
    with canned_web() as canned:
        yield canned


@pytest.fixture
async def reader() -> AsyncIterator[Web]:
    opened = Web("The other side")
    yield opened
    await opened.close()


async def test_a_document_comes_with_its_status(server: CannedWeb, reader: Web) -> None:
    server.status, server.body = 404, b'{"error": "none"}'
    assert await reader.get_json(server.url) == (404, {"error": "none"})


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_server_out_of_order_is_unavailable(server: CannedWeb, reader: Web, status: int) -> None:
    server.status = status
    with pytest.raises(Unavailable):
        await reader.get_json(server.url)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000], ids=["empty", "html", "bytes", "deep"])
async def test_what_is_no_json_is_no_answer(server: CannedWeb, reader: Web, body: bytes) -> None:
    server.body = body
    with pytest.raises(Unavailable):
        await reader.get_json(server.url)


async def test_no_redirect_is_followed(server: CannedWeb, reader: Web) -> None:
    server.status, server.headers = 302, {"Location": f"{server.url}/elsewhere"}
    assert await reader.get_json(f"{server.url}/here") == (302, {})
    assert server.asked == ["/here"]


async def test_a_closed_port_is_unavailable(reader: Web) -> None:
    with pytest.raises(Unavailable):
        await reader.get_json(f"http://127.0.0.1:{free_port()}")


async def test_silence_is_not_waited_for_long(reader: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "TIMEOUT_SECONDS", 0.2)
    with silent_port() as port, pytest.raises(Unavailable):
        await reader.get_json(f"http://127.0.0.1:{port}")


async def test_the_environment_cannot_lead_it_elsewhere(
    server: CannedWeb, reader: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert (await reader.get_json(server.url))[0] == 200


async def test_it_can_be_closed_at_any_time_and_opens_again(server: CannedWeb) -> None:
    reader = Web("The other side")
    await reader.close()
    await reader.get_json(server.url)
    await reader.close()
    assert (await reader.get_json(server.url))[0] == 200
    await reader.close()

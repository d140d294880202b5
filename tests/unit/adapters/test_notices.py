"""Notices reach the internet and nothing else, and an application that hangs takes nothing from the others."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from local.processes import free_port
from shared.adapters import notices as notices_module
from shared.adapters.notices import HttpNotices, is_public, public_socket
from shared.kernel.names import ClientId
from shared.kernel.refusals import Unavailable

UNITE, OTHER = ClientId("unite"), ClientId("other")
FORM = {"logout_token": "a.b.c"}


@dataclass
class Application:
    """An application: each response has the status that was set last, and waits for `going`."""

    url: str = ""
    answer: str = "200 OK"
    requests: list[bytes] = field(default_factory=list)
    going: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def running() -> AsyncIterator[Application]:
    application = Application()
    application.going.set()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        application.requests.append(head + await reader.readexactly(len("logout_token=a.b.c")))
        await application.going.wait()
        writer.write(f"HTTP/1.1 {application.answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
        application.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/logout"
        yield application
        application.going.set()


@pytest.fixture
async def application() -> AsyncIterator[Application]:
    async with running() as one:
        yield one


@pytest.fixture
async def notices() -> AsyncIterator[HttpNotices]:
    opened = HttpNotices(anywhere=True)
    yield opened
    await opened.close()


@pytest.fixture
async def guarded() -> AsyncIterator[HttpNotices]:
    """As in production."""
    opened = HttpNotices()
    yield opened
    await opened.close()


async def test_a_form_is_posted(application: Application, notices: HttpNotices) -> None:
    await notices.post(UNITE, application.url, FORM)
    (request,) = application.requests
    assert request.startswith(b"POST /logout HTTP/1.1\r\n")
    assert b"Content-Type: application/x-www-form-urlencoded\r\n" in request
    assert request.endswith(b"logout_token=a.b.c")


@pytest.mark.parametrize("status", ["301 x", "302 x", "307 x", "400 x", "429 x", "500 x", "501 x"])
async def test_what_is_no_success_is_not_heard_and_no_redirect_is_followed(
    application: Application, notices: HttpNotices, status: str
) -> None:
    async with running() as elsewhere:
        application.answer = f"{status}\r\nLocation: {elsewhere.url}"
        with pytest.raises(Unavailable):
            await notices.post(UNITE, application.url, FORM)
        assert elsewhere.requests == []


@pytest.mark.parametrize("url", ["https://x..example/", f"https://{'a' * 70}.example/", "http://127.0.0.1:1/", "x:"])
async def test_where_nobody_answers_nothing_is_heard(notices: HttpNotices, url: str) -> None:
    with pytest.raises(Unavailable):
        await notices.post(UNITE, url, FORM)


async def test_the_environment_cannot_lead_it_elsewhere(
    application: Application, notices: HttpNotices, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    await notices.post(UNITE, application.url, FORM)


async def test_it_can_be_closed_at_any_time_and_opens_again(application: Application) -> None:
    notices = HttpNotices(anywhere=True)
    await notices.close()
    for _ in range(2):
        await notices.post(UNITE, application.url, FORM)
        await notices.close()


# -- one application and the others ------------------------------------------------------------------------------------


async def test_an_application_that_hangs_is_left_after_a_while(
    application: Application, notices: HttpNotices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices_module, "_TIMEOUT_SECONDS", 0.1)
    application.going.clear()
    with pytest.raises(Unavailable):
        await notices.post(UNITE, application.url, FORM)


@pytest.mark.parametrize("crowd", [30])
async def test_an_application_that_hangs_holds_up_no_other(
    application: Application, notices: HttpNotices, crowd: int
) -> None:
    application.going.clear()
    waiting = [asyncio.create_task(notices.post(UNITE, application.url, FORM)) for _ in range(crowd)]
    async with running() as other:
        await notices.post(OTHER, other.url, FORM)
    assert not any(each.done() for each in waiting), "nobody had to give up first"
    assert len(application.requests) <= notices_module._FOR_AN_APPLICATION
    application.going.set()
    await asyncio.gather(*waiting)
    assert len(application.requests) == crowd


async def test_a_host_of_many_applications_is_bounded_too(application: Application, notices: HttpNotices) -> None:
    application.going.clear()
    clients = [ClientId(f"app-{number}") for number in range(30)]
    waiting = [asyncio.create_task(notices.post(client_id, application.url, FORM)) for client_id in clients]
    async with running() as other:
        await notices.post(OTHER, other.url, FORM)
    assert not any(each.done() for each in waiting), "nobody had to give up first"
    assert len(application.requests) <= notices_module._FOR_A_HOST
    application.going.set()
    await asyncio.gather(*waiting)


# -- attacks ---------------------------------------------------------------------------------------------------------

THIS_MACHINE = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST.",
    "0.0.0.0",  # noqa: S104 - an address to be refused, not to listen at
    "0",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "nobody@127.0.0.1",
    "1.1.1.1\\@127.0.0.1",
    "127.0.0.1%23.example",
    "①②⑦.⓪.⓪.①",
]


@pytest.mark.parametrize("host", THIS_MACHINE)
async def test_however_this_machine_is_named_it_is_not_written_to(
    application: Application, guarded: HttpNotices, host: str
) -> None:
    port = urlsplit(application.url).port
    with pytest.raises(Unavailable):
        await guarded.post(UNITE, f"http://{host}:{port}/logout", FORM)
    assert application.requests == []


type Resolve = Callable[..., Awaitable[list[tuple]]]


async def test_a_name_that_resolves_to_this_machine_at_the_second_time_gains_nothing(
    application: Application, guarded: HttpNotices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: what is judged is the address of the socket, whatever the name resolved to before."""
    loop = asyncio.get_running_loop()
    port = urlsplit(application.url).port
    asked: list[str] = []

    async def rebinding(host: str, *_: object, **__: object) -> list[tuple]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", rebinding)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await guarded.post(UNITE, f"http://rebinding.example:{port}/logout", FORM)
    assert asked == ["rebinding.example"] * 3
    assert application.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "100.64.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.31.255.255",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "0.0.0.0",  # noqa: S104 - an address to be refused, not to listen at
        "::",
        "::1",
        "::10.0.0.1",
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2001:db8::1",
        "2001::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%2",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_of_the_internet_gets_no_socket(address: str) -> None:
    assert not is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(OSError, match="not public"):
        public_socket((family, socket.SOCK_STREAM, 6, "", (address, 443)))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "20.50.2.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]
)
def test_an_address_of_the_internet_gets_one(address: str) -> None:
    assert is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with public_socket((family, socket.SOCK_STREAM, 6, "", (address, 443))) as made:
        assert made.family == family

"""Network conditions between the service and another one: a port that never responds, a web server with set responses,
and a relay that counts requests.
"""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@dataclass
class CannedWeb:
    """A web server that returns the response that was set last. Requested paths are kept in `asked`."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    documents: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> bytes:
        self.asked.append(path)
        return json.dumps(self.documents[path]).encode() if path in self.documents else self.body


@contextmanager
def canned_web(web: CannedWeb | None = None) -> Iterator[CannedWeb]:
    web = web or CannedWeb()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        """Head and body leave together. Apart, the body would wait 40 ms for a client to acknowledge the head."""

        def do_GET(self) -> None:
            body = web.answer(self.path)
            self.send_response(web.status)
            for name, value in {"Content-Length": str(len(body)), **web.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            with suppress(ConnectionResetError):
                super().handle()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_REQUEST_LINE = re.compile(rb"^(?:GET|POST|PUT|PATCH|DELETE|MERGE) (/\S*) HTTP/1\.1\r$", re.MULTILINE)
_OPERATION = re.compile(rb"^(?:GET|POST|PUT|PATCH|DELETE|MERGE) https?://\S* HTTP/1\.1\r\n", re.MULTILINE)
"""One request inside a batch, which names the whole address."""


class Relay:
    """Forwards HTTP/1.1 to a port of this machine, and counts requests.

    `rounds` holds the concurrent requests: each response is held back for `hold` seconds, so that requests that do not
    wait for it have arrived by then. `batches` has the number of operations in each entity group transaction.
    """

    def __init__(self, target: int, hold: float = 0.0) -> None:
        self.rounds: list[list[str]] = []
        self.batches: list[int] = []
        self.hold = hold
        self._target = target
        self._under_way = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def requests(self) -> list[str]:
        """The requested paths, without queries."""
        return [path for together in self.rounds for path in together]

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        server = await asyncio.start_server(self._carry, sock=self._listener)
        self._ready.set()
        await self._ended.wait()
        server.close()
        server.close_clients()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        asked: list[bool] = []
        try:
            ways = self._there(reader, forth, asked), self._back(back, writer, asked)
            await asyncio.gather(*ways, return_exceptions=True)
        finally:  # also when the relay ends before either side has
            self._under_way -= bool(asked)
            forth.close()
            writer.close()

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: list[bool]) -> None:
        line, batch = b"", 0
        while data := await reader.read(65_536):
            for path in _REQUEST_LINE.findall(data):
                if path.endswith(b"/$batch"):
                    batch = len(self.batches)
                    self.batches.append(0)
                if self._under_way == 0 or not self.rounds:  # who counts may clear them while somebody asks
                    self.rounds.append([])
                self.rounds[-1].append(path.decode().partition("?")[0])
                self._under_way += 1
                asked.append(True)
            whole, newline, line = (line + data).rpartition(b"\n")
            if operations := len(_OPERATION.findall(whole + newline)):
                self.batches[batch] += operations
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: list[bool]) -> None:
        while data := await reader.read(65_536):
            if asked:
                await asyncio.sleep(self.hold)
                asked.clear()
                self._under_way -= 1
            writer.write(data)
            await writer.drain()
        writer.close()

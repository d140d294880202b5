"""A wire to a store that loses one request, or its answer, or carries it twice, at once or late."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.disturbances import Disturbance

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class LossyWire:
    """Carries requests to a port of this machine. One of them, whose number is `at`, is disturbed; `made` counts them.

    What is lost is lost with its connection, so that whoever waits for it hears so at once. `writes` are the requests
    so far that change something.
    """

    def __init__(self, target: int) -> None:
        self.made = 0
        self.writes: list[bytes] = []
        self.port = 0
        self._target = target
        self._at = 0
        self._how: Disturbance | None = None

    def disturb(self, at: int, how: Disturbance | None) -> None:
        """Count anew, and disturb the request of this number."""
        self.made, self._at, self._how = 0, at, how
        self.writes.clear()

    async def repeat_late(self) -> None:
        """Carry every write so far once more. Nobody waits for the answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        for request in self.writes:
            writer.write(request)
            assert await _message(reader)
        writer.close()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            while request := await _message(reader):
                self.made += 1
                self.writes += [request] if not request.startswith(b"GET ") else []
                how = self._how if self.made == self._at else None
                if how is Disturbance.NOT_MADE:
                    return
                forth.write(request)
                answer = await _message(back)
                if how is Disturbance.LOST:
                    return
                if how is Disturbance.REPEATED:
                    forth.write(request)
                    answer = await _message(back)
                writer.write(answer)
        finally:
            forth.close()
            writer.close()


@asynccontextmanager
async def lossy_wire(target: int) -> AsyncIterator[LossyWire]:
    """Lay one, for a `with` block."""
    wire = LossyWire(target)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        server.close_clients()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A request or a response of HTTP/1.1, whole; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return b""
    if length := _LENGTH.search(head):
        return head + await reader.readexactly(int(length[1]))
    whole, size = head, 1 if _CHUNKED.search(head) else 0
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line, 16)
        whole += line + await reader.readexactly(size + len("\r\n"))
    return whole

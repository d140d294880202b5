"""One connection, and what a response is (RFC 9112). What is not exactly so is none, and ends its connection."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from azure.core.utils import CaseInsensitiveDict

from shared.adapters.azure_sdk import RESPONSIVE

_LONGEST: Final = 16 * 1024 * 1024
"""Bytes of a response, several times what a store sends.

https://learn.microsoft.com/rest/api/storageservices/query-entities
"""

_STATUS: Final = re.compile(r"HTTP/1\.1 ([1-5][0-9]{2})(?: (.*))?")
_FIELD: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
_LENGTH: Final = re.compile(r"[0-9]{1,9}")
_CHUNK: Final = re.compile(r"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_END_OF_HEAD: Final = b"\r\n\r\n"
_END_OF_LINE: Final = b"\r\n"
_WITHOUT_CONTENT: Final = frozenset({204, 304})
_FIRST_FINAL: Final = 200


@dataclass(frozen=True, slots=True)
class Response:
    """A response, complete, with what azure-core's policies read of it."""

    status_code: int
    """HTTP's status."""
    reason: str
    """The words after it."""
    headers: CaseInsensitiveDict
    """Its headers."""
    content: bytes
    """Its content."""


class Connection(asyncio.Protocol):
    """One connection, for one exchange after the other.

    idle ──exchange──> waiting ──first byte──> answering ──complete──> idle; anything else ends it.
    """

    def __init__(self) -> None:
        self.used_at = 0.0
        self.is_answering = False
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._arrival: asyncio.Future[None] | None = None
        self._is_over = False

    @property
    def is_idle(self) -> bool:
        """Whether it is open, and nothing has come that nobody asked for: that would answer the next request."""
        return not (self._is_over or self._received or self._transport.is_closing())

    async def exchange(self, request: bytes) -> Response:
        """Send a request, and read the response.

        Raises:
            TimeoutError: the server is silent.
            OSError: the connection ends.
            ValueError: what comes is no response.
        """
        self.is_answering = False
        self._transport.write(request)
        status, reason, headers = _head_of(await self._until(_END_OF_HEAD))
        while status < _FIRST_FINAL:  # RFC 9110, section 15.2: others may come before
            status, reason, headers = _head_of(await self._until(_END_OF_HEAD))
        content = await self._content(status, headers)
        if headers.get("Connection", "").lower() == "close":
            self._is_over = True
        return Response(status, reason, headers, content)

    async def _content(self, status: int, headers: CaseInsensitiveDict) -> bytes:
        """The content of a response that says how long it is (RFC 9112, section 6.3)."""
        if status in _WITHOUT_CONTENT:
            return b""
        coding, length = headers.get("Transfer-Encoding"), headers.get("Content-Length")
        if coding is None and length is not None and _LENGTH.fullmatch(length):
            return await self._exactly(int(length))
        if coding is None or coding.lower() != "chunked" or length is not None:
            raise ValueError("A response says in one way how long it is.")
        return await self._chunks()

    async def _chunks(self) -> bytes:
        """Content in chunks, and the trailers after it, which mean nothing here (RFC 9112, section 7.1)."""
        content = bytearray()
        while size := _size_of(await self._until(_END_OF_LINE)):
            if len(content) + size > _LONGEST:
                raise ValueError("The response is too long.")
            content += await self._exactly(size)
            if await self._until(_END_OF_LINE):
                raise ValueError("A chunk is as long as it says.")
        while await self._until(_END_OF_LINE):
            pass
        return bytes(content)

    async def _until(self, mark: bytes) -> bytes:
        """What comes before the mark, which is taken, too."""
        while (end := self._received.find(mark)) < 0:
            await self._more()
        taken = bytes(self._received[:end])
        del self._received[: end + len(mark)]
        return taken

    async def _exactly(self, count: int) -> bytes:
        while len(self._received) < count:
            await self._more()
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken

    async def _more(self) -> None:
        if self._is_over:
            raise ConnectionError("The connection has ended.")
        self._arrival = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(RESPONSIVE["read_timeout"]):
            await self._arrival

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # asyncio's own is wider
        """See `asyncio.Protocol`."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self.is_answering = True
        self._received += data
        if len(self._received) > _LONGEST:
            self._transport.abort()
        self._wake()

    def connection_lost(self, _: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def close(self) -> None:
        """End it properly."""
        self._transport.close()

    def abort(self) -> None:
        """End it at once."""
        self._transport.abort()


def _head_of(octets: bytes) -> tuple[int, str, CaseInsensitiveDict]:
    """Status, reason and headers of a response (RFC 9112, sections 4 and 5).

    Raises:
        ValueError: it is malformed.
    """
    first, *lines = octets.decode("latin-1").split("\r\n")
    status = _STATUS.fullmatch(first)
    if status is None:
        raise ValueError("The first line is malformed.")
    fields: dict[str, str] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise ValueError("A header is malformed.")
        name, value = field[1].lower(), field[2].rstrip(" \t")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return int(status[1]), status[2] or "", CaseInsensitiveDict(fields)


def _size_of(line: bytes) -> int:
    size = _CHUNK.fullmatch(line.decode("latin-1"))
    if size is None:
        raise ValueError("A chunk begins with its size.")
    return int(size[1], 16)

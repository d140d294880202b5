"""A store that says what it is told to: the answers of Azure that no emulator gives, and connections that break."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

ACCOUNT = "AccountName=devstoreaccount1;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:{port}/devstoreaccount1"
JSON = "application/json;odata=minimalmetadata;streaming=true;charset=utf-8"


@dataclass(frozen=True)
class Reply:
    """One answer; `missing` bytes of its body never come."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0

    def octets(self) -> bytes:
        body = self.body.encode()
        headers = {"Content-Type": JSON, "Content-Length": str(len(body) + self.missing), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Said", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body


class Hangup(Reply):
    """No answer: the connection breaks after the request has arrived."""


class Silence(Reply):
    """No answer: nothing comes, and the connection stays."""


def refused(status: int, code: str, message: str = "It is so.") -> Reply:
    """An error as the Table service words it.

    https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
    """
    value = f"{message}\nRequestId:6488c785-f002-0010-5ec7-610785000000\nTime:2020-07-24T14:34:27.9440533Z"
    return Reply(status, json.dumps({"odata.error": {"code": code, "message": {"lang": "en-US", "value": value}}}))


@dataclass(frozen=True)
class Asked:
    """One request that arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ScriptedStore:
    """Gives one reply after the other, and the last one again and again. Requests are kept in `asked`."""

    replies: Sequence[Reply] = (Reply(204),)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def connection_string(self) -> str:
        return ACCOUNT.format(port=self.port)

    @property
    def methods(self) -> list[str]:
        return [each.method for each in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await _head(reader):
            line, *lines = head.decode().split("\r\n")
            method, target, _ = line.split(" ")
            headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines if each)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.asked.append(Asked(method, target, headers, body))
            reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
            if isinstance(reply, Hangup):
                break
            if isinstance(reply, Silence):
                continue
            writer.write(reply.octets())
            if reply.missing:
                break
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@asynccontextmanager
async def scripted_store(*replies: Reply) -> AsyncIterator[ScriptedStore]:
    store = ScriptedStore(replies or (Reply(204),))
    server = await asyncio.start_server(store.serve, "127.0.0.1", 0)
    store.port = server.sockets[0].getsockname()[1]
    try:
        yield store
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()

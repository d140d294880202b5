"""HTTP/1.1 to one server, on connections that are kept: the transport under azure-core's pipeline.

It does what asking the tables takes, and knows no redirects, proxies, cookies, compression or upgrades: a sign-in asks
a dozen times, and a general client takes two thirds of the CPU of each request (docs/decisions/0045).
"""

import asyncio
from collections import deque
from ssl import SSLContext
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import ServiceRequestError, ServiceResponseError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import AsyncHttpTransport, HttpRequest

from shared.adapters.azure_sdk import RESPONSIVE
from shared.adapters.tables.exchanges import Connection, Response

_MOST_CONNECTIONS: Final = 100

_IDLE_SECONDS: Final = 15.0
"""How long a connection is kept unused: Azure's load balancers forget one after minutes, and do not say so.

https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset
"""

_HAPPY_EYEBALLS_SECONDS: Final = 0.25
"""When the next address of the server is tried, too (RFC 8305, section 5)."""


class Connections(AsyncHttpTransport[HttpRequest, Response]):
    """The connections to one server. They belong to the event loop that they were made in.

    Args:
        endpoint: where requests go, an address that their URLs begin with.
        trust: whose certificates are trusted, if it is an https address.
    """

    def __init__(self, endpoint: str, trust: SSLContext) -> None:
        split = urlsplit(endpoint)
        is_https = split.scheme == "https"
        self._place = (split.hostname or "", split.port or (443 if is_https else 80))
        self._trust = trust if is_https else None
        self._host = split.netloc
        self._origin = f"{split.scheme}://{split.netloc}"
        self._idle: deque[Connection] = deque()
        self._turns = asyncio.Semaphore(_MOST_CONNECTIONS)
        self._is_open = True

    async def send(self, request: HttpRequest, **_: Any) -> Response:
        """The response to a request.

        Raises:
            ServiceRequestError: there is no connection, or it broke before anything of a response arrived.
            ServiceResponseError: the server fell silent, or its response is cut off or malformed.
        """
        message = self._message(request)
        async with self._turns:
            connection = self._kept() or await self._opened()
            try:
                response = await connection.exchange(message)
            except BaseException as failure:
                connection.abort()
                match failure:
                    case TimeoutError():
                        raise ServiceResponseTimeoutError("The server is silent.") from failure
                    case OSError() if not connection.is_answering:
                        self._close_idle()  # the server has probably ended those, too
                        raise ServiceRequestError("The connection broke.") from failure
                    case OSError() | ValueError():
                        raise ServiceResponseError("The response is cut off or malformed.") from failure
                raise
            self._keep(connection)
            return response

    def _message(self, request: HttpRequest) -> bytes:
        """The request as it travels (RFC 9112, section 3).

        Raises:
            ValueError: a part of it would be a line of its own, which is a bug.
        """
        content = request.data if isinstance(request.data, bytes) else b""
        lines = [f"{request.method} {request.url.removeprefix(self._origin)} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        if content:
            lines.append(f"Content-Length: {len(content)}")
        head = "\r\n".join(lines)
        if head.count("\n") >= len(lines) or head.count("\r") >= len(lines):
            raise ValueError("A header is one line.")
        return head.encode("ascii") + b"\r\n\r\n" + content

    def _kept(self) -> Connection | None:
        """The connection that was used last, if it still can be."""
        oldest = asyncio.get_running_loop().time() - _IDLE_SECONDS
        while self._idle and self._idle[0].used_at < oldest:
            self._idle.popleft().close()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_idle:
                return connection
            connection.abort()
        return None

    async def _opened(self) -> Connection:
        host, port = self._place
        try:
            async with asyncio.timeout(RESPONSIVE["connection_timeout"]):
                _, connection = await asyncio.get_running_loop().create_connection(
                    Connection, host, port, ssl=self._trust, happy_eyeballs_delay=_HAPPY_EYEBALLS_SECONDS
                )
        except OSError as error:  # time-outs and certificates that are not trusted are such, too
            raise ServiceRequestError("There is no connection.") from error
        return connection

    def _keep(self, connection: Connection) -> None:
        if self._is_open and connection.is_idle:
            connection.used_at = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.close()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def open(self) -> None:
        """Nothing: a connection is opened by the first request that needs it."""

    async def close(self) -> None:
        """Close what is idle; a request that is under way closes its connection at its end."""
        self._is_open = False
        self._close_idle()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Close it."""
        await self.close()

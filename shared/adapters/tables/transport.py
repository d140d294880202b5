"""The last step of azure-core's pipeline: one aiohttp session.

azure-core's own transport does the same for every service of Azure: its classes of requests and responses know forms,
streams and compression, and cost as much as half of what aiohttp takes for a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Final

import aiohttp
from azure.core.exceptions import (
    AzureError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AsyncHttpTransport
from yarl import URL

from shared.adapters.azure_sdk import RESPONSIVE
from shared.adapters.trust import trusting

_MEANINGS: Final[tuple[tuple[type[Exception], type[AzureError]], ...]] = (
    (aiohttp.ClientPayloadError, IncompleteReadError),
    (aiohttp.ClientResponseError, ServiceResponseError),
    (aiohttp.ConnectionTimeoutError, ServiceRequestTimeoutError),
    (TimeoutError, ServiceResponseTimeoutError),
    (aiohttp.ClientError, ServiceRequestError),
)
"""What azure-core's own transport makes of aiohttp's errors; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request, as the policies of azure-core see it."""

    method: str
    """HTTP's method."""
    url: str
    """The whole address, percent-encoded as it is sent."""
    headers: dict[str, str]
    """Its headers, to which policies add."""
    body: bytes
    """Its body, or empty."""

    multipart_mixed_info: ClassVar[None] = None
    """azure-core asks every request whether it is to compose a batch. A batch of ours is a body like another."""

    def prepare_multipart_body(self) -> None:
        """Nothing to compose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A response that has been read, as the policies of azure-core see it."""

    status_code: int
    """HTTP's status."""
    reason: str | None
    """HTTP's reason."""
    headers: Mapping[str, str]
    """Its headers, whatever the case of their names."""
    content: bytes
    """Its body."""

    def text(self) -> str:
        """The body, for the message of an error."""
        return self.content.decode(errors="replace")


class Transport(AsyncHttpTransport[Sent, Received]):
    """Sends by kept connections; no redirect, cookie, compression or proxy of the environment.

    Args:
        ca_file: trusted beside the machine's own authorities.
    """

    def __init__(self, ca_file: str | None) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusting(ca_file)),
            timeout=aiohttp.ClientTimeout(
                sock_connect=RESPONSIVE["connection_timeout"], sock_read=RESPONSIVE["read_timeout"]
            ),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Content-Type",),
            trust_env=False,
        )

    async def send(self, request: Sent, **_: Any) -> Received:
        """The whole response. Raises AzureError if there is none."""
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
            ) as response:
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            meaning = next(meaning for kind, meaning in _MEANINGS if isinstance(error, kind))
            raise meaning(error, error=error) from error
        return Received(status_code=response.status, reason=response.reason, headers=response.headers, content=content)

    async def open(self) -> None:
        """The session opens its connections as they are needed."""

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

"""Small documents over HTTP: discovery, keys, tokens and Graph. Every foreign failure becomes `Unavailable` here."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.adapters.trust import trusting
from shared.kernel.refusals import Unavailable

if TYPE_CHECKING:
    from aiohttp import ClientSession

CONNECT_SECONDS = 1
TIMEOUT_SECONDS = 5
"""How long a connection may take, and everything."""

_KEPT_SECONDS = 60
"""How long an idle connection is kept: where people sign in rarely, a sign-in is the better by a handshake."""


class Web:
    """Asks one party, without cookies or proxies. Its session belongs to the event loop of its first use.

    Args:
        party: the name of the called service in refusals.
        ca_file: trusted beside the machine's own authorities; for development.
    """

    def __init__(self, party: str, ca_file: str | None = None) -> None:
        self._party = party
        self._ca_file = ca_file
        self._session: ClientSession | None = None

    async def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """The status and the document; no redirect is followed.

        Raises:
            Unavailable: no answer in time, a server error, or no JSON.
        """
        status, _, body = await self.ask("GET", url, headers or {})
        try:
            return status, json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"{self._party} does not respond. Try again in a few seconds.") from error

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the response; no redirect is followed.

        Raises:
            Unavailable: no answer in time, or a server error.
        """
        import aiohttp

        try:
            async with self._opened().request(
                method, url, headers=headers, data=body, allow_redirects=False
            ) as response:
                status, received = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable(f"{self._party} does not respond. Try again in a few seconds.") from error
        if status >= 500 or status == 429:  # noqa: PLR2004 - HTTP's numbers
            raise Unavailable(f"{self._party} is unavailable. Try again in a few seconds.")
        return status, response.headers, received

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> "ClientSession":
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=trusting(self._ca_file), keepalive_timeout=_KEPT_SECONDS),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

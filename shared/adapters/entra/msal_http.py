"""What MSAL sends its requests with: urllib3, with the time-outs that MSAL lacks, and nothing of the environment.

MSAL's own choice is requests, which stands on urllib3 and takes a third of the CPU of a call without doing anything
that MSAL needs: no cookies, redirects, proxies or `.netrc`.

https://learn.microsoft.com/python/api/msal/msal.application.confidentialclientapplication
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from shared.adapters.trust import trusting

_CONNECT_SECONDS: Final = 1
_READ_SECONDS: Final = 5
_NO_ANSWERS: Final = {*range(300, 400), 429}
"""Statuses whose bodies MSAL would take for Entra's answers: it is sent elsewhere, or asked for patience."""
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class MsalResponse:
    """A response, with what MSAL reads of it."""

    status_code: int
    """HTTP's status."""
    headers: Mapping[str, str]
    """Its headers."""
    text: str
    """Its body."""


class MsalHttp:
    """MSAL's `http_client`, for any number of threads.

    Args:
        at_once: how many connections are kept.
        ca_file: trusted beside the machine's own authorities; for development.
    """

    def __init__(self, at_once: int, ca_file: str | None) -> None:
        self._pool = PoolManager(
            maxsize=at_once,
            ssl_context=trusting(ca_file),
            retries=False,
        )

    def get(self, url: str) -> MsalResponse:
        """Read a document, such as a tenant's metadata.

        Raises:
            urllib3.exceptions.HTTPError: there is no response in time, or it is no answer.
        """
        return self._send("GET", url, {}, None)

    def post(
        self, url: str, *, params: Mapping[str, str] | None, data: Mapping[str, str], headers: Mapping[str, str]
    ) -> MsalResponse:
        """Send a form to the token endpoint.

        Raises:
            urllib3.exceptions.HTTPError: there is no response in time, or it is no answer.
        """
        address = f"{url}?{urlencode(params)}" if params else url
        return self._send("POST", address, {**headers, **_FORM}, urlencode(data))

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> MsalResponse:
        patience = Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
        response = self._pool.request(method, url, headers=headers, body=body, timeout=patience)
        if response.status in _NO_ANSWERS:
            raise HTTPError(f"Entra's status is {response.status}")
        return MsalResponse(response.status, response.headers, response.data.decode(errors="replace"))

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

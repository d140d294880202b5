"""MSAL without a thread: it words a request, and is called once more with the answer.

MSAL is synchronous: it calls its `http_client` and goes on with what that returns. Ours has no answer at first, and
interrupts MSAL with the request. That is sent as all our requests are, and the same call of MSAL, made again, finds the
answer. Up to its request MSAL only computes, and it keeps nothing (`msal_clients`), so that call leaves no trace. And
an answer is for the very request to which it came: if MSAL asks for something else the second time, the call fails.
`docs/decisions/0047-msal-without-threads.md` says why.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from shared.adapters.web import Web
from shared.kernel.refusals import Unavailable

_NO_ANSWERS: Final = range(201, 400)
"""Statuses that are neither Entra's answer nor its error."""
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


@dataclass(frozen=True, slots=True)
class _Request:
    """What MSAL wants to send."""

    method: str
    url: str
    body: bytes | None
    headers: Mapping[str, str] = field(compare=False)
    """Some name a call, and not what is asked."""


type _Answered = tuple[_Request, MsalResponse]


class _Unanswered(BaseException):
    """MSAL has asked what was not answered yet. No `Exception`, because it is none of MSAL's to handle."""

    def __init__(self, request: _Request) -> None:
        super().__init__()
        self.request = request


class MsalHttp:
    """MSAL's `http_client`, for any number of MSAL's clients.

    Args:
        web: sends the requests.
    """

    def __init__(self, web: Web) -> None:
        self._web = web
        self._answers: Iterator[_Answered] = iter(())

    async def run[T](self, call: Callable[[], T]) -> T:
        """What a call of MSAL's returns.

        Args:
            call: calls MSAL, nothing else, and is repeated for each of its requests.

        Raises:
            Unavailable: Entra does not respond in time, or with something that is no answer.
            AssertionError: MSAL has asked something else when it was called again.
        """
        answers: list[_Answered] = []
        while True:
            self._answers = iter(answers)
            try:
                return call()  # nobody else's runs before it has returned
            except _Unanswered as unanswered:
                request = unanswered.request
            answers.append((request, await self._send(request)))

    def get(self, url: str) -> MsalResponse:
        """The answer to a request for a document, such as a tenant's metadata."""
        return self._answer(_Request("GET", url, None, {}))

    def post(
        self, url: str, *, params: Mapping[str, str] | None, data: Mapping[str, str], headers: Mapping[str, str]
    ) -> MsalResponse:
        """The answer to a form for the token endpoint."""
        address = f"{url}?{urlencode(params)}" if params else url
        return self._answer(_Request("POST", address, urlencode(data).encode(), {**headers, **_FORM}))

    def _answer(self, request: _Request) -> MsalResponse:
        answered = next(self._answers, None)
        if answered is None:
            raise _Unanswered(request)
        asked, answer = answered
        if asked != request:
            raise AssertionError("MSAL asks for something else when it is called again.")
        return answer

    async def _send(self, request: _Request) -> MsalResponse:
        status, headers, body = await self._web.ask(request.method, request.url, request.headers, request.body)
        if status in _NO_ANSWERS:  # MSAL would take the body for Entra's answer, or stumble over it
            raise Unavailable("Microsoft Entra ID does not respond. Try again in a few seconds.")
        return MsalResponse(status, headers, body.decode(errors="replace"))

"""Cross-origin requests, as Azure's host answers them on Flex Consumption.

The host's own middleware stands before every function, also when no origin is allowed: it answers each preflight
itself, with 204, and an app's route for OPTIONS is never reached (azure-functions-host#6696). It names only origins
that are allowed; the headers that a script may read are the app's to expose.
"""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ORIGIN: Final = "access-control-allow-origin"
_METHOD: Final = "access-control-request-method"
_HEADERS: Final = "access-control-request-headers"


class Cors:
    """Middleware around the host.

    Args:
        app: the host.
        origins: those that are allowed; `*` allows every one.
        credentials: whether browsers may send cookies along.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...], *, credentials: bool) -> None:
        self._app: Final = app
        self._origins: Final = origins
        self._credentials: Final = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; put what the browser needs on any other answer."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin")
        if origin is None:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and _METHOD in headers:
            response = Response(status_code=204)
            self._allow(response.headers, origin, headers)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, self._allowing(send, origin))

    def _allowing(self, send: Send, origin: str) -> Send:
        async def allowing(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._allow(MutableHeaders(scope=message), origin)
            await send(message)

        return allowing

    def _allow(self, answer: MutableHeaders, origin: str, asked: Headers | None = None) -> None:
        """As ASP.NET's CorsService, which writes over what the app has said of the origin."""
        every = "*" in self._origins
        if not every and origin not in self._origins:
            return
        answer[_ORIGIN] = "*" if every else origin
        if not every:
            answer.add_vary_header("Origin")
        if self._credentials and not every:
            answer["access-control-allow-credentials"] = "true"
        if asked is not None:
            answer["access-control-allow-methods"] = asked[_METHOD]
            if _HEADERS in asked:
                answer["access-control-allow-headers"] = asked[_HEADERS]

"""The edge of the network: calls between a browser and the service, which both are real, come late, never, or fail."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Page, Route

from tests.browser.panel import ACCOUNT

NUMBER = "37bc2d09-a437-4409-9f68-bddf237d68cf"
"""What a person gives to support."""

_READABLE = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Retry-After"}

type Happens = Callable[[Route], Awaitable[Any]]


async def gone(route: Route) -> None:
    """Nobody answers."""
    await route.abort("connectionrefused")


async def lost(route: Route) -> None:
    """The service does as it is told, and its answer does not arrive."""
    await route.fetch()
    await route.abort("connectionreset")


async def silent(_: Route) -> None:
    """The call is never answered."""


def late(seconds: float) -> Happens:
    """The call takes its time."""

    async def happens(route: Route) -> None:
        await asyncio.sleep(seconds)
        await route.continue_()

    return happens


def answers(status: int, retry_after: int | None = None, **problem: Any) -> Happens:
    """The service, or what stands before it, answers with a problem that has a number."""
    kind = "unavailable" if status == 503 else "internal"
    body = {"type": f"urn:azure-sso:problem:{kind}", "title": kind.title(), "status": status, "detail": "Storage."}
    headers = _READABLE | ({} if retry_after is None else {"Retry-After": str(retry_after)})

    async def happens(route: Route) -> None:
        await route.fulfill(status=status, json=body | {"instance": f"urn:uuid:{NUMBER}"} | problem, headers=headers)

    return happens


class Edge:
    """What happens to the calls of one page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.calls: list[str] = []
        page.on("request", lambda request: self.calls.append(f"{request.method} {request.url}"))

    async def during(self, call: str, happens: Happens) -> Callable[[], Awaitable[None]]:
        """From now on this happens to a call such as `PUT /policy`, below the account; call the result to end it."""
        method, _, path = call.partition(" ")
        address = re.compile(re.escape(ACCOUNT) + path + r"(\?|$)")

        async def handle(route: Route) -> None:
            await (happens(route) if route.request.method == method else route.fallback())

        await self._page.route(address, handle)
        return lambda: self._page.unroute(address, handle)

    def count(self, call: str) -> int:
        """How many calls such as `POST /exceptions` the page has made."""
        method, _, path = call.partition(" ")
        wanted = re.compile(f"{method} .*{re.escape(ACCOUNT)}{path}(\\?|$)")
        return sum(1 for each in self.calls if wanted.match(each))

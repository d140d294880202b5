"""A real Chromium in front of the real service and local Entra; each test has a new profile and an empty store.

The fixtures of `tests/http` are here, too. Tests are `async def`, because Playwright runs on the loop of the session.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests.http import conftest as http
from tests.http import signing_in
from tests.support.chromium import ARGUMENTS, find_chromium
from tests.support.service import RunningService

running, service, entra, control, hostile = http.running, http.service, http.entra, http.control, http.hostile
client, token, operator, anybody, manager = http.client, http.token, http.operator, http.anybody, http.manager
acme, browser, connect, resolve = http.acme, http.browser, http.connect, http.resolve
register, unite, contoso = signing_in.register, signing_in.unite, signing_in.contoso

PATIENCE = 15_000
"""Milliseconds in which a page must show what a test waits for."""

expect.set_options(timeout=PATIENCE)

type NewContext = Callable[..., Awaitable[BrowserContext]]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser, one for all tests of a worker."""
    try:
        program = find_chromium()
    except FileNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest.fixture
async def new_context(chromium: Browser, service: RunningService) -> AsyncIterator[NewContext]:
    """Makes profiles: `await new_context()` is another person's browser; arguments are Playwright's.

    A page that fails in its script, or asks for something that its Content-Security-Policy forbids, fails the test.
    """
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    async with AsyncExitStack() as contexts:

        async def make(**options: Any) -> BrowserContext:
            context = await chromium.new_context(**options)
            contexts.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE)
            context.on("weberror", lambda error: faults.append(str(error.error)))
            context.on("console", heard)
            return context

        yield make
    assert faults == []


@pytest.fixture
async def page(new_context: NewContext) -> Page:
    """A tab of a new profile."""
    return await (await new_context()).new_page()

"""A real Chromium in front of the real service and local Entra; each test has a new profile and an empty store.

The fixtures of `tests/http` are here, too. Tests are `async def`, because Playwright runs on the loop of the session.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from local.cast.panel import Caller
from local.cast.person import ALICE
from local.entra.server import LocalEntra
from tests.browser.panel import ACCOUNT, EMERGENCY, serving
from tests.browser.steps import sign_in_at_microsoft
from tests.http import conftest as http
from tests.http import signing_in
from tests.http.conftest import Walk
from tests.http.signing_in import REDIRECT_URI, Asked, Register
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


@pytest.fixture(scope="session")
def served(running: tuple[RunningService, LocalEntra]) -> Iterator[str]:
    """Where a control panel shows the component; it is the service's own origin in no test."""
    service, entra = running
    with serving(service.panel_url, service.url, f"{entra.http}/control-panel") as url:
        yield url


@pytest.fixture
def company(served: str, operator: Caller, manager: Callable[[str], Caller]) -> Caller:
    """Sam, the manager of Contoso, which has bought one application of three and is not connected."""
    assert served
    operator.must("PUT", ACCOUNT, json={"name": "Contoso", "products": ["Unite"]})
    for name, more in {"unite": {"requiresProduct": "Unite"}, "fax": {"requiresProduct": "Fax"}, "mail": {}}.items():
        operator.must("PUT", f"/v1/applications/{name}", json={"name": name.title(), "ssoSupported": True, **more})
    return manager("contoso")


@pytest.fixture
def connected(company: Caller, connect: Walk) -> Caller:
    """Sam, whose company is connected, has one exception, and has SSO on."""
    connect(company, "contoso")
    company.must("POST", f"{ACCOUNT}/exceptions", json={"email": EMERGENCY, "reason": "Emergency"})
    company.must("PATCH", f"{ACCOUNT}/policy", json={"mode": "on"}, headers={"If-Match": "*"})
    return company


@pytest.fixture
async def linked(page: Page, connected: Caller, register: Register, service: RunningService) -> Caller:
    """Sam, in whose company Alice has signed in once."""
    register("unite", requiresProduct=None).raise_for_status()
    await page.route(f"{REDIRECT_URI}*", lambda route: route.fulfill(body="Welcome"))
    await page.goto(Asked().address(service.url))
    await sign_in_at_microsoft(page, ALICE)
    await expect(page.get_by_text("Welcome")).to_be_visible()
    return connected


@pytest.fixture
def withdraw(company: Caller, control: httpx.Client) -> Callable[[], None]:
    """Withdraws the consent of Sam's company at Microsoft, and lets the service find out."""

    def withdrawn() -> None:
        control.post(f"/consents/{http.CONTOSO}/revoke").raise_for_status()
        while company.must("GET", f"{ACCOUNT}/connection")["status"] == "connected":
            company.must("POST", f"{ACCOUNT}/connection/check")

    return withdrawn

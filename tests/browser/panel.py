"""A control panel with the component, in front of the service of the tests; and who looks at it, and how."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import uvicorn
from playwright.async_api import Page, expect

from local.control_panel.app import ControlPanel
from local.processes import ROOT

AXE = ROOT / "panel" / "node_modules" / "axe-core" / "axe.min.js"
ACCOUNT = "/v1/accounts/contoso"
EMERGENCY = "emergency@contoso.example"
ANY = {"If-Match": "*"}
SCREENS = ("overview", "connection", "domains", "policy", "exceptions", "people", "activity")
READS = {
    "overview": "GET /overview",
    "connection": "GET /connection",
    "domains": "GET /domains",
    "policy": "GET /policy",
    "exceptions": "GET /exceptions",
    "people": "GET /links",
    "activity": "POST /audit/search",
}
"""What each screen reads, below the account."""

FITS = """() => {
  const panel = document.querySelector("azure-sso-panel")?.shadowRoot;
  const dialogs = [...(panel?.querySelectorAll("dialog[open]") ?? [])];
  return [document.documentElement, ...dialogs].every((each) => each.scrollWidth <= each.clientWidth);
}"""


@contextmanager
def serving(url: str, service: str, issuer: str) -> Iterator[str]:
    """Serve the control panel at `url` inside a `with` block."""
    application = ControlPanel(service, issuer).asgi()
    port = urlsplit(url).port or 0
    server = uvicorn.Server(uvicorn.Config(application, port=port, lifespan="off", log_config=None, ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the control panel did not start"
    yield url
    server.should_exit = True
    thread.join()


async def heading(page: Page, text: str) -> None:
    """Wait for the heading of a screen."""
    await expect(page.locator("h3").filter(has_text=text)).to_be_visible()


async def screen(page: Page, url: str, name: str) -> None:
    """Open a screen by its address, and wait until it has loaded."""
    await page.goto(f"{url}/#{name}")
    await expect(page.locator("azure-sso-panel section.screen:not(.waits) h3").first).to_be_visible()


async def seen_as(page: Page, url: str, **kept: str) -> None:
    """Open the control panel with another person, theme or language: `person="rita"`."""
    await page.goto(url)
    for name, value in kept.items():
        await page.evaluate("([name, value]) => sessionStorage.setItem(name, value)", [name, value])
    await page.reload()


async def fits(page: Page) -> bool:
    """Whether nothing of the page is reached by scrolling sideways alone, in the page or in an open dialog."""
    return bool(await page.evaluate(FITS))


async def findings(page: Page, *, contrast: bool = True) -> list[str]:
    """What axe-core finds on the page as it is: the rule, and where. `contrast` is for colours that are the page's."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate(
        "async (enabled) => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',"
        " 'best-practice'], rules: {'color-contrast': {enabled}}}))"
        ".violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html}`))",
        contrast,
    )
    return [str(each) for each in found]

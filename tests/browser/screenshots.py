"""`make screenshots`: the pictures of docs/panel.md, each screen light and dark, of the demo's Contoso."""

import asyncio
from typing import Final

from playwright.async_api import async_playwright

from local import demo_data, loopback
from local.cast.browser import Browser
from local.cast.panel import Caller
from local.cast.person import ADA
from local.processes import ROOT
from local.stack import Ports, Stack
from local.terminal import say
from tests.browser.panel import SCREENS, screen
from tests.support.chromium import ARGUMENTS, find_chromium

FOLDER: Final = ROOT / "docs" / "panel"
_ACCOUNT: Final = f"/v1/accounts/{demo_data.ACCOUNT_ID}"


def prepare(stack: Stack) -> None:
    """Connect Contoso, import its exceptions and switch SSO on, so that there is something to see."""
    with loopback.client(base_url=stack.app_url, timeout=60) as client, Browser() as browser:
        sam = Caller(client, stack.panel_token(demo_data.SECURITY_MANAGER))
        browser.walk(browser.open(sam.must("POST", f"{_ACCOUNT}/connection", json={})["startUrl"]), ADA)
        csv = {"Content-Type": "text/csv"}
        sam.must("POST", f"{_ACCOUNT}/exceptions", content=demo_data.EXCEPTIONS_FILE.read_bytes(), headers=csv)
        sam.must("PATCH", f"{_ACCOUNT}/policy", json={"mode": "on"}, headers={"If-Match": "*"})


async def take(url: str) -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for theme in ("light", "dark"):
            context = await browser.new_context(
                viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC", reduced_motion="reduce"
            )
            await context.add_init_script(f"sessionStorage.setItem('theme', '{theme}')")
            page = await context.new_page()
            for name in (*SCREENS, "setup/confirm"):
                await screen(page, url, name)
                await page.screenshot(path=FOLDER / f"{name.replace('/', '-')}-{theme}.png")
        await browser.close()


def main() -> None:
    """Start the demo's stack, take the pictures, and stop it."""
    with demo_data.opened(Ports.from_environment()) as stack:
        prepare(stack)
        asyncio.run(take(stack.panel_url))
    say(f"Wrote {len([*FOLDER.glob('*.png')])} pictures to {FOLDER.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()

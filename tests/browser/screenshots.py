"""`make screenshots`: the pictures of docs/panel.md, the demo's Contoso, wide and narrow, light and dark."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Final

from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, async_playwright, expect

from local import demo_data, loopback
from local.cast.browser import Browser
from local.cast.panel import Caller
from local.cast.person import ADA, ALICE
from local.processes import ROOT
from local.stack import Ports, Stack
from local.terminal import say
from tests.browser.panel import SCREENS, screen
from tests.support.chromium import ARGUMENTS, find_chromium

FOLDER: Final = ROOT / "docs" / "panel"
BEFORE: Final = ("setup", "setup/who", "setup/waiting")
AFTER: Final = (*SCREENS, "setup/confirm", "exceptions/add", "exceptions/import")
SIZES: Final = {"": (1280, 800), "-360": (360, 800)}
STAFF: Final = """email,reason,expiresAt
erin@contoso.example,Field staff without a computer,
frank@contoso.example,Moves from another company,2030-03-31T23:59:59Z
carol@contoso-mail.example,Signs in at the kiosk in hall 2,
break-glass@contoso.example,Emergency account that must not depend on Microsoft,
grace at contoso.example,Field staff without a computer,
"""
"""A file that adds, changes, says what is so already, and has a line that is wrong."""
_ACCOUNT: Final = f"/v1/accounts/{demo_data.ACCOUNT_ID}"

_TO_WEBP: Final = """async (png) => {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const file = new FileReader();
  file.readAsDataURL(await canvas.convertToBlob({ type: "image/webp", quality: 0.8 }));
  await new Promise((done) => (file.onload = done));
  return file.result.split(",")[1];
}"""


def start(stack: Stack) -> str:
    """Make two setup links, one for an administrator who then waits; the address of the other."""
    with loopback.client(base_url=stack.app_url, timeout=60) as client:
        sam = Caller(client, stack.panel_token(demo_data.SECURITY_MANAGER))
        sam.must("POST", f"{_ACCOUNT}/connection", json={"lifetimeMinutes": 60})
        return str(sam.must("POST", f"{_ACCOUNT}/connection", json={"lifetimeMinutes": 10_080})["startUrl"])


def finish(stack: Stack, start_url: str) -> None:
    """Connect Contoso, import its exceptions, switch SSO on, and sign Alice in, so that there is something to see."""
    with loopback.client(base_url=stack.app_url, timeout=60) as client, Browser() as browser:
        sam = Caller(client, stack.panel_token(demo_data.SECURITY_MANAGER))
        browser.walk(browser.open(start_url), ADA)
        csv = {"Content-Type": "text/csv"}
        sam.must("POST", f"{_ACCOUNT}/exceptions", content=demo_data.EXCEPTIONS_FILE.read_bytes(), headers=csv)
        sam.must("PATCH", f"{_ACCOUNT}/policy", json={"mode": "on"}, headers={"If-Match": "*"})
        door = browser.open(f"{stack.sample_url}/")
        browser.walk(browser.submit(door, door.forms[0], {"email": ALICE}), ALICE)


async def _show(page: Page, url: str, name: str) -> None:
    await screen(page, url, name)
    if name == "exceptions/import":
        file = {"name": "november.csv", "mimeType": "text/csv", "buffer": STAFF.encode()}
        await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
        await expect(page.locator("azure-sso-import table")).to_be_visible()
    if name == "setup/waiting":
        await expect(page.get_by_role("region", name="Setup links")).to_be_visible()
    await expect(page.locator(".content .sk")).to_have_count(0)


async def take(browser: Chromium, url: str, names: Sequence[str]) -> None:
    """Take pictures of screens; as WebP, a third of what they are as PNG."""
    studio = await (await browser.new_context()).new_page()
    for (suffix, (width, height)), theme in ((size, theme) for size in SIZES.items() for theme in ("light", "dark")):
        context = await browser.new_context(
            viewport={"width": width, "height": height}, locale="en-GB", timezone_id="UTC", reduced_motion="reduce"
        )
        await context.add_init_script(f"sessionStorage.setItem('theme', '{theme}')")
        page = await context.new_page()
        for name in names:
            await _show(page, url, name)
            png = base64.b64encode(await page.screenshot()).decode()
            webp = base64.b64decode(await studio.evaluate(_TO_WEBP, png))
            (FOLDER / f"{name.replace('/', '-')}{suffix}-{theme}.webp").write_bytes(webp)
        await context.close()


async def take_all(stack: Stack) -> None:
    """Take the pictures of an account before it is connected, and after."""
    FOLDER.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        start_url = await asyncio.to_thread(start, stack)
        await take(browser, stack.panel_url, BEFORE)
        await asyncio.to_thread(finish, stack, start_url)
        await take(browser, stack.panel_url, AFTER)
        await browser.close()


def main() -> None:
    """Start the demo's stack, take the pictures, and stop it."""
    with demo_data.opened(Ports.from_environment()) as stack:
        asyncio.run(take_all(stack))
    say(f"Wrote {len([*FOLDER.glob('*.webp')])} pictures to {FOLDER.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()

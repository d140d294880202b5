"""What a person does on the pages of Microsoft and of the service, in a real browser."""

import asyncio

from playwright.async_api import BrowserContext, Page, Route

from local.cast.person import ADA, PASSWORD


async def slow_down(where: Page | BrowserContext, milliseconds: int) -> None:
    """Delay every request of a page or a profile from now on, up to its first redirect."""

    async def late(route: Route) -> None:
        await asyncio.sleep(milliseconds / 1000)
        await route.continue_()

    await where.route("**/*", late)


async def press(page: Page, name: str) -> None:
    """Press a button by its words."""
    await page.get_by_role("button", name=name).click()


async def sign_in_at_microsoft(page: Page, email: str) -> None:
    """Give address and password on Microsoft's page."""
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await press(page, "Sign in")


async def accept_at_microsoft(page: Page, email: str = ADA) -> None:
    """From Microsoft's sign-in page on: sign in, accept for the organization, go on as the same person."""
    await sign_in_at_microsoft(page, email)
    await press(page, "Accept")
    await press(page, f"Continue as {email}")

"""People: who has signed in, whose link is released, and who is erased."""

import pytest
from playwright.async_api import Page, expect

from local.cast.panel import Caller
from local.cast.person import ALICE
from tests.browser.panel import ACCOUNT, EMERGENCY, heading, screen
from tests.browser.steps import press

pytestmark = pytest.mark.slow


async def test_a_link_is_found_and_released_and_one_that_was_released_meanwhile_is_no_fault(
    page: Page, served: str, linked: Caller
) -> None:
    await screen(page, served, "people")
    search = page.get_by_label("Part of an address or of an object ID")
    await search.fill("nobody")
    await press(page, "Find")
    await expect(page.get_by_text("No link has this in its address or its object ID.")).to_be_visible()
    await search.fill("ALICE")
    await press(page, "Find")
    await expect(page.get_by_role("row", name=ALICE)).to_be_visible()
    await press(page, f"Release… {ALICE}")
    (link,) = linked.must("GET", f"{ACCOUNT}/links")["items"]
    linked.must("DELETE", f"{ACCOUNT}/links/{link['linkId']}")
    await page.get_by_role("dialog").get_by_role("button", name="Release").click()
    await expect(page.get_by_text("0 addresses were released.")).to_be_visible()
    await expect(page.get_by_role("row", name=ALICE)).to_be_hidden()


async def test_a_person_is_erased_and_stays_in_the_trail_without_a_name(
    page: Page, served: str, connected: Caller
) -> None:
    await screen(page, served, "people")
    await press(page, "Erase a person")
    await page.get_by_label("Email address").fill(EMERGENCY)
    await page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    await expect(page.get_by_text("Erased: 0 links, 1 exception, 0 sessions.")).to_be_visible()
    assert connected.must("GET", f"{ACCOUNT}/exceptions")["items"] == []
    await screen(page, served, "activity")
    await heading(page, "Activity")
    await expect(page.get_by_text("put a person who was erased on the exception list")).to_be_visible()

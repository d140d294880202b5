"""Setup links: valid for days, for an administrator without a login of the vendor's, in a browser of their own."""

import re

import pytest
from playwright.async_api import Page, expect

from local.cast.panel import Caller
from tests.browser.conftest import NewContext
from tests.browser.panel import ACCOUNT, findings, heading, screen
from tests.browser.steps import accept_at_microsoft, press

pytestmark = pytest.mark.slow


async def make(page: Page, url: str, lifetime: str) -> str:
    """Make a link in the guided path, and take it away."""
    await page.goto("about:blank")
    await screen(page, url, "setup/who")
    await page.get_by_label("How long the link works").select_option(lifetime)
    await press(page, "Make the link")
    return await page.get_by_label("Start link").input_value()


async def test_a_link_for_days_is_opened_in_a_second_browser_while_another_is_valid_too(
    page: Page, served: str, company: Caller, new_context: NewContext
) -> None:
    first = await make(page, served, "7 days")
    second = await make(page, served, "14 days")
    links = page.get_by_role("region", name="Setup links").get_by_role("listitem")
    await expect(links).to_have_count(2)
    assert await findings(page) == []

    elsewhere = await (await new_context()).new_page()
    ada = await (await new_context()).new_page()
    await elsewhere.goto(first)
    await ada.goto(second)
    await expect(ada.get_by_role("heading", level=1)).to_contain_text("Contoso")
    await expect(links.filter(has_text="Opened.")).to_have_count(2)
    await press(ada, "Continue to Microsoft")
    await expect(links.filter(has_text="At Microsoft.")).to_have_count(1)
    await accept_at_microsoft(ada)
    await expect(ada.get_by_role("heading", name="Contoso is connected")).to_be_visible()
    await heading(page, "Contoso is connected")
    await press(elsewhere, "Continue to Microsoft")
    await expect(elsewhere.get_by_role("button", name="Continue to Microsoft")).to_be_hidden()
    await screen(page, served, "connection")
    await expect(links.filter(has_text=re.compile("Connected the account"))).to_have_count(1)
    await expect(links.filter(has_text="another one connected the account.")).to_have_count(1)
    assert company.must("GET", f"{ACCOUNT}/connection")["status"] == "connected"


async def test_a_link_that_was_revoked_leads_nowhere_and_the_other_still_works(
    page: Page, served: str, company: Caller, new_context: NewContext
) -> None:
    assert company
    first = await make(page, served, "7 days")
    second = await make(page, served, "1 day")
    links = page.get_by_role("region", name="Setup links").get_by_role("listitem")
    await links.last.get_by_role("button", name="Revoke").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(page.get_by_text("The link was revoked.")).to_be_visible()
    await expect(links).to_have_count(1)
    works = []
    for url in (first, second):
        tab = await (await new_context()).new_page()
        await tab.goto(url)
        await expect(tab.get_by_role("heading", level=1)).to_be_visible()
        works.append(await tab.get_by_role("button", name="Continue to Microsoft").count())
    assert sorted(works) == [0, 1]

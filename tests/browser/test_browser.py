"""The browser that the other tests here stand on: it keeps our cookies, and one that is missing is said in words."""

import pytest
from playwright.async_api import Page

from local.cast.panel import Caller
from tests.browser.steps import accept_at_microsoft, press
from tests.support.chromium import find_chromium


def test_a_machine_without_a_browser_is_told_how_to_get_one(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="apt-get install chromium"):
        find_chromium({"PATH": str(tmp_path)})
    with pytest.raises(FileNotFoundError, match="nothing-of-that-name"):
        find_chromium({"CHROMIUM": "nothing-of-that-name", "PATH": "/usr/bin"})


@pytest.mark.slow
async def test_an_administrator_connects_their_company(page: Page, acme: Caller) -> None:
    start = acme.must("POST", "/v1/accounts/acme/connection", json={})["startUrl"]
    await page.goto(start)
    await press(page, "Continue to Microsoft")
    await accept_at_microsoft(page)
    await page.get_by_role("heading", name="Acme is connected").wait_for()
    assert acme.must("GET", "/v1/accounts/acme/connection")["status"] == "connected"

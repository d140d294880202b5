"""An integration as administrators go through it: impatient, on a slow network, in two tabs, and back and forth."""

import pytest
from playwright.async_api import Page, expect

from local.cast.panel import Caller
from local.cast.person import ADA
from tests.browser.conftest import NewContext
from tests.browser.steps import accept_at_microsoft, press, sign_in_at_microsoft, slow_down
from tests.http.conftest import Switch
from tests.support.integration import status, trail

CONNECTED = "Acme is connected. Thank you."


def start(acme: Caller) -> str:
    return str(acme.must("POST", "/v1/accounts/acme/connection", json={})["startUrl"])


async def connected(page: Page) -> None:
    await expect(page.get_by_role("heading", name=CONNECTED)).to_be_visible()


async def test_a_double_click_on_a_slow_network_then_back_and_reload_end_on_connected(page: Page, acme: Caller) -> None:
    link = start(acme)
    await page.goto(link)
    await slow_down(page, 150)
    await page.get_by_role("button", name="Continue to Microsoft").dblclick()
    await sign_in_at_microsoft(page, ADA)
    await expect(page.get_by_role("button", name="Accept")).to_be_visible()
    await page.goto(link)  # somebody who begins anew, and presses again
    await press(page, "Continue to Microsoft")
    await page.get_by_role("button", name="Accept").dblclick()
    await page.get_by_role("button", name=f"Continue as {ADA}").dblclick()
    await connected(page)
    await page.reload()
    await connected(page)
    await page.goto(link)
    await connected(page)
    assert trail(acme)[:2] == [("connection.connected", None), ("connection.started", None)]


@pytest.mark.slow
async def test_who_goes_back_from_microsoft_goes_on_by_the_same_button(page: Page, acme: Caller) -> None:
    await page.goto(start(acme))
    await press(page, "Continue to Microsoft")
    await expect(page.get_by_label("Password")).to_be_visible()
    await page.go_back()
    await press(page, "Continue to Microsoft")
    await accept_at_microsoft(page)
    await connected(page)
    await page.go_back()
    await page.go_forward()
    await connected(page)
    assert status(acme) == "connected"


@pytest.mark.slow
async def test_two_tabs_and_another_browser_end_on_one_connection(
    page: Page, acme: Caller, new_context: NewContext
) -> None:
    link = start(acme)
    other = await page.context.new_page()
    elsewhere = await (await new_context()).new_page()
    for tab in (page, other, elsewhere):
        await tab.goto(link)
    await press(page, "Continue to Microsoft")
    await sign_in_at_microsoft(page, ADA)
    await expect(page.get_by_role("button", name="Accept")).to_be_visible()
    await press(other, "Continue to Microsoft")
    await press(other, "Accept")
    await press(other, f"Continue as {ADA}")
    await connected(other)
    await press(page, "Accept")
    await expect(page.get_by_role("heading", name=CONNECTED)).to_be_visible()
    await press(elsewhere, "Continue to Microsoft")
    await expect(elsewhere.get_by_text("This integration is finished")).to_be_visible()
    await expect(elsewhere.get_by_role("link", name="Back to the control panel")).to_be_visible()
    assert [action for action, _ in trail(acme)].count("connection.connected") == 1


@pytest.mark.slow
async def test_a_page_that_waits_asks_again_by_itself_and_can_be_closed(
    page: Page, acme: Caller, hostile: Switch
) -> None:
    hostile(graph_status=403)
    link = start(acme)
    await page.goto(link)
    await press(page, "Continue to Microsoft")
    await accept_at_microsoft(page)
    await expect(page.get_by_role("heading", name="Microsoft is not ready yet")).to_be_visible()
    assert page.url == link
    await page.close()
    reopened = await page.context.new_page()
    await reopened.goto(link)
    await expect(reopened.get_by_role("heading", name="Microsoft is not ready yet")).to_be_visible()
    hostile()
    await connected(reopened)  # by itself
    assert trail(acme)[:2] == [("connection.connected", None), ("connection.started", None)]


@pytest.mark.slow
async def test_without_script_the_page_that_waits_has_a_button(
    new_context: NewContext, acme: Caller, hostile: Switch
) -> None:
    hostile(graph_status=503)
    page = await (await new_context(java_script_enabled=False)).new_page()
    await page.goto(start(acme))
    await press(page, "Continue to Microsoft")
    await accept_at_microsoft(page)
    await expect(page.get_by_role("heading", name="Microsoft is not ready yet")).to_be_visible()
    hostile()
    await page.wait_for_timeout(1_100)
    await press(page, "Ask again now")
    await connected(page)


@pytest.mark.slow
async def test_an_answer_of_microsofts_that_is_fetched_twice_connects_once(
    page: Page, acme: Caller, hostile: Switch
) -> None:
    hostile(answer_twice=True)
    await page.goto(start(acme))
    await press(page, "Continue to Microsoft")
    await accept_at_microsoft(page)
    await connected(page)
    assert trail(acme)[:2] == [("connection.connected", None), ("connection.started", None)]

"""The guided path: left at any step and taken up again on another machine, while somebody else acts at Microsoft."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Route, expect

from local.cast.panel import Caller
from local.cast.person import ADA
from tests.browser.conftest import NewContext
from tests.browser.edge import Edge, late
from tests.browser.panel import ACCOUNT, ANY, EMERGENCY, heading, screen
from tests.browser.steps import accept_at_microsoft, press
from tests.http.conftest import Switch, Walk

pytestmark = pytest.mark.slow


async def policy_is(caller: Caller, mode: str) -> None:
    assert caller.must("GET", f"{ACCOUNT}/policy")["mode"] == mode


type Machine = Callable[[], Awaitable[Page]]


@pytest.fixture
def another_machine(served: str, new_context: NewContext) -> Machine:
    """Opens the control panel in a browser that knows nothing of the others."""

    async def open_panel() -> Page:
        page = await (await new_context()).new_page()
        await page.goto(served)
        return page

    return open_panel


async def test_a_path_that_was_left_is_taken_up_on_another_machine_until_the_company_is_connected(
    another_machine: Machine, company: Caller, new_context: NewContext
) -> None:
    first = await another_machine()
    await press(first, "Start setup")
    await heading(first, "What you need")
    await press(first, "Continue")
    await heading(first, "Who accepts at Microsoft?")
    await first.get_by_role("link", name="Finish later").click()
    await heading(first, "Nobody signs in with Microsoft yet")

    second = await another_machine()
    await press(second, "Start setup")
    await press(second, "Continue")
    await press(second, "Make the link")
    link = await second.get_by_label("Start link").input_value()
    mail = await second.get_by_role("link", name="Write an email").get_attribute("href")
    assert mail is not None
    assert mail.startswith("mailto:?subject=Please%20connect%20Contoso")
    assert "ticket%3D" in mail
    assert "no%20passwords" in mail

    third = await another_machine()
    await heading(third, "Waiting for an administrator to accept")
    await third.get_by_role("link", name="Continue setup").click()
    await expect(third.get_by_role("region", name="Setup links")).to_contain_text("Not opened yet.")

    ada = await (await new_context()).new_page()
    await ada.goto(link)
    await press(ada, "Continue to Microsoft")
    await accept_at_microsoft(ada)
    for waiting in (second, third):
        await heading(waiting, "Contoso is connected")  # by itself
        await expect(waiting.get_by_text("Connected by Sam Security")).to_be_visible()
    assert company.must("GET", f"{ACCOUNT}/connection")["status"] == "connected"


async def test_a_path_that_was_left_is_taken_up_on_another_machine_until_it_is_switched_on(
    another_machine: Machine, served: str, company: Caller, connect: Walk
) -> None:
    connect(company, "contoso")
    fourth = await another_machine()
    await fourth.get_by_role("link", name="Add an emergency account").click()
    await fourth.get_by_label("Email address").fill(EMERGENCY)
    await fourth.get_by_role("dialog").get_by_role("button", name="Add exception").click()
    await expect(fourth.get_by_text(f"{EMERGENCY} keeps the password now.")).to_be_visible()

    fifth = await another_machine()
    await fifth.get_by_role("link", name="Continue setup").click()
    await heading(fifth, "Contoso is connected")
    await press(fifth, "Continue")
    await expect(fifth.get_by_text("The exception list has 1 entry already.")).to_be_visible()
    await press(fifth, "Continue")
    await heading(fifth, "Switch on for everybody?")
    await policy_is(company, "off")
    await press(fifth, "Switch on for everybody")
    await heading(fifth, "Microsoft sign-in is on for everybody")
    await policy_is(company, "on")

    sixth = await another_machine()
    await heading(sixth, "Everybody signs in with Microsoft")
    await screen(sixth, served, "setup/done")
    await press(sixth, "Undo: switch off for everybody")
    dialog = sixth.get_by_role("dialog", name="Switch Microsoft sign-in off for everybody?")
    await dialog.get_by_role("button", name="Switch off for everybody").click()
    await heading(sixth, "Microsoft sign-in is ready, and switched off")
    await policy_is(company, "off")


async def test_no_step_is_reached_before_its_time_and_the_list_of_exceptions_may_stay_empty(
    page: Page, served: str, company: Caller, new_context: NewContext
) -> None:
    for step in ("connected", "emergency", "confirm", "done", "nonsense"):
        await page.goto(f"{served}/#setup/{step}")
        await heading(page, "Who accepts at Microsoft?")
    await page.goto(f"{served}/#setup/waiting")
    await heading(page, "Who accepts at Microsoft?")
    await press(page, "Make the link")
    link = await page.get_by_label("Start link").input_value()
    ada = await (await new_context()).new_page()
    await ada.goto(link)
    await press(ada, "Continue to Microsoft")
    await accept_at_microsoft(ada)
    await heading(page, "Contoso is connected")
    await page.goto(f"{served}/#setup/done")
    await heading(page, "Switch on for everybody?")
    await expect(page.get_by_text("Nobody is on the exception list: if Microsoft cannot be reached")).to_be_visible()
    await page.goto(f"{served}/#setup/emergency")
    await press(page, "Continue without one")
    await press(page, "Switch on for everybody")
    await heading(page, "Microsoft sign-in is on for everybody")


async def test_who_declines_at_microsoft_or_has_not_the_role_comes_back_and_begins_again(
    page: Page, served: str, company: Caller
) -> None:
    await screen(page, served, "setup/who")
    await page.get_by_label("I do it myself, now").check()
    await press(page, "Continue to Microsoft")
    await page.wait_for_url("**/v1/connect?*")
    await press(page, "Continue to Microsoft")
    await page.get_by_label("Email").fill(ADA)
    await page.get_by_label("Password").fill("Local-pass-1")
    await press(page, "Sign in")
    await press(page, "Cancel")
    await page.get_by_role("link", name="Back to the control panel").click()
    await heading(page, "Who accepts at Microsoft?")
    assert page.url.startswith(served)
    assert "connection=" not in page.url, "the address can be kept and sent"
    company.must("POST", f"{ACCOUNT}/connection", json={})
    await screen(page, served, "setup/waiting")
    await expect(page.get_by_text("A start link was made")).to_be_visible()


async def test_a_link_that_was_cancelled_is_said_to_lead_nowhere(page: Page, served: str, company: Caller) -> None:
    await screen(page, served, "setup/who")
    await press(page, "Make the link")
    await heading(page, "Waiting for your administrator")
    company.must("DELETE", f"{ACCOUNT}/connection", headers=ANY)
    await expect(page.get_by_text("The link has expired, or somebody declined")).to_be_visible()
    await press(page, "Make a new link")
    await press(page, "Make the link")
    await expect(page.get_by_label("Start link")).to_be_visible()


async def test_switching_on_twice_on_a_slow_network_or_beside_a_colleague_switches_on_once(
    page: Page, served: str, connected: Caller
) -> None:
    connected.must("PATCH", f"{ACCOUNT}/policy", json={"mode": "off"}, headers=ANY)
    edge = Edge(page)
    await screen(page, served, "setup/confirm")

    async def overtaken(route: Route) -> None:
        connected.must("PATCH", f"{ACCOUNT}/policy", json={"whenConnectionFails": "sso"}, headers=ANY)
        await asyncio.sleep(0.3)
        await route.continue_()

    over = await edge.during("PATCH /policy", overtaken)
    await page.get_by_role("button", name="Switch on for everybody").dblclick()
    dialog = page.get_by_role("dialog", name="Sam Security changed this")
    await expect(dialog).to_contain_text("changed the sign-in policy: If the consent is withdrawn at Microsoft")
    await policy_is(connected, "off")
    assert edge.count("PATCH /policy") == 1
    await over()
    await dialog.get_by_role("button", name="Keep mine").click()
    await heading(page, "Microsoft sign-in is on for everybody")
    await policy_is(connected, "on")
    assert connected.must("GET", f"{ACCOUNT}/policy")["whenConnectionFails"] == "sso", "the colleague's change stays"


async def test_an_emergency_account_that_is_sent_twice_is_added_once(
    page: Page, served: str, connected: Caller
) -> None:
    entry = connected.must("GET", f"{ACCOUNT}/exceptions")["items"][0]
    connected.must("DELETE", f"{ACCOUNT}/exceptions/{entry['exceptionId']}", headers=ANY)
    edge = Edge(page)
    await edge.during("POST /exceptions", late(0.4))
    await screen(page, served, "setup/emergency")
    await page.get_by_label("Email address").fill(EMERGENCY)
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await heading(page, "Switch on for everybody?")
    assert edge.count("POST /exceptions") == 1


async def test_a_consent_that_microsoft_is_late_with_is_waited_for_on_both_sides(
    page: Page, served: str, company: Caller, new_context: NewContext, hostile: Switch
) -> None:
    hostile(graph_status=403)
    await screen(page, served, "setup/who")
    await press(page, "Make the link")
    link = await page.get_by_label("Start link").input_value()
    ada = await (await new_context()).new_page()
    await ada.goto(link)
    await press(ada, "Continue to Microsoft")
    await accept_at_microsoft(ada)
    await expect(ada.get_by_role("heading", name="Microsoft is not ready yet")).to_be_visible()
    await heading(page, "Waiting for your administrator")
    hostile()
    await expect(ada.get_by_role("heading", name="Contoso is connected")).to_be_visible()
    await heading(page, "Contoso is connected")
    assert company.must("GET", f"{ACCOUNT}/connection")["status"] == "connected"

"""The service is slow, answers 503, makes a mistake, or is gone: what a person reads, and that nothing is lost."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect

from local.cast.panel import Caller
from local.cast.person import ALICE
from tests.browser.edge import NUMBER, Edge, answers, gone, late, lost, silent
from tests.browser.panel import ACCOUNT, READS, findings, fits, heading, screen, seen_as
from tests.browser.steps import press
from tests.http.conftest import Walk

pytestmark = pytest.mark.slow

UNSURE = "It is not certain whether the change took place."


@pytest.mark.parametrize("what", ["gone", "503", "500"])
async def test_each_screen_says_what_is_wrong_and_is_there_when_it_is_over(
    page: Page, served: str, connected: Caller, what: str
) -> None:
    assert connected
    happens = gone if what == "gone" else answers(int(what))
    edge = Edge(page)
    for name, read in READS.items():
        await page.goto("about:blank")
        over = await edge.during(read, happens)
        await page.goto(f"{served}/#{name}")
        await heading(page, "This page cannot be shown at the moment")
        by_itself = page.get_by_text(re.compile("It tries again by itself in"))
        await expect(by_itself).to_be_visible(visible=what != "500")
        await expect(page.get_by_text(NUMBER)).to_be_visible(visible=what != "gone")
        assert await findings(page) == [], name
        await over()
        await press(page, "Try again")
        await expect(page.locator("azure-sso-panel section.screen:not(.waits) h3").first).to_be_visible()
        await expect(page.get_by_text("This page cannot be shown")).to_be_hidden()


async def test_a_screen_that_could_not_be_read_is_read_again_by_itself(
    page: Page, served: str, connected: Caller
) -> None:
    assert connected
    edge = Edge(page)
    over = await edge.during("GET /domains", answers(503, retry_after=1))
    await page.goto(f"{served}/#domains")
    await expect(page.get_by_text("It tries again by itself in 1 second.")).to_be_visible()
    await over()
    await heading(page, "Domains")


async def test_a_service_that_never_answers_counts_as_gone_and_not_as_closed_to_this_page(
    page: Page, served: str, connected: Caller
) -> None:
    assert connected
    await page.clock.install()
    edge = Edge(page)
    over = await edge.during("GET /overview", silent)
    async with page.expect_request("**/overview"):
        await page.goto(served)
    await page.clock.fast_forward(31_000)
    await expect(page.get_by_text("The service did not answer.")).to_be_visible()
    await over()
    await press(page, "Try again")
    await heading(page, "Everybody signs in with Microsoft")


@dataclass(frozen=True)
class Change:
    """One thing that a manager does, from its screen on: its call, and what is said when it took place."""

    screen: str
    call: str
    does: Callable[[Page], Awaitable[None]]
    done: str


async def confirm(page: Page, opener: str, name: str) -> None:
    await press(page, opener)
    await page.get_by_role("dialog").get_by_role("button", name=name).click()


async def fills_in(page: Page) -> None:
    await press(page, "Add exception")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Email address").fill("carol@contoso.example")
    await dialog.get_by_label("Reason").fill("Kiosk")
    await dialog.get_by_role("button", name="Add exception").click()


async def saves(page: Page) -> None:
    await page.get_by_label("Mail", exact=True).uncheck()
    await press(page, "Save changes")


async def makes_a_link(page: Page) -> None:
    await press(page, "Make the link")


CHANGES = [
    Change("policy", "PUT /policy", saves, "Saved. It is in force"),
    Change("exceptions", "POST /exceptions", fills_in, "carol@contoso.example keeps the password now."),
    Change(
        "domains",
        "PATCH /domains/contoso-mail.example",
        lambda page: confirm(page, "Switch off… contoso-mail.example", "Switch off"),
        "contoso-mail.example is switched off now.",
    ),
    Change("domains", "POST /domains/refresh", lambda page: press(page, "Read again"), "Read again: 3 domains."),
    Change("connection", "POST /connection/check", lambda page: press(page, "Check now"), "Checked:"),
    Change(
        "people",
        "POST /people/erase",
        lambda page: confirm(page, f"Erase… {ALICE}", "Erase"),
        "Erased: 1 link",
    ),
    Change(
        "connection",
        "DELETE /connection",
        lambda page: confirm(page, "Disconnect…", "Disconnect"),
        "Disconnected. Everybody signs in with their password.",
    ),
]


@pytest.mark.parametrize("what", ["gone", "503"])
async def test_a_change_that_did_not_arrive_is_said_and_works_when_it_is_made_again(
    page: Page, served: str, linked: Caller, what: str
) -> None:
    assert linked
    edge = Edge(page)
    for each in CHANGES:
        await page.goto("about:blank")
        await screen(page, served, each.screen)
        over = await edge.during(each.call, gone if what == "gone" else answers(503))
        await each.does(page)
        alert = page.get_by_role("alert").filter(has_text="That did not work.").first
        await expect(alert).to_contain_text(UNSURE)
        if what == "503":
            await expect(alert).to_contain_text(NUMBER)
        assert await findings(page) == [], each.call
        assert await fits(page), each.call
        await over()
        await page.reload()
        await screen(page, served, each.screen)
        await each.does(page)
        await expect(page.get_by_text(each.done).first).to_be_visible()


async def test_what_was_typed_or_chosen_is_still_there_after_a_failure(
    page: Page, served: str, connected: Caller
) -> None:
    edge = Edge(page)
    await screen(page, served, "exceptions")
    over = await edge.during("POST /exceptions", gone)
    await fills_in(page)
    await expect(page.get_by_role("alert").first).to_contain_text("That did not work.")
    await expect(page.get_by_role("dialog").get_by_label("Email address")).to_have_value("carol@contoso.example")
    await over()
    await page.get_by_role("dialog").get_by_role("button", name="Add exception").click()
    await expect(page.get_by_text("carol@contoso.example keeps the password now.")).to_be_visible()

    await screen(page, served, "policy")
    over = await edge.during("PUT /policy", answers(503))
    await saves(page)
    await expect(page.get_by_role("alert").first).to_contain_text("That did not work.")
    await over()
    await expect(page.get_by_role("region", name="Unsaved changes")).to_contain_text("1 change is not saved.")
    await press(page, "Save changes")
    await expect(page.get_by_text("Saved. It is in force")).to_be_visible()
    assert connected.must("GET", f"{ACCOUNT}/policy")["applicationsOff"] == ["mail"]


async def test_a_change_whose_answer_was_lost_is_not_made_twice(page: Page, served: str, connected: Caller) -> None:
    edge = Edge(page)
    await screen(page, served, "exceptions")
    over = await edge.during("POST /exceptions", lost)
    await fills_in(page)
    await expect(page.get_by_role("alert").first).to_contain_text(UNSURE)
    await over()
    await page.get_by_role("dialog").get_by_role("button", name="Add exception").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Not saved yet")
    await press(page, "Cancel")
    await page.reload()
    await expect(page.get_by_role("row", name="carol@contoso.example")).to_be_visible()
    assert len(connected.must("GET", f"{ACCOUNT}/exceptions")["items"]) == 2


async def test_an_impatient_person_on_a_slow_network_makes_each_change_once(
    page: Page, served: str, connected: Caller
) -> None:
    edge = Edge(page)
    for call in ("POST /exceptions", "PUT /policy", "POST /connection/check", "POST /domains/refresh"):
        await edge.during(call, late(0.5))
    await screen(page, served, "exceptions/add")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Email address").fill("carol@contoso.example")
    await dialog.get_by_label("Reason").fill("Kiosk")
    for _ in range(3):
        await page.keyboard.press("Enter")
    await expect(page.get_by_text("carol@contoso.example keeps the password now.")).to_be_visible()
    await screen(page, served, "policy")
    await page.get_by_label("Mail", exact=True).uncheck()
    await page.get_by_role("button", name="Save changes").dblclick()
    await expect(page.get_by_text("Saved. It is in force")).to_be_visible()
    await screen(page, served, "connection")
    await page.get_by_role("button", name="Check now").dblclick()
    await expect(page.get_by_text("Checked:")).to_be_visible()
    await screen(page, served, "domains")
    await page.get_by_role("button", name="Read again").dblclick()
    await expect(page.get_by_text("Read again: 3 domains.")).to_be_visible()
    for call in ("POST /exceptions", "PUT /policy", "POST /connection/check", "POST /domains/refresh"):
        assert edge.count(call) == 1, call
    assert connected.must("GET", f"{ACCOUNT}/policy")["applicationsOff"] == ["mail"]


async def test_who_may_not_or_is_not_known_is_told_why_and_by_whom_it_changes(
    page: Page, served: str, company: Caller
) -> None:
    assert company
    await seen_as(page, served, person="ulla")
    await heading(page, "This page is for Security Managers")
    assert await findings(page) == []
    await seen_as(page, served, person="frida")
    await heading(page, "This account is not known here yet")
    await expect(page.get_by_text("Support registers it.")).to_be_visible()
    assert await findings(page) == []


async def test_a_start_of_the_path_that_did_not_arrive_is_made_again(
    page: Page, served: str, company: Caller, connect: Walk
) -> None:
    edge = Edge(page)
    await screen(page, served, "setup/who")
    over = await edge.during("POST /connection", answers(503))
    await makes_a_link(page)
    await expect(page.get_by_role("alert").first).to_contain_text("That did not work.")
    await over()
    await makes_a_link(page)
    await expect(page.get_by_label("Start link")).to_be_visible()
    connect(company, "contoso")
    over = await edge.during("GET /domains", gone)
    await heading(page, "Contoso is connected")
    await expect(page.get_by_role("alert").first).to_contain_text("The service did not answer.")
    await over()
    await press(page, "Try again")
    await expect(page.get_by_role("row", name="contoso.example")).to_be_visible()

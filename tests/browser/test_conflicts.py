"""Two managers at once: each is told who changed what meanwhile, and chooses; no change is lost in silence."""

import re

import pytest
from playwright.async_api import Page, expect

from local.cast.panel import Caller
from tests.browser.conftest import NewContext
from tests.browser.panel import ACCOUNT, EMERGENCY, heading, screen, seen_as
from tests.browser.steps import press
from tests.http.conftest import Walk

pytestmark = pytest.mark.slow

OLGA = re.compile("Olga Operator changed this")


@pytest.fixture
async def olga(served: str, connected: Caller, new_context: NewContext) -> Page:
    """Another manager's browser, in front of the same account."""
    assert connected
    page = await (await new_context()).new_page()
    await seen_as(page, served, person="olga")
    return page


async def test_two_managers_save_the_policy_and_the_second_decides(
    page: Page, olga: Page, served: str, connected: Caller
) -> None:
    def stored() -> tuple[str, list[str], str]:
        now = connected.must("GET", f"{ACCOUNT}/policy")
        return now["mode"], now["applicationsOff"], now["whenConnectionFails"]

    await screen(page, served, "policy")
    await screen(olga, served, "policy")
    await page.get_by_label("Mail", exact=True).uncheck()
    await page.get_by_label("Nobody signs in", exact=True).check()
    await olga.get_by_label("Nobody", exact=True).check()
    await olga.get_by_label("Unite", exact=True).uncheck()
    await press(olga, "Save changes")
    await olga.get_by_role("dialog").get_by_role("button", name="Switch off for everybody").click()
    await expect(olga.get_by_text("Saved. It is in force")).to_be_visible()

    await press(page, "Save changes")
    dialog = page.get_by_role("dialog", name=OLGA)
    who = dialog.get_by_role("row", name="Who signs in with Microsoft")
    await expect(who.get_by_role("cell")).to_have_text(["Everybody", "Nobody", "none"])
    row = dialog.get_by_role("row", name="Unite")
    await expect(row.get_by_role("cell")).to_have_text(["Microsoft", "password", "none"])
    row = dialog.get_by_role("row", name="Mail")
    await expect(row.get_by_role("cell")).to_have_text(["Microsoft", "none", "password"])
    await dialog.get_by_role("button", name="Back to editing").click()
    await expect(page.get_by_label("Mail", exact=True)).not_to_be_checked()
    assert stored() == ("off", ["unite"], "password"), "nothing was saved"

    await press(page, "Save changes")
    await dialog.get_by_role("button", name="Keep mine").click()
    await expect(page.get_by_text("Saved. It is in force")).to_be_visible()
    mode, off, fails = stored()
    assert (mode, sorted(off), fails) == ("off", ["mail", "unite"], "sso"), "both changes stay"

    await olga.get_by_label("Mail", exact=True).uncheck()
    await olga.get_by_label("Unite", exact=True).check()
    await press(olga, "Save changes")
    theirs = olga.get_by_role("dialog", name=re.compile("Sam Security changed this"))
    row = theirs.get_by_role("row", name="Mail")
    await expect(row.get_by_role("cell")).to_have_text(["Microsoft", "password", "password"])
    await theirs.get_by_role("button", name="Take theirs").click()
    await expect(olga.get_by_role("region", name="Unsaved changes")).to_be_hidden()
    await expect(olga.get_by_label("Unite", exact=True)).not_to_be_checked()
    assert sorted(stored()[1]) == ["mail", "unite"], "taking theirs saves nothing"


async def test_two_managers_put_the_same_person_on_the_list_and_both_know(
    page: Page, olga: Page, served: str, connected: Caller
) -> None:
    for tab in (page, olga):
        await screen(tab, served, "exceptions/add")
        await tab.get_by_label("Email address").fill("carol@contoso.example")
    for tab, reason in ((page, "Door"), (olga, "Lift")):
        await tab.get_by_label("Reason", exact=True).fill(reason)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("carol@contoso.example keeps the password now.")).to_be_visible()
    await olga.get_by_label("Reason", exact=True).press("Enter")
    await expect(olga.get_by_role("alert")).to_contain_text("Not saved yet")
    items = connected.must("POST", f"{ACCOUNT}/exceptions/search", json={"email": "carol@contoso.example"})["items"]
    assert [each["reason"] for each in items] == ["Door"]


async def test_two_managers_make_a_setup_link_each_and_both_are_listed_until_one_is_revoked(
    page: Page, served: str, company: Caller, new_context: NewContext
) -> None:
    other = await (await new_context()).new_page()
    await seen_as(other, served, person="olga")
    links = []
    for tab in (page, other):
        await screen(tab, served, "setup/who")
        await press(tab, "Make the link")
        links.append(await tab.get_by_label("Start link").input_value())
    await heading(page, "Waiting for your administrator")
    ada = await (await new_context()).new_page()
    for link in links:
        await ada.goto(link)
        await expect(ada.get_by_role("button", name="Continue to Microsoft")).to_be_visible()
    listed = page.get_by_role("region", name="Setup links").get_by_role("listitem")
    await expect(listed.filter(has_text="Opened.")).to_have_count(2)  # by itself
    await listed.filter(has_text="by Sam Security").get_by_role("button", name="Revoke…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(listed).to_have_count(1)
    await ada.goto(links[0])
    await expect(ada.get_by_role("button", name="Continue to Microsoft")).to_be_hidden()
    await ada.goto(links[1])
    await expect(ada.get_by_role("button", name="Continue to Microsoft")).to_be_visible()
    assert company.must("GET", f"{ACCOUNT}/connection")["status"] == "pending"


async def test_a_domain_that_somebody_else_switched_meanwhile_is_said_and_decided_on(
    page: Page, olga: Page, served: str, connected: Caller
) -> None:
    def off() -> set[str]:
        return {
            each["domain"] for each in connected.must("GET", f"{ACCOUNT}/domains")["items"] if each["state"] == "off"
        }

    async def switch_off(tab: Page, domain: str) -> None:
        await press(tab, f"Switch off… {domain}")
        await tab.get_by_role("dialog").get_by_role("button", name="Switch off").click()

    await screen(page, served, "domains")
    await screen(olga, served, "domains")
    await switch_off(olga, "contoso-mail.example")
    await expect(olga.get_by_text("contoso-mail.example is switched off now.")).to_be_visible()
    await switch_off(page, "contoso.example")
    conflict = page.get_by_role("dialog", name=OLGA)
    await expect(conflict).to_contain_text("switched the domain contoso-mail.example off")
    assert off() == {"contoso-mail.example"}
    await conflict.get_by_role("button", name="Take theirs").click()
    await expect(page.get_by_role("row", name="contoso-mail.example")).to_contain_text("Switched off")
    assert off() == {"contoso-mail.example"}

    await press(olga, "Switch on contoso-mail.example")
    await expect(olga.get_by_text("contoso-mail.example is in use now.")).to_be_visible()
    await switch_off(page, "contoso.example")
    await conflict.get_by_role("button", name="Keep mine").click()
    await expect(page.get_by_text("contoso.example is switched off now.")).to_be_visible()
    assert off() == {"contoso.example"}


async def test_an_exception_that_somebody_else_changed_or_removed_meanwhile(
    page: Page, olga: Page, served: str, connected: Caller
) -> None:
    (entry,) = connected.must("GET", f"{ACCOUNT}/exceptions")["items"]
    address = f"{ACCOUNT}/exceptions/{entry['exceptionId']}"

    async def change(tab: Page, reason: str) -> None:
        await press(tab, f"Edit {EMERGENCY}")
        await tab.get_by_role("dialog").get_by_label("Reason").fill(reason)

    await screen(page, served, "exceptions")
    await screen(olga, served, "exceptions")
    await change(page, "Door")
    await change(olga, "Lift")
    await press(olga, "Save")
    await expect(olga.get_by_text(f"The exception for {EMERGENCY} was changed.")).to_be_visible()
    await press(page, "Save")
    await expect(page.get_by_role("heading", name=OLGA)).to_be_visible()
    await expect(page.get_by_role("alert").first).to_contain_text("Lift")
    await press(page, "Take theirs")
    await expect(page.get_by_role("row", name=EMERGENCY)).to_contain_text("Lift")
    assert connected.must("GET", address)["reason"] == "Lift"

    await change(olga, "Stairs")
    await change(page, "Door")
    await press(page, "Save")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await press(olga, "Save")
    await expect(olga.get_by_role("heading", name="Sam Security changed this")).to_be_visible()
    await press(olga, "Keep mine")
    await expect(olga.get_by_role("dialog")).to_be_hidden()
    assert connected.must("GET", address)["reason"] == "Stairs"

    await press(page, f"Remove… {EMERGENCY}")
    await press(page, "Remove from the list")
    await expect(page.get_by_text("1 entry was changed by somebody meanwhile and is still there.")).to_be_visible()
    await expect(page.get_by_role("alert")).to_contain_text("Stairs")
    await press(page, "Keep on the list")
    await expect(page.get_by_role("row", name=EMERGENCY)).to_contain_text("Stairs")

    await change(olga, "Roof")
    await press(page, f"Remove… {EMERGENCY}")
    await press(page, "Remove from the list")
    await expect(page.get_by_text("1 person was removed from the list.")).to_be_visible()
    await press(olga, "Save")
    await expect(olga.get_by_role("alert").first).to_contain_text("That did not work.")
    await press(olga, "Cancel")
    await press(page, "Undo")
    await expect(page.get_by_text("1 person is on the list again.")).to_be_visible()


async def test_a_connection_that_somebody_else_renewed_meanwhile_is_not_cut_without_a_second_look(
    page: Page, served: str, connected: Caller, operator: Caller, connect: Walk
) -> None:
    await screen(page, served, "connection")
    operator.must("DELETE", f"{ACCOUNT}/connection", headers={"If-Match": "*"})
    connect(operator, "contoso")
    await press(page, "Disconnect…")
    await page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    conflict = page.get_by_role("dialog", name=OLGA)
    await expect(conflict).to_contain_text("connected the account to the tenant Contoso")
    assert connected.must("GET", f"{ACCOUNT}/connection")["status"] == "connected"
    await conflict.get_by_role("button", name="Take theirs").click()
    await press(page, "Disconnect…")
    await page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    await expect(page.get_by_text("Disconnected. Everybody signs in with their password.")).to_be_visible()

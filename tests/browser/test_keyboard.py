"""By the keyboard alone: connect, switch on, add an exception, import a file. The focus is always visible."""

import pytest
from playwright.async_api import Page, expect

from local.cast.panel import Caller
from local.cast.person import ADA, PASSWORD
from tests.browser.panel import ACCOUNT, EMERGENCY, heading, screen

pytestmark = pytest.mark.slow

FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  if (at === document.body) return ["", false];
  const named = at.getAttribute("aria-label") ?? at.labels?.[0]?.innerText ?? at.innerText ?? "";
  const shown = [at, at.closest("label")].some((each) => each && getComputedStyle(each).outlineStyle !== "none");
  const {top, bottom} = (at.closest(".file") ?? at).getBoundingClientRect();
  return [named.replace(/\\s+/g, " ").trim(), shown && bottom > 0 && top < innerHeight];
}"""
MOST = 60


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus; whatever has it on the way shows it, inside the window."""
    met = []
    for _ in range(MOST):
        await page.keyboard.press("Tab")
        focused, shown = await page.evaluate(FOCUSED)
        met.append(focused)
        if focused:
            assert shown, f"{focused} does not show that it has the focus"
        if focused == name:
            return
    pytest.fail(f"Tab leads to no {name}, but to {met}")


async def enter(page: Page, name: str) -> None:
    await tab_to(page, name)
    await page.keyboard.press("Enter")


async def test_a_company_is_connected_and_switched_on_without_a_mouse(page: Page, served: str, company: Caller) -> None:
    await page.goto(served)
    await heading(page, "Nobody signs in with Microsoft yet")
    await enter(page, "Start setup")
    await expect(page.get_by_role("heading", name="What you need")).to_be_focused()
    await enter(page, "Continue")
    await expect(page.get_by_role("heading", name="Who accepts at Microsoft?")).to_be_focused()
    await tab_to(page, "Somebody else: send them a link")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_label("I do it myself, now")).to_be_checked()
    await enter(page, "Continue to Microsoft")
    await page.wait_for_url("**/v1/connect?*")
    await enter(page, "Continue to Microsoft")

    await expect(page.get_by_label("Password")).to_be_visible()
    await page.get_by_label("Email").focus()
    await page.keyboard.type(ADA)
    await page.get_by_label("Password").focus()
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    for button in ("Accept", f"Continue as {ADA}"):
        await page.get_by_role("button", name=button).focus()
        await page.keyboard.press("Enter")

    await heading(page, "Contoso is connected")
    await enter(page, "Continue")
    await expect(page.get_by_role("heading", name="Keep one way in")).to_be_focused()
    await tab_to(page, "Email address")
    await page.keyboard.type("emergency")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Email address")).to_be_focused()
    await page.keyboard.press("End")
    await page.keyboard.type(EMERGENCY.removeprefix("emergency"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Switch on for everybody?")).to_be_focused()
    await enter(page, "Switch on for everybody")
    await expect(page.get_by_role("heading", name="Microsoft sign-in is on for everybody")).to_be_focused()
    assert company.must("GET", f"{ACCOUNT}/policy")["mode"] == "on"
    assert company.must("GET", f"{ACCOUNT}/exceptions")["items"][0]["email"] == EMERGENCY


async def test_exceptions_are_added_found_removed_and_put_back_without_a_mouse(
    page: Page, served: str, connected: Caller
) -> None:
    await screen(page, served, "exceptions")
    await enter(page, "Add exception")
    await expect(page.get_by_label("Email address")).to_be_focused()
    await page.keyboard.type("carol@contoso.example")
    await tab_to(page, "Reason")
    await page.keyboard.type("Kiosk")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("carol@contoso.example keeps the password now.")).to_be_visible()

    await tab_to(page, "Part of an address or of a reason")
    await page.keyboard.type("kiosk")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1 found among 2 entries")).to_be_visible()
    await tab_to(page, "Select carol@contoso.example")
    await page.keyboard.press("Space")
    await enter(page, "Remove selected…")
    await expect(page.get_by_role("button", name="Keep on the list")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Remove selected…")).to_be_focused()
    await page.keyboard.press("Enter")
    await enter(page, "Remove from the list")
    await expect(page.get_by_text("1 person was removed from the list.")).to_be_visible()
    await enter(page, "Undo")
    await expect(page.get_by_text("1 person is on the list again.")).to_be_visible()
    assert len(connected.must("GET", f"{ACCOUNT}/exceptions")["items"]) == 2


async def test_a_dialog_is_opened_left_and_used_by_keyboard_alone(page: Page, served: str, connected: Caller) -> None:
    await screen(page, served, "exceptions")
    button = page.get_by_role("button", name=f"Remove… {EMERGENCY}")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Keep on the list")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button).to_be_focused()
    assert len(connected.must("GET", f"{ACCOUNT}/exceptions")["items"]) == 1
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1 person was removed from the list.")).to_be_visible()


async def test_the_policy_is_changed_and_a_file_is_imported_without_a_mouse(
    page: Page, served: str, connected: Caller
) -> None:
    await screen(page, served, "policy")
    await tab_to(page, "Mail")
    await page.keyboard.press("Space")
    await enter(page, "Save changes")
    await expect(page.get_by_text("Saved. It is in force")).to_be_visible()
    assert connected.must("GET", f"{ACCOUNT}/policy")["applicationsOff"] == ["mail"]
    await screen(page, served, "exceptions/import")
    async with page.expect_file_chooser() as chooser:
        await enter(page, "Choose a CSV file")
    text = "email,reason\ncarol@contoso.example,Kiosk\n"
    file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await (await chooser.value).set_files(files=[file])  # type: ignore[list-item]
    await heading(page, "Import: check before anything changes")
    await enter(page, "Import 1 line")
    await heading(page, "Import finished: 1 stored, 0 left out")
    await enter(page, "Go to the list")
    await expect(page.get_by_role("row", name="carol@contoso.example")).to_be_visible()

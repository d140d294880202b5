"""Addresses: links to screens, back and forward, and changes that are not saved when somebody leaves."""

import pytest
from playwright.async_api import Dialog, Page, expect

from local.cast.panel import Caller
from tests.browser.edge import Edge, late
from tests.browser.panel import ACCOUNT, SCREENS, heading, screen
from tests.browser.steps import press

pytestmark = pytest.mark.slow

TITLES = dict(
    zip(
        SCREENS,
        ("Everybody signs in", "Connection", "Domains", "Sign-in policy", "Exceptions", "People", "Activity"),
        strict=True,
    )
)


async def tab_is(page: Page, name: str) -> None:
    await expect(page.get_by_role("navigation").locator("[aria-current=page]")).to_have_text(name)


async def test_each_screen_has_an_address_and_back_and_forward_go_through_them(
    page: Page, served: str, connected: Caller
) -> None:
    assert connected
    await page.goto(f"{served}/#{SCREENS[0]}")
    for name in SCREENS[1:]:
        await page.get_by_role("navigation").locator(f"a[href='#{name}']").click()
        await heading(page, TITLES[name])
        assert page.url.endswith(f"#{name}")
    for name in reversed(SCREENS[:-1]):
        await page.go_back()
        await heading(page, TITLES[name])
    for name in SCREENS[1:]:
        await page.go_forward()
        await heading(page, TITLES[name])
    await tab_is(page, "Activity")
    await page.reload()
    await heading(page, "Activity")
    await page.goto(f"{served}/#exceptions/add")
    await expect(page.get_by_role("dialog", name="Add exception")).to_be_visible()
    await press(page, "Cancel")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.url.endswith("#exceptions")
    await page.go_back()
    await expect(page.get_by_role("dialog", name="Add exception")).to_be_visible()
    await page.go_back()
    await heading(page, "Activity")


async def test_a_fragment_that_cannot_be_read_is_none_of_the_panel(page: Page, served: str, connected: Caller) -> None:
    """Anybody can send a link, and a page of the vendor may have fragments of its own."""
    assert connected
    for fragment in ("100%", "toString", "__proto__", "policy/../../x", "setup/constructor", "%00", "<b>"):
        await page.goto("about:blank")
        await page.goto(f"{served}/#{fragment}")
        await expect(page.locator("azure-sso-panel section.screen:not(.waits) h3").first).to_be_visible()


async def test_a_page_with_addresses_of_its_own_keeps_them(page: Page, served: str, connected: Caller) -> None:
    assert connected
    await screen(page, served, "overview")
    await page.evaluate("document.querySelector('azure-sso-panel').hashPrefix = 'sso/'")
    await page.get_by_role("navigation").locator("a[href='#sso/people']").click()
    await heading(page, "People")
    await page.evaluate("location.hash = 'settings'")
    await page.wait_for_timeout(50)
    await heading(page, "People")


async def test_changes_that_are_not_saved_are_asked_about_before_they_are_lost(
    page: Page, served: str, connected: Caller
) -> None:
    asked: list[str] = []
    leave = False

    async def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await (dialog.accept() if leave else dialog.dismiss())

    page.on("dialog", answer)
    await screen(page, served, "overview")
    await page.get_by_role("navigation").locator("a[href='#policy']").click()
    await page.get_by_label("Mail", exact=True).uncheck()
    unsaved = page.get_by_role("region", name="Unsaved changes")
    await expect(unsaved).to_contain_text("1 change is not saved.")
    await page.get_by_role("navigation").locator("a[href='#domains']").click()
    await expect(page.get_by_label("Mail", exact=True)).not_to_be_checked()
    assert page.url.endswith("#policy")
    for _ in range(2):  # the address that was refused is one step of the way back
        await page.go_back()
    await expect(unsaved).to_be_visible()
    assert asked == ["confirm", "confirm"]
    await page.close(run_before_unload=True)
    await page.wait_for_timeout(200)
    assert asked.pop() == "beforeunload"
    assert not page.is_closed()

    await page.get_by_label("Mail", exact=True).check()
    await expect(unsaved).to_be_hidden()
    asked.clear()
    await page.get_by_role("navigation").locator("a[href='#domains']").click()
    await heading(page, "Domains")
    assert asked == [], "there was nothing to lose any more"

    await page.get_by_role("navigation").locator("a[href='#policy']").click()
    await page.get_by_label("Mail", exact=True).uncheck()
    await press(page, "Discard")
    await expect(page.get_by_label("Mail", exact=True)).to_be_checked()
    await page.get_by_label("Mail", exact=True).uncheck()
    leave = True
    await page.get_by_role("navigation").locator("a[href='#people']").click()
    await heading(page, "People")
    assert asked == ["confirm"]
    await page.go_back()
    await expect(page.get_by_label("Mail", exact=True)).to_be_checked()
    assert connected.must("GET", f"{ACCOUNT}/policy")["applicationsOff"] == []


async def test_an_import_under_way_is_asked_about_before_it_is_left(page: Page, served: str, connected: Caller) -> None:
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    page.on("dialog", stay)
    await Edge(page).during("POST /exceptions", late(0.5))
    people = "".join(f"person-{number}@contoso.example,Field staff\n" for number in range(250))
    file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": f"email,reason\n{people}".encode()}
    await screen(page, served, "exceptions/import")
    await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    await press(page, "Import 250 lines")
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await page.get_by_role("navigation").locator("a[href='#people']").click()
    await heading(page, "Import finished: 250 stored, 0 left out")
    assert asked == ["The import is not finished. Leave this page and stop it?"]
    assert len(connected.must("GET", f"{ACCOUNT}/exceptions?pageSize=1000")["items"]) == 251

"""Long lists: ten thousand exceptions by pages and by search, and a file of twenty thousand lines."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from local.cast.panel import Caller
from tests.browser.edge import Edge, gone, late
from tests.browser.panel import ACCOUNT, heading, screen
from tests.browser.steps import press

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CSV = {"Content-Type": "text/csv"}
MINUTES = 300_000
"""Milliseconds that a long import may take on a busy machine."""


def people(count: int) -> str:
    return "".join(f"person-{number:05}@contoso.example,Field staff {number % 7}\n" for number in range(count))


async def choose(page: Page, text: str) -> None:
    """Choose a file of these records."""
    file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": f"email,reason\n{text}".encode()}
    await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    await expect(page.get_by_role("button", name=re.compile("Import .* line"))).to_be_visible(timeout=MINUTES)


def listed(caller: Caller) -> int:
    """How many entries the list has, by its export."""
    answer = caller("GET", f"{ACCOUNT}/exceptions", headers={"Accept": "text/csv"})
    return len(answer.text.splitlines()) - 1


@pytest.fixture
def ten_thousand(connected: Caller) -> Caller:
    """Sam, with 10,000 exceptions."""
    connected.must("POST", f"{ACCOUNT}/exceptions", content=f"email,reason\n{people(9_999)}", headers=CSV)
    return connected


async def test_ten_thousand_exceptions_are_paged_found_removed_and_exported(
    page: Page, served: str, ten_thousand: Caller
) -> None:
    await screen(page, served, "exceptions")
    rows = page.locator("azure-sso-panel tbody tr")
    await expect(rows).to_have_count(100)
    await expect(page.get_by_text("100 entries shown, and more")).to_be_visible()
    first = await rows.first.inner_text()
    for number in (1, 2):
        await press(page, "Next page")
        await expect(page.get_by_text(f"{number}01 to {number + 1}00, and more").first).to_be_visible()
        assert await rows.first.inner_text() != first
    await press(page, "Previous page")
    await press(page, "Previous page")
    await expect(rows.first).to_contain_text(first.split()[0])

    search = page.get_by_label("Part of an address or of a reason")
    await search.fill("Person-09998")
    await press(page, "Find")
    await expect(page.get_by_text(re.compile(r"1 found among about [\d,]+ entries"))).to_be_visible()
    await search.fill("staff 3")
    await press(page, "Find")
    await expect(page.get_by_text(re.compile("1,000 found|1,42. found"))).to_be_visible()
    await search.fill("nobody at all")
    await press(page, "Find")
    await expect(page.get_by_text("No entry has this in its address or its reason.")).to_be_visible()

    await page.reload()
    await page.get_by_label("Select all on this page").check()
    await expect(page.get_by_text("100 selected")).to_be_visible()
    await press(page, "Remove selected")
    await expect(page.get_by_role("heading", name="Remove 100 people from the list?")).to_be_visible()
    await press(page, "Remove from the list")
    await expect(page.get_by_text("100 people were removed from the list.")).to_be_visible(timeout=MINUTES)
    assert listed(ten_thousand) == 9_900
    await press(page, "Undo")
    await expect(page.get_by_text("100 people are on the list again.")).to_be_visible()
    async with page.expect_download() as saved:
        await press(page, "Export CSV")
    assert len((await (await saved.value).path()).read_text().splitlines()) == 10_001


async def test_a_list_that_the_service_does_not_search_is_searched_here_and_another_search_replaces_it(
    page: Page, served: str, ten_thousand: Caller
) -> None:
    ten_thousand.must("POST", f"{ACCOUNT}/exceptions", json={"email": "zoe@contoso.example", "reason": "Last"})
    await screen(page, served, "exceptions")
    edge = Edge(page)
    await edge.during("GET /exceptions", late(0.2))
    search = page.get_by_label("Part of an address or of a reason")
    await search.fill("zoe@")
    await press(page, "Find")
    await expect(page.get_by_text(re.compile("Searching, .* entries read"))).to_be_visible()
    await search.fill("person-00042")
    await press(page, "Find")
    await expect(page.get_by_text("1 found among 10,001 entries")).to_be_visible()
    await expect(page.get_by_role("row", name="person-00042@contoso.example")).to_be_visible()
    await search.fill("zoe@")
    await press(page, "Find")
    await expect(page.get_by_text(re.compile("Searching, .* entries read"))).to_be_visible()
    await search.fill("")
    await search.press("Enter")
    await expect(page.get_by_text("100 entries shown, and more")).to_be_visible()


async def test_a_page_that_cannot_be_turned_stays_as_it_is(page: Page, served: str, connected: Caller) -> None:
    connected.must("POST", f"{ACCOUNT}/exceptions", content=f"email,reason\n{people(250)}", headers=CSV)
    await screen(page, served, "exceptions")
    over = await Edge(page).during("GET /exceptions", gone)
    await press(page, "Next page")
    await expect(page.get_by_text("This is what was so").first).to_be_visible()
    await expect(page.get_by_text("1 to 100, and more").first).to_be_visible()
    await over()
    await press(page, "Next page")
    await expect(page.get_by_text("101 to 200, and more").first).to_be_visible()


async def test_twenty_thousand_lines_are_left_in_the_middle_and_sent_again_safely(
    page: Page, served: str, connected: Caller
) -> None:
    text = people(20_000)
    page.on("dialog", lambda dialog: dialog.accept())
    await screen(page, served, "exceptions/import")
    await choose(page, text)
    await expect(page.get_by_text("20,000 lines are ready")).to_be_visible()
    await expect(page.get_by_text("The first 100 of 20,000 lines")).to_be_visible()
    await press(page, "Import 20,000 lines")
    bar = page.get_by_role("progressbar")
    seen = []
    while len(seen) < 3 or seen[-1] < 2_000:
        seen.append(int(float(await bar.get_attribute("value") or await bar.evaluate("(each) => each.value"))))
        await page.wait_for_timeout(250)
    assert seen == sorted(seen), "progress goes forward"
    await expect(page.get_by_text("of 20,000 lines sent")).to_be_visible()
    await page.get_by_role("navigation").locator("a[href='#people']").click()
    await heading(page, "People")
    stored, before = listed(connected) - 1, -1
    while stored != before:  # what was under way arrives; what was left sends nothing more, or all of it
        await page.wait_for_timeout(1_000)
        stored, before = listed(connected) - 1, stored
    assert 2_000 <= stored < 20_000

    await screen(page, served, "exceptions/import")
    await choose(page, text)
    await expect(page.get_by_text(f"{stored:,} say what is on the list already.")).to_be_visible()
    await press(page, f"Import {20_000 - stored:,} lines")
    done = page.get_by_role("heading", name=f"Import finished: {20_000 - stored:,} stored, 0 left out")
    await expect(done).to_be_visible(timeout=MINUTES)
    assert listed(connected) == 20_001

    await press(page, "Go to the list")
    await screen(page, served, "exceptions/import")
    await choose(page, text)
    await expect(page.get_by_role("button", name="Import 0 lines")).to_be_disabled()
    await screen(page, served, "activity")
    await expect(page.get_by_text(re.compile("imported .* exceptions from a file")).first).to_be_visible()


async def test_an_import_that_breaks_off_is_finished_by_sending_the_file_again(
    page: Page, served: str, connected: Caller
) -> None:
    sent: list[int] = []

    async def third_fails(route: Route) -> None:
        post = route.request.method == "POST"
        sent.extend([len(route.request.post_data_json or ())] if post else [])
        await (route.abort() if post and len(sent) == 3 else route.continue_())

    await screen(page, served, "exceptions/import")
    await page.route("**/exceptions", third_fails)
    await choose(page, people(250))
    await press(page, "Import 250 lines")
    await heading(page, "Import stopped: 196 stored, 54 not sent")
    await expect(page.get_by_role("alert").last).to_contain_text("The service did not answer.")
    assert sent == [98, 98, 54]
    await screen(page, served, "overview")
    await screen(page, served, "exceptions/import")
    await choose(page, people(250))
    await expect(page.get_by_text("196 say what is on the list already.")).to_be_visible()
    await press(page, "Import 54 lines")
    await heading(page, "Import finished: 54 stored, 0 left out")
    assert len(connected.must("GET", f"{ACCOUNT}/exceptions?pageSize=1000")["items"]) == 251

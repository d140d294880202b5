"""The portal beside its story: who opens a link, whose session it is, how it ends, and what it looks like."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from local.cast.panel import Caller
from tests.browser.conftest import NewContext
from tests.browser.panel import ACCOUNT, SCREENS, findings, fits

pytestmark = pytest.mark.slow

PAT = {"subject": "panel-user-pat", "name": "Pat Portal"}
EVIL = {"subject": "panel-user-mallory", "name": "<img src=x onerror=alert(1)>"}

type Visit = Callable[..., Awaitable[Page]]


def link(caller: Caller, actor: dict[str, str], role: str = "SecurityManager") -> str:
    return str(caller.must("POST", f"{ACCOUNT}/portal", json={"actor": actor, "role": role})["portalUrl"])


@pytest.fixture
def visit(operator: Caller, company: Caller, new_context: NewContext) -> Visit:
    """Begins a session in a browser of its own."""
    assert company

    async def begin(role: str = "SecurityManager", **options: object) -> Page:
        page = await (await new_context(**options)).new_page()
        await page.goto(link(operator, PAT, role))
        await page.get_by_role("button").click()
        await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        return page

    return begin


async def test_a_link_is_shown_to_anybody_and_begins_one_session_in_one_browser(
    operator: Caller, company: Caller, new_context: NewContext
) -> None:
    assert company
    url = link(operator, PAT)
    scanner = await (await new_context()).new_page()
    for _ in range(3):
        await scanner.goto(url)
    assert operator.must("GET", f"{ACCOUNT}/portal/sessions") == {"items": []}, "nothing is spent"
    pat = await (await new_context()).new_page()
    await pat.goto(url)
    await pat.get_by_role("button").dblclick()
    await expect(pat.get_by_text("Pat Portal, Security Manager")).to_be_visible()
    await scanner.get_by_role("button").click()
    await expect(scanner.get_by_role("heading", level=1)).to_contain_text("can no longer be used")
    await scanner.goto(pat.url)
    await expect(scanner.get_by_role("heading", name="Your session has ended")).to_be_visible()


async def test_a_session_that_was_revoked_ends_at_the_next_click_and_shows_nothing_more(
    visit: Visit, operator: Caller
) -> None:
    page = await visit()
    (session,) = operator.must("GET", f"{ACCOUNT}/portal/sessions")["items"]
    operator.must("DELETE", f"{ACCOUNT}/portal/sessions/{session['sessionId']}")
    await page.get_by_role("navigation").locator("a[href='#exceptions']").click()
    await expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
    assert await page.locator("azure-sso-panel").count() == 0


async def test_a_session_is_for_one_account_and_a_reader_stays_a_reader(visit: Visit, company: Caller) -> None:
    page = await visit("SecurityReader")
    await expect(page.get_by_text("You can see everything here and change nothing.")).to_be_visible()
    tried = """async ([account, method, path, body]) => {
      const {csrfToken} = await (await fetch("/portal/contoso/session")).json();
      const headers = {"X-Azure-SSO-CSRF": csrfToken, "If-Match": "*", "Content-Type": "application/json"};
      return (await fetch(`/v1/accounts/${account}${path}`, {method, headers, body})).status;
    }"""
    assert await page.evaluate(tried, ["contoso", "GET", "/overview", None]) == 200
    assert await page.evaluate(tried, ["contoso", "PATCH", "/policy", '{"mode": "on"}']) == 403
    assert await page.evaluate(tried, ["fabrikam", "GET", "/overview", None]) in {401, 403}
    assert company.must("GET", f"{ACCOUNT}/policy")["mode"] == "off"


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
async def test_the_portal_is_accessible_and_brings_no_script_of_others(
    operator: Caller, company: Caller, new_context: NewContext, theme: str, width: int
) -> None:
    assert company
    page = await (await new_context(color_scheme=theme, viewport={"width": width, "height": 740})).new_page()
    await page.goto(link(operator, EVIL))
    await expect(page.get_by_text("<img src=x").first).to_be_visible()
    assert await findings(page) == []
    assert await fits(page)
    await page.get_by_role("button").click()
    await expect(page.get_by_text("<img src=x").first).to_be_visible()
    for name in SCREENS:
        await page.evaluate("(name) => { location.hash = name }", name)
        await expect(page.locator("azure-sso-panel section.screen:not(.waits) h3").first).to_be_visible()
        assert await findings(page) == [], name
        assert await fits(page), name
    assert await page.locator("img").count() == 0

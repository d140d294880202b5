"""Tokens: one that expires in the middle is replaced once; a page may hand over its function as often as it likes."""

import pytest
from playwright.async_api import Page, Route, expect

from local.cast.panel import Caller
from tests.browser.panel import ACCOUNT, heading, screen
from tests.browser.steps import press
from tests.http.conftest import Token

pytestmark = pytest.mark.slow


class Expiring:
    """The control panel's backend, whose next tokens have expired when the service sees them."""

    def __init__(self, token: Token) -> None:
        self._token = token
        self.given = 0

    async def __call__(self, route: Route) -> None:
        self.given += 1
        await route.fulfill(json={"token": self._token("sam", account_id="contoso", exp=1)})


async def test_a_token_that_expires_is_asked_for_again_once(
    page: Page, served: str, connected: Caller, token: Token
) -> None:
    await screen(page, served, "policy")
    expiring = Expiring(token)
    await page.route("**/token/*", expiring, times=1)
    await page.get_by_label("Mail", exact=True).uncheck()
    await press(page, "Save changes")
    await expect(page.get_by_text("Saved. It is in force")).to_be_visible()
    assert expiring.given == 1
    assert connected.must("GET", f"{ACCOUNT}/policy")["applicationsOff"] == ["mail"]

    await page.route("**/token/*", expiring)
    await page.get_by_label("Mail", exact=True).check()
    await press(page, "Save changes")
    await expect(page.get_by_text("Sign in to the control panel again").first).to_be_visible()
    assert connected.must("GET", f"{ACCOUNT}/policy")["applicationsOff"] == ["mail"], "nothing was changed"

    await page.unroute("**/token/*")
    await expect(page.get_by_label("Mail", exact=True)).to_be_checked()
    await press(page, "Save changes")
    await expect(page.get_by_text("Saved. It is in force")).to_be_visible()
    assert connected.must("GET", f"{ACCOUNT}/policy")["applicationsOff"] == []


async def test_a_token_that_expires_in_the_middle_of_an_import_costs_no_line(
    page: Page, served: str, connected: Caller, token: Token
) -> None:
    people = "".join(f"person-{number}@contoso.example,Field staff\n" for number in range(250))
    file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": f"email,reason\n{people}".encode()}
    await screen(page, served, "exceptions/import")
    await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    await heading(page, "Import: check before anything changes")
    expiring, sent = Expiring(token), []

    async def second(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route.request)
            if len(sent) == 1:
                await page.route("**/token/*", expiring, times=1)
        await route.continue_()

    await page.route("**/exceptions", second)
    await press(page, "Import 250 lines")
    await heading(page, "Import finished: 250 stored, 0 left out")
    assert (expiring.given, len(sent)) == (1, 4), "one part of three was sent twice"
    assert len(connected.must("GET", f"{ACCOUNT}/exceptions?pageSize=1000")["items"]) == 251


async def test_a_session_that_ended_before_the_panel_opens_is_said(page: Page, served: str, company: Caller) -> None:
    assert company
    await page.route("**/token/*", lambda route: route.fulfill(status=401, json={}))
    await page.goto(served)
    await heading(page, "You are not signed in any more")
    await page.unroute("**/token/*")
    await press(page, "Try again")
    await heading(page, "Nobody signs in with Microsoft yet")


async def test_a_page_that_sets_the_token_function_again_and_again_causes_no_call(
    page: Page, served: str, connected: Caller
) -> None:
    assert connected
    await page.goto(served)
    await heading(page, "Everybody signs in with Microsoft")
    await page.wait_for_load_state("networkidle")
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    await page.evaluate(
        "const panel = document.querySelector('azure-sso-panel'), before = panel.getToken;"
        "for (let n = 0; n < 3; n += 1) panel.getToken = () => before();"
        "panel.updateComplete"
    )
    assert calls == []
    await page.get_by_label("Person").select_option("ulla")
    await heading(page, "This page is for Security Managers")

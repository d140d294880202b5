"""What somebody tries who means harm: script in names, a reader who writes, a page that is not let in."""

import re

import pytest
from playwright.async_api import Dialog, Page, expect

from local.cast.panel import Caller
from local.entra.server import LocalEntra
from tests.browser.conftest import NewContext
from tests.browser.edge import Edge, answers
from tests.browser.panel import ACCOUNT, ANY, SCREENS, heading, screen, seen_as
from tests.browser.steps import press
from tests.http.conftest import CONTOSO, Token
from tests.support.service import RunningService

pytestmark = pytest.mark.slow

EVIL = "<img src=x onerror=alert(1)>"
ALSO = '"><svg/onload=alert(2)>'


@pytest.fixture
def evil_tenant(entra: LocalEntra) -> None:
    """The tenant gave itself a script for a name."""
    tenant = next(each for each in entra.cloud.directory.tenants if each.tenant_id == CONTOSO)
    tenants = tuple(
        each.model_copy(update={"name": EVIL}) if each is tenant else each for each in entra.cloud.directory.tenants
    )
    entra.cloud.directory = entra.cloud.directory.model_copy(update={"tenants": tenants})


async def test_no_name_that_is_shown_can_bring_a_script(
    page: Page, served: str, evil_tenant: None, connected: Caller, operator: Caller, token: Token
) -> None:
    """Of the account, the tenant, a person, an application, a product, a reason; or in an answer that was forged."""
    alerts: list[str] = []

    async def alerted(dialog: Dialog) -> None:
        alerts.append(dialog.message)
        await dialog.dismiss()

    page.on("dialog", alerted)
    operator.must("PUT", ACCOUNT, json={"name": EVIL, "products": ["Unite"]}, headers=ANY)
    operator.must("PUT", "/v1/applications/fax", json={"name": EVIL, "ssoSupported": False}, headers=ANY)
    mallory = Caller(connected.client, token("sam", account_id="contoso", name=EVIL))
    mallory.must("POST", f"{ACCOUNT}/exceptions", json={"email": "a@contoso.example", "reason": EVIL})
    for name in ("overview", "connection", "policy", "exceptions", "activity", "setup/connected", "setup/confirm"):
        await screen(page, served, name)
        await expect(page.get_by_text("<img src=x").filter(visible=True).first).to_be_visible()

    await screen(page, served, "policy")
    await page.get_by_label("Unite", exact=True).uncheck()
    mallory.must("PATCH", f"{ACCOUNT}/policy", json={"whenConnectionFails": "sso"}, headers=ANY)
    await press(page, "Save changes")
    await expect(page.get_by_role("dialog").get_by_role("heading")).to_contain_text(EVIL)
    await press(page, "Take theirs")

    forged = [{"domain": f"{EVIL}.example", "state": "routed"}, {"domain": ALSO, "state": "conflict"}]
    edge = Edge(page)

    await edge.during("GET /domains", answers(200, items=forged, readAt="2026-11-26T08:00:00Z"))
    barred = {"clientId": ALSO, "name": ALSO, "requiresProduct": EVIL, "incompatible": "product_missing"}
    await edge.during("GET /applications", answers(200, items=[barred]))
    await page.goto("about:blank")
    await screen(page, served, "policy")
    await expect(page.get_by_text(f"it needs {EVIL}, which")).to_be_visible()
    await screen(page, served, "domains")
    await press(page, f"Switch off… {EVIL}.example")
    await expect(page.get_by_role("dialog").get_by_role("heading")).to_contain_text(EVIL)
    await page.keyboard.press("Escape")
    await edge.during("GET /links", answers(400, detail=EVIL, errors=[{"field": "email", "detail": ALSO}]))
    await page.goto(f"{served}/#people")
    await expect(page.get_by_text(EVIL).first).to_be_visible()
    assert await page.locator("img, svg[onload]").count() == 0
    assert alerts == []


async def test_a_file_full_of_script_is_shown_as_text(page: Page, served: str, connected: Caller) -> None:
    assert connected
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    await screen(page, served, "exceptions/import")
    text = f'email,reason\na@contoso.example,{EVIL}\n"{EVIL}",Kiosk\n'
    file = {"name": f"{EVIL}.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    await expect(page.get_by_role("row", name="a@contoso.example")).to_contain_text(EVIL)
    await press(page, "Import 1 line")
    await heading(page, "Import finished: 1 stored, 1 left out")
    await expect(page.get_by_role("row", name=EVIL)).to_be_visible()
    assert await page.locator("img").count() == 0
    assert alerts == []


async def test_a_help_url_that_is_a_script_is_no_link(page: Page, served: str, connected: Caller) -> None:
    assert connected
    await screen(page, served, "overview")
    for url in ("javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,<script>alert(1)</script>"):
        await page.evaluate("(url) => document.querySelector('azure-sso-panel').helpUrl = url", url)
        href = await page.get_by_text("Help", exact=True).get_attribute("href")
        assert not re.match(r"\s*(javascript|data):", href or "", re.IGNORECASE), url


async def test_a_reader_who_tries_to_write_is_refused_whatever_the_page_offers(
    page: Page, served: str, connected: Caller
) -> None:
    """The panel is only a page: the token decides. Sam's panel goes on with the token of a reader."""
    await screen(page, served, "policy")
    await page.get_by_label("Mail", exact=True).uncheck()
    await page.evaluate(
        "document.querySelector('azure-sso-panel').getToken ="
        " async () => (await (await fetch('/token/rita')).json()).token"
    )
    await press(page, "Save changes")
    await expect(page.get_by_role("alert").first).to_contain_text("That did not work.")
    await expect(page.get_by_text("You can see everything here and change nothing.")).to_be_visible()
    assert connected.must("GET", f"{ACCOUNT}/policy")["applicationsOff"] == []

    await seen_as(page, served, person="rita")
    for name in ("exceptions/add", "exceptions/emergency", "exceptions/import", "setup/who", "setup/confirm"):
        await screen(page, served, name)
        await expect(page.get_by_role("dialog")).to_be_hidden()
        names = {await each.inner_text() for each in await page.locator(".content .btn.main:visible").all()}
        assert names <= {"Continue"}, name
        assert await page.locator("input[type=file]").count() == 0
    writes = [("PATCH", "/policy", {"mode": "off"}), ("POST", "/exceptions", {"email": "x@y.example", "reason": "x"})]
    writes += [("POST", "/connection", {}), ("DELETE", "/connection", None), ("POST", "/connection/check", None)]
    writes += [("POST", "/domains/refresh", None), ("POST", "/people/erase", {"email": "x@y.example"})]
    script = """async ([endpoint, writes]) => {
      const {token} = await (await fetch("/token/rita")).json();
      return Promise.all(writes.map(async ([method, path, body]) => (await fetch(endpoint + path, {method,
        body: body && JSON.stringify(body), headers: {Authorization: `Bearer ${token}`, "If-Match": "*"}})).status));
    }"""
    endpoint = await page.locator("azure-sso-panel").get_attribute("endpoint")
    assert await page.evaluate(script, [f"{endpoint}{ACCOUNT}", writes]) == [403] * len(writes)
    assert connected.must("GET", f"{ACCOUNT}/connection")["status"] == "connected"


async def test_a_page_whose_origin_is_not_let_in_says_so(page: Page, served: str, company: Caller) -> None:
    """The same page, at another name of this machine: the script loads, and the browser keeps the API's answers."""
    assert company
    elsewhere = served.replace("localhost", "other.localhost")
    await page.goto(elsewhere)
    await heading(page, "This page may not call the service")
    await expect(page.get_by_text(elsewhere)).to_be_visible()
    await expect(page.get_by_text("allowedOrigins")).to_be_visible()
    assert "Contoso" not in await page.locator("azure-sso-panel").inner_text()


async def test_a_foreign_page_without_a_token_learns_nothing(
    page: Page, served: str, service: RunningService, connected: Caller
) -> None:
    """Anybody may load the component: it has nothing of its own, asks nothing without a token, and sends no cookie."""
    assert connected
    await page.goto(served.replace("localhost", "other.localhost"))
    await heading(page, "This page may not call the service")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    await page.evaluate(
        "const fresh = document.createElement('azure-sso-panel');"
        f"fresh.endpoint = '{service.url}'; fresh.account = 'contoso';"
        "document.querySelector('main').replaceChildren(fresh)"
    )
    for name in SCREENS:
        await page.evaluate("(name) => { location.hash = name }", name)
        await page.wait_for_timeout(20)
    assert [each for each in requests if "/v1/" in each] == []
    await page.evaluate("document.querySelector('azure-sso-panel').getToken = () => ''")
    await heading(page, "You are not signed in any more")
    assert [each for each in requests if "/v1/" in each] == []


async def test_the_component_in_a_page_that_was_let_in_needs_a_token_all_the_same(
    page: Page, served: str, connected: Caller
) -> None:
    assert connected
    await screen(page, served, "overview")
    for token in ("not-a-token", "eyJhbGciOiJub25lIn0.e30."):
        await page.evaluate(
            "(token) => { const panel = document.querySelector('azure-sso-panel');"
            " panel.getToken = () => token; return panel.reload(); }",
            token,
        )
        await heading(page, "You are not signed in any more")
        assert "Contoso" not in await page.locator("azure-sso-panel").inner_text()


async def test_a_token_for_one_account_shows_no_other(served: str, connected: Caller, new_context: NewContext) -> None:
    assert connected
    page = await (await new_context()).new_page()
    await screen(page, served, "overview")
    await page.evaluate("document.querySelector('azure-sso-panel').account = 'fabrikam'")
    await expect(page.get_by_role("heading", level=3)).to_contain_text(re.compile("is for Security Managers|not known"))
    assert "Contoso" not in await page.locator("azure-sso-panel .content").inner_text()

"""The portal, and a setup link, in a real browser: cookies, Fetch Metadata, integrity and policy are its own."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Response, expect

from local.cast.panel import Caller
from local.entra.server import LocalEntra
from tests.browser.conftest import NewContext
from tests.browser.panel import findings, heading
from tests.browser.steps import accept_at_microsoft, press
from tests.support.service import RunningService

CONTOSO = "/v1/accounts/contoso"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def vendor(operator: Caller) -> Caller:
    """The vendor's backend, which has registered a customer."""
    operator.must("PUT", CONTOSO, json={"name": EVIL, "products": []})
    operator.must("PUT", "/v1/applications/unite", json={"name": "Unite", "ssoSupported": True})
    return operator


def link(operator: Caller, **more: str) -> str:
    body = {"actor": {"subject": EVIL, "name": f"Pat {EVIL}"}, **more}
    return str(operator.must("POST", f"{CONTOSO}/portal", json=body)["portalUrl"])


async def enter(page: Page, url: str) -> None:
    await page.goto(url)
    await expect(page.get_by_text(f"You go on as Pat {EVIL}, Security")).to_be_visible()
    await press(page, "Open")


async def test_a_company_is_connected_and_decided_for_in_the_portal_up_to_signing_out(
    page: Page, vendor: Caller, service: RunningService
) -> None:
    """On the way back from Microsoft the browser holds the Strict cookie back, and the page needs none to open."""
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await enter(page, link(vendor))
    await page.wait_for_url(f"{service.url}/portal/contoso")
    await heading(page, "Nobody signs in with Microsoft yet")
    await expect(page.get_by_text(f"Pat {EVIL}, Security Manager")).to_be_visible()
    assert await findings(page) == []
    await press(page, "Start setup")
    await press(page, "Continue")
    await page.get_by_label("I do it myself, now").check()
    await press(page, "Continue to Microsoft")
    await page.wait_for_url("**/v1/connect?*")
    await press(page, "Continue to Microsoft")
    await accept_at_microsoft(page)
    await page.wait_for_url(f"{service.url}/portal/contoso#setup/connected")
    await heading(page, "Contoso is connected")

    await press(page, "Continue")
    await page.get_by_label("Email address").fill("emergency@contoso.example")
    await press(page, "Add and continue")
    await press(page, "Switch on for everybody")
    await heading(page, "Microsoft sign-in is on for everybody")
    assert vendor.must("GET", f"{CONTOSO}/policy")["mode"] == "on"

    await press(page, "Sign out")
    await expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    assert await findings(page) == []
    assert await page.locator("azure-sso-panel").count() == 0
    await page.reload()
    await expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
    trail = [(each["action"], each["actor"]["subject"]) for each in vendor.must("GET", f"{CONTOSO}/audit")["items"]]
    assert trail[:3] == [("portal.signed_out", EVIL), ("policy.changed", EVIL), ("exception.added", EVIL)]
    assert dialogs == []


@pytest.mark.slow
async def test_a_german_reader_sees_and_is_offered_no_change_until_the_session_is_revoked(
    new_context: NewContext, vendor: Caller
) -> None:
    page = await (await new_context(locale="de-DE")).new_page()
    await enter(page, link(vendor, role="SecurityReader"))
    await expect(page.get_by_role("button", name="Abmelden")).to_be_visible()
    await heading(page, "Noch meldet sich niemand mit Microsoft an")
    await expect(page.get_by_role("button", name="Einrichtung beginnen")).to_have_count(0)
    (session,) = vendor.must("GET", f"{CONTOSO}/portal/sessions")["items"]
    vendor.must("DELETE", f"{CONTOSO}/portal/sessions/{session['sessionId']}")
    await page.evaluate("location.hash = 'exceptions'")
    await page.evaluate("document.querySelector('azure-sso-panel')?.reload()")
    await expect(page.get_by_role("heading", name="Ihre Sitzung ist beendet")).to_be_visible()


ATTACK = """async ([service, account]) => {
  const ask = (path, more) => fetch(service + path, {credentials: 'include', mode: 'no-cors', ...more}).catch(() => 0);
  await ask(`/v1/accounts/${account}/policy`);
  await ask(`/portal/${account}/session`);
  await ask(`/v1/accounts/${account}/connection`, {method: 'POST', body: '{}'});
  const shown = await ask(`/portal/${account}/session`, {mode: 'cors', headers: {'X-Azure-SSO-CSRF': 'x'}});
  if (shown) throw new Error('A page of another origin reads the token.');
}"""


async def test_a_page_of_a_sibling_origin_gets_nothing_done_by_the_session_of_the_same_browser(
    new_context: NewContext, vendor: Caller, served: str, service: RunningService, entra: LocalEntra
) -> None:
    """Its requests carry even the Strict cookie, which is why the cookie is not enough."""
    context = await new_context(bypass_csp=True)
    panel = await context.new_page()
    await panel.goto(served)
    async with panel.expect_popup() as opened:
        await panel.get_by_role("link", name="Hosted pages").click()
    page = await opened.value
    await expect(page.get_by_text("You go on as Sam Security, Security Manager")).to_be_visible()
    await press(page, "Open")
    await heading(page, "Nobody signs in with Microsoft yet")
    answers: dict[str, int] = {}

    def heard(answer: Response) -> None:
        answers[answer.url.removeprefix(service.url)] = answer.status

    other = await context.new_page()
    await other.goto(f"http://localhost:{urlsplit(entra.http).port}/anything")
    other.on("response", heard)
    await other.evaluate(ATTACK, [service.url, "contoso"])
    assert [*answers.values()] == [403, 403, 403], "401 would be a cookie that was not sent"
    assert vendor.must("GET", f"{CONTOSO}/connection")["status"] == "disconnected"


@pytest.mark.slow
async def test_a_setup_link_is_accepted_in_a_second_browser_days_later(
    page: Page, new_context: NewContext, vendor: Caller, service: RunningService
) -> None:
    started = vendor.must("POST", f"{CONTOSO}/connection", json={"lifetimeMinutes": 7 * 24 * 60})
    await page.goto(started["startUrl"])
    await expect(page.get_by_text(f"Connect {EVIL} to Microsoft").first).to_be_visible()
    await page.close()
    theirs = await (await new_context()).new_page()
    await theirs.goto(started["startUrl"])
    await press(theirs, "Continue to Microsoft")
    await accept_at_microsoft(theirs)
    await expect(theirs.get_by_role("heading", name=re.compile("is connected"))).to_be_visible()
    (listed,) = vendor.must("GET", f"{CONTOSO}/connection/links")["items"]
    assert (listed["state"], listed["signedInBy"], listed["presses"]) == ("connected", "Ada Admin", 1)
    assert service.url in started["startUrl"]

"""Accessible anywhere: axe-core on every screen and page, in each state, light and dark, wide and narrow."""

from collections.abc import Callable

import pytest
from playwright.async_api import Page, expect

from local.cast.panel import Caller
from local.cast.person import ADA
from tests.browser.conftest import NewContext
from tests.browser.edge import Edge, late
from tests.browser.panel import ACCOUNT, ANY, SCREENS, findings, fits, heading, screen, seen_as
from tests.browser.steps import press, sign_in_at_microsoft
from tests.http.conftest import Switch, Walk
from tests.http.signing_in import Asked, Register
from tests.support.service import RunningService

pytestmark = pytest.mark.slow

LOOKS = [("light", 1280), ("light", 360), ("dark", 1280), ("dark", 360)]
PATH = ("setup", "setup/who", "setup/waiting", "setup/connected", "setup/emergency", "setup/confirm", "setup/done")
LONG = "a-very-long-name-that-somebody-really-has-got-" + "x" * 80


async def well(page: Page, what: str) -> None:
    """Nothing found, nothing cut off."""
    assert await findings(page) == [], what
    assert await fits(page), what


@pytest.mark.parametrize(("theme", "width"), LOOKS)
async def test_every_screen_in_every_state(
    page: Page,
    served: str,
    company: Caller,
    connect: Walk,
    operator: Caller,
    withdraw: Callable[[], None],
    theme: str,
    width: int,
) -> None:
    async def all_of(state: str, *names: str) -> None:
        for name in names:
            await screen(page, served, name)
            await well(page, f"{name}, {state}, {theme}, {width}")

    await page.set_viewport_size({"width": width, "height": 800})
    await seen_as(page, served, theme=theme)
    await all_of("not connected", *SCREENS, *PATH)
    company.must("POST", f"{ACCOUNT}/connection", json={})
    await all_of("waiting", "overview", "connection", "setup/waiting")
    connect(company, "contoso")
    await all_of("connected", "overview", "domains", "setup/connected", "setup/emergency", "setup/confirm")
    for email, reason in ((f"{LONG[:60]}@contoso.example", LONG), ("b@contoso.example", "word " * 90)):
        company.must("POST", f"{ACCOUNT}/exceptions", json={"email": email, "reason": reason})
    company.must("PATCH", f"{ACCOUNT}/domains/contoso.example", json={"enabled": False}, headers=ANY)
    company.must("PATCH", f"{ACCOUNT}/policy", json={"mode": "on"}, headers=ANY)
    operator.must("PUT", ACCOUNT, json={"name": LONG, "products": ["Unite"]}, headers=ANY)
    await all_of("on", *SCREENS, "setup/done", "exceptions/add", "exceptions/import")
    withdraw()
    await all_of("consent withdrawn", "overview", "connection", "setup/who")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
async def test_every_dialog_bar_and_preview(page: Page, served: str, connected: Caller, theme: str, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await seen_as(page, served, theme=theme, language="de" if width == 360 else "en")
    german = width == 360

    async def opened(name: str, button: str) -> None:
        await screen(page, served, name)
        await page.get_by_role("button", name=button).first.click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await well(page, f"{button}, {theme}, {width}")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()

    for name, english, deutsch in (
        ("connection", "Disconnect…", "Trennen"),
        ("domains", "Switch off…", "usschalten"),
        ("exceptions", "Edit", "earbeiten"),
        ("exceptions", "Remove…", "ntfernen"),
        ("people", "Erase a person…", "löschen"),
        ("setup/done", "Undo: switch off", "ausschalten"),
    ):
        await opened(name, deutsch if german else english)

    await screen(page, served, "exceptions/add")
    await page.get_by_role("dialog").locator("button.main").click()
    await expect(page.locator("[aria-invalid=true]").first).to_be_focused()
    await well(page, f"faults, {theme}, {width}")

    await screen(page, served, "policy")
    await page.get_by_label("Mail", exact=True).uncheck()
    await well(page, f"unsaved, {theme}, {width}")
    connected.must("PATCH", f"{ACCOUNT}/policy", json={"whenConnectionFails": "sso"}, headers=ANY)
    await page.locator(".bar .main").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await well(page, f"conflict, {theme}, {width}")
    await page.keyboard.press("Escape")
    await page.locator(".bar .btn").first.click()

    await screen(page, served, "exceptions/import")
    text = f"email,reason,expiresAt\nc@contoso.example,Kiosk,2030-01-01T00:00:00Z\nnobody,{LONG},\n"
    file = {"name": f"{LONG}.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    await expect(page.locator(".bar .main")).to_be_enabled()
    await well(page, f"preview, {theme}, {width}")
    await page.locator(".bar .main").click()
    await expect(page.get_by_role("progressbar")).to_be_hidden()
    await expect(page.locator("#h-left")).to_be_visible()
    await well(page, f"report, {theme}, {width}")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
async def test_every_page_of_the_service_that_a_browser_passes_through(
    new_context: NewContext,
    acme: Caller,
    connect: Walk,
    register: Register,
    service: RunningService,
    hostile: Switch,
    theme: str,
    width: int,
) -> None:
    options = {"color_scheme": theme, "viewport": {"width": width, "height": 740}}
    page = await (await new_context(**options)).new_page()

    async def shows(title: str) -> None:
        await expect(page.get_by_role("heading", level=1)).to_contain_text(title)
        await well(page, f"{title}, {theme}, {width}")

    await page.goto(f"{service.url}/v1/connect?ticket=unknown")
    await shows("This link can no longer be used")
    link = str(acme.must("POST", "/v1/accounts/acme/connection", json={})["startUrl"])
    await page.goto(link)
    await shows("Acme")
    hostile(graph_status=403)
    await press(page, "Continue to Microsoft")
    await sign_in_at_microsoft(page, ADA)
    await press(page, "Accept")
    await press(page, f"Continue as {ADA}")
    await expect(page.get_by_role("heading", name="Microsoft is not ready yet")).to_be_visible()
    await page.route("**/v1/connect*", late(8))  # the page asks again by itself
    await shows("Microsoft is not ready yet")
    await page.unroute("**/v1/connect*")
    hostile()
    await expect(page.get_by_role("heading", name="Acme is connected")).to_be_visible()
    await shows("Acme is connected")

    register("unite").raise_for_status()
    acme.must("PATCH", "/v1/accounts/acme/policy", json={"mode": "on"}, headers=ANY)
    await page.goto(f"{service.url}/oauth2/authorize?client_id=nobody")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await well(page, f"an unknown application, {theme}, {width}")
    await page.goto(Asked(login_hint="").address(service.url))
    await expect(page.get_by_label("Email")).to_be_visible()
    await well(page, f"which address, {theme}, {width}")
    await page.goto(f"{service.url}/oauth2/logout")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await well(page, f"sign out, {theme}, {width}")
    await page.goto(f"{service.url}/signed-out")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await well(page, f"signed out, {theme}, {width}")


async def test_forced_colours_leave_each_control_and_state_to_be_seen(
    served: str, connected: Caller, new_context: NewContext
) -> None:
    """Shapes are of the person's own colours: a control has a border, and what is chosen differs from what is not."""
    assert connected
    page = await (await new_context(forced_colors="active")).new_page()
    borders = """() => [...document.querySelector("azure-sso-panel").shadowRoot.querySelectorAll(".btn, input, select")]
      .filter((each) => each.offsetParent && !each.closest(".file, .filter, .btn.plain") && !each.matches(".plain"))
      .filter((each) => { const {borderTopWidth, borderTopColor, appearance, backgroundColor} = getComputedStyle(each);
        return appearance === "none" && (parseFloat(borderTopWidth) < 1 || borderTopColor === backgroundColor); })
      .map((each) => each.outerHTML)"""
    chosen = """() => [...document.querySelector("azure-sso-panel").shadowRoot.querySelectorAll(".tabs a")]
      .map((each) => [each.hasAttribute("aria-current"), getComputedStyle(each).borderBottomColor])"""
    shapes = """() => [...document.querySelector("azure-sso-panel").shadowRoot.querySelectorAll(".i")]
      .map((each) => getComputedStyle(each).fill)"""
    for name in SCREENS:
        await screen(page, served, name)
        assert await page.evaluate(borders) == [], name
        tabs = dict(await page.evaluate(chosen))
        assert tabs[True] != tabs[False], name
        background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background not in await page.evaluate(shapes), name
        assert await findings(page, contrast=False) == [], name


async def test_with_reduced_motion_nothing_moves_and_without_it_what_is_on_its_way_does(
    served: str, connected: Caller, new_context: NewContext
) -> None:
    assert connected
    moving = """() => document.querySelector("azure-sso-panel").shadowRoot.getAnimations()
      .filter((each) => each.playState === "running" && each.effect.getComputedTiming().duration > 0).length"""
    for motion, moves in (("reduce", False), ("no-preference", True)):
        page = await (await new_context(reduced_motion=motion)).new_page()
        await Edge(page).during("GET /overview", late(1))
        await page.goto(served)
        await expect(page.get_by_text("Loading: Overview")).to_be_attached()
        assert bool(await page.evaluate(moving)) is moves, motion
        await heading(page, "Everybody signs in with Microsoft")
        assert await page.evaluate(moving) == 0, motion

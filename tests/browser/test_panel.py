"""The panel in a real browser, in front of the real service: what a Security Manager clicks, and what goes wrong."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Dialog, Page, Route, expect

from local.cast.panel import Caller
from local.entra.server import LocalEntra
from tests.browser.panel import SCREENS, findings, heading, screen, serving
from tests.browser.steps import accept_at_microsoft, press
from tests.http.conftest import Token, Walk
from tests.support.service import RunningService

CONTOSO = "/v1/accounts/contoso"
ANY = {"If-Match": "*"}
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="session")
def served(running: tuple[RunningService, LocalEntra]) -> Iterator[str]:
    service, entra = running
    with serving(service.panel_url, service.url, f"{entra.http}/control-panel") as url:
        yield url


@pytest.fixture
def company(served: str, operator: Caller, manager: Any) -> Caller:
    """Sam's account, which has bought one application of three."""
    assert served
    operator.must("PUT", CONTOSO, json={"name": "Contoso", "products": ["Unite"]})
    for name, more in {"unite": {"requiresProduct": "Unite"}, "fax": {"requiresProduct": "Fax"}, "mail": {}}.items():
        operator.must("PUT", f"/v1/applications/{name}", json={"name": name.title(), "ssoSupported": True, **more})
    sam: Caller = manager("contoso")
    return sam


@pytest.fixture
def connected(company: Caller, connect: Walk) -> Caller:
    connect(company, "contoso")
    company.must("POST", f"{CONTOSO}/exceptions", json={"email": "emergency@contoso.example", "reason": "Emergency"})
    company.must("PATCH", f"{CONTOSO}/policy", json={"mode": "on"}, headers=ANY)
    return company


def policy(caller: Caller) -> dict[str, Any]:
    return dict(caller.must("GET", f"{CONTOSO}/policy"))


async def test_a_company_is_connected_and_switched_on_by_clicking_alone(
    page: Page, served: str, company: Caller
) -> None:
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url) if "/v1/" in request.url else None)
    await page.goto(served)
    await heading(page, "Nobody signs in with Microsoft yet")
    assert len(calls) <= 2, "at most two calls before the overview shows"
    await press(page, "Start setup")
    await press(page, "Continue")
    await page.get_by_label("I do it myself, now").check()
    await press(page, "Continue to Microsoft")
    await page.wait_for_url("**/v1/connect?*")
    await press(page, "Continue to Microsoft")
    await accept_at_microsoft(page)

    await heading(page, "Contoso is connected")
    await expect(page.get_by_role("row", name="contoso.example")).to_contain_text("will sign in with Microsoft")
    await press(page, "Continue")
    await page.get_by_label("Email address").fill("emergency.contoso.example")
    await press(page, "Add and continue")
    await expect(page.get_by_text("This is not an email address: it has no @.")).to_be_visible()
    await page.get_by_label("Email address").fill("emergency@contoso.example")
    await press(page, "Add and continue")

    await heading(page, "Switch on for everybody?")
    assert policy(company)["mode"] == "off", "nothing changes before the last step"
    await expect(page.get_by_role("row", name="Everybody, in Fax")).to_be_visible()
    await press(page, "Switch on for everybody")
    await heading(page, "Microsoft sign-in is on for everybody")
    assert policy(company)["mode"] == "on"
    await press(page, "Go to the overview")
    await heading(page, "Everybody signs in with Microsoft")
    await page.go_back()
    await heading(page, "Microsoft sign-in is on for everybody")


async def test_a_path_that_was_left_is_taken_up_where_it_stands(page: Page, served: str, company: Caller) -> None:
    company.must("POST", f"{CONTOSO}/connection", json={})
    await page.goto(served)
    await heading(page, "Waiting for an administrator to accept")
    await page.get_by_role("link", name="Continue setup").click()
    await expect(page.get_by_text("A start link was made")).to_be_visible()
    await press(page, "Make a new link")
    await press(page, "Make the link")
    link = page.get_by_label("Start link")
    assert "/v1/connect?ticket=" in await link.input_value()
    mail = await page.get_by_role("link", name="Write an email").get_attribute("href")
    assert mail is not None
    assert mail.startswith("mailto:?subject=Please%20connect%20Contoso")


async def test_two_managers_change_the_policy_at_once_and_both_changes_stay(
    page: Page, served: str, connected: Caller, operator: Caller
) -> None:
    await screen(page, served, "policy")
    await page.get_by_label("Mail", exact=True).uncheck()
    await expect(page.get_by_role("region", name="Unsaved changes")).to_contain_text(
        "Mail: from Microsoft to password."
    )
    operator.must("PATCH", f"{CONTOSO}/policy", json={"whenConnectionFails": "sso"}, headers=ANY)
    await press(page, "Save changes")
    dialog = page.get_by_role("dialog", name=re.compile("Olga Operator changed this"))
    await expect(dialog.get_by_role("row", name="If the consent is withdrawn")).to_contain_text("Nobody signs in")
    assert policy(connected)["applicationsOff"] == []
    await dialog.get_by_role("button", name="Keep mine").click()
    await expect(page.get_by_text("Saved. It is in force")).to_be_visible()
    kept = policy(connected)
    assert (kept["applicationsOff"], kept["whenConnectionFails"]) == (["mail"], "sso")


async def test_a_token_that_expires_is_asked_for_again_once(
    page: Page, served: str, connected: Caller, token: Token
) -> None:
    await screen(page, served, "policy")
    asked: list[str] = []

    async def expired(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(json={"token": token("sam", account_id="contoso", exp=1)})

    await page.route("**/token/*", expired, times=1)
    await page.get_by_label("Mail", exact=True).uncheck()
    await press(page, "Save changes")
    await expect(page.get_by_text("Saved. It is in force")).to_be_visible()
    assert len(asked) == 1
    assert policy(connected)["applicationsOff"] == ["mail"]

    await page.route("**/token/*", expired)
    await page.get_by_label("Mail", exact=True).check()
    await press(page, "Save changes")
    await expect(page.get_by_text("Sign in to the control panel again")).to_be_visible()
    assert policy(connected)["applicationsOff"] == ["mail"], "nothing was changed"


async def test_no_name_that_is_shown_can_bring_a_script(
    page: Page, served: str, connected: Caller, operator: Caller
) -> None:
    alerts: list[str] = []

    def alerted(dialog: Dialog) -> None:
        alerts.append(dialog.message)

    page.on("dialog", alerted)
    operator.must("PUT", CONTOSO, json={"name": EVIL, "products": ["Unite"]}, headers=ANY)
    operator.must("PUT", "/v1/applications/mail", json={"name": EVIL, "ssoSupported": True}, headers=ANY)
    connected.must("POST", f"{CONTOSO}/exceptions", json={"email": "a@contoso.example", "reason": EVIL})
    for name in ("connection", "policy", "exceptions", "activity"):
        await screen(page, served, name)
        await expect(page.get_by_text("<img src=x").first).to_be_visible()
    assert await page.locator("img").count() == 0
    assert alerts == []


async def test_a_fragment_that_cannot_be_read_is_none_of_the_panel(page: Page, served: str, connected: Caller) -> None:
    """Anybody can send a link, and a page of the vendor may have fragments of its own."""
    assert connected
    await page.goto(f"{served}/#100%")
    await expect(page.locator("azure-sso-panel section.screen:not(.waits) h3").first).to_be_visible()


async def test_every_screen_is_accessible_and_none_scrolls_sideways(page: Page, served: str, connected: Caller) -> None:
    assert connected
    for theme, width in (("light", 1280), ("dark", 360)):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(served)
        await page.evaluate(f"sessionStorage.setItem('theme', '{theme}')")
        await page.reload()
        for name in (*SCREENS, "setup/confirm", "exceptions/import", "exceptions/add"):
            await screen(page, served, name)
            assert await findings(page) == [], f"{name}, {theme}"
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name}, {width}"


async def test_a_person_is_erased_and_stays_in_the_trail_without_a_name(
    page: Page, served: str, connected: Caller
) -> None:
    await screen(page, served, "people")
    await press(page, "Erase a person")
    await page.get_by_label("Email address").fill("emergency@contoso.example")
    await page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    await expect(page.get_by_text("Erased: 0 links, 1 exception, 0 sessions.")).to_be_visible()
    assert connected.must("GET", f"{CONTOSO}/exceptions")["items"] == []
    await screen(page, served, "activity")
    await expect(page.get_by_text("put a person who was erased on the exception list")).to_be_visible()


async def test_a_reader_sees_everything_and_is_offered_no_change(page: Page, served: str, connected: Caller) -> None:
    assert connected
    await page.goto(served)
    await page.evaluate("sessionStorage.setItem('person', 'rita')")
    await page.reload()
    await expect(page.get_by_text("You can see everything here and change nothing.")).to_be_visible()
    for name in SCREENS:
        await screen(page, served, name)
        names = [await each.inner_text() for each in await page.locator(".content button:visible").all()]
        assert {each.split()[0] for each in names} <= {"Find", "Copy", "Export"}, name
        assert await page.locator(".content input:enabled:not([type=search])").count() == 0, name


async def test_who_may_not_or_cannot_is_told_why(page: Page, served: str, company: Caller) -> None:
    assert company
    await page.goto(served)
    await page.evaluate("sessionStorage.setItem('person', 'ulla')")
    await page.reload()
    await heading(page, "This page is for Security Managers")
    await page.evaluate("sessionStorage.setItem('person', 'frida')")
    await page.reload()
    await heading(page, "This account is not known here yet")

    await page.evaluate("sessionStorage.setItem('person', 'sam')")
    problem = {"type": "urn:azure-sso:problem:unavailable", "title": "Unavailable", "status": 503, "detail": "Storage."}
    number = "37bc2d09-a437-4409-9f68-bddf237d68cf"
    headers = {"Access-Control-Allow-Origin": "*"}
    body = problem | {"instance": f"urn:uuid:{number}"}
    await page.route("**/overview", lambda route: route.fulfill(status=503, json=body, headers=headers))
    await page.reload()
    await expect(page.get_by_text(number)).to_be_visible()
    await page.unroute("**/overview")
    await press(page, "Try again")
    await heading(page, "Nobody signs in with Microsoft yet")


async def test_a_page_whose_origin_is_not_let_in_says_so(page: Page, served: str, company: Caller) -> None:
    """The same page, at another name of this machine: the script loads, and the browser keeps the API's answers."""
    assert company
    elsewhere = served.replace("localhost", "other.localhost")
    await page.goto(elsewhere)
    await heading(page, "This page may not call the service")
    await expect(page.get_by_text(elsewhere)).to_be_visible()


async def test_a_csv_file_is_previewed_sent_in_parts_and_reported(page: Page, served: str, connected: Caller) -> None:
    connected.must("POST", f"{CONTOSO}/exceptions", json={"email": "same@contoso.example", "reason": "Kiosk"})
    people = "".join(f"person-{number}@contoso.example,Field staff,\n" for number in range(250))
    strange = 'same@contoso.example,Kiosk,\nemergency@contoso.example,Night shift,\nnobody,"Left;=1+1;\uff1dx\n=2",\n'
    text = f"email,reason,expiresAt\n{people}{strange}late@contoso.example,Kiosk,2020-01-01T00:00:00Z\n"
    await screen(page, served, "exceptions/import")
    file = {"name": "november.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    await heading(page, "Import: check before anything changes")
    await expect(page.get_by_text("252 lines are ready")).to_be_visible()
    await expect(page.get_by_text("251 add a person, 1 changes an entry. 1 says what is")).to_be_visible()
    assert len(connected.must("GET", f"{CONTOSO}/exceptions")["items"]) == 2, "nothing was sent"
    await press(page, "Import 252 lines")
    await heading(page, "Import finished: 251 stored, 1 left out")
    await expect(page.get_by_role("row", name="nobody")).to_contain_text("this is not an email address")
    async with page.expect_download() as saved:
        await press(page, "Download the lines that were left out")
    left_out = (await (await saved.value).path()).read_text(encoding="utf-8-sig")
    assert '"nobody","Left;\'=1+1;\'\uff1dx\n\'=2","",' in left_out, "a spreadsheet runs none of it"
    await press(page, "Go to the list")
    await page.get_by_label("Part of an address or of a reason").fill("night")
    await press(page, "Find")
    await expect(page.get_by_role("row", name="emergency@contoso.example")).to_be_visible()


async def test_exceptions_are_added_changed_removed_and_put_back(page: Page, served: str, connected: Caller) -> None:
    await screen(page, served, "exceptions")
    await press(page, "Add exception")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Add exception").click()
    await expect(dialog.get_by_text("Not saved yet: 2 fields need another look.")).to_be_visible()
    await dialog.get_by_label("Email address").fill("carol@contoso.example")
    await dialog.get_by_label("Reason").fill("Kiosk")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("carol@contoso.example keeps the password now.")).to_be_visible()

    await press(page, "Edit carol@contoso.example")
    (carol,) = connected.must("POST", f"{CONTOSO}/exceptions/search", json={"email": "carol@contoso.example"})["items"]
    entry = f"{CONTOSO}/exceptions/{carol['exceptionId']}"
    connected.must("PATCH", entry, json={"reason": "Lift"}, headers=ANY)
    await page.get_by_role("dialog").get_by_label("Reason").fill("Door")
    await press(page, "Save")
    await expect(page.get_by_role("heading", name=re.compile("Sam Security changed this"))).to_be_visible()
    await press(page, "Keep mine")
    await expect(page.get_by_text("The exception for carol@contoso.example was changed.")).to_be_visible()
    assert connected.must("GET", entry)["reason"] == "Door"

    await page.get_by_label("Select all on this page").check()
    await press(page, "Remove selected")
    await expect(page.get_by_role("heading", name="Remove 2 people from the list?")).to_be_visible()
    await press(page, "Remove from the list")
    await expect(page.get_by_text("2 people were removed from the list.")).to_be_visible()
    assert connected.must("GET", f"{CONTOSO}/exceptions")["items"] == []
    await press(page, "Undo")
    await expect(page.get_by_text("2 people are on the list again.")).to_be_visible()
    assert len(connected.must("GET", f"{CONTOSO}/exceptions")["items"]) == 2


SHIFTS = """
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.shifted = (window.shifted ?? 0) + each.value;
}).observe({type: "layout-shift", buffered: true});
"""


async def test_nothing_moves_when_a_slow_overview_arrives(page: Page, served: str, connected: Caller) -> None:
    assert connected
    await page.add_init_script(SHIFTS)

    async def late(route: Route) -> None:
        await asyncio.sleep(0.7)
        await route.continue_()

    await page.route("**/overview", late)
    await page.goto(served)
    await expect(page.get_by_text("Loading: Overview")).to_be_attached()
    await heading(page, "Everybody signs in with Microsoft")
    assert await page.evaluate("window.shifted ?? 0") < 0.01


async def test_a_dialog_is_opened_left_and_used_by_keyboard_alone(page: Page, served: str, connected: Caller) -> None:
    await screen(page, served, "exceptions")
    button = page.get_by_role("button", name="Remove… emergency@contoso.example")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Keep on the list")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button).to_be_focused()
    assert len(connected.must("GET", f"{CONTOSO}/exceptions")["items"]) == 1
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1 person was removed from the list.")).to_be_visible()


async def test_an_import_that_is_left_in_the_middle_is_finished_by_sending_the_file_again(
    page: Page, served: str, connected: Caller
) -> None:
    people = "".join(f"person-{number}@contoso.example,Field staff\n" for number in range(250))
    file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": f"email,reason\n{people}".encode()}
    sent: list[int] = []

    async def third_fails(route: Route) -> None:
        post = route.request.method == "POST"
        sent.extend([len(route.request.post_data_json or ())] if post else [])
        await (route.abort() if post and len(sent) == 3 else route.continue_())

    await screen(page, served, "exceptions/import")
    await page.route("**/exceptions", third_fails)
    await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    await press(page, "Import 250 lines")
    await heading(page, "Import stopped: 198 stored, 52 not sent")
    assert sent == [99, 99, 52]
    await screen(page, served, "overview")
    await screen(page, served, "exceptions/import")
    await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    await expect(page.get_by_text("198 say what is on the list already.")).to_be_visible()
    await press(page, "Import 52 lines")
    await heading(page, "Import finished: 52 stored, 0 left out")
    assert len(connected.must("GET", f"{CONTOSO}/exceptions?pageSize=1000")["items"]) == 251


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

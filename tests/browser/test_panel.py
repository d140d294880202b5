"""The panel in a real browser, in front of the real service: what a Security Manager clicks.

These few run in `make test`; the modules beside this one are marked as slow, and run in CI.
"""

import re
from typing import Any

from playwright.async_api import Page, expect

from local.cast.panel import Caller
from tests.browser.panel import ACCOUNT, ANY, SCREENS, heading, screen, seen_as
from tests.browser.steps import accept_at_microsoft, press


def policy(caller: Caller) -> dict[str, Any]:
    return dict(caller.must("GET", f"{ACCOUNT}/policy"))


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


async def test_two_managers_change_the_policy_at_once_and_both_changes_stay(
    page: Page, served: str, connected: Caller, operator: Caller
) -> None:
    await screen(page, served, "policy")
    await page.get_by_label("Mail", exact=True).uncheck()
    await expect(page.get_by_role("region", name="Unsaved changes")).to_contain_text(
        "Mail: from Microsoft to password."
    )
    operator.must("PATCH", f"{ACCOUNT}/policy", json={"whenConnectionFails": "sso"}, headers=ANY)
    await press(page, "Save changes")
    dialog = page.get_by_role("dialog", name=re.compile("Olga Operator changed this"))
    await expect(dialog.get_by_role("row", name="If the consent is withdrawn")).to_contain_text("Nobody signs in")
    assert policy(connected)["applicationsOff"] == []
    await dialog.get_by_role("button", name="Keep mine").click()
    await expect(page.get_by_text("Saved. It is in force")).to_be_visible()
    kept = policy(connected)
    assert (kept["applicationsOff"], kept["whenConnectionFails"]) == (["mail"], "sso")


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
    (carol,) = connected.must("POST", f"{ACCOUNT}/exceptions/search", json={"email": "carol@contoso.example"})["items"]
    entry = f"{ACCOUNT}/exceptions/{carol['exceptionId']}"
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
    assert connected.must("GET", f"{ACCOUNT}/exceptions")["items"] == []
    await press(page, "Undo")
    await expect(page.get_by_text("2 people are on the list again.")).to_be_visible()
    assert len(connected.must("GET", f"{ACCOUNT}/exceptions")["items"]) == 2


async def test_a_csv_file_is_previewed_sent_in_parts_and_reported(page: Page, served: str, connected: Caller) -> None:
    connected.must("POST", f"{ACCOUNT}/exceptions", json={"email": "same@contoso.example", "reason": "Kiosk"})
    people = "".join(f"person-{number}@contoso.example,Field staff,\n" for number in range(250))
    strange = 'same@contoso.example,Kiosk,\nemergency@contoso.example,Night shift,\nnobody,"Left;=1+1;\uff1dx\n=2",\n'
    text = f"email,reason,expiresAt\n{people}{strange}late@contoso.example,Kiosk,2020-01-01T00:00:00Z\n"
    await screen(page, served, "exceptions/import")
    file = {"name": "november.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    await heading(page, "Import: check before anything changes")
    await expect(page.get_by_text("252 lines are ready")).to_be_visible()
    await expect(page.get_by_text("251 add a person, 1 changes an entry. 1 says what is")).to_be_visible()
    assert len(connected.must("GET", f"{ACCOUNT}/exceptions")["items"]) == 2, "nothing was sent"
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


async def test_a_reader_sees_everything_and_is_offered_no_change(page: Page, served: str, connected: Caller) -> None:
    assert connected
    await seen_as(page, served, person="rita")
    await expect(page.get_by_text("You can see everything here and change nothing.")).to_be_visible()
    for name in SCREENS:
        await screen(page, served, name)
        names = [await each.inner_text() for each in await page.locator(".content button:visible").all()]
        assert {each.split()[0] for each in names} <= {"Find", "Copy", "Export"}, name
        assert await page.locator(".content input:enabled:not([type=search])").count() == 0, name

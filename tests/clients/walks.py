"""How a person signs in at an application: in a small browser, or in Chromium where the application is a script.

They open the application, press the first button that they meet, type their address where the service asks for it, and
their password at Microsoft, until the application shows who they are.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Final

import httpx
from playwright.sync_api import Error, sync_playwright

from local.cast.browser import Browser, Page
from local.cast.person import ALICE, PASSWORD
from tests.support.chromium import ARGUMENTS, find_chromium

_MOST_PAGES: Final = 10
_PATIENCE: Final = 30
_REFRESH: Final = re.compile(r"<meta http-equiv='refresh' content='0; URL=([^']+)'", re.IGNORECASE)
_TYPED: Final = {"email": ALICE, "password": PASSWORD, "login_hint": ALICE}


@dataclass(frozen=True)
class Seen:
    """The last page, and whether it is one of the application that shows Alice's address."""

    url: str
    html: str
    shows_alice: bool


def walk_in_browser(url: str, app: str, then: str | None) -> Seen:
    """Walk without scripts; open `then` at the end."""
    with Browser(patience=_PATIENCE) as browser:
        try:
            page = browser.open(url)
            for _ in range(_MOST_PAGES):
                following = None if shows_alice(page.url, page.html, app) else next_page(browser, page)
                if following is None:
                    break
                page = following
            if then:
                page = browser.open(f"{app}{then}")
        except httpx.HTTPError as fault:
            return Seen(url, repr(fault), shows_alice=False)
    shows = page.status == httpx.codes.OK and shows_alice(page.url, page.html, app)
    return Seen(page.url, f"{page.status}\n{page.html}", shows)


def next_page(browser: Browser, page: Page) -> Page | None:
    """The next page, if this one asks for anything."""
    if page.status >= httpx.codes.BAD_REQUEST:
        return None
    if refresh := _REFRESH.search(page.html):
        return browser.open(unescape(refresh[1]))
    form = next((form for form in page.forms if "email" in form.fields), next(iter(page.forms), None))
    if form is None:
        return None
    values = {name: _TYPED[name] for name in form.fields if name in _TYPED}
    return browser.submit(page, form, values | dict(form.buttons[:1]))


def walk_in_chromium(url: str, app: str, then: str | None) -> Seen:
    """Walk where scripts run."""
    said: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        # Its authority is of this run, and a policy for https stops at local Entra, which answers browsers without.
        page = chromium.new_context(ignore_https_errors=True, bypass_csp=True).new_page()
        page.set_default_timeout(5_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url)
        deadline, html = time.monotonic() + _PATIENCE, ""
        while time.monotonic() < deadline and not shows_alice(page.url, html, app):
            with _unless_it_leaves(said):
                if page.locator("input[name=password]:visible").count():
                    page.locator("input[name=email]:visible").fill(ALICE)
                    page.locator("input[name=password]:visible").fill(PASSWORD)
                    page.get_by_role("button", name="Sign in").click()
                elif page.locator("input[name=login_hint]:visible").count():
                    page.locator("input[name=login_hint]:visible").fill(ALICE)
                    page.get_by_role("button", name="Next").click()
                page.wait_for_timeout(100)
                html = page.content()
        seen = Seen(page.url, "\n".join([*said, html]), shows_alice(page.url, html, app))
        chromium.close()
        return seen


@contextmanager
def _unless_it_leaves(said: list[str]) -> Iterator[None]:
    """Go on if the page is on its way to the next one, and keep what Playwright said."""
    try:
        yield
    except Error as fault:
        said.append(fault.message)


def shows_alice(url: str, html: str, app: str) -> bool:
    """Whether this is the application, and it says that Alice is signed in."""
    return f"{url}/".startswith(f"{app}/") and ALICE in unescape(html)

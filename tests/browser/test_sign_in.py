"""A sign-in as people go through it: answers that come twice, reloads, the back button, two tabs, a slow network."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, expect

from local.cast.panel import Caller
from local.cast.person import ALICE
from tests.browser.steps import sign_in_at_microsoft, slow_down
from tests.http.conftest import Switch
from tests.http.signing_in import Asked, Register, redeem
from tests.support.service import RunningService


class Application:
    """The application's side: it keeps each code that reaches its redirect URI, and shows a page."""

    def __init__(self) -> None:
        codes: list[str] = []
        self.codes = codes

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                codes.extend(code := parse_qs(urlsplit(self.path).query).get("code", []))
                page = f"<link rel=icon href=data:,><h1>Unite says: {'welcome' if code else 'not signed in'}</h1>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                """The test says what happens."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.redirect_uri = f"http://localhost:{self.server.server_port}/callback"


@pytest.fixture
def application(register: Register) -> Iterator[Application]:
    """The registered application `unite`, which listens."""
    application = Application()
    register("unite", redirectUris=[application.redirect_uri]).raise_for_status()
    thread = Thread(target=application.server.serve_forever)
    thread.start()
    yield application
    application.server.shutdown()
    thread.join()
    application.server.server_close()


@pytest.fixture
def asked(application: Application) -> Asked:
    """A request of the application."""
    return Asked(redirect_uri=application.redirect_uri)


async def welcomed(page: Page) -> None:
    await expect(page.get_by_role("heading", name="Unite says: welcome")).to_be_visible()


@pytest.mark.slow
async def test_an_answer_that_is_fetched_twice_signs_in_all_the_same(
    page: Page, contoso: Caller, application: Application, asked: Asked, service: RunningService, hostile: Switch
) -> None:
    hostile(answer_twice=True)
    await page.goto(asked.address(service.url))
    await sign_in_at_microsoft(page, ALICE)
    await welcomed(page)
    assert len(application.codes) == 1
    assert redeem(service, asked.redemption(application.codes[0])).status_code == 200


async def test_double_clicks_back_and_reload_on_a_slow_network_end_in_the_application(
    page: Page, contoso: Caller, application: Application, asked: Asked, service: RunningService
) -> None:
    answers: list[str] = []
    page.on("request", lambda request: answers.append(request.url) if "/signin/callback?" in request.url else None)
    await slow_down(page, 150)
    await page.goto(asked.address(service.url, login_hint=None))
    await page.get_by_label("Email address").fill(ALICE)
    await page.get_by_role("button", name="Next").dblclick()
    await page.get_by_label("Password").fill("Local-pass-1")
    await page.get_by_role("button", name="Sign in").dblclick()
    await welcomed(page)
    taken = answers[-1]
    await page.goto(taken)  # as a browser does that restores its tabs
    await welcomed(page)
    assert redeem(service, asked.redemption(application.codes[-1])).status_code == 200
    assert len({*application.codes}) == 2, "no code is handed out twice"
    await page.goto(taken)  # once more leads nowhere by itself, and on by a link
    await expect(page.get_by_role("link", name="Back to the application")).to_be_visible()
    await page.get_by_role("link", name="Sign in again").click()
    await welcomed(page)
    await page.go_back()
    await page.go_forward()
    await welcomed(page)


@pytest.mark.slow
async def test_two_tabs_sign_in_beside_each_other(
    page: Page, contoso: Caller, application: Application, asked: Asked, service: RunningService
) -> None:
    other, second = await page.context.new_page(), Asked(redirect_uri=application.redirect_uri)
    for tab, request in ((page, asked), (other, second)):
        await tab.goto(request.address(service.url))
    await sign_in_at_microsoft(page, ALICE)
    await welcomed(page)
    await other.reload()  # Microsoft has the session now
    await welcomed(other)
    codes = zip((asked, second), application.codes, strict=True)
    assert [redeem(service, request.redemption(code)).status_code for request, code in codes] == [200, 200]

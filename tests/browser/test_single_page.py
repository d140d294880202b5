"""A single-page application in a real browser, with oidc-client-ts: signed in past its access token, until sign-out."""

from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.async_api import Page, Request, expect

from local import loopback
from local.cast.panel import Caller
from local.cast.person import ALICE
from tests.browser.steps import press, sign_in_at_microsoft
from tests.http.signing_in import Register, redeem, set_policy
from tests.support.service import RunningService

SPA = Path(__file__).parents[1] / "clients" / "spa"
LIBRARY = SPA / "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"
FILES = {"/app.js": (SPA / "app.js", "text/javascript"), "/oidc-client-ts.min.js": (LIBRARY, "text/javascript")}
PAGE = (SPA / "app.html", "text/html")


@pytest.fixture
def application(register: Register) -> Iterator[str]:
    """The origin of the registered application `unite`: files, and nothing on a server that could keep a secret."""
    assert LIBRARY.exists(), "Run `make install`, which installs what tests/clients/spa/package.json names."

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file, media = FILES.get(urlsplit(self.path).path, PAGE)
            content = file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """The test says what happens."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    origin = f"http://localhost:{server.server_port}"
    register(
        "unite",
        redirectUris=[f"{origin}/callback"],
        postLogoutRedirectUris=[f"{origin}/goodbye"],
        refreshTokens=True,
    ).raise_for_status()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield origin
    server.shutdown()
    thread.join()
    server.server_close()


async def kept(page: Page) -> dict[str, Any]:
    """What the library has stored of the user."""
    script = "() => JSON.parse(Object.entries(localStorage).find(([name]) => name.startsWith('oidc.user:'))[1])"
    stored: dict[str, Any] = await page.evaluate(script)
    return stored


def email(service: RunningService, user: dict[str, Any]) -> str | None:
    """What userinfo says to the application's access token."""
    bearer = {"Authorization": f"Bearer {user['access_token']}"}
    answer = loopback.get(f"{service.url}/oauth2/userinfo", headers=bearer)
    return str(answer.json()["email"]) if answer.status_code == 200 else None


async def shown(page: Page, name: str, text: str) -> None:
    await expect(page.locator(f"#{name}")).to_have_text(text)


async def test_a_single_page_application_stays_signed_in_until_its_user_signs_out(
    page: Page, contoso: Caller, application: str, service: RunningService
) -> None:
    preflights: list[str] = []

    def heard(request: Request) -> None:
        if request.method == "OPTIONS":
            preflights.append(request.url)

    async def wait(minutes: int) -> None:
        service.clock.advance(timedelta(minutes=minutes))
        await page.clock.fast_forward(minutes * 60_000)

    page.on("request", heard)
    await page.clock.install()
    await page.goto(f"{application}/?{urlencode({'issuer': service.url})}")
    await press(page, "Sign in")
    await page.get_by_label("Email address").fill(ALICE)
    await press(page, "Next")
    await sign_in_at_microsoft(page, ALICE)
    await shown(page, "user", ALICE)
    first = await kept(page)

    # By itself, a minute before the access token ends.
    await wait(9)
    await shown(page, "renewals", "2")
    await wait(2)
    second = await kept(page)
    assert (email(service, first), email(service, second)) == (None, ALICE)
    assert first["refresh_token"] != second["refresh_token"]
    assert first["profile"]["sub"] == second["profile"]["sub"]

    # After days in which the computer slept, in two tabs at once.
    service.clock.advance(timedelta(days=3))
    other = await page.context.new_page()
    await other.goto(application)
    await shown(other, "user", ALICE)
    for tab in (page, other):
        await tab.evaluate("() => document.getElementById('renew').click()")
    await shown(page, "renewals", "3")
    await shown(other, "renewals", "1")
    for tab in (page, other):
        await shown(tab, "error", "none")
    assert email(service, await kept(page)) == ALICE

    # Signing out revokes, and the page of before can renew nothing.
    last = await kept(page)
    await press(page, "Sign out")
    await page.wait_for_url(f"{application}/goodbye*")
    await shown(page, "user", "nobody")
    form = {"grant_type": "refresh_token", "client_id": "unite", "refresh_token": last["refresh_token"]}
    assert redeem(service, form).json()["error"] == "invalid_grant"
    assert preflights == []


async def test_a_single_page_application_reads_why_it_cannot_renew(
    page: Page, contoso: Caller, application: str, service: RunningService
) -> None:
    await page.goto(f"{application}/?{urlencode({'issuer': service.url})}")
    await press(page, "Sign in")
    await page.get_by_label("Email address").fill(ALICE)
    await press(page, "Next")
    await sign_in_at_microsoft(page, ALICE)
    await shown(page, "user", ALICE)
    set_policy(contoso, mode="off")
    service.clock.advance(timedelta(seconds=11))
    await press(page, "Renew")
    await shown(page, "error", "invalid_grant")

"""One sign-in by one client: its program runs as an application, and a person walks through it with a browser.

The person opens the application, presses the buttons that they meet, types their address where the service asks for
it, and their password at Microsoft. They are signed in when a page of the application shows their address.
"""

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import httpx

from local.cast.browser import Browser, Page
from local.cast.person import ALICE, PASSWORD
from local.processes import StackError, free_port, listens, running
from tests.clients.groups import GROUPS
from tests.clients.provider import Provider
from tests.clients.table import Client

type Binding = Literal["default", "none"]

_MOST_PAGES: Final = 10
_REFRESH: Final = re.compile(r"<meta http-equiv='refresh' content='0; URL=([^']+)'", re.IGNORECASE)


@dataclass(frozen=True)
class Ended:
    """How a sign-in ended, and what there was to see if the person is not signed in."""

    signed_in: bool
    seen: str = ""


def sign_in(client: Client, provider: Provider, binding: Binding, *, with_setting: bool = False) -> Ended:
    """Register the client with its redirect URI alone, or with `codeBinding` "none" on top, and let Alice sign in."""
    port = free_port()
    app = f"http://localhost:{port}"
    profile = {"redirectUris": [f"{app}{client.callback}"], "tokenEndpointAuthMethod": "client_secret_basic"}
    binding_of = {"codeBinding": "none"} if binding == "none" else {}
    secret = provider.register(f"{client.client_id}-{binding}", **profile, **binding_of)
    with TemporaryDirectory(prefix="client-") as scratch:
        environment = {
            "ISSUER": provider.url,
            "CLIENT_ID": f"{client.client_id}-{binding}",
            "CLIENT_SECRET": secret,
            "REDIRECT_URI": profile["redirectUris"][0],
            "PORT": str(port),
            "SCRATCH": scratch,
            **({"WITH_SETTING": "yes"} if with_setting else {}),
            **provider.trust.environment(),
        }
        log = Path(scratch) / "log"
        command: list[str | Path] = ["env", "-C", scratch, *GROUPS[client.group].command(client)]
        with running(client.library, command, log, environment) as program, Browser(patience=30) as browser:
            try:
                program.wait_until(lambda: listens(port), 90)
            except StackError as fault:
                return Ended(signed_in=False, seen=str(fault))
            page = walk(browser, f"{app}{client.start}", app)
            if client.then:
                page = browser.open(f"{app}{client.then}")
            if shows_alice(page, app):
                return Ended(signed_in=True)
            return Ended(signed_in=False, seen=f"{page.status} {page.url}\n{page.html[:2000]}\n{program.last_words()}")


def walk(browser: Browser, url: str, app: str) -> Page:
    """Go on from a page to the next, until the application says who is signed in, or there is nothing to do."""
    page = browser.open(url)
    try:
        for _ in range(_MOST_PAGES):
            if shows_alice(page, app) or page.status >= httpx.codes.BAD_REQUEST:
                break
            if refresh := _REFRESH.search(page.html):
                page = browser.open(unescape(refresh[1]))
            elif page.forms:
                form = next((form for form in page.forms if "email" in form.fields), page.forms[0])
                typed = {"email": ALICE, "password": PASSWORD, "login_hint": ALICE}
                values = {name: typed[name] for name in form.fields if name in typed}
                page = browser.submit(page, form, values | dict(form.buttons[:1]))
            else:
                break
    except httpx.HTTPError as fault:
        return Page(page.url, 0, "", (), (), repr(fault))
    return page


def shows_alice(page: Page, app: str) -> bool:
    """Whether this is the application, and it says that Alice is signed in."""
    return f"{page.url}/".startswith(f"{app}/") and page.status == httpx.codes.OK and ALICE in unescape(page.html)

"""One integration, step by step: Microsoft's responses are held back on their way to the service.

A test can inspect a response, change it, replay it, or deliver it to another browser; and it can inspect the state of
the account.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit

import httpx

from local.cast.browser import Browser, Page
from local.cast.person import ADA, PASSWORD
from tests.support.service import RunningService

NEVER_CONNECTED = {
    "status": "disconnected",
    "tenantId": None,
    "tenantName": None,
    "servicePrincipal": None,
    "connectedBy": None,
    "connectedAt": None,
    "pendingUntil": None,
    "lastCheck": None,
    "keepPeople": False,
}
"""The connection of an account that has none."""

type Call = Callable[..., httpx.Response]


@dataclass(frozen=True)
class Integration:
    """`caller` starts it for the account in the control panel, `browser` walks through it."""

    caller: Call
    browser: Browser
    account_id: str = "acme"

    def start(self, **body: Any) -> str:
        """The link."""
        started = self.caller("POST", f"/v1/accounts/{self.account_id}/connection", json=body)
        assert started.status_code == 201, started.text
        return str(started.json()["startUrl"])

    def look(self, start_url: str) -> httpx.Response:
        """Open a start address without pressing the button, as a mail scanner does, too."""
        return self.browser.send("GET", start_url, {})

    def open(self, start_url: str) -> httpx.Response:
        """Press the button of the page at a start address, and go nowhere from there.

        Where there is no page, send what it would have sent.
        """
        page = self.browser.open(start_url)
        where, _, ticket = start_url.partition("?ticket=")
        fields = page.forms[0].fields if page.forms else {"ticket": unquote(ticket)}
        return self.browser.send("POST", where, {**fields, "action": "continue"})

    def consent_page(self, admin: str, **body: Any) -> Page:
        """Start, open, and sign in at Microsoft, unless this browser is signed in there already."""
        return self.consent_page_of(self.start(**body), admin)

    def consent_page_of(self, start_url: str, admin: str = ADA) -> Page:
        """Open a link, and sign in at Microsoft, unless this browser is signed in there already."""
        page = self.browser.open(start_url)
        page = self.browser.submit(page, page.forms[0], {"action": "continue"})
        return fill_in(self.browser, page, admin) if "email" in page.forms[0].fields else page

    def consent(self, admin: str = ADA, **body: Any) -> str:
        """Microsoft's answer to a consent, held back."""
        return press(self.browser, self.consent_page(admin, **body), "accept")

    def sign_in(self, consent_answer: str, person: str = ADA) -> str:
        """Microsoft's answer to the sign-in that proves the consent, held back."""
        page = self.browser.open(consent_answer)
        assert page.forms, page.html
        return press(self.browser, page, "sign_in", email=person, password=PASSWORD)

    def prove_by(self, start_url: str, admin: str = ADA) -> str:
        """Walk all the way from a link; the answer to the sign-in is held back."""
        consent = press(self.browser, self.consent_page_of(start_url, admin), "accept")
        return self.sign_in(consent, admin)

    def prove(self, admin: str = ADA, **body: Any) -> str:
        """Walk all the way; the answer to the sign-in is held back."""
        return self.sign_in(self.consent(admin, **body), admin)

    def come_back(self, answer: str) -> httpx.Response:
        """Hand an answer to the service, and go nowhere from there."""
        return self.browser.send("GET", answer, {})


def fill_in(browser: Browser, page: Page, person: str) -> Page:
    """Sign in on Microsoft's page, and look at the next one."""
    return browser.submit(page, page.forms[0], {"email": person, "password": PASSWORD, "action": "sign_in"})


def press(browser: Browser, page: Page, action: str, **values: str) -> str:
    """Press a button on Microsoft's page; where the browser is sent, without going there."""
    form = page.forms[0]
    answer = browser.send(
        form.method.upper(), urljoin(page.url, form.action), {**form.fields, **values, "action": action}
    )
    assert answer.has_redirect_location, answer.text
    return answer.headers["location"]


def query_of(url: str) -> dict[str, str]:
    """The query's parameters."""
    return dict(parse_qsl(urlsplit(url).query))


def edited(url: str, **changes: str | None) -> str:
    """The address with some of its query replaced, or, by None, left out."""
    query = {name: value for name, value in (query_of(url) | changes).items() if value is not None}
    return urlsplit(url)._replace(query=urlencode(query)).geturl()


def status(caller: Call, account_id: str = "acme") -> str:
    """The status of the account's connection."""
    return str(caller("GET", f"/v1/accounts/{account_id}/connection").json()["status"])


def trail(caller: Call, account_id: str = "acme") -> list[tuple[str, str | None]]:
    """The account's audit trail, newest first: what was done, and the reason of a refusal."""
    items = caller("GET", f"/v1/accounts/{account_id}/audit").json()["items"]
    return [(item["action"], item["details"].get("reason")) for item in items]


def standing(service: RunningService) -> list[dict[str, Any]]:
    """All rows of accounts and domains except the audit trails."""
    accounts = [row for row in service.rows("accounts") if not row["RowKey"].startswith("audit:")]
    return [*accounts, *service.rows("domains")]

"""The people who sign in, and browsers whose every request goes through a `Watch`, which may count and time it.

The application exists only as a registration, and as a page of this machine to return to.
"""

from collections.abc import Callable, Mapping
from typing import Final, override
from urllib.parse import parse_qs, urlsplit

import httpx

from bench.load import LoadError
from bench.peers.peer import Provider
from local import loopback
from local.cast.browser import Browser, Page
from local.cast.person import PASSWORD
from local.cast.stack import EntraAddresses

DOMAIN: Final = "contoso.example"
"""Where everybody works who is hired."""

CONTOSO: Final = "c0c00000-0000-4000-8000-000000000000"
"""Their tenant."""

_COLLEAGUE: Final = "c0c00000-0000-4000-8000-00001000"
"""How their object ids begin."""

type Watch = Callable[[str, str, Callable[[], httpx.Response]], httpx.Response]
"""Receives the method and URL of a request, and sends it."""


class WatchedBrowser(Browser):
    """A browser whose every request is watched."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch: Final = watch

    @override
    def send(self, method: str, url: str, data: Mapping[str, str]) -> httpx.Response:
        return self._watch(method, url, lambda: Browser.send(self, method, url, data))


def code_of(page: Page) -> str:
    """The code with which a browser has returned to the application. Raises LoadError."""
    code = parse_qs(urlsplit(page.url).query).get("code")
    if code is None:
        raise LoadError(f"The browser should be back at the application with a code: {page.url} {page.title}")
    return code[0]


def hire(entra: EntraAddresses, count: int) -> list[str]:
    """Add so many people to Contoso at a local Entra; their addresses. All have the password of everybody."""
    with loopback.client(base_url=f"{entra.http}/_local/tenants/{CONTOSO}/users") as client:
        addresses = [f"colleague-{number}@{DOMAIN}" for number in range(count)]
        for number, address in enumerate(addresses):
            user = {"user_principal_name": address, "mail": address, "display_name": f"Colleague {number}"}
            user |= {"given_name": "Colleague", "surname": f"{number}"}
            client.put(f"/{_COLLEAGUE}{number:04}", json=user | {"password": PASSWORD}).raise_for_status()
    return addresses


def sign_in(browser: Browser, provider: Provider, email: str) -> None:
    """Sign a person in: from the application's redirect to the tokens that it gets. Raises LoadError."""
    request = provider.request_of(email)
    page = browser.walk(browser.open(provider.address(request)), email)
    answer = browser.send("POST", provider.token_endpoint, request.redemption(code_of(page)))
    if "id_token" not in answer.json():
        raise LoadError(f"The application should get its tokens: {answer.status_code} {answer.text}")

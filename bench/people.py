"""Browsers whose every request goes through a `Watch`, which may count and time it.

The application exists only as a registration, and as a page of this machine to return to.
"""

from collections.abc import Callable, Mapping
from typing import Final, override
from urllib.parse import parse_qs, urlsplit

import httpx

from bench.load import LoadError
from local.cast.browser import Browser, Page

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

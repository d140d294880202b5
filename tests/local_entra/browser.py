"""A browser that stays within local Entra: where Entra sends it elsewhere it stops and shows the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from local.cast import browser
from local.cast.browser import Page
from local.cast.person import PASSWORD


@dataclass(frozen=True)
class Answer:
    """Where the browser was sent to, outside local Entra, and with what."""

    redirect_uri: str
    parameters: Mapping[str, str]


class Browser:
    """One browser with its own cookies."""

    def __init__(self) -> None:
        self._browser = browser.Browser()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.__exit__()

    def open(self, url: str, parameters: Mapping[str, str] | None = None) -> Page | Answer:
        return _shown(self._browser.send("GET", url, parameters or {}))

    def press(self, page: Page | Answer, button: str, **fields: str) -> Page | Answer:
        assert isinstance(page, Page), f"no page but {page}"
        form = next(form for form in page.forms if ("action", button) in form.buttons)
        filled = form.fields | fields | {"action": button}
        return _shown(self._browser.send("POST", urljoin(page.url, form.action), filled))

    def sign_in(self, page: Page | Answer, email: str, password: str = PASSWORD) -> Page | Answer:
        return self.press(page, "sign_in", email=email, password=password)


def _shown(response: httpx.Response) -> Page | Answer:
    if response.is_redirect:
        parts = urlsplit(response.headers["location"])
        return Answer(f"{parts.scheme}://{parts.netloc}{parts.path}", dict(parse_qsl(parts.query)))
    page = Page.of(response)
    if page.forms and "://" in page.forms[0].action:
        return Answer(page.forms[0].action, page.forms[0].fields)
    return page

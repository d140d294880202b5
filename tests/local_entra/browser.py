"""A browser as far as local Entra's pages need one: it keeps cookies, follows redirects within local Entra, and fills
forms. Where Entra sends it elsewhere it stops and shows the answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from local import loopback

PASSWORD = "Local-pass-1"


@dataclass
class Form:
    """One form: its address, its hidden and prefilled fields, its buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.frames: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self.forms.append(Form(named["action"]))
            case "input":
                self.forms[-1].fields[named["name"]] = named.get("value", "")
            case "button" if "name" in named:
                self.forms[-1].buttons.append(named["value"])
            case "iframe":
                self.frames.append(named["src"])


@dataclass(frozen=True)
class Page:
    """What the browser shows."""

    status: int
    html: str
    forms: list[Form]
    frames: list[str]

    @property
    def buttons(self) -> list[str]:
        return [button for form in self.forms for button in form.buttons]


@dataclass(frozen=True)
class Answer:
    """Where the browser was sent to, outside local Entra, and with what."""

    redirect_uri: str
    parameters: Mapping[str, str]


class Browser:
    """One browser with its own cookies."""

    def __init__(self, entra: str) -> None:
        self._entra = entra
        self._client = loopback.client()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def open(self, url: str, parameters: Mapping[str, str] | None = None) -> Page | Answer:
        return self._show(self._client.get(url, params=parameters))

    def press(self, page: Page | Answer, button: str, **fields: str) -> Page | Answer:
        assert isinstance(page, Page), f"no page but {page}"
        form = next(form for form in page.forms if button in form.buttons)
        filled = form.fields | fields | {"action": button}
        return self._show(self._client.post(self._entra + form.action, data=filled))

    def sign_in(self, page: Page | Answer, email: str, password: str = PASSWORD) -> Page | Answer:
        return self.press(page, "sign_in", email=email, password=password)

    def _show(self, response: httpx.Response) -> Page | Answer:
        if response.is_redirect:
            parts = urlsplit(response.headers["location"])
            return Answer(f"{parts.scheme}://{parts.netloc}{parts.path}", dict(parse_qsl(parts.query)))
        reader = _Reader()
        reader.feed(response.text)
        if reader.forms and "://" in reader.forms[0].action:
            return Answer(reader.forms[0].action, reader.forms[0].fields)
        return Page(response.status_code, response.text, reader.forms, reader.frames)

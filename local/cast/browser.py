"""A browser as small as the stories need: it follows redirects, keeps cookies and fills in forms.

Three behaviours of real browsers matter here, and Python's own cookie jar has none of them: cookies ignore ports, a
Secure cookie is sent over plain http to localhost
(https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy), and the rules of cookie name prefixes are
enforced (RFC 6265bis, section 5.7).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from http.cookies import Morsel, SimpleCookie
from typing import Final, Self, override
from urllib.parse import urljoin, urlsplit

import httpx

from local import loopback
from local.cast.person import PASSWORD

_MOST_REDIRECTS: Final = 20
_MOST_PAGES: Final = 8


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, what its fields hold, and the values of its buttons."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict[str, str])
    buttons: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


@dataclass(frozen=True, slots=True)
class Page:
    """Where the browser ended up, and what it shows."""

    url: str
    status: int
    title: str
    forms: tuple[Form, ...]
    frames: tuple[str, ...]
    html: str

    @classmethod
    def of(cls, answer: httpx.Response) -> Self:
        """Read an answer."""
        reader = _PageReader()
        reader.feed(answer.text if "html" in answer.headers.get("content-type", "") else "")
        forms, frames = tuple(reader.forms), tuple(reader.frames)
        return cls(str(answer.url), answer.status_code, reader.title.strip(), forms, frames, answer.text)

    @property
    def buttons(self) -> list[str]:
        """The values of all buttons."""
        return [value for form in self.forms for _, value in form.buttons]


class Browser:
    """One person's browser. `on_hop` is called for each request: method, URL without its query, and status.

    `patience` is how many seconds the person waits for an answer.
    """

    def __init__(self, on_hop: Callable[[str, str, int], None] = lambda *_: None, patience: float = 10) -> None:
        self._client: Final = loopback.client(follow_redirects=False, timeout=patience)
        self._cookies: Final[dict[tuple[str, str, str], str]] = {}
        self._on_hop: Final = on_hop

    def __enter__(self) -> Self:
        """Open it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._client.close()

    def open(self, url: str) -> Page:
        """Go to `url` and on to wherever it leads."""
        return self._go("GET", url, {})

    def submit(self, page: Page, form: Form, values: Mapping[str, str]) -> Page:
        """Send `form` with its hidden fields and `values`, the pressed button among them."""
        return self._go(form.method.upper(), urljoin(page.url, form.action), {**form.fields, **values})

    def walk(self, page: Page, email: str, on_step: Callable[[str], None] = lambda _: None) -> Page:
        """Act on each page as the person with this address, until none asks for more; `on_step` is called for each.

        Raises httpx.TooManyRedirects if it does not end.
        """
        for _ in range(_MOST_PAGES):
            step = _next_step(page, email)
            if step is None:
                return page
            what, form, values = step
            on_step(f"{page.title}: {what}")
            page = self.submit(page, form, values)
        raise httpx.TooManyRedirects(f"The way of {email} does not end: {page.url}")

    def _go(self, method: str, url: str, data: Mapping[str, str]) -> Page:
        for _ in range(_MOST_REDIRECTS):
            answer = self.send(method, url, data)
            if not answer.has_redirect_location:
                return Page.of(answer)
            url = urljoin(url, answer.headers["location"])
            # https://www.rfc-editor.org/rfc/rfc9110#section-15.4: 307 and 308 keep the method, the others
            # become GET.
            if answer.status_code not in (httpx.codes.TEMPORARY_REDIRECT, httpx.codes.PERMANENT_REDIRECT):
                method, data = "GET", {}
        raise httpx.TooManyRedirects(f"{url} redirects for ever")

    def forget(self) -> None:
        """Drop all cookies, and keep the connections: the next person to sit down here is a stranger."""
        self._cookies.clear()

    def cookies(self, url: str) -> str:
        """The Cookie header of a request to `url`."""
        host, path = urlsplit(url).hostname or "", urlsplit(url).path or "/"
        return "; ".join(f"{n}={v}" for (h, p, n), v in self._cookies.items() if h == host and _covers(p, path))

    def send(self, method: str, url: str, data: Mapping[str, str]) -> httpx.Response:
        """Make one request, with the cookies that belong to it, and go nowhere from there."""
        host, cookies = urlsplit(url).hostname or "", self.cookies(url)
        headers = {"Accept": "text/html", **({"Cookie": cookies} if cookies else {})}
        if method == "GET":
            answer = self._client.get(url, headers=headers, params=data or None)
        else:
            headers["Sec-Fetch-Site"] = "same-origin"  # all forms that it meets go to where their page is from
            answer = self._client.request(method, url, headers=headers, data=dict(data))
        for line in answer.headers.get_list("set-cookie"):
            self._keep(host, line)
        self._on_hop(method, url.partition("?")[0], answer.status_code)
        return answer

    def _keep(self, host: str, line: str) -> None:
        for name, morsel in SimpleCookie(line).items():
            if not _keeps_its_promise(name, morsel):
                continue
            place = (host, morsel["path"] or "/", name)
            if morsel["max-age"] == "0" or "1970" in morsel["expires"]:
                self._cookies.pop(place, None)
            else:
                self._cookies[place] = morsel.value


def _keeps_its_promise(name: str, morsel: Morsel[str]) -> bool:
    """Tell whether a browser takes a cookie of this name. Chromium and Firefox ignore an empty `domain=`."""
    match name.lower().partition("-")[0]:
        case "__host":
            return bool(morsel["secure"]) and morsel["path"] == "/" and not morsel["domain"]
        case "__secure":
            return bool(morsel["secure"])
        case _:
            return True


def _covers(cookie_path: str, path: str) -> bool:
    """Tell whether a cookie goes with a path: https://www.rfc-editor.org/rfc/rfc6265#section-5.1.4."""
    return path == cookie_path or path.startswith(cookie_path.rstrip("/") + "/")


def _next_step(page: Page, email: str) -> tuple[str, Form, Mapping[str, str]] | None:
    """What a person does next: sign in, go on, accept, or nothing because the way ends here."""
    for form in page.forms:
        if "password" in form.fields:
            return f"signs in as {email}", form, {"email": email, "password": PASSWORD, "action": "sign_in"}
        if ("action", "continue") in form.buttons and _is_offered_to(page, email):
            return "goes on", form, {"action": "continue"}
        if ("action", "accept") in form.buttons:
            return "accepts", form, {"action": "accept"}
    return None


def _is_offered_to(page: Page, email: str) -> bool:
    """Whether "continue" means this person: Microsoft offers it to the signed-in person, beside its form."""
    _, offered, account = page.html.partition("Continue as ")
    return not offered or unescape(account.partition("<")[0]).casefold() == email.casefold()


class _PageReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.frames: list[str] = []
        self.title = ""
        self._in_title = False

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._in_title = tag == "title"
        if tag == "form":
            self.forms.append(Form(attributes.get("action", ""), attributes.get("method", "get")))
        elif tag == "iframe":
            self.frames.append(attributes["src"])
        elif self.forms and attributes.get("name"):
            name, value, kind = attributes["name"], attributes.get("value", ""), attributes.get("type", "")
            if tag == "button" or (tag == "input" and kind == "submit"):
                self.forms[-1].buttons.append((name, value))
            elif tag == "input":
                self.forms[-1].fields[name] = value

    @override
    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
            self._in_title = False

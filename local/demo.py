"""`make demo`: the whole story over HTTP, nothing skipped: a table of who signs in how, and two people who do.

It plays beside a running `make run` or on a stack of its own, and may be played again and again: it begins by
undoing what an earlier one did. The table is checked against the policy, exceptions, domains and applications
that the service reports, with the rules written once more here: a disagreement ends it with exit code 1.
"""

import json
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from local import demo_data, loopback
from local.cast.browser import Browser, Page
from local.cast.person import ADA, ALICE, CAROL
from local.processes import StackError, unwind_on_signals
from local.stack import Ports, Stack, running_already
from local.terminal import bad, faint, good, say, special, strong

_ACCOUNT: Final = f"/v1/accounts/{demo_data.ACCOUNT_ID}"
_PEOPLE: Final[Mapping[str, str]] = {
    ALICE: "a colleague",
    "Bob@Contoso-Mail.Example": "second domain, typed in capitals",
    "new.hire@contoso.example": "not in Entra yet",
    CAROL: "an exception",
    "trainer+visiting@contoso.example": "an exception until 2030",
    "nora@northwind.example": "another company, not connected",
    "pat@outlook.example": "no company at all",
}


def main() -> None:
    """Play the story; exit code 1 when an answer disagrees with the policy or a step fails."""
    unwind_on_signals()
    try:
        with _stack() as stack:
            agrees = Story(stack).play()
    except KeyboardInterrupt:
        sys.exit(130)
    except (StackError, httpx.HTTPError) as fault:
        sys.exit(f"{bad('The demo cannot go on.')} {fault}")
    sys.exit(0 if agrees else 1)


@contextmanager
def _stack() -> Generator[Stack]:
    ports = Ports.from_environment()
    if stack := running_already(ports):
        say(faint(f"Playing on the stack that runs at {stack.app_url}."))
        demo_data.register(stack)
        yield stack
    else:
        say(faint("Starting a stack of its own; it stops with the demo ..."))
        with demo_data.opened(ports) as stack:
            yield stack


@dataclass(frozen=True, slots=True)
class Answer:
    """The service's response: the JSON document and its ETag."""

    document: Any
    etag: str


class Story:
    """The story of one customer, printed step by step."""

    def __init__(self, stack: Stack) -> None:
        self._stack: Final = stack
        self._token: Final = stack.panel_token(demo_data.SECURITY_MANAGER)
        self._client: Final = loopback.client(base_url=stack.app_url, timeout=30)
        self._chapter = 0

    def play(self) -> bool:
        """Play the whole story; whether every resolution agrees with the policy."""
        self._begin_again()
        self._tell("Sam, Contoso's Security Manager, signs in to the control panel and starts Azure Integration")
        start = self._panel("POST", "/connection", {})
        self._tell(f"{ADA} opens the startUrl, signs in at Microsoft and accepts for the company")
        self._consent(start.document["startUrl"])
        self._tell("The account has a connection to Contoso's tenant, and its verified domains route to it")
        self._panel("GET", "/connection")
        self._panel("GET", "/domains")
        self._tell("Sam switches SSO on for everybody: read the policy, then write it back with its ETag")
        policy = self._panel("GET", "/policy")
        change = {"mode": "on", "applicationsOff": [], "whenConnectionFails": "password"}
        self._panel("PUT", "/policy", change, etag=policy.etag)
        self._tell("He imports the people who stay on the vendor's password; one line of the file is invalid")
        self._import_exceptions()
        self._tell("People type their email address: the applications ask how they sign in")
        agrees = self._resolve_everybody()
        with Browser(_hop) as browser:
            self._tell("Alice opens AnyMeeting, types her address, signs in at Microsoft and is greeted")
            page = self._sign_in(browser, ALICE, "Hello Alice Archer")
            self._tell("She signs out, of AnyMeeting and of Microsoft")
            self._arrive(browser.submit(page, page.forms[0], {}), "Signed out")
        with Browser(_hop) as browser:
            self._tell("Carol, an exception, types hers and keeps the vendor's password")
            self._sign_in(browser, CAROL, "The vendor's password page")
        return agrees

    def _begin_again(self) -> None:
        """Undo an earlier demo through the API, so that the story starts at its start."""
        connection = self._call("GET", f"{_ACCOUNT}/connection")
        if connection.is_success and connection.json()["status"] in {"connected", "consent_revoked"}:
            say(faint("Contoso is connected from before: the demo disconnects it and begins again."))
            self._must(self._call("DELETE", f"{_ACCOUNT}/connection", etag="*"))
        if self._read(f"{_ACCOUNT}/policy")["mode"] != "off":
            self._must(self._call("DELETE", f"{_ACCOUNT}/policy", etag="*"))
        for exception in self._exceptions():
            self._must(self._call("DELETE", f"{_ACCOUNT}/exceptions/{exception['exceptionId']}", etag="*"))

    def _consent(self, start_url: str) -> None:
        with Browser(_hop) as browser:
            self._arrive(self._walk(browser, browser.open(start_url), ADA), "Connected")

    def _sign_in(self, browser: Browser, email: str, expected: str) -> Page:
        """Sign somebody in to the sample application, as a person does; the page where it ends."""
        page = browser.open(f"{self._stack.sample_url}/")
        say(f"     {page.title}: types {email}")
        page = self._walk(browser, browser.submit(page, page.forms[0], {"email": email}), email)
        self._arrive(page, expected)
        return page

    def _walk(self, browser: Browser, page: Page, email: str) -> Page:
        return browser.walk(page, email, lambda step: say(f"     {step}"))

    def _arrive(self, page: Page, expected: str) -> None:
        if page.status >= httpx.codes.BAD_REQUEST or not page.title.startswith(expected):
            raise StackError(f"The browser ended on {page.url} with {page.status} {page.title}, not on {expected}.")
        say(f"   {good(str(page.status))} {page.title}")

    def _import_exceptions(self) -> None:
        content = demo_data.EXCEPTIONS_FILE.read_bytes()
        for line in content.decode().splitlines():
            say(faint(f"     {line}"))
        answer = self._call("POST", f"{_ACCOUNT}/exceptions", content=content, content_type="text/csv")
        self._show("POST", f"{_ACCOUNT}/exceptions", answer)

    def _resolve_everybody(self) -> bool:
        expected = self._rules()
        applications = list(demo_data.applications(self._stack))
        widths = [max(map(len, _PEOPLE)), max(map(len, _PEOPLE.values()))]
        head = "".join(f"{name:<16}" for name in applications)
        say(f"   {strong('email'):<{widths[0] + len(strong('email')) - 5}}  {'':<{widths[1]}}  {strong(head)}")
        wrong = 0
        for email, kind in _PEOPLE.items():
            cells = []
            for application in applications:
                method = self._resolve(email, application)
                agrees = method == expected(email, application)
                wrong += not agrees
                shown = f"{method:<16}" if agrees else f"{method + ' (wrong)':<16}"
                cells.append((good if method == "sso" else special)(shown) if agrees else bad(shown))
            say(f"   {email:<{widths[0]}}  {faint(f'{kind:<{widths[1]}}')}  {''.join(cells)}")
        count = len(_PEOPLE) * len(applications)
        say()
        if wrong:
            say(bad(f"{wrong} of {count} answers disagree with the policy."))
        else:
            say(good(f"All {count} answers agree with the policy."))
        return not wrong

    def _resolve(self, email: str, application: str) -> str:
        headers = {"x-functions-key": self._stack.function_key}
        body = {"email": email, "application": application}
        return str(self._must(self._client.post("/v1/resolve", json=body, headers=headers)).json()["method"])

    def _rules(self) -> Callable[[str, str], str]:
        """The answer that resolve must give, computed from what the service reports about this account."""
        policy = self._read(f"{_ACCOUNT}/policy")
        domains = {d["domain"] for d in self._read(f"{_ACCOUNT}/domains")["items"] if d["state"] == "routed"}
        exceptions = {e["email"] for e in self._exceptions() if e["inForce"]}
        off = set(policy["applicationsOff"])
        for client_id, application in demo_data.applications(self._stack).items():
            if not application["ssoSupported"] or application["requiresProduct"] not in {
                None,
                *demo_data.PRODUCTS,
            }:
                off.add(client_id)

        def expected(email: str, application: str) -> str:
            address = email.lower()
            sso = policy["mode"] == "on" and address.partition("@")[2] in domains
            return "sso" if sso and address not in exceptions and application not in off else "password"

        return expected

    def _exceptions(self) -> Sequence[Mapping[str, Any]]:
        page = self._read(f"{_ACCOUNT}/exceptions?pageSize=100")
        items = list(page["items"])
        while token := page["continuationToken"]:
            query = {"pageSize": 100, "continuationToken": token}
            page = self._read(str(httpx.URL(f"{_ACCOUNT}/exceptions").copy_merge_params(query)))
            items += page["items"]
        return items

    def _read(self, path: str) -> Any:
        return self._must(self._call("GET", path)).json()

    def _panel(self, method: str, path: str, document: object = None, *, etag: str = "") -> Answer:
        """Make one call as the Security Manager and show it with its response."""
        content = None if document is None else json.dumps(document).encode()
        answer = self._call(method, _ACCOUNT + path, content=content, etag=etag)
        self._show(method, _ACCOUNT + path, answer, document, etag)
        return Answer(answer.json(), answer.headers.get("etag", ""))

    def _call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        content_type: str = "application/json",
        etag: str = "",
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        if content is not None:
            headers["Content-Type"] = content_type
        if etag:
            headers["If-Match"] = etag
        return self._client.request(method, path, content=content, headers=headers)

    def _must(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            call = f"{answer.request.method} {answer.request.url.path}"
            raise StackError(f"{call} answered {answer.status_code}: {answer.text}")
        return answer

    def _tell(self, sentence: str) -> None:
        self._chapter += 1
        say(f"\n{strong(f'{self._chapter}. {sentence}')}")

    def _show(self, method: str, path: str, answer: httpx.Response, sent: object = None, etag: str = "") -> None:
        condition = f"  If-Match: {etag}" if etag else ""
        body = "" if sent is None else json.dumps(sent)
        say(f"   {strong(method)} {path}{faint(condition)}  {body}".rstrip())
        self._must(answer)
        say(f"   {good(str(answer.status_code))}")
        for line in _lines(answer.json()):
            say(faint(f"     {line}"))


def _hop(method: str, url: str, status: int) -> None:
    say(faint(f"     {method:<4} {url}  {status}"))


def _lines(document: Mapping[str, object]) -> list[str]:
    """Lay a JSON document out: a line for each member, and for each item of a list."""
    width = max(map(len, document), default=0)
    rows = []
    for name, value in document.items():
        items = value if isinstance(value, list) and value else [value]
        labels = [name, *[""] * (len(items) - 1)]
        rows += [(label, json.dumps(item, ensure_ascii=False)) for label, item in zip(labels, items, strict=True)]
    return [f"{label:<{width}}  {item}" for label, item in rows]


if __name__ == "__main__":
    main()

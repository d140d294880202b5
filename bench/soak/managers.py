"""Those who administer: a Security Manager who changes and reads everything, in the panel's words, and an operator.

Whatever is added is removed again, or is the same every time, so that only the trail grows.
"""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final

from bench.soak.world import PEOPLE, World, expected, must_end_at
from local.cast.browser import Browser

_ACCOUNT: Final = "/v1/accounts/contoso"
_EXCEPTIONS: Final = f"{_ACCOUNT}/exceptions"
_IMPORTED: Final = 30
_CSV: Final = {"Content-Type": "text/csv"}


def managing(here: World) -> Mapping[str, Callable[[], object]]:
    """A Security Manager's day."""
    manager, numbers = here.managers["contoso"], count()
    must = manager.must

    def add() -> None:
        draft = {"email": "temporary@contoso.example", "reason": "For a day"}
        entry = f"{_EXCEPTIONS}/{must('POST', _EXCEPTIONS, json=draft)['exceptionId']}"
        must("PATCH", entry, etag="*", json={"reason": "For two days"})
        must("POST", f"{_EXCEPTIONS}/search", json={"email": draft["email"]})
        must("DELETE", entry, etag="*")

    def load() -> None:
        reason = f"Guests of list {next(numbers)}"
        lines = [f"guest-{number}@contoso.example,{reason}" for number in range(_IMPORTED)]
        must("POST", _EXCEPTIONS, content="\n".join(["email,reason", *lines]), headers=_CSV)

    def decide() -> None:
        must("PATCH", f"{_ACCOUNT}/policy", etag="*", json={"sessionHours": 8 + next(numbers) % 2})

    def read() -> None:
        for part in (
            "/applications",
            "/overview",
            "/connection",
            "/domains",
            "/policy",
            "/links",
            "/exceptions?pageSize=10",
        ):
            must("GET", f"{_ACCOUNT}{part}")

    def look_up() -> None:
        must("GET", f"{_ACCOUNT}/audit?pageSize=20")
        must("POST", f"{_ACCOUNT}/audit/search", json={"email": "temporary@contoso.example"})
        must("POST", f"{_ACCOUNT}/links/search", json={"email": PEOPLE[0]})
        expected(manager("GET", _EXCEPTIONS, headers={"Accept": "text/csv"}), 200)

    def invite() -> None:
        connection = f"{_ACCOUNT}/connection"
        link = must("POST", connection, json={"lifetimeMinutes": 60})["linkId"]
        must("DELETE", f"{connection}/links/{link}")

    def switch_domain() -> None:
        domain = f"{_ACCOUNT}/domains/contoso-mail.example"
        must("PATCH", domain, etag="*", json={"enabled": False})
        must("PATCH", domain, etag="*", json={"enabled": True})

    return {
        "add and remove an exception": add,
        "import exceptions": load,
        "change the policy": decide,
        "read the panel": read,
        "search trail and links": look_up,
        "make and revoke a setup link": invite,
        "switch a domain": switch_domain,
        "check the connection": lambda: must("POST", f"{_ACCOUNT}/connection/check"),
        "visit the portal": lambda: _visit(here),
    }


def operating(here: World) -> Mapping[str, Callable[[], object]]:
    """The vendor's own staff: another customer is switched off and on, and an application comes and goes."""
    must, numbers = here.operator.must, count()
    account, application = "/v1/accounts/northwind", "/v1/applications/temporary"

    def rename() -> None:
        must("PUT", account, etag="*", json={"name": f"Northwind {next(numbers)}", "products": []})

    def register() -> None:
        body = {"name": "Temporary", "ssoSupported": True, "redirectUris": ["https://temporary.example/in"]}
        must("PUT", application, json=body)
        must("DELETE", application, etag="*")

    return {"rename an account": rename, "register and remove an application": register}


def _visit(here: World) -> None:
    """Open the portal by its link, look around and sign out; a second visit is ended by the Security Manager."""
    manager = here.managers["contoso"]
    with Browser() as browser:
        cookie, token = _enter(here, browser)
        here.ask("GET", f"{_ACCOUNT}/policy", headers=cookie | token)
        here.ask("DELETE", "/portal/contoso/session", 204, headers=cookie | token)
    with Browser() as browser:
        _enter(here, browser)
    sessions: list[dict[str, Any]] = manager.must("GET", f"{_ACCOUNT}/portal/sessions")["items"]
    for each in sessions:
        manager.must("DELETE", f"{_ACCOUNT}/portal/sessions/{each['sessionId']}")


def _enter(here: World, browser: Browser) -> tuple[dict[str, str], dict[str, str]]:
    """Begin a session; the headers of its requests."""
    opened = here.managers["contoso"].must("POST", f"{_ACCOUNT}/portal", json={})
    page = browser.open(opened["portalUrl"])
    must_end_at(browser.submit(page, page.forms[0], {"action": "continue"}), f"{here.url}/portal/contoso")
    cookie = {"Cookie": browser.cookies(here.url), "Sec-Fetch-Site": "same-origin"}
    answer = here.ask("GET", "/portal/contoso/session", headers=cookie)
    return cookie, {"X-Azure-SSO-CSRF": answer.json()["csrfToken"]}

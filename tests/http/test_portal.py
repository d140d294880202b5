"""The portal: a link for one person, a session in one browser, and everything that must not open it."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.cast.browser import Browser, Page
from local.cast.panel import Caller
from tests.http.conftest import Token
from tests.support.integration import query_of
from tests.support.service import RunningService

ACME, BETA = "/v1/accounts/acme", "/v1/accounts/beta"
PORTAL, SESSIONS = f"{ACME}/portal", f"{ACME}/portal/sessions"
OWN = "/portal/acme/session"
EVIL = "<script>alert(1)</script>"
PAT = {"subject": "panel-user-pat", "name": "Pat Portal"}
CSRF = "X-Azure-SSO-CSRF"


@dataclass
class Visitor:
    """Somebody's browser, and the calls that the portal's page makes in it."""

    client: httpx.Client
    browser: Browser
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def press(self, page: Page) -> httpx.Response:
        """Press the button of a link's page, and go nowhere from there."""
        (form,) = page.forms
        return self.browser.send("POST", form.action, {**form.fields, "action": "continue"})

    def begin(self, url: str) -> "Visitor":
        """Begin the session of a link, and do what the page does when it has loaded."""
        departure = self.press(self.browser.open(url))
        assert departure.status_code == 303, departure.text
        self.csrf = self.call("GET", OWN).json()["csrfToken"]
        return self

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser sends to the service."""
        return {name: value for (_, _, name), value in self.browser._cookies.items()}

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Make a call as the page does. A header of None is left out."""
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        own = {"Sec-Fetch-Site": "same-origin", **({CSRF: self.csrf} if self.csrf else {})}
        headers = {**cookie, **own, **self.headers, **more.pop("headers", {})}
        sent = {name: value for name, value in headers.items() if value is not None}
        return self.client.request(method, path, headers=sent, **more)


@pytest.fixture
def visitor(client: httpx.Client, browser: Browser, acme: Caller) -> Visitor:
    assert acme
    return Visitor(client, browser)


def link(caller: Caller, path: str = PORTAL, **body: Any) -> str:
    return str(caller.must("POST", path, json=body)["portalUrl"])


def refused(answer: httpx.Response, code: int, words: str) -> None:
    assert (answer.status_code, words in answer.text) == (code, True), answer.text


def trail(caller: Caller) -> list[tuple[str, str | None, str]]:
    items = caller.must("GET", f"{ACME}/audit")["items"]
    return [(each["action"], each["actor"]["name"], each["actor"]["role"]) for each in items]


def test_a_person_named_by_an_operator_works_in_the_portal_under_their_own_name_and_signs_out(
    visitor: Visitor, operator: Caller
) -> None:
    url = link(operator, actor=PAT)
    for _ in range(3):  # the scanner of a mail server, and a browser that prefetches
        page = visitor.browser.open(url)
        assert (page.status, page.title, "Pat Portal" in page.html) == (200, "Single sign-on of Acme", True)
    assert operator.must("GET", SESSIONS) == {"items": []}, "nothing is spent"

    visitor.begin(url)
    (name,) = [each for each in visitor.cookies if "portal" in each and "page" not in each]
    assert name.startswith("__Host-azure-sso-portal-")
    own = visitor.call("GET", OWN).json()
    assert (own["name"], own["role"], "sub" in str(own)) == ("Pat Portal", "SecurityManager", False)
    (session,) = operator.must("GET", SESSIONS)["items"]
    assert (session["subject"], session["name"], session["role"]) == (*PAT.values(), "SecurityManager")
    assert (session["expiresAt"], session["sessionId"] in str(visitor.cookies)) == (own["expiresAt"], False)

    assert visitor.call("GET", f"{ACME}/overview").json()["mayChange"] is True
    assert visitor.call("PATCH", f"{ACME}/policy", json={"mode": "on"}, headers={"If-Match": "*"}).status_code == 200
    before = visitor.cookies
    answer = visitor.call("DELETE", OWN)
    assert (answer.status_code, f"{name}=" in answer.headers["set-cookie"]) == (204, True)
    assert "Max-Age=0" in answer.headers["set-cookie"].replace("max-age", "Max-Age")
    assert visitor.cookies == before, "a browser that kept it all the same"
    refused(visitor.call("GET", f"{ACME}/overview"), 401, "has ended")
    refused(visitor.call("DELETE", OWN), 401, "has ended")
    assert operator.must("GET", SESSIONS) == {"items": []}
    assert trail(operator)[:4] == [
        ("portal.signed_out", "Pat Portal", "SecurityManager"),
        ("policy.changed", "Pat Portal", "SecurityManager"),
        ("portal.opened", "Pat Portal", "SecurityManager"),
        ("portal.linked", "Olga Operator", "Operator"),
    ]
    (linked,) = operator.must("POST", f"{ACME}/audit/search", json={"kind": "portal"})["items"][-1:]
    assert linked["details"]["person"] | {"reference": ""} == {**PAT, "reference": ""}


def test_a_link_opens_in_one_browser_however_often_its_button_is_pressed_and_for_five_minutes(
    visitor: Visitor, acme: Caller, client: httpx.Client, service: RunningService
) -> None:
    url = link(acme)
    page = visitor.browser.open(url)
    with Browser() as other:
        theirs = Visitor(client, other)
        late = other.open(url)
        first, second = visitor.press(page), visitor.press(page)
        assert [first.status_code, second.status_code] == [303, 303], "a double click"
        assert first.headers["set-cookie"].partition(";")[0] == second.headers["set-cookie"].partition(";")[0]
        assert len(acme.must("GET", SESSIONS)["items"]) == 1
        refused(theirs.press(late), 400, "already used in another browser")
        refused(other.send("GET", url, {}), 400, "already used")
        forged = {"ticket": query_of(url)["ticket"], "shown": "guessed", "action": "continue"}
        refused(other.send("POST", f"{service.url}/portal", forged), 400, "already used")
    visitor.begin(link(acme))
    visitor.call("DELETE", OWN)

    ended = link(acme)
    page = visitor.browser.open(ended)
    visitor.press(page)
    visitor.csrf = visitor.call("GET", OWN).json()["csrfToken"]
    assert visitor.call("DELETE", OWN).status_code == 204
    refused(visitor.press(page), 400, "The session of this link has ended")

    expired = link(acme)
    page = visitor.browser.open(expired)
    service.clock.advance(timedelta(minutes=5))
    refused(visitor.press(page), 400, "has expired")
    refused(visitor.browser.send("GET", expired, {}), 400, "has expired")
    refused(visitor.browser.send("GET", f"{service.url}/portal", {}), 400, "It is unknown")


def test_another_site_can_neither_press_the_button_nor_use_the_session(
    visitor: Visitor, acme: Caller, service: RunningService
) -> None:
    url = link(acme)
    form = {"ticket": query_of(url)["ticket"], "action": "continue"}
    with Browser() as victim:  # a login that another site begins, in somebody's browser, with its own link
        refused(victim.send("POST", f"{service.url}/portal", form), 403, "confirm once more")
    assert acme.must("GET", SESSIONS) == {"items": []}

    visitor.begin(url)
    change = {"json": {"mode": "on"}, "headers": {"If-Match": "*"}}
    for site in ("cross-site", "same-site", "none", None, "Same-Origin"):
        visitor.headers = {"Sec-Fetch-Site": site}
        for method, path, more in (("PATCH", f"{ACME}/policy", change), ("GET", f"{ACME}/policy", {})):
            refused(visitor.call(method, path, **more), 403, "from the portal's own page alone")
        refused(visitor.call("GET", OWN), 403, "from the portal's own page alone")
        refused(visitor.call("DELETE", OWN), 403, "from the portal's own page alone")
    for token in (None, "", "x", "\u00e9".encode(), visitor.cookies.popitem()[1]):
        visitor.headers = {CSRF: token}
        for method, path, more in (("PATCH", f"{ACME}/policy", change), ("GET", f"{ACME}/policy", {})):
            refused(visitor.call(method, path, **more), 403, f"in the header {CSRF}")
        refused(visitor.call("DELETE", OWN), 403, f"in the header {CSRF}")
    visitor.headers = {}
    assert visitor.call("GET", f"{ACME}/policy").json()["mode"] == "off"


def test_a_session_opens_one_account_and_nothing_of_an_operator(
    visitor: Visitor, acme: Caller, operator: Caller, client: httpx.Client
) -> None:
    operator.must("PUT", BETA, json={"name": "Beta", "products": []})
    visitor.begin(link(operator, actor=PAT))
    for path in (f"{BETA}/overview", f"{BETA}/policy", "/portal/beta/session"):
        refused(visitor.call("GET", path), 401, "")
    (name, secret) = next((n, v) for n, v in visitor.cookies.items() if re.fullmatch(r"[0-9a-f]{64}", v))
    with Browser() as other:
        there = Visitor(client, other)
        there.press(other.open(link(operator, f"{BETA}/portal", actor=PAT)))
        (its_name,) = [n for n, v in there.cookies.items() if re.fullmatch(r"[0-9a-f]{64}", v)]
    assert its_name != name
    forged = {"Cookie": f"{its_name}={secret}"}
    refused(visitor.call("GET", f"{BETA}/overview", headers=forged), 401, "has ended")
    for method, path, more in (
        ("GET", ACME, {}),
        ("PUT", ACME, {"json": {"name": "Mine", "products": []}}),
        ("DELETE", ACME, {"headers": {"If-Match": "*"}}),
        ("GET", "/v1/applications", {}),
        ("POST", PORTAL, {"json": {}}),  # or it would outlive itself
        ("POST", "/v1/resolve", {"json": {"email": "a@contoso.example"}}),
    ):
        refused(visitor.call(method, path, **more), 401, "")
    both = {"Authorization": "Bearer x.y.z"}
    refused(visitor.call("GET", f"{ACME}/overview", headers=both), 401, "was not issued"), "a token comes first"
    for ticket in (query_of(link(acme))["ticket"], secret, visitor.csrf):
        assert Caller(client, ticket)("GET", f"{ACME}/overview").status_code == 401
        assert client.get("/v1/connect", params={"ticket": ticket}).status_code == 400
        assert client.get("/signin/callback", params={"state": ticket, "code": "x"}).status_code == 400
    start = acme.must("POST", f"{ACME}/connection", json={"lifetimeMinutes": 10})["startUrl"]
    assert client.get("/portal", params={"ticket": query_of(start)["ticket"]}).status_code == 400


def test_a_reader_sees_everything_and_changes_nothing(visitor: Visitor, operator: Caller) -> None:
    visitor.begin(link(operator, actor={"subject": "panel-user-rita"}, role="SecurityReader"))
    assert visitor.call("GET", f"{ACME}/overview").json()["mayChange"] is False
    assert visitor.call("GET", SESSIONS).json()["items"][0]["role"] == "SecurityReader"
    own = visitor.call("GET", OWN).json()
    assert (own["name"], own["role"]) == ("panel-user-rita", "SecurityReader")
    mine = visitor.call("GET", SESSIONS).json()["items"][0]["sessionId"]
    for method, path, body in (
        ("PATCH", f"{ACME}/policy", {"mode": "on"}),
        ("POST", f"{ACME}/connection", {}),
        ("POST", f"{ACME}/exceptions", {"email": "a@contoso.example", "reason": "x"}),
        ("POST", f"{ACME}/people/erase", {"email": "a@contoso.example"}),
        ("DELETE", f"{SESSIONS}/{mine}", None),
    ):
        refused(visitor.call(method, path, json=body, headers={"If-Match": "*"}), 403, "change nothing")
    assert visitor.call("DELETE", OWN).status_code == 204, "but they may leave"


def test_a_session_ends_when_it_is_idle_old_or_revoked_and_with_its_account(
    visitor: Visitor, acme: Caller, operator: Caller, service: RunningService, token: Token, client: httpx.Client
) -> None:
    overview = f"{ACME}/overview"
    visitor.begin(link(operator, actor=PAT))
    for _ in range(16):
        service.clock.advance(timedelta(minutes=29))
        assert visitor.call("GET", overview).status_code == 200, "it is in use"
    service.clock.advance(timedelta(minutes=16))
    refused(visitor.call("GET", overview), 401, "has ended")

    visitor.begin(link(operator, actor=PAT))
    service.clock.advance(timedelta(minutes=30))
    refused(visitor.call("GET", overview), 401, "has ended")
    refused(visitor.call("GET", OWN), 401, "has ended")
    assert acme.must("GET", SESSIONS) == {"items": []}

    visitor.begin(link(operator, actor=PAT))
    (session,) = acme.must("GET", SESSIONS)["items"]
    gone = f"{SESSIONS}/{session['sessionId']}"
    reader, stranger = (
        Caller(client, token(*who[:1], account_id=who[1])) for who in (("rita", "acme"), ("sam", "beta"))
    )
    assert [each("DELETE", gone).status_code for each in (reader, stranger)] == [403, 403]
    assert [acme("DELETE", gone).status_code for _ in range(2)] == [204, 204], "safe to repeat"
    assert [acme("DELETE", f"{SESSIONS}/{other}").status_code for other in ("0" * 32, "x")] == [404, 422]
    refused(visitor.call("GET", overview), 401, "has ended")
    assert [each for each in trail(acme) if each[0] == "portal.revoked"] == [
        ("portal.revoked", "Sam Security", "SecurityManager")
    ]

    visitor.begin(link(operator, actor=PAT))
    operator("DELETE", ACME, etag="*").raise_for_status()
    refused(visitor.call("GET", overview), 401, "has ended")
    operator.must("PUT", ACME, json={"name": "Acme", "products": []})
    refused(visitor.call("GET", overview), 401, "has ended")


def test_a_link_ends_with_its_person_and_with_its_account(
    visitor: Visitor, acme: Caller, operator: Caller, service: RunningService
) -> None:
    """Whoever was erased would act, and be named, for hours; and in another account that has got the id since."""
    erased, page = link(operator, actor=PAT), visitor.browser.open(link(operator, actor=PAT))
    acme.must("POST", f"{ACME}/people/erase", json={"email": "pat@vendor.example", "subject": PAT["subject"]})
    refused(visitor.press(page), 400, "was erased")
    refused(visitor.browser.send("GET", erased, {}), 400, "was erased")
    assert ("Pat" in acme("GET", f"{ACME}/audit").text, acme.must("GET", SESSIONS)) == (False, {"items": []})
    service.clock.advance(timedelta(minutes=2))
    visitor.begin(link(operator, actor=PAT))
    refused(visitor.browser.send("GET", erased, {}), 400, "was erased")

    page = visitor.browser.open(link(operator, actor=PAT))
    operator("DELETE", ACME, etag="*").raise_for_status()
    operator.must("PUT", ACME, json={"name": "Acme of others", "products": []})
    refused(visitor.press(page), 400, "was erased")


def test_who_may_open_it_for_whom(acme: Caller, operator: Caller, token: Token, client: httpx.Client) -> None:
    assert operator("POST", PORTAL, json={}).json()["errors"][0]["field"] == "actor"
    assert operator("POST", "/v1/accounts/nobody/portal", json={"actor": PAT}).status_code == 404
    refused(acme("POST", PORTAL, json={"actor": PAT}), 403, "for themselves alone")
    assert acme("POST", PORTAL, json={"actor": {"subject": "panel-user-sam"}}).status_code == 201
    assert acme("POST", BETA + "/portal", json={}).status_code == 403
    assert Caller(client, token("rita", account_id="acme"))("POST", PORTAL, json={}).status_code == 403
    assert client.post(PORTAL, json={}).status_code == 401
    for actor in ({"subject": ""}, {"subject": "a\nb"}, {"subject": "a", "name": "b\x00"}, {"subject": "x" * 256}, {}):
        assert operator("POST", PORTAL, json={"actor": actor}).status_code == 422
    assert operator("POST", PORTAL, json={"actor": PAT, "role": "Operator"}).status_code == 422


def test_a_script_in_a_name_is_shown_as_text(operator: Caller, visitor: Visitor) -> None:
    operator.must("PUT", ACME, json={"name": EVIL, "products": []}, headers={"If-Match": "*"})
    page = visitor.browser.open(link(operator, actor={"subject": EVIL, "name": f"'\"{EVIL}"}))
    assert page.html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert EVIL not in page.html


def test_the_page_with_the_panel_loads_it_pinned_and_nothing_from_elsewhere(
    client: httpx.Client, service: RunningService
) -> None:
    """It is the same for everybody. That no other site can frame it, or be asked by it, is in its policy."""
    answer = client.get("/portal/acme")
    policy = dict(each.partition(" ")[::2] for each in answer.headers["content-security-policy"].split("; "))
    assert (policy["default-src"], policy["frame-ancestors"], policy["form-action"]) == ("'none'",) * 3
    assert policy["script-src"] == f"{service.url}/panel/"
    assert policy["connect-src"] == f"{service.url}/"
    assert "unsafe" not in str(policy)
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", answer.text, re.DOTALL)
    assert [inline for _, inline in scripts] == ["", ""]
    assert all('integrity="sha384-' in tag for tag, _ in scripts)
    for address in re.findall(r'src="([^"]+)"', answer.text):
        script = client.get(address)
        assert (script.status_code, script.headers["cache-control"].endswith("immutable")) == (200, True)
    assert client.get("/portal/%3Cscript%3E").status_code == 422

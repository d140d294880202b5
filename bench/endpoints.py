"""The storage calls of each endpoint, counted between the service and the store.

A story calls every endpoint of the route table, and a relay counts the requests that pass to Azurite meanwhile, by
rounds of concurrent ones. `tests/http/test_storage_calls.py` runs the same story and compares the numbers with its own
table.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx

from bench.load import LoadError
from bench.people import WatchedBrowser, code_of
from bench.report import Table
from bench.scale import Scale
from bench.watched import Counted, Stage, stage
from local.cast.application import AuthorizationRequest
from local.cast.person import ADA, ALICE
from local.cast.stack import FUNCTION_KEY
from shared.users.exemption_sets import LONGEST_HELD

_ACCOUNT: Final = "/v1/accounts/acme"
_ANY: Final = {"If-Match": "*"}
_HERD: Final = 64
_HOLD: Final = 0.05
"""Seconds for which responses of the store are held back, so that concurrent requests show."""


def measure(_: Scale) -> list[Table]:
    """Count them all. Numbers need no second round."""
    rows = [[each.name, str(each.calls), str(len(each.rounds))] for each in counted(hold=_HOLD)]
    return [Table("endpoints", ["function", "storage calls", "rounds"], rows)]


def counted(hold: float = 0.0) -> list[Counted]:
    """The storage calls of every endpoint, in the order of the story.

    Without `hold`, in seconds, requests of the store are counted and their rounds left to chance. Raises LoadError if
    the story leaves out an endpoint of the route table.
    """
    with stage(hold) as watched:
        _tell(watched)
        watched.must_have_called_all()
        return [*watched.counts.values()]


def _tell(stage: Stage) -> None:
    """The whole story, from the first account to its end."""
    operator, manager = stage.token("olga"), stage.token("sam", account_id="acme")
    stage.ask("GET", "/openapi.json")
    stage.ask("GET", "/health", "not asked lately")
    stage.ask("GET", "/health")
    stage.ask("GET", "/health/cookie")
    stage.ask("GET", "/panel/azure-sso-panel.js")
    _register(stage, operator)
    _connect(stage, manager)
    _decide(stage, manager)
    _visit(stage, manager)
    _except(stage, manager)
    _resolve(stage)
    _sign_in(stage, manager)
    _undo(stage, operator, manager)


def _register(stage: Stage, operator: str) -> None:
    account = {"name": "Acme", "products": ["Unite"]}
    stage.call(operator, "PUT", _ACCOUNT, "new", json=account)
    stage.call(operator, "PUT", _ACCOUNT, "as it is", json=account)
    stage.call(operator, "PUT", _ACCOUNT, "changed", json=account | {"name": "Acme Ltd"}, headers=_ANY)
    stage.call(operator, "GET", _ACCOUNT)
    application = {
        "name": "Unite",
        "ssoSupported": True,
        "redirectUris": [f"{stage.application}/callback"],
        "refreshTokens": True,
        "postLogoutRedirectUris": [f"{stage.application}/signed-out"],
        "initiateLoginUri": f"{stage.application}/login",
    }
    stage.call(operator, "PUT", "/v1/applications/unite", "new", json=application)
    portal = application | {"tokenEndpointAuthMethod": "client_secret_basic"}
    stage.call(operator, "PUT", "/v1/applications/portal", "new", json=portal)
    stage.call(operator, "PUT", "/v1/applications/portal", "as it is", json=portal)
    stage.call(operator, "PUT", "/v1/applications/portal", "changed", json=portal | {"name": "Portal"}, headers=_ANY)
    stage.call(operator, "POST", "/v1/applications/portal/secret", headers=_ANY)
    stage.call(operator, "GET", "/v1/applications/portal")
    stage.call(operator, "GET", "/v1/applications")
    stage.call(operator, "GET", "/v1/applications/portal/audit", "a page")
    stage.call(operator, "DELETE", "/v1/applications/portal", headers=_ANY)


def _connect(stage: Stage, manager: str) -> None:
    links = f"{_ACCOUNT}/connection/links"
    week = {"lifetimeMinutes": 7 * 24 * 60}
    spare = stage.call(manager, "POST", f"{_ACCOUNT}/connection", "a setup link", json=week).json()
    with WatchedBrowser(stage.watch_afresh) as browser:
        stage.when = "a setup link"
        page = browser.open(spare["startUrl"])
        browser.submit(page, page.forms[0], {"action": "continue"})
    stage.call(manager, "GET", links)
    stage.call(manager, "DELETE", f"{links}/{spare['linkId']}")
    started = stage.call(manager, "POST", f"{_ACCOUNT}/connection", json={}).json()
    stage.when = ""
    with WatchedBrowser(stage.watch_afresh) as browser:
        page = browser.walk(browser.open(started["startUrl"]), ADA)
    if page.title != "Connected":
        raise LoadError(f"The account should be connected: {page.url} {page.title}")
    stage.call(manager, "GET", f"{_ACCOUNT}/connection")
    stage.call(manager, "PATCH", f"{_ACCOUNT}/connection", "as it is", json={"keepPeople": False}, headers=_ANY)
    stage.call(manager, "POST", f"{_ACCOUNT}/connection/check")
    stage.call(manager, "GET", f"{_ACCOUNT}/domains")
    stage.call(manager, "PATCH", f"{_ACCOUNT}/domains/contoso-mail.example", json={"enabled": False}, headers=_ANY)
    stage.call(manager, "POST", f"{_ACCOUNT}/domains/refresh", "two domains")


def _visit(stage: Stage, manager: str) -> None:
    portal = f"{_ACCOUNT}/portal"
    opened = stage.call(manager, "POST", portal, json={}).json()
    stage.when = ""
    with WatchedBrowser(stage.watch_afresh) as browser:
        page = browser.open(opened["portalUrl"])
        browser.submit(page, page.forms[0], {"action": "continue"})
        cookie = {"Cookie": browser.cookies(stage.service.url), "Sec-Fetch-Site": "same-origin"}
    own = "/portal/acme/session"
    token = {"X-Azure-SSO-CSRF": stage.ask("GET", own, headers=cookie).json()["csrfToken"]}
    stage.ask("GET", f"{_ACCOUNT}/policy", "in the portal", headers=cookie | token)
    stage.call(manager, "GET", f"{portal}/sessions")
    stage.ask("DELETE", own, headers=cookie | token)
    with WatchedBrowser(stage.watch_afresh) as browser:
        page = browser.open(stage.call(manager, "POST", portal, json={}).json()["portalUrl"])
        browser.submit(page, page.forms[0], {"action": "continue"})
    (session,) = stage.call(manager, "GET", f"{portal}/sessions").json()["items"]
    stage.call(manager, "DELETE", f"{portal}/sessions/{session['sessionId']}")


def _decide(stage: Stage, manager: str) -> None:
    policy = f"{_ACCOUNT}/policy"
    stage.call(manager, "DELETE", policy, headers=_ANY)
    stage.call(manager, "PATCH", policy, "an application off", json={"applicationsOff": ["unite"]}, headers=_ANY)
    stage.call(manager, "PUT", policy, json={"mode": "off"}, headers=_ANY)
    stage.call(manager, "PATCH", policy, json={"mode": "on"}, headers=_ANY)
    stage.call(manager, "GET", policy)


def _except(stage: Stage, manager: str) -> None:
    listed = f"{_ACCOUNT}/exceptions"
    draft = {"email": "carol@contoso.example", "reason": "Kiosk"}
    added = stage.call(manager, "POST", listed, "one", json=draft).json()
    many = [{"email": f"guest-{number}@contoso.example", "reason": "Guest"} for number in range(200)]
    stage.call(manager, "POST", listed, "200 in JSON", json=many)
    lines = "\n".join(["email,reason", *(f"{each['email']},{each['reason']}" for each in many)])
    stage.call(manager, "POST", listed, "200 in CSV", content=lines, headers={"Content-Type": "text/csv"})
    stage.call(manager, "GET", f"{listed}?pageSize=50", "a page")
    stage.call(manager, "GET", listed, "201 as CSV", headers={"Accept": "text/csv"})
    stage.call(manager, "POST", f"{listed}/search", json={"email": draft["email"]})
    entry = f"{listed}/{added['exceptionId']}"
    stage.call(manager, "GET", entry)
    stage.call(manager, "PATCH", entry, json={"reason": "Lift"}, headers=_ANY)
    stage.call(manager, "DELETE", entry, headers=_ANY)
    stage.call(manager, "POST", f"{listed}/search", "a part of 200", json={"text": "guest-7"})
    stage.call(manager, "GET", f"{_ACCOUNT}/audit", "a page")
    stage.call(manager, "POST", f"{_ACCOUNT}/audit/search", "a person", json={"email": draft["email"]})
    stage.call(manager, "GET", f"{_ACCOUNT}/overview")
    stage.call(manager, "GET", f"{_ACCOUNT}/applications")


def _resolve(stage: Stage) -> None:
    headers = {"x-functions-key": FUNCTION_KEY}
    url = f"{stage.service.url}/v1/resolve"

    def ask(email: str) -> httpx.Response:
        return stage.client.post(url, json={"email": email, "application": "unite"}, headers=headers)

    def ask_at_once(email: str) -> httpx.Response:
        with ThreadPoolExecutor(_HERD) as callers:
            return [*callers.map(ask, [email] * _HERD)][-1]

    def resolve(when: str, email: str, way: Callable[[str], httpx.Response] = ask) -> None:
        stage.when = when
        stage.watch("POST", url, lambda: way(email))

    stage.forget()
    resolve("cold", ALICE)
    resolve("from its cache", ALICE)
    resolve("known account", "bob@contoso.example")
    resolve("known account, its list in memory", "carol@contoso.example")
    resolve("unknown domain", "pat@outlook.example")
    stage.forget()
    resolve(f"cold, {_HERD} callers at once", ALICE, ask_at_once)


def _sign_in(stage: Stage, manager: str) -> None:
    stage.ask("GET", "/.well-known/openid-configuration")
    stage.ask("GET", "/.well-known/oauth-authorization-server")
    stage.ask("GET", "/oauth2/jwks")
    signing_in = AuthorizationRequest("unite", f"{stage.application}/callback", ALICE)
    with WatchedBrowser(stage.watch_afresh) as browser:
        stage.when = "the first time"
        page = browser.walk(browser.open(signing_in.address(stage.service.url)), ALICE)
        stage.forget()
        tokens = stage.ask("POST", "/oauth2/token", "public client", data=signing_in.redemption(code_of(page))).json()
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        stage.ask("GET", "/oauth2/userinfo", headers=bearer)
        stage.ask("POST", "/oauth2/userinfo", headers=bearer)
        _hold_anew(stage)
        stage.when = "again"
        renewing = AuthorizationRequest("unite", signing_in.redirect_uri, ALICE)
        page = browser.open(renewing.address(stage.service.url, scope="openid email offline_access"))
        _renew(stage, renewing.redemption(code_of(page)))
        _hold_anew(stage)
        stage.when = "of a remembered person"
        remembered = AuthorizationRequest("unite", signing_in.redirect_uri, "")
        browser.open(remembered.address(stage.service.url, login_hint=None))
        stage.when = "of an id_token_hint"
        browser.open(remembered.address(stage.service.url, login_hint=None, id_token_hint=tokens["id_token"]))
        _hold_anew(stage)
        _sign_in_warm(stage, browser, AuthorizationRequest("unite", signing_in.redirect_uri, ALICE))
        stage.when = ""
        browser.send("GET", f"{stage.service.url}/signin/start?application=unite", {})
        browser.send("GET", f"{stage.service.url}/errors/sso-does-not-apply", {})
        form = AuthorizationRequest("unite", signing_in.redirect_uri, ALICE).parameters()
        browser.send("POST", f"{stage.service.url}/oauth2/authorize", form)
        _push(stage, browser, AuthorizationRequest("unite", signing_in.redirect_uri, ALICE))
        _sign_out(stage, browser, tokens["id_token"])
    (link,) = stage.call(manager, "GET", f"{_ACCOUNT}/links", "a page").json()["items"]
    stage.call(manager, "POST", f"{_ACCOUNT}/links/search", json={"email": ALICE})
    stage.call(manager, "DELETE", f"{_ACCOUNT}/links/{link['linkId']}")
    stage.call(manager, "POST", f"{_ACCOUNT}/people/erase", "a person of two names", json={"email": ALICE})
    stage.call(manager, "POST", f"{_ACCOUNT}/people/erase", "nobody", json={"email": ALICE})
    stage.call(manager, "POST", f"{_ACCOUNT}/links/release", "none left", json={"all": True})


def _sign_in_warm(stage: Stage, browser: WatchedBrowser, request: AuthorizationRequest) -> None:
    """Sign in twice: the second time everything is cached, on the one instance that there is."""
    stage.warm = True
    for stage.when, redeemed in (("again", "public client"), ("warm", "warm")):
        page = browser.open(request.address(stage.service.url))
        stage.ask("POST", "/oauth2/token", redeemed, data=request.redemption(code_of(page)))
    stage.warm = False


def _hold_anew(stage: Stage) -> None:
    """Have the account's exceptions read again, which are held for some minutes: fewer than the whole story takes."""
    stage.service.clock.advance(LONGEST_HELD)
    headers = {"x-functions-key": FUNCTION_KEY}
    stage.ask("POST", "/v1/resolve", "known account", json={"email": ALICE}, headers=headers)  # counted before


def _renew(stage: Stage, redemption: dict[str, str]) -> None:
    stage.forget()
    token = stage.ask("POST", "/oauth2/token", "for refresh tokens", data=redemption).json()["refresh_token"]
    renewal = {"grant_type": "refresh_token", "client_id": "unite", "refresh_token": token}
    for when in ("a refresh token", "the token before"):
        stage.forget()
        token = stage.ask("POST", "/oauth2/token", when, data=renewal).json()["refresh_token"]
    stage.ask("POST", "/oauth2/revoke", data={"client_id": "unite", "token": token})


def _push(stage: Stage, browser: WatchedBrowser, request: AuthorizationRequest) -> None:
    stage.forget()
    pushed = stage.ask("POST", "/oauth2/par", data=request.parameters()).json()
    named = {"client_id": "unite", "request_uri": pushed["request_uri"]}
    stage.when = "pushed"
    browser.send("GET", str(httpx.URL(f"{stage.service.url}/oauth2/authorize", params=named)), {})


def _sign_out(stage: Stage, browser: WatchedBrowser, id_token: str) -> None:
    leaving = {"id_token_hint": id_token, "post_logout_redirect_uri": f"{stage.application}/signed-out"}
    address = httpx.URL(f"{stage.service.url}/oauth2/logout", params=leaving)
    stage.when = "a session"
    browser.send("GET", str(address), {})
    stage.when = ""
    browser.send("GET", f"{stage.service.url}/signed-out", {})
    stage.when = "to be asked"
    browser.send("GET", f"{stage.service.url}/oauth2/logout?client_id=unite", {})
    stage.when = "no session"
    browser.send("POST", f"{stage.service.url}/oauth2/logout", leaving)
    stage.ask("GET", "/signin/front-channel-logout?sid=unknown", "no session")


def _undo(stage: Stage, operator: str, manager: str) -> None:
    stage.call(manager, "DELETE", f"{_ACCOUNT}/connection", headers=_ANY)
    stage.call(operator, "DELETE", _ACCOUNT, "220 rows", headers=_ANY)

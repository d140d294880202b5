"""The story of the product, told over HTTP to a running service: an account, its administrator, its users.

It knows only addresses, so that it can be told to any host; and it keeps what must never be seen in a log.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from local.demo_browser import Browser, Page
from local.processes import Azurite

PASSWORD = "Local-pass-1"
ADMIN = "ada@contoso.example"
FUNCTION_KEY = "journey-function-key"
MASTER_KEY = "journey-master-key"
HOST = {"FunctionKey": FUNCTION_KEY, "MasterKey": MASTER_KEY}
CLIENT_SECRET = "local-client-secret"
PSEUDONYM_KEY = "the pseudonym key of the journeys, long enough"
ACCOUNT = "/v1/accounts/contoso"
_MOST_PAGES = 8


@dataclass(frozen=True)
class EntraAddresses:
    """Where a local Entra answers."""

    http: str
    https: str
    ca: str


def settings(url: str, entra: EntraAddresses, connection_string: str) -> dict[str, str]:
    """The app settings of a service at `url`, as a developer has them."""
    return {
        "SSO_PUBLIC_URL": url,
        "SSO_TABLES_CONNECTION_STRING": connection_string,
        "SSO_ENTRA_CLIENT_ID": "a5500000-0000-4000-8000-0000000000a5",
        "SSO_ENTRA_CLIENT_SECRET": CLIENT_SECRET,
        "SSO_ENTRA_HOME_TENANT": "5e110000-0000-4000-8000-000000000000",
        "SSO_ENTRA_AUTHORITY": entra.https,
        "SSO_ENTRA_BROWSER_URL": entra.http,
        "SSO_ENTRA_CA_FILE": entra.ca,
        "SSO_GRAPH_URL": entra.https,
        "SSO_CONTROL_PANEL_ISSUER": f"{entra.http}/control-panel",
        "SSO_CONTROL_PANEL_AUDIENCE": "azure-sso",
        "SSO_SIGNING_KEY_FOLDER": str(Path(entra.ca).with_name("keys")),
        "SSO_PSEUDONYM_KEY": PSEUDONYM_KEY,
    }


def at_port(store: Azurite, port: int) -> str:
    """The store's connection string by way of another port."""
    return store.connection_string.replace(f":{store.port}/", f":{port}/")


class WatchfulBrowser(Browser):
    """A browser that notes every secret it is handed in an address."""

    def __init__(self, secrets: set[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def send(self, method: str, url: str, data: Mapping[str, str]) -> httpx.Response:
        split = urlsplit(url)
        for name, value in parse_qsl(split.query):
            if name in {"state", "code", "nonce", "code_challenge", "ticket"}:
                self._secrets.add(value)
        answer = super().send(method, url, data)
        for line in answer.headers.get_list("set-cookie"):
            self._secrets.add(line.partition("=")[2].partition(";")[0])
        return answer


@dataclass
class Story:
    """Who plays: the vendor's Operator, the account's Security Manager, and an application."""

    client: httpx.Client
    tokens: Mapping[str, str]
    secrets: set[str] = field(default_factory=set)

    @classmethod
    @contextmanager
    def at(cls, url: str, entra: EntraAddresses) -> Iterator[Self]:
        """Begin; nothing is registered yet."""
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            tokens = {
                "operator": _token(entra, "olga"),
                "manager": _token(entra, "sam", account_id="contoso"),
            }
            secrets = {*tokens.values(), FUNCTION_KEY, MASTER_KEY, CLIENT_SECRET, PSEUDONYM_KEY, PASSWORD}
            yield cls(client, tokens, secrets)

    def call(self, who: str, method: str, path: str, *, etag: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}", **more.pop("headers", {})}
        if etag is not None:
            headers["If-Match"] = etag
        return self.client.request(method, path, headers=headers, **more)

    def must(self, who: str, method: str, path: str, **more: Any) -> Any:
        """Make a call that has to succeed; its document."""
        answer = self.call(who, method, path, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def register(self) -> None:
        account = {"name": "Contoso", "products": ["Unite"]}
        self.must("operator", "PUT", ACCOUNT, json=account)
        for client_id, supported in {"unite": True, "legacy": False}.items():
            application = {"name": client_id, "redirectUris": ["https://app.example/in"], "ssoSupported": supported}
            self.must("operator", "PUT", f"/v1/applications/{client_id}", json=application)

    def integrate(self, admin: str = ADMIN) -> Page:
        """Walk through consent and sign-in as a person does: whatever a page asks, do it."""
        started = self.must("manager", "POST", f"{ACCOUNT}/connection", json={})
        with WatchfulBrowser(self.secrets) as browser:
            page = browser.open(started["startUrl"])
            for _ in range(_MOST_PAGES):
                if not page.forms:
                    return page
                form = page.forms[0]
                buttons = dict(form.buttons)
                if "password" in form.fields:
                    values = {"email": admin, "password": PASSWORD, "action": "sign_in"}
                elif ("action", "accept") in form.buttons:
                    values = {"action": "accept"}
                else:
                    values = buttons
                page = browser.submit(page, form, values)
        raise AssertionError(f"the way does not end: {page.url}")

    def switch_on(self) -> None:
        self.must("manager", "PATCH", f"{ACCOUNT}/policy", etag="*", headers=_MERGE, json={"mode": "on"})

    def except_for(self, *emails: str) -> dict[str, Any]:
        """Import exceptions from CSV; the report."""
        rows = "".join(f"{email},keeps the password,\n" for email in emails)
        content = f"email,reason,expiresAt\n{rows}".encode()
        headers = {"Content-Type": "text/csv"}
        report: dict[str, Any] = self.must("manager", "POST", f"{ACCOUNT}/exceptions", content=content, headers=headers)
        return report

    def begin(self) -> Self:
        """All of it: registered, integrated, switched on."""
        self.register()
        page = self.integrate()
        assert page.status == 200, page.html
        self.switch_on()
        return self

    def resolve(self, email: str, application: str | None = "unite") -> httpx.Response:
        body = {"email": email} | ({"application": application} if application else {})
        return self.client.post("/v1/resolve", json=body, headers={"x-functions-key": FUNCTION_KEY})

    def method(self, email: str, application: str | None = "unite") -> str:
        answer = self.resolve(email, application)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["method"])

    def audit(self) -> list[str]:
        """The actions on record, newest first."""
        page = self.must("manager", "GET", f"{ACCOUNT}/audit?pageSize=1000")
        assert page["continuationToken"] is None
        return [item["action"] for item in page["items"]]


_MERGE = {"Content-Type": "application/merge-patch+json"}


def _token(entra: EntraAddresses, username: str, **claims: str) -> str:
    body = {"username": username, "claims": claims}
    answer = httpx.post(f"{entra.http}/_local/control-panel/token", json=body, trust_env=False)
    return str(answer.raise_for_status().json()["access_token"])

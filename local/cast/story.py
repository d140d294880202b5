"""The story of the product, played over HTTP against a running service: an account, its administrator, its users.

It knows only addresses, so that it can run against any host; and it collects the secrets that must never appear in a
log.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self, override
from urllib.parse import parse_qsl, urlsplit

import httpx

from local import loopback
from local.cast import panel
from local.cast.browser import Browser, Page
from local.cast.panel import Caller
from local.cast.person import ADA, PASSWORD
from local.cast.stack import CLIENT_SECRET, FUNCTION_KEY, MASTER_KEY, PSEUDONYM_KEY, REMEMBER_KEY, EntraAddresses

ACCOUNT: Final = "/v1/accounts/contoso"
_PATIENCE: Final = 300
"""Seconds for a call that may be long."""
_MERGE: Final = {"Content-Type": "application/merge-patch+json"}


class WatchfulBrowser(Browser):
    """A browser that records every secret in the URLs that it is sent to."""

    def __init__(self, secrets: set[str]) -> None:
        super().__init__()
        self._secrets: Final = secrets

    @override
    def send(self, method: str, url: str, data: Mapping[str, str]) -> httpx.Response:
        for name, value in parse_qsl(urlsplit(url).query):
            if name in {"state", "code", "nonce", "code_challenge", "ticket"}:
                self._secrets.add(value)
        answer = super().send(method, url, data)
        for line in answer.headers.get_list("set-cookie"):
            self._secrets.add(line.partition("=")[2].partition(";")[0])
        return answer


@dataclass
class Story:
    """The cast: the vendor's `operator`, the account's Security Manager (`manager`), and an application.

    Calls that have to succeed and do not raise httpx.HTTPError.
    """

    client: httpx.Client
    callers: Mapping[str, Caller]
    secrets: set[str]

    @classmethod
    @contextmanager
    def at(cls, url: str, entra: EntraAddresses) -> Iterator[Self]:
        """Begin; nothing is registered yet."""
        with loopback.client(base_url=url, timeout=30) as client:
            tokens = {
                "operator": panel.token(entra.http, "olga"),
                "manager": panel.token(entra.http, "sam", account_id="contoso"),
            }
            secrets = {*tokens.values(), FUNCTION_KEY, MASTER_KEY, CLIENT_SECRET, PSEUDONYM_KEY, REMEMBER_KEY, PASSWORD}
            yield cls(client, {who: Caller(client, token) for who, token in tokens.items()}, secrets)

    def call(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        """Make a call as one of the callers."""
        return self.callers[who](method, path, **more)

    def must(self, who: str, method: str, path: str, **more: Any) -> Any:
        """Make a call that has to succeed; its document."""
        return self.callers[who].must(method, path, **more)

    def register(self) -> None:
        """Register the account and two applications, of which one cannot do SSO."""
        account = {"name": "Contoso", "products": ["Unite"]}
        self.must("operator", "PUT", ACCOUNT, json=account)
        for client_id, supported in {"unite": True, "legacy": False}.items():
            application = {"name": client_id, "redirectUris": ["https://app.example/in"], "ssoSupported": supported}
            self.must("operator", "PUT", f"/v1/applications/{client_id}", json=application)

    def integrate(self, admin: str = ADA) -> Page:
        """Walk through consent and sign-in; the last page."""
        started = self.must("manager", "POST", f"{ACCOUNT}/connection", json={})
        with WatchfulBrowser(self.secrets) as browser:
            return browser.walk(browser.open(started["startUrl"]), admin)

    def switch_on(self) -> None:
        """Let SSO apply to everybody."""
        self.must("manager", "PATCH", f"{ACCOUNT}/policy", etag="*", headers=_MERGE, json={"mode": "on"})

    def except_for(self, *emails: str) -> dict[str, Any]:
        """Import exceptions from CSV; the report."""
        rows = "".join(f"{email},keeps the password,\n" for email in emails)
        content = f"email,reason,expiresAt\n{rows}".encode()
        file = {"content": content, "headers": {"Content-Type": "text/csv"}}
        report: dict[str, Any] = self.must("manager", "POST", f"{ACCOUNT}/exceptions", **file, timeout=_PATIENCE)
        return report

    def begin(self) -> Self:
        """All of it: registered, integrated, switched on."""
        self.register()
        self.integrate()
        connection = self.must("manager", "GET", f"{ACCOUNT}/connection")
        if connection["status"] != "connected":
            raise httpx.HTTPError(f"The account should be connected: {connection}")
        self.switch_on()
        return self

    def resolve(self, email: str, application: str | None = "unite") -> httpx.Response:
        """Ask, as an application, how somebody signs in."""
        body = {"email": email} | ({"application": application} if application else {})
        return self.client.post("/v1/resolve", json=body, headers={"x-functions-key": FUNCTION_KEY})

    def method(self, email: str, application: str | None = "unite") -> str:
        """How somebody signs in: `sso` or `password`."""
        return str(self.resolve(email, application).raise_for_status().json()["method"])

    def audit(self) -> list[str]:
        """The actions on record, newest first."""
        page = self.must("manager", "GET", f"{ACCOUNT}/audit?pageSize=1000")
        if page["continuationToken"] is not None:
            raise httpx.HTTPError("There are more records than fit on a page.")
        return [item["action"] for item in page["items"]]

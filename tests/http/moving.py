"""A company moves from Contoso to Northwind: at Microsoft its domains and people, and here the account's connection."""

from dataclasses import dataclass

import httpx

from local.cast.browser import Browser
from local.cast.person import ADA, PASSWORD
from tests.http.conftest import CONTOSO, Caller, Walk

NORTHWIND = "d0d00000-0000-4000-8000-000000000000"
NORA = "nora@northwind.example"
CONNECTION = "/v1/accounts/acme/connection"
HOMES = {CONTOSO: "contoso", NORTHWIND: "northwind"}
COMPANYS = ("contoso.example", "contoso-mail.example")


@dataclass(frozen=True)
class Company:
    """The company, whose people are known at one tenant or the other by the same addresses."""

    manager: Caller
    control: httpx.Client
    connect: Walk

    def move(self, source: str, target: str, *emails: str) -> None:
        """Move domains and addresses at Microsoft, and the account here."""
        self.leave(source, *emails)
        self._verify(target, *COMPANYS)
        for number, email in enumerate(emails):
            self.give(target, f"{target[:-4]}{number:04d}", email)
        self.reconnect(target)

    def leave(self, tenant: str, *emails: str) -> None:
        """Take the domains from a tenant, whose people fall back to its initial domain, as Microsoft wants it."""
        state = self.control.get("/state").json()
        (users,) = [each["users"] for each in state["tenants"] if each["tenant_id"] == tenant]
        for user in users:
            if user["user_principal_name"] in emails:
                old = user["user_principal_name"].partition("@")[0]
                self.rename(tenant, user["oid"], f"{old}@{HOMES[tenant]}.onmicrosoft.com")
        self._verify(tenant)

    def give(self, tenant: str, oid: str, email: str) -> None:
        """Give an address to somebody of a tenant."""
        user = {"user_principal_name": email, "mail": email, "display_name": "Somebody", "password": PASSWORD}
        self.control.put(f"/tenants/{tenant}/users/{oid}", json=user).raise_for_status()

    def _verify(self, tenant: str, *domains: str) -> None:
        own = [] if tenant == CONTOSO else ["northwind.example"]
        self.control.put(f"/tenants/{tenant}/domains", json=[*own, *domains]).raise_for_status()

    def rename(self, tenant: str, oid: str, name: str) -> None:
        """Give somebody another user principal name."""
        body = {"user_principal_name": name}
        self.control.post(f"/tenants/{tenant}/users/{oid}/rename", json=body).raise_for_status()

    def reconnect(self, tenant: str) -> None:
        """Disconnect the account from its tenant, and connect it to another."""
        self.manager("DELETE", CONNECTION, headers={"If-Match": "*"}).raise_for_status()
        with Browser() as theirs:
            page = self.connect(self.manager, admin=NORA if tenant == NORTHWIND else ADA, theirs=theirs)
        assert page.title == "Connected", page.html

    def keep_people(self, *, on: bool = True) -> httpx.Response:
        """Say that the same address means the same person, or that it does not."""
        return self.manager("PATCH", CONNECTION, json={"keepPeople": on}, headers={"If-Match": "*"})

    @property
    def keeps_people(self) -> bool:
        """Whether it is said."""
        return bool(self.manager("GET", CONNECTION).json()["keepPeople"])

    def events(self, action: str) -> list[dict[str, object]]:
        """The details of these events, newest first."""
        items = self.manager("GET", "/v1/accounts/acme/audit").json()["items"]
        return [item["details"] for item in items if item["action"] == action]

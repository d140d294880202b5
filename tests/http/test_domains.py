"""The domains of a tenant: which of them route, who else has them, and their switches."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from azure.data.tables import TableClient

from local.cast.browser import Browser
from tests.http.conftest import ATTACKER, CONTOSO, FABRIKAM, Caller, Resolve, Switch, Walk
from tests.support.integration import Integration, edited, standing, trail
from tests.support.service import RunningService

DOMAINS = "/v1/accounts/acme/domains"
NORTHWIND = "d0d00000-0000-4000-8000-000000000000"
ANY = {"If-Match": "*"}
SETTLING_TIME = timedelta(minutes=5)

type Connected = Callable[..., Caller]


@pytest.fixture
def connected(operator: Caller, manager: Callable[[str], Caller]) -> Connected:
    """Registers an account, connects it, and returns its Security Manager."""

    def connect(account_id: str, admin: str = "ada@contoso.example", **profile: Any) -> Caller:
        body = {"name": account_id.title(), **profile}
        operator("PUT", f"/v1/accounts/{account_id}", json=body).raise_for_status()
        caller = manager(account_id)
        with Browser() as browser:
            walk = Integration(caller, browser, account_id)
            assert walk.come_back(walk.prove(admin)).status_code == 200
        caller("PATCH", f"/v1/accounts/{account_id}/policy", json={"mode": "on"}, headers=ANY).raise_for_status()
        return caller

    return connect


@pytest.fixture
def verified(control: httpx.Client) -> Callable[..., None]:
    """Sets what a tenant has verified at Microsoft, beside its initial domain."""

    def verify(tenant_id: str, *domains: str) -> None:
        control.put(f"/tenants/{tenant_id}/domains", json=list(domains)).raise_for_status()

    return verify


def states(answer: httpx.Response) -> dict[str, str]:
    return {item["domain"]: item["state"] for item in answer.raise_for_status().json()["items"]}


def listed(caller: Caller, account_id: str = "acme") -> dict[str, str]:
    return states(caller("GET", f"/v1/accounts/{account_id}/domains"))


def refreshed(caller: Caller, account_id: str = "acme") -> dict[str, str]:
    return states(caller("POST", f"/v1/accounts/{account_id}/domains/refresh"))


def switch(caller: Caller, domain: str, *, enabled: object, headers: dict[str, str] = ANY) -> httpx.Response:
    return caller("PATCH", f"{DOMAINS}/{domain}", json={"enabled": enabled}, headers=headers)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def abandon(service: RunningService, domain: str, account_id: str, ago: timedelta = timedelta()) -> None:
    """Write a claim as an account leaves it behind that crashed before it was connected."""
    at = (service.clock.now() - ago).isoformat()
    row = {"PartitionKey": domain, "RowKey": "claim", "document": f'{{"accountId":"{account_id}","claimedAt":"{at}"}}'}
    with TableClient.from_connection_string(service.connection_string, "domains") as domains:
        domains.create_entity(row)


# -- states ----------------------------------------------------------------------------------------------------------


def test_the_verified_domains_of_a_tenant_route_but_for_microsofts_own(connected: Connected) -> None:
    acme = connected("acme")
    answer = acme("GET", DOMAINS)
    assert states(answer) == {
        "contoso-mail.example": "routed",
        "contoso.example": "routed",
        "contoso.onmicrosoft.com": "not_routable",
    }
    assert answer.json()["readAt"] == acme("GET", "/v1/accounts/acme/connection").json()["connectedAt"]


def test_an_account_without_a_tenant_has_no_domains(acme: Caller) -> None:
    answer = acme("GET", DOMAINS)
    assert answer.json() == {"items": [], "readAt": None, "continuationToken": None}
    assert answer.headers["etag"]


def test_a_public_mail_domain_never_routes(
    connected: Connected, verified: Callable[..., None], resolve: Resolve, service: RunningService
) -> None:
    verified(CONTOSO, "contoso.example", "contoso-mail.example", "gmail.com")
    acme = connected("acme", domains=["gmail.com", "contoso.example", "contoso.onmicrosoft.com"])
    assert listed(acme)["gmail.com"] == "not_routable"
    assert listed(acme)["contoso.onmicrosoft.com"] == "not_routable"
    assert resolve.method("someone@gmail.com") == "password"
    assert problem(switch(acme, "gmail.com", enabled=True)) == (409, "conflict")
    assert [row["PartitionKey"] for row in service.rows("domains")] == ["contoso.example"]


def test_only_what_the_vendor_lists_routes(connected: Connected, resolve: Resolve, service: RunningService) -> None:
    acme = connected("acme", domains=["contoso.example", "fabrikam.example"])
    assert listed(acme) == {
        "contoso-mail.example": "not_listed",
        "contoso.example": "routed",
        "contoso.onmicrosoft.com": "not_routable",
    }
    assert resolve.method("alice@contoso.example") == "sso"
    assert resolve.method("bob@contoso-mail.example") == "password"
    assert [row["PartitionKey"] for row in service.rows("domains")] == ["contoso.example"]


def test_a_domain_that_the_vendor_lists_no_more_stops_at_once_and_is_free_after_a_refresh(
    connected: Connected, operator: Caller, resolve: Resolve, service: RunningService
) -> None:
    acme = connected("acme")
    narrower = {"name": "Acme", "domains": ["contoso.example"]}
    operator("PUT", "/v1/accounts/acme", json=narrower, headers=ANY).raise_for_status()
    assert listed(acme)["contoso-mail.example"] == "not_listed"
    assert resolve.method("bob@contoso-mail.example") == "password"
    assert refreshed(acme)["contoso-mail.example"] == "not_listed"
    assert [row["PartitionKey"] for row in service.rows("domains")] == ["contoso.example"]
    wider = {"name": "Acme", "domains": None}
    operator("PUT", "/v1/accounts/acme", json=wider, headers=ANY).raise_for_status()
    assert refreshed(acme)["contoso-mail.example"] == "routed"


# -- switches --------------------------------------------------------------------------------------------------------


def test_a_domain_is_switched_off_and_on(connected: Connected, resolve: Resolve) -> None:
    acme = connected("acme")
    off = switch(acme, "contoso.example", enabled=False)
    assert states(off)["contoso.example"] == "off"
    assert (off.json(), off.headers["etag"]) == (acme("GET", DOMAINS).json(), acme("GET", DOMAINS).headers["etag"])
    assert resolve.method("alice@contoso.example") == "password"
    assert resolve.method("bob@contoso-mail.example") == "sso"
    newest = acme("GET", "/v1/accounts/acme/audit").json()["items"][0]
    assert (newest["action"], newest["details"]) == (
        "domain.switched",
        {"domain": "contoso.example", "enabled": False},
    )
    assert states(switch(acme, "Contoso.EXAMPLE", enabled=True))["contoso.example"] == "routed"
    assert resolve.method("alice@contoso.example") == "sso"


def test_a_switch_needs_the_version_that_was_seen(connected: Connected, service: RunningService) -> None:
    acme = connected("acme")
    etag = acme("GET", DOMAINS).headers["etag"]
    assert switch(acme, "contoso.example", enabled=False, headers={"If-Match": etag}).status_code == 200
    before = standing(service)
    assert problem(switch(acme, "contoso.example", enabled=True, headers={})) == (428, "precondition-required")
    assert problem(switch(acme, "contoso.example", enabled=True, headers={"If-Match": etag})) == (412, "stale")
    assert standing(service) == before


def test_what_the_tenant_has_not_verified_cannot_be_switched(connected: Connected, service: RunningService) -> None:
    acme = connected("acme")
    before = service.rows("accounts")
    assert problem(switch(acme, "fabrikam.example", enabled=False)) == (404, "not-found")
    assert problem(switch(acme, "contoso.onmicrosoft.com", enabled=True)) == (409, "conflict")
    assert problem(switch(acme, "no_domain", enabled=True)) == (422, "invalid")
    assert service.rows("accounts") == before


def test_a_switch_is_on_or_off(connected: Connected) -> None:
    acme = connected("acme")
    for value in ("yes", 2, None, [], {}):
        answer = switch(acme, "contoso.example", enabled=value)
        assert problem(answer) == (422, "invalid")
        assert [fault["field"] for fault in answer.json()["errors"]] == ["enabled"]
    typing_error = acme("PATCH", f"{DOMAINS}/contoso.example", json={"enable": False}, headers=ANY)
    assert [fault["field"] for fault in typing_error.json()["errors"]] == ["enable"]
    assert states(acme("GET", DOMAINS))["contoso.example"] == "routed"


def test_a_patch_of_a_switch_says_only_what_it_changes(connected: Connected) -> None:
    acme = connected("acme")
    switch(acme, "contoso.example", enabled=False).raise_for_status()
    merge_patch = {"Content-Type": "application/merge-patch+json", **ANY}
    patched = acme("PATCH", f"{DOMAINS}/contoso.example", content=b"{}", headers=merge_patch)
    assert states(patched)["contoso.example"] == "off"
    no_object = acme("PATCH", f"{DOMAINS}/contoso.example", content=b"false", headers=merge_patch)
    assert problem(no_object) == (400, "malformed")


def test_without_a_connection_there_is_nothing_to_switch_or_refresh(acme: Caller) -> None:
    assert problem(switch(acme, "contoso.example", enabled=True)) == (409, "conflict")
    assert problem(acme("POST", f"{DOMAINS}/refresh")) == (409, "conflict")


# -- refresh ---------------------------------------------------------------------------------------------------------


def test_a_refresh_takes_in_new_domains_and_lets_go_of_old_ones(
    connected: Connected, verified: Callable[..., None], resolve: Resolve, service: RunningService
) -> None:
    acme = connected("acme")
    verified(CONTOSO, "contoso.example", "contoso-new.example")
    assert refreshed(acme) == {
        "contoso-new.example": "routed",
        "contoso.example": "routed",
        "contoso.onmicrosoft.com": "not_routable",
    }
    assert trail(acme)[0] == ("domains.refreshed", None)
    assert resolve.method("carol@contoso-new.example") == "sso"
    assert resolve.method("bob@contoso-mail.example") == "password"
    assert {row["PartitionKey"] for row in service.rows("domains")} == {"contoso-new.example", "contoso.example"}


def test_a_switch_survives_a_refresh_and_a_reconnection(connected: Connected, browser: Browser) -> None:
    acme = connected("acme")
    switch(acme, "contoso.example", enabled=False).raise_for_status()
    assert refreshed(acme)["contoso.example"] == "off"
    acme("DELETE", "/v1/accounts/acme/connection", headers=ANY).raise_for_status()
    walk = Integration(acme, browser)
    assert walk.come_back(walk.prove()).status_code == 200
    assert listed(acme) == {
        "contoso-mail.example": "routed",
        "contoso.example": "off",
        "contoso.onmicrosoft.com": "not_routable",
    }


def test_a_refresh_without_consent_changes_nothing(
    connected: Connected, control: httpx.Client, service: RunningService
) -> None:
    acme = connected("acme")
    before = service.rows("accounts")
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    assert problem(acme("POST", f"{DOMAINS}/refresh")) == (409, "consent-missing")
    assert service.rows("accounts") == before


@pytest.mark.parametrize(
    ("mode", "expected"),
    [({"graph_status": 503}, (503, "unavailable")), ({"graph_tenant": NORTHWIND}, (403, "proof-failed"))],
    ids=["out of order", "another organisation"],
)
def test_a_refresh_that_microsoft_does_not_answer_changes_nothing(
    connected: Connected, hostile: Switch, service: RunningService, mode: dict[str, Any], expected: tuple[int, str]
) -> None:
    acme = connected("acme")
    before = service.rows("accounts")
    hostile(**mode)
    assert problem(acme("POST", f"{DOMAINS}/refresh")) == expected
    assert service.rows("accounts") == before


# -- conflicts and abandoned claims ----------------------------------------------------------------------------------


def test_a_domain_of_another_account_is_a_conflict_and_not_taken(
    connected: Connected, verified: Callable[..., None], resolve: Resolve
) -> None:
    acme = connected("acme")
    verified(CONTOSO, "contoso.example")  # sells contoso-mail.example to Northwind
    verified(NORTHWIND, "northwind.example", "contoso-mail.example")
    beta = connected("beta", "nora@northwind.example")
    assert listed(beta, "beta") == {
        "contoso-mail.example": "conflict",
        "northwind.example": "routed",
        "northwind.onmicrosoft.com": "not_routable",
    }
    assert listed(acme)["contoso-mail.example"] == "routed"
    assert resolve("bob@contoso-mail.example").json()["tenantId"] == CONTOSO
    assert resolve("nora@northwind.example").json()["tenantId"] == NORTHWIND
    conflicting = beta("PATCH", "/v1/accounts/beta/domains/contoso-mail.example", json={"enabled": True}, headers=ANY)
    assert problem(conflicting) == (409, "conflict")
    refreshed(acme)  # lets go of it
    assert refreshed(beta, "beta")["contoso-mail.example"] == "routed"


def test_a_domain_that_an_attacker_had_verified_goes_to_its_owner_with_the_owners_proof(
    connected: Connected, verified: Callable[..., None], resolve: Resolve, service: RunningService
) -> None:
    verified(FABRIKAM)
    verified(ATTACKER, "attacker.example", "fabrikam.example")
    attacker = connected("attacker", "mallory@attacker.example")
    assert resolve("paula@fabrikam.example").json()["tenantId"] == ATTACKER
    verified(ATTACKER, "attacker.example")
    verified(FABRIKAM, "fabrikam.example")
    owner = connected("owner", "paula@fabrikam.example")
    assert listed(owner, "owner")["fabrikam.example"] == "conflict"
    service.clock.advance(SETTLING_TIME)
    assert refreshed(owner, "owner")["fabrikam.example"] == "routed"
    assert listed(attacker, "attacker") == {
        "attacker.example": "routed",
        "attacker.onmicrosoft.com": "not_routable",
        "fabrikam.example": "conflict",
    }
    newest = attacker("GET", "/v1/accounts/attacker/audit").json()["items"][0]
    assert (newest["action"], newest["details"]) == ("domain.lost", {"domain": "fabrikam.example"})
    assert newest["actor"] == {"subject": "azure-sso", "name": "Azure SSO", "role": "Service", "reference": None}
    assert resolve("paula@fabrikam.example").json()["tenantId"] == FABRIKAM
    switched = {"json": {"enabled": True}, "headers": ANY}
    taken_back = attacker("PATCH", "/v1/accounts/attacker/domains/fabrikam.example", **switched)
    assert problem(taken_back) == (409, "conflict")
    service.clock.advance(SETTLING_TIME)
    assert "fabrikam.example" not in refreshed(attacker, "attacker")
    assert resolve("paula@fabrikam.example").json()["tenantId"] == FABRIKAM


def test_a_domain_that_the_vendor_lists_no_more_for_its_holder_goes_to_the_next_who_proves_it(
    connected: Connected, operator: Caller, resolve: Resolve, service: RunningService
) -> None:
    acme = connected("acme")
    narrower = {"name": "Acme", "domains": ["contoso.example"]}
    operator("PUT", "/v1/accounts/acme", json=narrower, headers=ANY).raise_for_status()
    beta = connected("beta")
    assert listed(beta, "beta")["contoso-mail.example"] == "conflict"
    service.clock.advance(SETTLING_TIME)
    assert refreshed(beta, "beta") == {
        "contoso-mail.example": "routed",
        "contoso.example": "conflict",
        "contoso.onmicrosoft.com": "not_routable",
    }
    assert trail(acme)[0] == ("domain.lost", None)
    assert listed(acme)["contoso-mail.example"] == "not_listed"
    assert (resolve.method("bob@contoso-mail.example"), resolve.method("alice@contoso.example")) == ("sso", "sso")


def test_a_second_account_of_one_tenant_takes_none_of_its_domains(
    connected: Connected, resolve: Resolve, service: RunningService
) -> None:
    connected("acme")
    service.clock.advance(SETTLING_TIME)
    beta = connected("beta")
    assert listed(beta, "beta") == {
        "contoso-mail.example": "conflict",
        "contoso.example": "conflict",
        "contoso.onmicrosoft.com": "not_routable",
    }
    beta("DELETE", "/v1/accounts/beta/connection", headers=ANY).raise_for_status()
    assert resolve.method("alice@contoso.example") == "sso"


@pytest.mark.parametrize("holder", ["ghost", "acme"], ids=["is gone", "was never connected"])
def test_an_abandoned_claim_is_taken_over_once_it_has_settled(
    acme: Caller, connected: Connected, resolve: Resolve, service: RunningService, holder: str
) -> None:
    abandon(service, "contoso.example", holder)
    beta = connected("beta")
    assert listed(beta, "beta")["contoso.example"] == "conflict"
    assert listed(beta, "beta")["contoso-mail.example"] == "routed"
    assert resolve.method("alice@contoso.example") == "password"
    service.clock.advance(SETTLING_TIME)
    assert refreshed(beta, "beta")["contoso.example"] == "routed"
    assert resolve.method("alice@contoso.example") == "sso"


def test_a_claim_that_a_disconnected_account_left_behind_is_taken_over(
    connected: Connected, service: RunningService
) -> None:
    acme = connected("acme")
    acme("DELETE", "/v1/accounts/acme/connection", headers=ANY).raise_for_status()
    abandon(service, "contoso.example", "acme", ago=SETTLING_TIME)
    assert listed(connected("beta"), "beta")["contoso.example"] == "routed"


def test_an_account_that_comes_back_finds_what_it_left_behind(connected: Connected, service: RunningService) -> None:
    abandon(service, "contoso.example", "acme", ago=timedelta(days=1))
    assert listed(connected("acme"))["contoso.example"] == "routed"


def test_a_refused_integration_claims_nothing(
    acme: Caller, browser: Browser, connect: Walk, service: RunningService
) -> None:
    walk = Integration(acme, browser)
    refused = walk.come_back(edited(walk.prove(), error="access_denied"))
    assert refused.status_code == 403
    assert service.rows("domains") == []

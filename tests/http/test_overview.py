"""What a control panel shows first: the account at a glance, what to do next, and the applications."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.http.conftest import Caller, Walk
from tests.support.service import RunningService

ACME = "/v1/accounts/acme"
ANY = {"If-Match": "*"}


def overview(caller: Caller) -> dict[str, Any]:
    answer = caller("GET", f"{ACME}/overview")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def steps(caller: Caller) -> list[str]:
    return [f"{step['who']}: {step['what']}" for step in overview(caller)["next"]]


def bars(caller: Caller) -> dict[str, str | None]:
    answer = caller("GET", f"{ACME}/applications")
    assert answer.status_code == 200, answer.text
    return {item["clientId"]: item["because"] for item in answer.json()["items"]}


def test_an_account_that_is_new_has_one_thing_to_do(acme: Caller) -> None:
    assert overview(acme) == {
        "accountName": "Acme",
        "connection": {
            "status": "disconnected",
            "tenantName": None,
            "connectedBy": None,
            "connectedAt": None,
            "pendingUntil": None,
            "lastCheck": None,
        },
        "policy": {
            "mode": "off",
            "modeSince": None,
            "modeBy": None,
            "whenConnectionFails": "password",
            "updatedAt": None,
            "updatedBy": None,
        },
        "domains": {"counts": {}, "readAt": None},
        "exceptions": {"count": 0, "more": False, "inForce": 0, "endingSoon": 0},
        "links": {"count": 0, "more": False},
        "next": [{"who": "you", "what": "connect"}],
    }


def test_the_overview_follows_an_integration_to_its_end(acme: Caller, connect: Walk, service: RunningService) -> None:
    acme("POST", f"{ACME}/connection").raise_for_status()
    assert steps(acme) == ["entra_administrator: consent"]
    assert overview(acme)["connection"]["pendingUntil"] is not None

    connect(acme)
    seen = overview(acme)
    assert seen["connection"]["status"] == "connected"
    assert (seen["connection"]["tenantName"], seen["connection"]["connectedBy"]) == ("Contoso", "Sam Security")
    assert seen["connection"]["lastCheck"]["outcome"] == "ok"
    assert seen["domains"]["counts"] == {"routed": 2, "not_routable": 1}
    assert steps(acme) == ["you: keep_an_exception", "you: switch_on"]

    soon = (service.clock.now() + timedelta(days=13)).isoformat()
    entries = [
        {"email": "emergency@contoso.example", "reason": "Emergency"},
        {"email": "intern@contoso.example", "reason": "Intern", "expiresAt": soon},
    ]
    acme("POST", f"{ACME}/exceptions", json=entries).raise_for_status()
    acme("PATCH", f"{ACME}/policy", json={"mode": "on"}, headers=ANY).raise_for_status()
    assert overview(acme)["exceptions"] == {"count": 2, "more": False, "inForce": 2, "endingSoon": 1}
    assert steps(acme) == ["you: review_exceptions"]

    service.clock.advance(timedelta(days=14))
    assert overview(acme)["exceptions"] == {"count": 2, "more": False, "inForce": 1, "endingSoon": 0}
    assert steps(acme) == []

    acme("DELETE", f"{ACME}/connection", headers=ANY).raise_for_status()
    left = overview(acme)
    assert (left["connection"]["tenantName"], left["connection"]["lastCheck"]) == (None, None)
    assert (left["domains"], left["exceptions"]["count"]) == ({"counts": {}, "readAt": None}, 2)


def test_who_switched_the_mode_stays_known_when_something_else_changes(
    acme: Caller, operator: Caller, service: RunningService
) -> None:
    acme("PATCH", f"{ACME}/policy", json={"mode": "on"}, headers=ANY).raise_for_status()
    on = overview(acme)["policy"]
    assert (on["modeBy"], on["modeSince"]) == ("Sam Security", on["updatedAt"])
    service.clock.advance(timedelta(hours=1))
    operator("PATCH", f"{ACME}/policy", json={"whenConnectionFails": "sso"}, headers=ANY).raise_for_status()
    later = overview(acme)["policy"]
    assert (later["modeBy"], later["modeSince"]) == (on["modeBy"], on["modeSince"])
    assert (later["updatedBy"], later["whenConnectionFails"]) == ("Olga Operator", "sso")
    assert later["updatedAt"] > later["modeSince"]


def test_a_long_list_is_counted_to_a_thousand(acme: Caller) -> None:
    many = [{"email": f"person-{number}@acme.example", "reason": "Kiosk"} for number in range(1_001)]
    acme("POST", f"{ACME}/exceptions", json=many).raise_for_status()
    assert overview(acme)["exceptions"] == {"count": 1_000, "more": True, "inForce": 1_000, "endingSoon": 0}


def test_an_application_says_why_it_keeps_the_password(acme: Caller, operator: Caller, connect: Walk) -> None:
    applications: dict[str, dict[str, object]] = {
        "legacy": {"ssoSupported": False},
        "fax": {"ssoSupported": True, "requiresProduct": "Fax"},
        "unite": {"ssoSupported": True, "requiresProduct": "Unite"},
        "mail": {"ssoSupported": True},
    }
    for client_id, more in applications.items():
        operator("PUT", f"/v1/applications/{client_id}", json={"name": client_id.title(), **more}).raise_for_status()
    barred = {"legacy": "not_supported", "fax": "product_missing"}
    assert bars(acme) == barred | {"unite": "sso_off", "mail": "sso_off"}
    acme("PATCH", f"{ACME}/policy", json={"mode": "on"}, headers=ANY).raise_for_status()
    assert bars(acme) == barred | {"unite": "not_connected", "mail": "not_connected"}
    connect(acme)
    acme("PATCH", f"{ACME}/policy", json={"applicationsOff": ["mail"]}, headers=ANY).raise_for_status()
    assert bars(acme) == barred | {"unite": None, "mail": "switched_off"}
    (fax, *_) = acme("GET", f"{ACME}/applications").json()["items"]
    assert fax == {"clientId": "fax", "name": "Fax", "requiresProduct": "Fax", "because": "product_missing"}


@pytest.mark.parametrize("path", ["overview", "applications"])
def test_an_account_is_seen_by_its_own_security_manager_and_by_support(
    path: str, acme: Caller, operator: Caller, anybody: Caller, manager: Callable[[str], Caller]
) -> None:
    statuses = [
        caller("GET", f"{ACME}/{path}").status_code for caller in (acme, operator, manager("elsewhere"), anybody)
    ]
    assert statuses == [200, 200, 403, 401]
    assert operator("GET", f"/v1/accounts/nobody/{path}").status_code == 404

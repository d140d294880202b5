"""Where an account stands, from the first look to the switch that is on, as a control panel shows it."""

from datetime import timedelta

import httpx
import pytest

from tests.http.conftest import CONTOSO, Caller, Token, Walk
from tests.support.service import RunningService

ACME = "/v1/accounts/acme"
ANY = {"If-Match": "*"}


def overview(caller: Caller) -> dict[str, object]:
    answer = caller("GET", f"{ACME}/overview")
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_the_overview_leads_from_nothing_to_sso(
    acme: Caller, connect: Walk, service: RunningService, client: httpx.Client, token: Token
) -> None:
    first = overview(acme)
    assert (first["name"], first["status"], first["mode"], first["modeSince"]) == ("Acme", "disconnected", "off", None)
    assert (first["tenantName"], first["lastCheckedAt"], first["nextStep"]) == (None, None, "connect")
    assert acme("POST", f"{ACME}/connection", json={}).status_code == 201
    started = overview(acme)
    assert (started["status"], started["nextStep"]) == ("pending", "finish_consent")
    assert started["pendingUntil"] is not None
    connect(acme)
    connected = overview(acme)
    assert (connected["status"], connected["tenantId"], connected["tenantName"]) == ("connected", CONTOSO, "Contoso")
    assert (connected["connectedBy"], connected["lastCheckOutcome"]) == ("Sam Security", "ok")
    none = {"off": 0, "conflict": 0, "not_listed": 0}
    assert connected["domains"] == none | {"routed": 2, "not_routable": 1}
    assert (connected["exceptions"], connected["nextStep"]) == ({"count": 0, "exact": True}, "keep_an_administrator")
    acme("POST", f"{ACME}/exceptions", json={"email": "sam@contoso.example", "reason": "Break glass"})
    ready = overview(acme)
    assert (ready["exceptions"], ready["nextStep"]) == ({"count": 1, "exact": True}, "switch_on")
    acme("PATCH", f"{ACME}/policy", json={"mode": "on"}, headers=ANY).raise_for_status()
    on = overview(acme)
    assert (on["mode"], on["nextStep"], on["mayChange"]) == ("on", None, True)
    service.clock.advance(timedelta(hours=1))
    acme("PATCH", f"{ACME}/policy", json={"whenConnectionFails": "sso"}, headers=ANY).raise_for_status()
    assert overview(acme) == on
    assert overview(Caller(client, token("rita", account_id="acme"))) == on | {"mayChange": False}
    for domain in ("contoso.example", "contoso-mail.example"):
        acme("PATCH", f"{ACME}/domains/{domain}", json={"enabled": False}, headers=ANY).raise_for_status()
    nowhere = overview(acme)
    assert nowhere["domains"] == none | {"routed": 0, "off": 2, "not_routable": 1}
    assert nowhere["nextStep"] == "route_a_domain"


def test_each_application_says_whether_sso_is_in_force_there(acme: Caller, operator: Caller, connect: Walk) -> None:
    for name, more in {"unite": {}, "meeting": {}, "fax": {"ssoSupported": False}}.items():
        application = {"name": name.title(), "ssoSupported": True} | more
        operator("PUT", f"/v1/applications/{name}", json=application).raise_for_status()
    centre = {"name": "Centre", "ssoSupported": True, "requiresProduct": "Centre"}
    operator("PUT", "/v1/applications/centre", json=centre).raise_for_status()

    def reasons() -> dict[str, str | None]:
        items = acme("GET", f"{ACME}/applications").json()["items"]
        assert all(each["ssoInForce"] == (each["reason"] is None) for each in items)
        return {each["clientId"]: each["reason"] for each in items}

    assert {*reasons().values()} == {"not_connected"}
    items = acme("GET", f"{ACME}/applications").json()["items"]
    assert {each["clientId"]: each["incompatible"] for each in items} == {
        "centre": "product_missing",
        "fax": "not_supported",
        "meeting": None,
        "unite": None,
    }, "while another reason comes first"
    connect(acme)
    assert {*reasons().values()} == {"sso_off"}
    on = {"mode": "on", "applicationsOff": ["meeting"]}
    acme("PATCH", f"{ACME}/policy", json=on, headers=ANY).raise_for_status()
    assert reasons() == {
        "centre": "application_incompatible",
        "fax": "application_incompatible",
        "meeting": "application_switched_off",
        "unite": None,
    }


def test_there_is_no_overview_of_an_account_that_is_not_there(operator: Caller) -> None:
    for path in ("overview", "applications"):
        assert operator("GET", f"/v1/accounts/nobody/{path}").status_code == 404


@pytest.mark.parametrize(
    ("text", "found"),
    [("ANNA", ["anna@acme.example"]), ("lift", ["anna@acme.example", "bob@acme.example"]), ("nobody", [])],
)
def test_exceptions_are_found_by_a_part_of_address_or_reason(acme: Caller, text: str, found: list[str]) -> None:
    for email, reason in {
        "bob@acme.example": "Lift",
        "anna@acme.example": "The LIFT",
        "cem@acme.example": "Fax",
    }.items():
        acme("POST", f"{ACME}/exceptions", json={"email": email, "reason": reason}).raise_for_status()
    items = acme("POST", f"{ACME}/exceptions/search", json={"text": text}).json()["items"]
    assert [each["email"] for each in items] == found


@pytest.mark.parametrize("body", [{}, {"text": "a", "email": "a@acme.example"}, {"text": " "}, {"text": "x" * 201}])
def test_a_search_is_by_address_or_by_text(acme: Caller, body: dict[str, str]) -> None:
    assert acme("POST", f"{ACME}/exceptions/search", json=body).status_code == 422

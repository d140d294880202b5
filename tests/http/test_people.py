"""A person is erased by one call: nothing that the account keeps says who they were, and events stay as they are."""

import json
from collections.abc import Callable
from datetime import timedelta

from local import loopback
from local.cast.browser import Browser
from local.cast.stack import MASTER_KEY
from tests.http.conftest import Caller
from tests.http.signing_in import ALICE, ALICE_OID, Asked, NewPerson, Person
from tests.support.integration import Integration, status
from tests.support.service import RunningService

ERASE = "/v1/accounts/acme/people/erase"
AUDIT = "/v1/accounts/acme/audit"
EXCEPTIONS = "/v1/accounts/acme/exceptions"
LINKS = "/v1/accounts/acme/links"
BOB = "bob@contoso-mail.example"
NOBODY = {"exceptions": 0, "links": 0, "sessions": 0, "references": []}
ANY = {"If-Match": "*"}


def erase(caller: Caller, email: str, **more: str) -> dict[str, object]:
    return caller("POST", ERASE, json={"email": email, **more}).raise_for_status().json()


def said_of(service: RunningService, *facts: str) -> list[str]:
    """The rows in which one of these facts is, but for flows that end within minutes."""
    return [
        f"{table} {row['RowKey']}"
        for table in ("accounts", "applications", "domains", "duties", "flows")
        for row in service.rows(table)
        if not row["RowKey"].startswith(("code", "sign-in-state", "connect-"))
        if any(fact.lower() in json.dumps(row, default=str).lower() for fact in facts)
    ]


def test_nothing_says_who_was_erased_and_the_events_stay(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson, service: RunningService
) -> None:
    reason = f"Until June, ask {ALICE}"
    entry = contoso("POST", EXCEPTIONS, json={"email": ALICE, "reason": reason, "expiresAt": None}).json()
    contoso("DELETE", f"{EXCEPTIONS}/{entry['exceptionId']}", headers=ANY).raise_for_status()
    person.sign_in(unite)
    new_person().sign_in(unite, BOB, login_hint=BOB)
    contoso("POST", EXCEPTIONS, json={"email": ALICE, "reason": reason}).raise_for_status()
    before = contoso("GET", AUDIT).json()["items"]
    (made,) = [each for each in before if each["action"] == "link.made" and each["details"]["email"] == ALICE]
    assert {*said_of(service, ALICE, ALICE_OID, entry["exceptionId"])}
    erased = erase(contoso, ALICE)
    assert (erased["exceptions"], erased["links"], erased["sessions"]) == (1, 1, 1)
    assert {*erased["references"]} == {made["details"]["person"], made["details"]["identity"]}
    kept = said_of(service, ALICE, ALICE_OID, made["actor"]["name"], entry["exceptionId"])
    assert [row for row in kept if "person-erasure" not in row] == [], "the duty ends in two minutes"
    after = contoso("GET", AUDIT).json()["items"]
    assert (after[0]["action"], after[0]["details"]) == (
        "person.erased",
        {"references": erased["references"], "exceptions": 1, "links": 1},
    )
    assert after[0]["actor"]["name"] == "Sam Security"
    assert [(each["at"], each["action"]) for each in after[1:]] == [(each["at"], each["action"]) for each in before]
    (still,) = [each for each in after if each["at"] == made["at"]]
    assert still["actor"] == {"subject": None, "name": None, "role": "User", "reference": made["actor"]["reference"]}
    assert still["details"] == made["details"] | dict.fromkeys(("linkId", "email", "tid", "oid"))
    assert {each["details"]["reason"] for each in after if each["action"].startswith("exception.")} == {None}
    assert [link["email"] for link in contoso("GET", LINKS).json()["items"]] == [BOB]
    assert [each["details"]["email"] for each in after if each["action"] == "link.made"] == [BOB, None]


def test_whoever_was_erased_can_sign_in_again_as_somebody_new_and_the_duty_leaves_them(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    person.sign_in(unite)
    first = erase(contoso, ALICE)["references"]
    service.clock.advance(timedelta(seconds=70))
    person.sign_in(unite)
    service.clock.advance(timedelta(minutes=4))
    run_duties(service)
    assert said_of(service, "person-erasure") == []
    (made, _) = [each for each in contoso("GET", AUDIT).json()["items"] if each["action"] == "link.made"]
    assert made["details"]["email"] == ALICE
    assert {made["details"]["person"], made["details"]["identity"]}.isdisjoint(first)
    assert erase(contoso, ALICE)["sessions"] == 1


def test_the_unknown_the_erased_and_the_repeated_get_the_same_answer_and_no_record(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    person.sign_in(unite)
    erase(contoso, ALICE)
    length = len(contoso("GET", AUDIT).json()["items"])
    assert erase(contoso, ALICE) == erase(contoso, "nobody@contoso.example") == NOBODY
    assert erase(contoso, "stranger@elsewhere.example", subject="nobody") == NOBODY
    assert len(contoso("GET", AUDIT).json()["items"]) == length


def test_nobody_is_erased_from_another_account_or_by_another_s_manager(
    contoso: Caller, unite: Asked, person: Person, operator: Caller, manager: Callable[[str], Caller], anybody: Caller
) -> None:
    person.sign_in(unite)
    operator("PUT", "/v1/accounts/beta", json={"name": "Beta"}).raise_for_status()
    beta = manager("beta")
    assert beta("POST", ERASE, json={"email": ALICE}).status_code == 403
    assert anybody("POST", ERASE, json={"email": ALICE}).status_code == 401
    assert beta("POST", "/v1/accounts/beta/people/erase", json={"email": ALICE}).json() == NOBODY
    assert beta("POST", "/v1/accounts/never/people/erase", json={"email": ALICE}).status_code == 403
    assert operator("POST", "/v1/accounts/never/people/erase", json={"email": ALICE}).status_code == 404
    assert contoso("POST", ERASE, json={"email": "alice"}).status_code == 422
    assert contoso("POST", ERASE, json={"email": ALICE, "everybody": True}).status_code == 422
    assert contoso("POST", ERASE, json={"email": ALICE, "subject": ""}).status_code == 422
    assert [link["email"] for link in contoso("GET", LINKS).json()["items"]] == [ALICE]
    assert operator("POST", ERASE, json={"email": ALICE}).json()["links"] == 1
    event = contoso("GET", AUDIT).json()["items"][0]
    assert (event["action"], event["actor"]["role"]) == ("person.erased", "Operator")


def test_an_administrator_who_is_erased_keeps_role_and_reference(
    contoso: Caller, service: RunningService, operator: Caller
) -> None:
    """Sam erases himself: the control panel knows him by a subject, which he adds."""
    contoso("POST", EXCEPTIONS, json=[{"email": BOB, "reason": "Kiosk"}]).raise_for_status()
    sams = [each["actor"] for each in contoso("GET", AUDIT).json()["items"] if each["actor"]["name"] == "Sam Security"]
    (reference,) = erase(contoso, "sam@vendor.example", subject="panel-user-sam")["references"]
    assert {each["reference"] for each in sams} == {reference}
    assert said_of(service, "panel-user-sam", "Sam Security") == []
    assert [each["createdBy"] for each in operator("GET", EXCEPTIONS).json()["items"]] == ["erased"]
    items = operator("GET", AUDIT).json()["items"]
    nameless = {"subject": None, "name": None, "role": "SecurityManager", "reference": reference}
    assert items[0]["action"] == "person.erased"
    assert len([each for each in items if each["actor"] == nameless]) == len(sams) + 1
    connected_by = operator("GET", "/v1/accounts/acme/connection").json()["connectedBy"]
    assert connected_by["name"] is None
    contoso("POST", EXCEPTIONS, json={"email": ALICE, "reason": "Kiosk"}).raise_for_status()
    again = operator("GET", AUDIT).json()["items"][0]["actor"]
    assert (again["name"], again["reference"] != reference) == ("Sam Security", True), "who acts again is known again"


def test_what_an_administrator_began_before_they_were_erased_does_not_bring_their_name_back(
    acme: Caller, service: RunningService, operator: Caller, browser: Browser
) -> None:
    """Their integration is cancelled: completed later, it would say again who started it."""
    integration = Integration(acme, browser)
    held_back = integration.prove()
    erase(operator, "somebody@vendor.example", subject="panel-user-olga")
    assert status(acme) == "pending", "it was somebody else's"
    erase(operator, "sam@vendor.example", subject="panel-user-sam")
    assert status(acme) == "disconnected"
    assert integration.come_back(held_back).status_code == 409
    assert operator("GET", "/v1/accounts/acme/connection").json()["connectedBy"] is None
    assert said_of(service, "panel-user-sam", "Sam Security") == []


def run_duties(service: RunningService) -> None:
    """The timer, as the host runs it."""
    address = f"{service.url}/admin/functions/run_duties"
    loopback.post(address, json={}, headers={"x-functions-key": MASTER_KEY}).raise_for_status()

"""The audit trail: who changed what and when."""

import re
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from azure.data.tables import TableClient

from tests.http.conftest import Caller
from tests.support.service import RunningService

AUDIT = "/v1/accounts/acme/audit"
POLICY = "/v1/accounts/acme/policy"
EXCEPTIONS = "/v1/accounts/acme/exceptions"
ANY = {"If-Match": "*"}
SAM = {"subject": "panel-user-sam", "name": "Sam Security", "role": "SecurityManager"}
OLGA = {"subject": "panel-user-olga", "name": "Olga Operator", "role": "Operator"}
DEFAULT = {"mode": "off", "applicationsOff": [], "whenConnectionFails": "password", "sessionHours": None}


def walk(caller: Caller, path: str, size: int) -> list[list[dict[str, object]]]:
    """Every page of a list."""
    pages, token = [], None
    while True:
        answer = caller("GET", path, params={"pageSize": size} | ({"continuationToken": token} if token else {}))
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()["items"])
        token = answer.json()["continuationToken"]
        if token is None:
            return pages


def without_reference(actor: dict[str, str]) -> dict[str, str]:
    """The actor as tokens have them."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", actor["reference"])
    return {name: fact for name, fact in actor.items() if name != "reference"}


def test_each_change_is_one_record_with_who_and_what_the_newest_first(acme: Caller, operator: Caller) -> None:
    alice = {"email": "alice@contoso.example", "reason": "Kiosk", "expiresAt": None}
    operator("PUT", POLICY, json={"mode": "on"}, headers=ANY)
    entry = acme("POST", EXCEPTIONS, json=alice).json()["exceptionId"]
    acme("PATCH", f"{EXCEPTIONS}/{entry}", json={"reason": "On leave"}, headers=ANY)
    acme("DELETE", f"{EXCEPTIONS}/{entry}", headers=ANY)
    acme("POST", EXCEPTIONS, json=[alice, {}, alice])
    operator("PUT", "/v1/accounts/acme", json={"name": "Acme Ltd"}, headers=ANY)
    items = acme("GET", AUDIT).json()["items"]
    times = [item["at"] for item in items]
    assert times == sorted(set(times), reverse=True)
    on_leave = {"exceptionId": entry, **alice, "reason": "On leave"}
    references = {item["details"].pop("person") for item in items if "person" in item["details"]}
    assert len(references) == 1, "one address, one reference"
    assert [(without_reference(item["actor"]), item["action"], item["details"]) for item in items] == [
        (OLGA, "account.changed", {"name": "Acme Ltd", "products": [], "domains": None}),
        (SAM, "exceptions.imported", {"count": 1, "lines": [1, 3]}),
        (SAM, "exception.removed", on_leave),
        (SAM, "exception.changed", on_leave),
        (SAM, "exception.added", {"exceptionId": entry, **alice}),
        (OLGA, "policy.changed", {"before": DEFAULT, "after": DEFAULT | {"mode": "on"}}),
        (OLGA, "account.registered", {"name": "Acme", "products": ["Unite"], "domains": None}),
    ]


def test_what_is_refused_leaves_no_record(acme: Caller) -> None:
    acme("PUT", POLICY, json={"mode": "on"}, headers={"If-Match": '"stale"'})
    acme("PUT", POLICY, json={"mode": "?"}, headers=ANY)
    acme("POST", EXCEPTIONS, json={"email": "nobody", "reason": "x"})
    acme("POST", EXCEPTIONS, json=[{"email": "nobody", "reason": "x"}])
    acme("DELETE", f"{EXCEPTIONS}/{'x' * 43}", headers=ANY)
    assert [item["action"] for item in acme("GET", AUDIT).json()["items"]] == ["account.registered"]


def test_the_newest_record_is_first_across_days_and_pages(
    acme: Caller, operator: Caller, service: RunningService
) -> None:
    for number in range(5):
        operator("PUT", f"/v1/applications/app-{number}", json={"name": "App", "ssoSupported": True})
        service.clock.advance(timedelta(days=number * 40))
        acme("PATCH", POLICY, json={"applicationsOff": [f"app-{number}"]}, headers=ANY)
    changes = [record for page in walk(acme, AUDIT, 2) for record in page][:-1]
    assert [change["details"]["after"]["applicationsOff"] for change in changes] == [
        [f"app-{n}"] for n in (4, 3, 2, 1, 0)
    ]


def test_pages_walk_every_record_once(acme: Caller) -> None:
    for number in range(6):
        acme("PATCH", POLICY, json={"mode": ["on", "off"][number % 2]}, headers=ANY)
    (whole,) = walk(acme, AUDIT, 1_000)
    assert len(whole) == 7
    for size in (1, 3, 7):
        pages = walk(acme, AUDIT, size)
        assert [record for page in pages for record in page] == whole
        assert max(map(len, pages)) <= size


@pytest.mark.parametrize("size", ["0", "1001", "-1", "x"])
def test_a_page_size_out_of_bounds_is_refused(acme: Caller, size: str) -> None:
    answer = acme("GET", AUDIT, params={"pageSize": size})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "pageSize")


def test_another_account_s_continuation_shows_none_of_its_records(
    acme: Caller, operator: Caller, manager: Callable[[str], Caller]
) -> None:
    for account in ("abel", "zoe"):
        operator("PUT", f"/v1/accounts/{account}", json={"name": account})
    acme("PATCH", POLICY, json={"mode": "on"}, headers=ANY)
    foreign = acme("GET", AUDIT, params={"pageSize": 1}).json()["continuationToken"]
    assert foreign is not None
    for account in ("abel", "zoe"):
        answer = manager(account)("GET", f"/v1/accounts/{account}/audit", params={"continuationToken": foreign})
        assert answer.status_code == 200
        assert {item["details"]["name"] for item in answer.json()["items"]} <= {account}


def test_an_exceptions_continuation_shows_no_exceptions_here(acme: Caller) -> None:
    for name in ("alice", "bob"):
        acme("POST", EXCEPTIONS, json={"email": f"{name}@contoso.example", "reason": "Kiosk"})
    foreign = acme("GET", EXCEPTIONS, params={"pageSize": 1}).json()["continuationToken"]
    answer: httpx.Response = acme("GET", AUDIT, params={"continuationToken": foreign})
    assert answer.status_code == 200
    assert {item["action"] for item in answer.json()["items"]} <= {"account.registered", "exception.added"}


# -- applications ------------------------------------------------------------------------------------------------------

KIOSK = "/v1/applications/kiosk"
PROFILE = {
    "name": "Kiosk",
    "redirectUris": ["https://kiosk.example/signed-in"],
    "ssoSupported": True,
    "requiresProduct": None,
    "passwordSignInUri": None,
    "tokenEndpointAuthMethod": "client_secret_basic",
    "jwks": None,
    "codeBinding": "pkce_or_nonce",
    "refreshTokens": False,
    "assertionAudience": None,
    "requirePushedAuthorizationRequests": False,
    "postLogoutRedirectUris": [],
    "backchannelLogoutUri": None,
    "initiateLoginUri": None,
}


def test_an_application_has_a_trail_that_outlives_it(operator: Caller) -> None:
    operator("PUT", KIOSK, json=PROFILE).raise_for_status()
    operator("PUT", KIOSK, json=PROFILE).raise_for_status()  # changes nothing
    secret = operator("POST", f"{KIOSK}/secret", headers=ANY).json()["clientSecret"]
    renamed = PROFILE | {"name": "Kiosk 2"}
    operator("PUT", KIOSK, json=renamed, headers=ANY).raise_for_status()
    operator("DELETE", KIOSK, headers=ANY).raise_for_status()
    assert operator("GET", KIOSK).status_code == 404
    operator("PUT", KIOSK, json=PROFILE).raise_for_status()
    answer = operator("GET", f"{KIOSK}/audit")
    items = answer.json()["items"]
    assert len({item["actor"]["reference"] for item in items}) == 1
    assert [(without_reference(item["actor"]), item["action"], item["details"]) for item in items] == [
        (OLGA, "application.registered", {"profile": PROFILE}),
        (OLGA, "application.removed", {}),
        (OLGA, "application.changed", {"before": PROFILE, "after": renamed}),
        (OLGA, "application.secret_renewed", {}),
        (OLGA, "application.registered", {"profile": PROFILE}),
    ]
    assert secret not in answer.text
    assert [len(page) for page in walk(operator, f"{KIOSK}/audit", 2)] == [2, 2, 1]


def test_trails_are_no_applications_and_no_other_applications_trails(operator: Caller) -> None:
    for path in (KIOSK, "/v1/applications/kiosk-2"):
        operator("PUT", path, json=PROFILE).raise_for_status()
    listed = [each["clientId"] for each in operator("GET", "/v1/applications").json()["items"]]
    assert sorted(listed) == listed
    assert {"kiosk", "kiosk-2"} <= {*listed}
    assert not [each for each in listed if "audit" in each]
    actions = [item["action"] for item in operator("GET", f"{KIOSK}/audit").json()["items"]]
    assert actions == ["application.registered"]


def test_an_application_that_was_registered_before_there_were_trails_has_an_empty_one(
    operator: Caller, service: RunningService
) -> None:
    operator("PUT", KIOSK, json=PROFILE).raise_for_status()
    with TableClient.from_connection_string(service.connection_string, "applications") as table:
        for row in service.rows("applications"):
            if row["RowKey"].startswith("~audit:kiosk:"):
                table.delete_entity(row["PartitionKey"], row["RowKey"])
    answer = operator("GET", f"{KIOSK}/audit")
    assert (answer.status_code, answer.json()) == (200, {"items": [], "continuationToken": None})


def test_an_application_that_never_was_has_no_trail(operator: Caller) -> None:
    assert operator("GET", "/v1/applications/never/audit").status_code == 404


def test_only_an_operator_reads_the_trail_of_an_application(acme: Caller) -> None:
    assert acme("GET", f"{KIOSK}/audit").status_code == 403


# -- looking for something ---------------------------------------------------------------------------------------------


def found(caller: Caller, **wanted: object) -> list[tuple[str, object]]:
    """The actions that are found, each with its reason if it has one."""
    answer = caller("POST", f"{AUDIT}/search", json=wanted)
    assert answer.status_code == 200, answer.text
    return [(each["action"], each["details"].get("reason")) for each in answer.json()["items"]]


def test_changes_are_found_by_kind_and_by_person(acme: Caller, operator: Caller) -> None:
    for name, reason in (("anna", "Lift"), ("bob", "Kiosk")):
        draft = {"email": f"{name}@acme.example", "reason": reason}
        acme("POST", EXCEPTIONS, json=draft).raise_for_status()
    acme("PATCH", POLICY, json={"mode": "on"}, headers=ANY).raise_for_status()
    assert found(acme, kind="policy") == [("policy.changed", None)]
    assert found(acme, kind="exception") == [("exception.added", "Kiosk"), ("exception.added", "Lift")]
    assert found(acme, email=" Anna@ACME.example") == [("exception.added", "Lift")]
    assert found(acme, email="anna@acme.example", kind="policy") == []
    assert found(acme, email="nobody@acme.example") == []
    newest = acme("GET", AUDIT).json()["items"][0]
    assert len(found(acme, reference=newest["actor"]["reference"])) == 3
    assert found(acme, reference="unknown") == []
    assert len(found(acme)) == len(acme("GET", AUDIT).json()["items"]) == 4
    acme("POST", "/v1/accounts/acme/people/erase", json={"email": "anna@acme.example"}).raise_for_status()
    assert found(acme, email="anna@acme.example") == []
    assert operator("POST", "/v1/accounts/nobody/audit/search", json={}).status_code == 404


def test_a_search_goes_on_page_by_page_past_what_nobody_looks_for(acme: Caller) -> None:
    acme("POST", EXCEPTIONS, json={"email": "anna@acme.example", "reason": "Lift"}).raise_for_status()
    for mode in ("on", "off") * 7:
        acme("PATCH", POLICY, json={"mode": mode}, headers=ANY).raise_for_status()
    items, token, calls = [], None, 0
    while calls == 0 or token is not None:
        page = acme("POST", f"{AUDIT}/search", json={"kind": "exception", "pageSize": 1, "continuationToken": token})
        items, token, calls = [*items, *page.json()["items"]], page.json()["continuationToken"], calls + 1
    assert ([each["action"] for each in items], calls) == (["exception.added"], 3)


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "application"},
        {"email": "anna"},
        {"email": "anna@acme.example", "reference": "r"},
        {"pageSize": 0},
        {"pageSize": 1_001},
        {"continuationToken": "forged"},
    ],
    ids=str,
)
def test_a_search_that_makes_no_sense_is_refused(acme: Caller, wanted: dict[str, object]) -> None:
    assert acme("POST", f"{AUDIT}/search", json=wanted).status_code == 422

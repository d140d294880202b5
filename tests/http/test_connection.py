"""The connection in the control panel: started, looked at, checked, undone; and an account that is closed."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.data.tables import TableClient

from local.cast.browser import Browser
from local.cast.stack import MASTER_KEY
from local.entra.server import LocalEntra
from tests.http.conftest import CONTOSO, Caller, Resolve, Switch, Walk
from tests.support.integration import NEVER_CONNECTED, Integration, edited, standing, status, trail
from tests.support.service import RunningService

CONNECTION = "/v1/accounts/acme/connection"
ALICE = "alice@contoso.example"
ANY = {"If-Match": "*"}


@pytest.fixture
def connected(acme: Caller, connect: Walk) -> Caller:
    """The Security Manager of `acme`, which is connected to Contoso with SSO on."""
    connect(acme)
    acme("PATCH", "/v1/accounts/acme/policy", json={"mode": "on"}, headers=ANY).raise_for_status()
    return acme


def look(caller: Caller) -> dict[str, Any]:
    return dict(caller("GET", CONNECTION).raise_for_status().json())


def check(caller: Caller) -> dict[str, Any]:
    return dict(caller("POST", f"{CONNECTION}/check").raise_for_status().json())


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


# -- start and look --------------------------------------------------------------------------------------------------


def test_an_account_begins_without_a_connection(acme: Caller) -> None:
    assert look(acme) == NEVER_CONNECTED


def test_a_started_integration_is_pending_for_as_long_as_it_can_be_finished(
    acme: Caller, service: RunningService
) -> None:
    started = acme("POST", CONNECTION)
    assert started.status_code == 201
    document = started.json()
    assert document["startUrl"].startswith(f"{service.url}/v1/connect?ticket=")
    left = datetime.fromisoformat(document["expiresAt"]) - service.clock.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    pending = look(acme)
    both_ways = datetime.fromisoformat(pending["pendingUntil"]) - datetime.fromisoformat(document["expiresAt"])
    assert pending == NEVER_CONNECTED | {"status": "pending", "pendingUntil": pending["pendingUntil"]}
    assert abs(both_ways - timedelta(minutes=20)) < timedelta(seconds=1)
    assert trail(acme) == [("connection.started", None), ("account.registered", None)]


def test_what_nobody_finishes_in_time_is_no_integration_any_more(acme: Caller, service: RunningService) -> None:
    acme("POST", CONNECTION).raise_for_status()
    service.clock.advance(timedelta(minutes=29))
    assert status(acme) == "pending"
    service.clock.advance(timedelta(minutes=1))
    assert look(acme) == NEVER_CONNECTED


def test_two_may_start_and_the_newer_integration_counts(acme: Caller, browser: Browser) -> None:
    walk = Integration(acme, browser)
    tickets = [walk.start() for _ in range(2)]
    assert [walk.open(ticket).status_code for ticket in tickets] == [409, 303]
    assert [action for action, _ in trail(acme)].count("connection.started") == 2


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("GET", ""), ("POST", "/check"), ("DELETE", "")], ids=lambda part: part or "/"
)
def test_an_account_that_is_not_registered_has_no_connection(operator: Caller, method: str, path: str) -> None:
    answer = operator(method, f"/v1/accounts/nobody/connection{path}", headers=ANY)
    assert problem(answer) == (404, "not-found")


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_the_connection_is_for_its_own_administrators(
    acme: Caller, anybody: Caller, manager: Callable[[str], Caller], service: RunningService, method: str
) -> None:
    before = service.rows("accounts")
    assert problem(anybody(method, CONNECTION, headers=ANY)) == (401, "not-authenticated")
    assert problem(manager("beta")(method, CONNECTION, headers=ANY)) == (403, "forbidden")
    assert service.rows("accounts") == before


def test_an_operator_may_start_for_any_account(acme: Caller, operator: Caller, browser: Browser) -> None:
    walk = Integration(operator, browser)
    assert walk.come_back(walk.prove()).status_code == 200
    assert look(acme)["connectedBy"]["role"] == "Operator"


@pytest.mark.parametrize("body", [{"returnUri": "https://panel.example/sso/"}, {"returnUrl": 7}, []])
def test_a_start_that_is_not_understood_starts_nothing(acme: Caller, body: object) -> None:
    assert problem(acme("POST", CONNECTION, json=body)) == (422, "invalid")
    assert status(acme) == "disconnected"


# -- check -----------------------------------------------------------------------------------------------------------


def test_a_check_of_a_good_connection_says_so_and_reads_the_name_again(
    connected: Caller, entra: LocalEntra, service: RunningService
) -> None:
    tenant = entra.cloud.tenant(CONTOSO)
    entra.cloud.change(tenant.model_copy(update={"name": "Contoso Worldwide"}))
    service.clock.advance(timedelta(hours=1))
    checked = check(connected)
    assert (checked["status"], checked["tenantName"]) == ("connected", "Contoso Worldwide")
    assert checked["lastCheck"]["outcome"] == "ok"
    assert checked["lastCheck"]["at"] > checked["connectedAt"]
    assert look(connected) == checked
    assert trail(connected)[0] == ("connection.checked", None)


def test_a_consent_revoked_at_microsoft_is_found_and_users_fall_back_to_the_password(
    connected: Caller, control: httpx.Client, resolve: Resolve
) -> None:
    assert resolve.method(ALICE) == "sso"
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    checked = check(connected)
    assert (checked["status"], checked["lastCheck"]["outcome"]) == ("consent_revoked", "consent_revoked")
    assert "consent again" in checked["lastCheck"]["detail"]
    assert checked["tenantId"] == CONTOSO
    assert resolve.method(ALICE) == "password"


def test_a_connection_whose_consent_is_revoked_may_still_hold_to_sso(
    connected: Caller, control: httpx.Client, resolve: Resolve
) -> None:
    patch = {"whenConnectionFails": "sso"}
    connected("PATCH", "/v1/accounts/acme/policy", json=patch, headers=ANY).raise_for_status()
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    assert check(connected)["status"] == "consent_revoked"
    assert resolve.method(ALICE) == "sso"


def test_a_consent_without_its_permission_counts_as_revoked_once_that_is_confirmed(
    connected: Caller, control: httpx.Client, client: httpx.Client, service: RunningService
) -> None:
    control.post(f"/consents/{CONTOSO}/grant", json={"application": []}).raise_for_status()
    checked = check(connected)
    assert (checked["status"], checked["lastCheck"]["outcome"]) == ("connected", "unconfirmed")
    service.clock.advance(timedelta(minutes=7))
    client.post("/admin/functions/run_duties", json={}, headers={"x-functions-key": MASTER_KEY}).raise_for_status()
    checked = look(connected)
    assert (checked["status"], checked["lastCheck"]["outcome"]) == ("consent_revoked", "consent_revoked")


def test_a_consent_given_again_is_found_by_the_next_check(
    connected: Caller, control: httpx.Client, resolve: Resolve
) -> None:
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    check(connected)
    control.post(f"/consents/{CONTOSO}/grant", json={}).raise_for_status()
    assert check(connected)["status"] == "connected"
    assert resolve.method(ALICE) == "sso"


def test_a_revoked_consent_is_mended_by_connecting_again(
    connected: Caller, control: httpx.Client, browser: Browser, resolve: Resolve
) -> None:
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    check(connected)
    walk = Integration(connected, browser)
    answer = walk.prove()
    assert status(connected) == "consent_revoked"
    assert walk.come_back(answer).status_code == 200
    assert status(connected) == "connected"
    assert resolve.method(ALICE) == "sso"


@pytest.mark.parametrize("outage", [{"token_status": 503}, {"graph_status": 503}, {"graph_status": 429}], ids=repr)
def test_an_outage_at_microsoft_does_not_look_like_a_revoked_consent(
    connected: Caller, hostile: Switch, resolve: Resolve, outage: dict[str, int]
) -> None:
    hostile(**outage)
    checked = check(connected)
    assert (checked["status"], checked["lastCheck"]["outcome"]) == ("connected", "unreachable")
    assert resolve.method(ALICE) == "sso"


def test_a_bad_credential_of_the_service_does_not_look_like_a_revoked_consent(
    connected: Caller, entra: LocalEntra, resolve: Resolve
) -> None:
    directory = entra.cloud.directory
    application = directory.application.model_copy(update={"client_secret": "a newer one"})
    entra.cloud.directory = directory.model_copy(update={"application": application})
    checked = check(connected)
    assert (checked["status"], checked["lastCheck"]["outcome"]) == ("connected", "unreachable")
    assert "The vendor's operators must fix this" in checked["lastCheck"]["detail"]
    assert resolve.method(ALICE) == "sso"


def test_a_check_that_hears_of_another_organisation_believes_nothing(
    connected: Caller, hostile: Switch, service: RunningService
) -> None:
    before = standing(service)
    hostile(graph_tenant="fab00000-0000-4000-8000-000000000000")
    assert problem(connected("POST", f"{CONNECTION}/check")) == (403, "proof-failed")
    assert standing(service) == before


def test_there_is_nothing_to_check_before_a_connection(acme: Caller) -> None:
    assert problem(acme("POST", f"{CONNECTION}/check")) == (409, "conflict")
    acme("POST", CONNECTION).raise_for_status()
    assert problem(acme("POST", f"{CONNECTION}/check")) == (409, "conflict")


# -- disconnect ------------------------------------------------------------------------------------------------------


def test_a_disconnected_account_routes_nothing_and_keeps_its_policy_and_exceptions(
    connected: Caller, resolve: Resolve
) -> None:
    added = connected("POST", "/v1/accounts/acme/exceptions", json={"email": "bob@contoso.example", "reason": "test"})
    assert added.status_code == 201
    policy = connected("GET", "/v1/accounts/acme/policy")
    exceptions = connected("GET", "/v1/accounts/acme/exceptions").json()
    etag = connected("GET", CONNECTION).headers["etag"]
    assert connected("DELETE", CONNECTION, headers={"If-Match": etag}).status_code == 204
    assert look(connected)["status"] == "disconnected"
    assert look(connected)["tenantId"] is None
    assert resolve.method(ALICE) == "password"
    assert connected("GET", "/v1/accounts/acme/domains").json()["items"] == []
    after = connected("GET", "/v1/accounts/acme/policy")
    assert (after.json(), after.headers["etag"]) == (policy.json(), policy.headers["etag"])
    assert connected("GET", "/v1/accounts/acme/exceptions").json() == exceptions
    assert trail(connected)[0] == ("connection.disconnected", None)


def test_a_disconnect_needs_the_version_that_was_seen(connected: Caller, service: RunningService) -> None:
    etag = connected("GET", CONNECTION).headers["etag"]
    check(connected)
    before = standing(service)
    assert problem(connected("DELETE", CONNECTION)) == (428, "precondition-required")
    assert problem(connected("DELETE", CONNECTION, headers={"If-Match": etag})) == (412, "stale")
    assert problem(connected("DELETE", CONNECTION, headers={"If-Match": "no tag"})) == (400, "malformed")
    weak = f"W/{connected('GET', CONNECTION).headers['etag']}"
    assert problem(connected("DELETE", CONNECTION, headers={"If-Match": weak})) == (412, "stale")
    assert standing(service) == before


def test_to_disconnect_again_is_safe(connected: Caller, service: RunningService) -> None:
    seen = {"If-Match": connected("GET", CONNECTION).headers["etag"]}
    assert connected("DELETE", CONNECTION, headers=seen).status_code == 204
    before = service.rows("accounts")
    assert connected("DELETE", CONNECTION, headers=seen).status_code == 204
    assert service.rows("accounts") == before


def test_an_integration_that_is_under_way_can_be_called_off(acme: Caller) -> None:
    acme("POST", CONNECTION).raise_for_status()
    assert acme("DELETE", CONNECTION, headers=ANY).status_code == 204
    assert look(acme) == NEVER_CONNECTED


def test_a_renewal_that_is_refused_leaves_the_connection_as_it_was(
    connected: Caller, browser: Browser, resolve: Resolve
) -> None:
    before = look(connected)
    walk = Integration(connected, browser)
    answer = walk.consent()
    until = look(connected)["pendingUntil"]
    assert until is not None
    assert walk.come_back(edited(answer, error="access_denied")).status_code == 403
    assert look(connected) == before | {"pendingUntil": until}
    assert resolve.method(ALICE) == "sso"


def test_a_check_does_not_end_a_renewal_that_is_under_way(connected: Caller, browser: Browser) -> None:
    walk = Integration(connected, browser)
    answer = walk.prove()
    until = look(connected)["pendingUntil"]
    assert check(connected)["pendingUntil"] == until
    assert walk.come_back(answer).status_code == 200


def test_the_domains_of_a_disconnected_account_are_free_for_another(
    connected: Caller, operator: Caller, manager: Callable[[str], Caller], service: RunningService
) -> None:
    connected("DELETE", CONNECTION, headers=ANY).raise_for_status()
    assert service.rows("domains") == []
    operator("PUT", "/v1/accounts/beta", json={"name": "Beta"}).raise_for_status()
    with Browser() as browser:
        walk = Integration(manager("beta"), browser, "beta")
        assert walk.come_back(walk.prove()).status_code == 200
    items = manager("beta")("GET", "/v1/accounts/beta/domains").json()["items"]
    assert [item["state"] for item in items] == ["routed", "routed", "not_routable"]


# -- closing an account ----------------------------------------------------------------------------------------------


def test_a_closed_account_leaves_no_row_and_its_domains_are_free(
    connected: Caller, operator: Caller, service: RunningService, resolve: Resolve, client: httpx.Client
) -> None:
    emails = [{"email": f"user{number}@contoso.example", "reason": "test"} for number in range(120)]
    connected("POST", "/v1/accounts/acme/exceptions", json=emails).raise_for_status()
    assert operator("DELETE", "/v1/accounts/acme").status_code == 428
    assert operator("DELETE", "/v1/accounts/acme", headers={"If-Match": '"old"'}).status_code == 412
    assert len(service.rows("accounts")) > 120
    etag = operator("GET", "/v1/accounts/acme").headers["etag"]
    assert operator("DELETE", "/v1/accounts/acme", headers={"If-Match": etag}).status_code == 204
    assert {table: service.rows(table) for table in ("accounts", "domains", "applications")} == {
        "accounts": [],
        "domains": [],
        "applications": [],
    }
    assert resolve.method(ALICE) == "password"
    assert operator("DELETE", "/v1/accounts/acme", headers=ANY).status_code == 404
    service.clock.advance(timedelta(hours=2))
    client.post("/admin/functions/purge_flows", json={}, headers={"x-functions-key": MASTER_KEY}).raise_for_status()
    assert service.rows("flows") == []


def test_a_closed_account_takes_nothing_of_another_with_it(
    acme: Caller, operator: Caller, manager: Callable[[str], Caller], service: RunningService
) -> None:
    operator("PUT", "/v1/accounts/acme2", json={"name": "Acme Two"}).raise_for_status()
    with Browser() as browser:
        walk = Integration(manager("acme2"), browser, "acme2")
        assert walk.come_back(walk.prove()).status_code == 200
    others = [row for row in service.rows("accounts") if row["PartitionKey"] == "acme2"]
    domains = service.rows("domains")
    operator("DELETE", "/v1/accounts/acme", headers=ANY).raise_for_status()
    assert (service.rows("accounts"), service.rows("domains")) == (others, domains)


def test_an_integration_of_a_closed_account_ends_nowhere(
    acme: Caller, operator: Caller, browser: Browser, service: RunningService
) -> None:
    walk = Integration(acme, browser)
    consent = walk.consent()
    operator("DELETE", "/v1/accounts/acme", headers=ANY).raise_for_status()
    assert walk.come_back(consent).status_code == 404
    assert (service.rows("accounts"), service.rows("domains")) == ([], [])


def closing(service: RunningService) -> None:
    """Mark the account as a deletion leaves it that was cut off."""
    (account,) = [row for row in service.rows("accounts") if row["RowKey"] == "head:account"]
    document = json.dumps(json.loads(account["document"]) | {"closing": True})
    with TableClient.from_connection_string(service.connection_string, "accounts") as accounts:
        accounts.update_entity({**account, "document": document})
    service.clock.advance(timedelta(seconds=10))  # resolve has heard of it by then


CALLS_OF_AN_ACCOUNT: list[tuple[str, str, object]] = [
    ("GET", "", None),
    ("GET", "/connection", None),
    ("POST", "/connection", {}),
    ("POST", "/connection/check", None),
    ("DELETE", "/connection", None),
    ("GET", "/domains", None),
    ("PATCH", "/domains/contoso.example", {"enabled": False}),
    ("POST", "/domains/refresh", None),
    ("GET", "/policy", None),
    ("PATCH", "/policy", {"mode": "off"}),
    ("DELETE", "/policy", None),
    ("GET", "/exceptions", None),
    ("POST", "/exceptions", {"email": ALICE, "reason": "test"}),
    ("POST", "/exceptions", [{"email": ALICE, "reason": "test"}]),
    ("POST", "/exceptions/search", {"email": ALICE}),
    ("GET", "/audit", None),
]


def test_an_account_whose_deletion_was_cut_off_is_there_for_nobody_and_is_deleted_by_repeating_it(
    connected: Caller, operator: Caller, service: RunningService, resolve: Resolve
) -> None:
    seen = operator("GET", "/v1/accounts/acme").headers["etag"]
    entry = connected("POST", "/v1/accounts/acme/exceptions", json={"email": ALICE, "reason": "test"}).json()
    closing(service)
    before = service.rows("accounts")
    path_of_entry = f"/exceptions/{entry['exceptionId']}"
    calls_of_entry = [
        ("GET", path_of_entry, None),
        ("PATCH", path_of_entry, {"reason": "x"}),
        ("DELETE", path_of_entry, None),
    ]
    for method, path, body in [*CALLS_OF_AN_ACCOUNT, *calls_of_entry]:
        more = {} if body is None else {"json": body}
        answer = operator(method, f"/v1/accounts/acme{path}", headers=ANY, **more)
        assert (method, path, problem(answer)) == (method, path, (404, "not-found"))
    assert resolve.method(ALICE) == "password"
    for headers in ({}, ANY):
        assert problem(operator("PUT", "/v1/accounts/acme", json={"name": "Acme"}, headers=headers)) == (
            409,
            "conflict",
        )
    assert service.rows("accounts") == before
    assert operator("DELETE", "/v1/accounts/acme").status_code == 428
    assert operator("DELETE", "/v1/accounts/acme", headers={"If-Match": seen}).status_code == 204
    assert (service.rows("accounts"), service.rows("domains")) == ([], [])
    assert operator("PUT", "/v1/accounts/acme", json={"name": "Acme"}).status_code == 201


def test_no_exception_of_an_erased_account_comes_back_with_its_id(
    acme: Caller, operator: Caller, service: RunningService
) -> None:
    acme("POST", "/v1/accounts/acme/exceptions", json={"email": ALICE, "reason": "test"}).raise_for_status()
    (late,) = [row for row in service.rows("accounts") if row["RowKey"].startswith("exception:")]
    operator("DELETE", "/v1/accounts/acme", headers=ANY).raise_for_status()
    with TableClient.from_connection_string(service.connection_string, "accounts") as accounts:
        accounts.create_entity(late)  # by somebody who had read the account before
    assert operator("PUT", "/v1/accounts/acme", json={"name": "Acme"}).status_code == 201
    assert acme("GET", "/v1/accounts/acme/exceptions").json()["items"] == []
    assert trail(acme) == [("account.registered", None)]


def test_two_who_register_an_account_at_once_register_it_once(operator: Caller) -> None:
    def register(_: int) -> int:
        return operator("PUT", "/v1/accounts/acme", json={"name": "Acme"}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(register, range(4))) == [200, 200, 200, 201]
    assert trail(operator) == [("account.registered", None)]


def test_times_are_told_in_utc(connected: Caller) -> None:
    at = look(connected)["connectedAt"]
    assert at.endswith("Z")
    assert datetime.fromisoformat(at).tzinfo == UTC

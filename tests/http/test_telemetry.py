"""What operators see: each step of an integration, of a sign-in and each refusal is told once, and nobody by name."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.cast.person import PASSWORD
from local.cast.stack import FUNCTION_KEY
from tests.http.conftest import CONTOSO, Caller, Resolve, Switch, Walk
from tests.http.signing_in import ALICE, Asked, NewPerson, Person, Register, query_of, redeem, set_policy
from tests.support.integration import Integration, edited, press
from tests.support.service import RunningService

ADA = "ada@contoso.example"

type Told = Callable[..., list[dict[str, str]]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """The events of one kind, or of all, since the test began or last asked for `fresh` ones."""
    caplog.set_level(logging.INFO)
    seen = 0

    def events(kind: str | None = None, *, fresh: bool = False) -> list[dict[str, str]]:
        nonlocal seen
        lines = [record.getMessage() for record in caplog.records if record.name == "azure_sso"]
        first, seen = seen if fresh else 0, len(lines)
        found = [json.loads(line) for line in lines[first:]]
        return [event for event in found if kind in {None, event["event"]}]

    return events


def steps(events: list[dict[str, str]]) -> list[str]:
    return [event["outcome"] for event in events]


# -- resolve ---------------------------------------------------------------------------------------------------------


def test_a_resolution_is_told_with_the_rule_that_chose_it(
    contoso: Caller, unite: Asked, resolve: Resolve, told: Told
) -> None:
    resolve(ALICE, "unite")
    resolve("nobody@elsewhere.example")
    routed, unrouted = told("resolve")
    person = {"person": routed["person"]}
    known = {"account": "acme", "application": "unite", **person}
    assert routed == {"event": "resolve", "outcome": "sso", "reason": "sso_applies", **known}
    assert unrouted.pop("person") != routed["person"]
    assert unrouted == {"event": "resolve", "outcome": "password", "reason": "domain_not_routed"}


# -- an integration --------------------------------------------------------------------------------------------------


def test_each_step_of_an_integration_is_told_once(acme: Caller, connect: Walk, told: Told) -> None:
    connect(acme)
    acme("DELETE", "/v1/accounts/acme/connection", headers={"If-Match": "*"}).raise_for_status()
    acme("DELETE", "/v1/accounts/acme/connection", headers={"If-Match": "*"}).raise_for_status()
    events = told("connect")
    assert steps(events) == ["started", "opened", "consented", "connected", "disconnected"]
    assert {event["account"] for event in events} == {"acme"}


def test_an_integration_that_is_refused_is_told_with_its_reason_and_is_no_refusal_of_a_call(
    acme: Caller, integration: Integration, told: Told
) -> None:
    answer = press(integration.browser, integration.consent_page(ADA), "cancel")
    integration.come_back(answer)
    assert steps(told("connect")) == ["started", "opened", "refused"]
    assert told("connect")[-1] == {
        "event": "connect",
        "outcome": "refused",
        "reason": "consent-refused",
        "account": "acme",
    }
    assert told("refusal") == []


def test_closing_an_account_that_is_connected_is_told_as_disconnecting_it(
    acme: Caller, operator: Caller, connect: Walk, told: Told
) -> None:
    connect(acme)
    told()
    operator("DELETE", "/v1/accounts/acme", headers={"If-Match": "*"}).raise_for_status()
    assert steps(told("connect", fresh=True)) == ["disconnected"]


@pytest.fixture
def integration(acme: Caller, person: Person) -> Integration:
    return Integration(acme, person.browser)


# -- a sign-in -------------------------------------------------------------------------------------------------------


def test_each_step_of_a_sign_in_is_told_once(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, told: Told
) -> None:
    person.authorize(unite, login_hint=None)
    person.tokens(unite)
    asked, *way = told("sign_in")
    assert asked == {"event": "sign_in", "outcome": "asked", "application": "unite"}
    assert steps(way) == ["started", "returned", "completed", "redeemed"]
    pseudonym = {event["person"] for event in way}
    assert len(pseudonym) == 1
    known = {"event": "sign_in", "account": "acme", "application": "unite", "person": pseudonym.pop()}
    assert [{**event, "outcome": ""} for event in way] == [{**known, "outcome": ""}] * 4
    assert told("resolve") == [], "the decisions inside a sign-in are told by its steps"


def test_a_person_without_sso_is_told_once_whatever_the_application_does_with_it(
    contoso: Caller, register: Register, new_person: NewPerson, told: Told
) -> None:
    set_policy(contoso, mode="off")
    register("unite").raise_for_status()
    register("other", passwordSignInUri=None).raise_for_status()
    told()
    new_person().authorize(Asked())
    new_person().authorize(Asked("other"))
    new_person().authorize(Asked(), prompt="none")
    seen = [(event["event"], event["outcome"], event["reason"]) for event in told(fresh=True)]
    assert seen == [("sign_in", "password", "sso_off")] * 3


def test_an_address_that_is_none_is_asked_for_again(unite: Asked, person: Person, told: Told) -> None:
    person.authorize(unite, login_hint="alice")
    assert [(event["outcome"], event.get("reason")) for event in told("sign_in")] == [("asked", "not_an_address")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"code_challenge": None}, "invalid_request"), ({"scope": "email"}, "invalid_scope")],
)
def test_a_request_that_is_wrong_is_told_by_its_oauth_error(
    unite: Asked, person: Person, told: Told, changes: dict[str, Any], reason: str
) -> None:
    person.authorize(unite, **changes)
    assert told() == [{"event": "sign_in", "outcome": "refused", "reason": reason, "application": "unite"}]


def test_what_microsoft_refuses_is_told_by_its_number(
    contoso: Caller, unite: Asked, person: Person, hostile: Switch, told: Told
) -> None:
    hostile(authorize_error={"error": "access_denied", "aadsts": 50105, "sentence": "alice@contoso.example"})
    person.come_back(unite)
    assert steps(told("sign_in")) == ["started", "returned", "refused"]
    assert told("sign_in")[-1]["reason"] == "AADSTS50105"
    assert told("refusal") == []


def test_a_number_that_a_browser_made_up_is_not_counted(
    contoso: Caller, unite: Asked, person: Person, told: Told
) -> None:
    answer = edited(person.answer(unite), code=None, error="something", error_description="AADSTS123456")
    person.open(answer)
    assert told("sign_in")[-1]["reason"] == "unknown"


def test_what_microsoft_wants_to_ask_a_silent_client_is_told(
    contoso: Caller, unite: Asked, person: Person, told: Told
) -> None:
    person.come_back(unite, prompt="none")
    assert steps(told("sign_in")) == ["started", "returned", "refused"]
    assert told("sign_in")[-1]["reason"] in {"login_required", "interaction_required"}


def test_a_code_that_microsoft_does_not_redeem_is_told_by_its_number(
    contoso: Caller, unite: Asked, person: Person, told: Told
) -> None:
    used = query_of(person.answer(unite))["code"]
    person.open(edited(person.answer(unite), code=used))
    assert steps(told("sign_in"))[-2:] == ["returned", "refused"]
    assert told("sign_in")[-1]["reason"] == "AADSTS501481", "it was asked for with another verifier"


def test_sso_that_is_switched_off_on_the_way_is_told(contoso: Caller, unite: Asked, person: Person, told: Told) -> None:
    answer = person.answer(unite)
    set_policy(contoso, mode="off")
    person.service.clock.advance(timedelta(seconds=11))
    person.open(answer)
    assert told("sign_in")[-1]["reason"] == "sso-switched-off"


def test_a_revoked_consent_is_told_when_our_probe_confirms_it(
    contoso: Caller, unite: Asked, person: Person, control: httpx.Client, told: Told
) -> None:
    answer = person.answer(unite)
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    person.open(edited(answer, code=None, error="unauthorized_client", error_description="AADSTS700016: gone"))
    assert steps(told("connect"))[-1] == "revoked"
    assert told("sign_in")[-1]["reason"] == "AADSTS700016"


# -- refusals --------------------------------------------------------------------------------------------------------


def test_each_refusal_of_a_call_is_told_once_by_status_and_kind(
    service: RunningService, operator: Caller, anybody: Caller, person: Person, unite: Asked, told: Told
) -> None:
    told()
    operator("GET", "/v1/accounts/nobody")
    anybody("GET", "/v1/accounts/acme")
    person.open(f"{service.url}/v1/connect?ticket={'A' * 43}")
    person.open(f"{service.url}/signin/callback")
    redeem(service, unite.redemption("no-such-code"))
    redeem(service, unite.redemption("no-such-code", client_id="nobody"))
    assert [(event["event"], event["outcome"], event["reason"]) for event in told(fresh=True)] == [
        ("refusal", "404", "not-found"),
        ("refusal", "401", "not-authenticated"),
        ("refusal", "400", "flow-spent"),
        ("refusal", "400", "flow-spent"),
        ("refusal", "400", "invalid_grant"),
        ("refusal", "401", "invalid-client"),
    ]


# -- who is named ----------------------------------------------------------------------------------------------------


def test_no_line_holds_an_address_a_token_a_secret_or_a_url(
    contoso: Caller,
    unite: Asked,
    person: Person,
    resolve: Resolve,
    told: Told,
    caplog: pytest.LogCaptureFixture,
) -> None:
    resolve(ALICE, "unite")
    resolve("broken address@contoso.example")
    away = person.leave(unite)
    answer = person.sign_in_at_microsoft(away)
    back = query_of(str(person.open(answer).headers["location"]))
    tokens = redeem(person.service, unite.redemption(back["code"])).raise_for_status().json()
    person.open(answer)
    redeem(person.service, unite.redemption(back["code"]))
    assert {event["event"] for event in told()} == {"resolve", "sign_in", "refusal"}
    sent = {*query_of(away).values(), *query_of(answer).values(), *back.values()} - {"code", "S256", "unite"}
    secrets = {value for value in sent if len(value) > 10} | {tokens["access_token"], tokens["id_token"]}
    forbidden = secrets | {ALICE, ADA, "alice", "broken address", PASSWORD, FUNCTION_KEY, unite.verifier, "http"}
    lines = "\n".join(record.getMessage() for record in caplog.records if record.name == "azure_sso")
    assert {text for text in forbidden if text.lower() in lines.lower()} == set()

"""The policy of an account: versions, merge patches, and two hands at once."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.http.conftest import Caller

POLICY = "/v1/accounts/acme/policy"
ANY = {"If-Match": "*"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}

DEFAULT = {"mode": "off", "applicationsOff": [], "whenConnectionFails": "password", "sessionHours": None}
CHOSEN = {"mode": "on", "applicationsOff": ["anymeeting"], "whenConnectionFails": "sso", "sessionHours": 8}


@pytest.fixture(autouse=True)
def applications(operator: Caller) -> None:
    """The vendor's applications, which a policy can switch off."""
    for name in ("unite", "anymeeting", "securisync", *(f"app-{number}" for number in range(8))):
        operator("PUT", f"/v1/applications/{name}", json={"name": name, "ssoSupported": True}).raise_for_status()


def settings(answer: httpx.Response) -> dict[str, object]:
    """What was decided, without who and when."""
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json().items() if name not in {"updatedAt", "updatedBy"}}


def changes(acme: Caller) -> list[dict[str, object]]:
    """What the audit trail says of the policy, the newest first."""
    items = acme("GET", "/v1/accounts/acme/audit").json()["items"]
    return [item["details"] for item in items if item["action"] == "policy.changed"]


def test_before_anybody_decided_sso_is_off(acme: Caller) -> None:
    assert acme("GET", POLICY).json() == {**DEFAULT, "updatedAt": None, "updatedBy": None}


def test_a_policy_is_replaced_as_a_whole(acme: Caller) -> None:
    put = acme("PUT", POLICY, json=CHOSEN, headers=ANY)
    assert settings(put) == CHOSEN
    assert put.json()["updatedBy"] == "Sam Security"
    got = acme("GET", POLICY)
    assert (got.json(), got.headers["ETag"]) == (put.json(), put.headers["ETag"])
    assert settings(acme("PUT", POLICY, json={"mode": "on"}, headers=ANY)) == DEFAULT | {"mode": "on"}


@pytest.mark.parametrize("media", ["application/merge-patch+json", "application/json"])
def test_a_patch_changes_what_it_names(acme: Caller, media: str) -> None:
    acme("PUT", POLICY, json=CHOSEN, headers=ANY)
    headers = {"Content-Type": media, "If-Match": "*"}
    answer = acme("PATCH", POLICY, content=b'{"applicationsOff": ["unite", "securisync"]}', headers=headers)
    assert settings(answer) == CHOSEN | {"applicationsOff": ["unite", "securisync"]}


def test_a_policy_that_is_repeated_is_no_change(acme: Caller) -> None:
    """The trail names nobody who has changed nothing."""
    first = acme("PUT", POLICY, json=CHOSEN, headers=ANY)
    again = [
        acme("PUT", POLICY, json=CHOSEN, headers=ANY),
        acme("PATCH", POLICY, content=b'{"mode": "on"}', headers=MERGE_PATCH),
    ]
    assert [(each.json(), each.headers["ETag"]) for each in again] == [(first.json(), first.headers["ETag"])] * 2
    assert len(changes(acme)) == 1


@pytest.mark.parametrize("field", DEFAULT)
def test_null_in_a_patch_resets_a_field_to_its_default(acme: Caller, field: str) -> None:
    acme("PUT", POLICY, json=CHOSEN, headers=ANY)
    assert settings(acme("PATCH", POLICY, json={field: None}, headers=MERGE_PATCH)) == CHOSEN | {field: DEFAULT[field]}


@pytest.mark.parametrize(
    ("patch", "named"),
    [
        ({"moode": "on"}, "moode"),
        ({"mode": "maybe"}, "mode"),
        ({"sessionHours": 0}, "sessionHours"),
        ({"sessionHours": 8_761}, "sessionHours"),
        ({"sessionHours": "8"}, "sessionHours"),
        ({"when_connection_fails": "sso"}, "when_connection_fails"),
    ],
)
def test_a_patch_that_makes_no_policy_changes_nothing(acme: Caller, patch: dict[str, object], named: str) -> None:
    answer = acme("PATCH", POLICY, json=patch, headers=MERGE_PATCH)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [named])
    assert settings(acme("GET", POLICY)) == DEFAULT


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_only_registered_applications_can_be_switched_off(acme: Caller, operator: Caller, method: str) -> None:
    named = ["unite", "anymeting", "securisync", "portal", "anymeting"]
    answer = acme(method, POLICY, json={"applicationsOff": named}, headers=ANY)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:azure-sso:problem:invalid")
    assert answer.json()["errors"] == [
        {"field": f"applicationsOff.{index}", "detail": f"No application is registered as {named[index]}."}
        for index in (1, 3, 4)
    ]
    assert settings(acme("GET", POLICY)) == DEFAULT
    operator("PUT", "/v1/applications/portal", json={"name": "Portal", "ssoSupported": True}).raise_for_status()
    answer = acme(method, POLICY, json={"applicationsOff": ["\u200bunite\r\n", "portal"]}, headers=ANY)
    assert settings(answer)["applicationsOff"] == ["unite", "portal"]


def test_an_application_that_was_removed_does_not_stand_in_the_way_of_a_change(acme: Caller, operator: Caller) -> None:
    acme("PUT", POLICY, json=CHOSEN, headers=ANY).raise_for_status()
    operator("DELETE", "/v1/applications/anymeeting", headers=ANY).raise_for_status()
    assert settings(acme("PATCH", POLICY, json={"mode": "off"}, headers=ANY))["applicationsOff"] == ["anymeeting"]
    both = ["unite", "anymeeting"]
    assert settings(acme("PUT", POLICY, json={"applicationsOff": both}, headers=ANY))["applicationsOff"] == both
    acme("PATCH", POLICY, json={"applicationsOff": []}, headers=ANY).raise_for_status()
    assert acme("PATCH", POLICY, json={"applicationsOff": both}, headers=ANY).status_code == 422


@pytest.mark.parametrize("patch", [[{"mode": "on"}], "on", 1, None])
def test_a_patch_is_an_object(acme: Caller, patch: object) -> None:
    answer = acme("PATCH", POLICY, content=httpx.Request("PUT", "x:", json=[patch]).content[1:-1], headers=MERGE_PATCH)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:azure-sso:problem:malformed")


def test_delete_resets_the_policy(acme: Caller) -> None:
    acme("PUT", POLICY, json=CHOSEN, headers=ANY)
    reset = acme("DELETE", POLICY, headers=ANY)
    assert settings(reset) == DEFAULT
    assert reset.json()["updatedBy"] == "Sam Security"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
class TestEveryWrite:
    """PUT, PATCH and DELETE ask for the same precondition."""

    def body(self, method: str) -> dict[str, object]:
        return {} if method == "DELETE" else {"json": {"mode": "on"}}

    def test_needs_if_match(self, acme: Caller, method: str) -> None:
        answer = acme(method, POLICY, **self.body(method))
        assert (answer.status_code, answer.json()["type"]) == (428, "urn:azure-sso:problem:precondition-required")
        assert changes(acme) == []

    def test_needs_the_version_that_stands(self, acme: Caller, method: str) -> None:
        seen = acme("GET", POLICY).headers["ETag"]
        stale = ['"stale"', f"W/{seen}", f'"stale", W/{seen}', seen.upper()]
        answers = [acme(method, POLICY, **self.body(method), headers={"If-Match": tags}) for tags in stale]
        assert [(a.status_code, a.json()["type"]) for a in answers] == [(412, "urn:azure-sso:problem:stale")] * 4
        assert changes(acme) == []

    def test_is_done_if_the_version_is_among_those_seen(self, acme: Caller, method: str) -> None:
        for tags in ("{}", '"stale", {}', '{},"stale"', 'W/"stale" , {}', "*"):
            acme("DELETE", POLICY, headers=ANY).raise_for_status()
            seen = acme("PATCH", POLICY, json={"applicationsOff": ["unite"]}, headers=ANY).headers["ETag"]
            before = len(changes(acme))
            answer = acme(method, POLICY, **self.body(method), headers={"If-Match": tags.format(seen)})
            assert answer.status_code == 200, tags
            assert len(changes(acme)) == before + 1, tags

    def test_reads_no_garbage(self, acme: Caller, method: str) -> None:
        for garbage in ("abc", '"abc', "**", "W/abc"):
            answer = acme(method, POLICY, **self.body(method), headers={"If-Match": garbage})
            assert (answer.status_code, answer.json()["type"]) == (400, "urn:azure-sso:problem:malformed")
        assert changes(acme) == []


def test_a_version_is_used_up_by_a_change(acme: Caller) -> None:
    first = acme("GET", POLICY).headers["ETag"]
    second = acme("PUT", POLICY, json=CHOSEN, headers={"If-Match": first}).headers["ETag"]
    assert second != first
    assert acme("PUT", POLICY, json=DEFAULT, headers={"If-Match": first}).status_code == 412
    assert acme("PUT", POLICY, json=DEFAULT, headers={"If-Match": second}).status_code == 200


@pytest.mark.parametrize("first", [True, False], ids=["the very first change", "a later change"])
def test_of_writers_at_once_one_wins_and_the_audit_trail_has_exactly_that_one(acme: Caller, *, first: bool) -> None:
    if not first:
        acme("PUT", POLICY, json={}, headers=ANY)
    seen = {"If-Match": acme("GET", POLICY).headers["ETag"]}
    before = len(changes(acme))
    names = [f"app-{number}" for number in range(8)]

    def switch_off(name: str) -> int:
        return acme("PATCH", POLICY, json={"applicationsOff": [name]}, headers=seen).status_code

    with ThreadPoolExecutor(len(names)) as threads:
        outcomes = dict(zip(names, threads.map(switch_off, names), strict=True))
    assert sorted(outcomes.values()) == [200] + [412] * 7
    (winner,) = (name for name, status in outcomes.items() if status == 200)
    assert settings(acme("GET", POLICY)) == DEFAULT | {"applicationsOff": [winner]}
    newest, *older = changes(acme)
    assert (newest, len(older)) == ({"before": DEFAULT, "after": DEFAULT | {"applicationsOff": [winner]}}, before)


def test_writers_who_read_again_lose_nothing(acme: Caller) -> None:
    names = [f"app-{number}" for number in range(4)]

    def add(name: str) -> None:
        while True:
            seen = acme("GET", POLICY)
            patch = {"applicationsOff": [*seen.json()["applicationsOff"], name]}
            answer = acme("PATCH", POLICY, json=patch, headers={"If-Match": seen.headers["ETag"]})
            if answer.status_code == 200:
                return
            assert answer.status_code == 412

    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(add, names))
    assert sorted(acme("GET", POLICY).json()["applicationsOff"]) == names
    assert len(changes(acme)) == len(names)

"""The exception list: one user at a time, many at once, and as a file."""

import json
import resource
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import Size
from tests.http.conftest import Caller, Resolve, Walk
from tests.support.service import RunningService

EXCEPTIONS = "/v1/accounts/acme/exceptions"
ANY = {"If-Match": "*"}
CSV = {"Content-Type": "text/csv"}
ALICE = {"email": "alice@contoso.example", "reason": "Kiosk"}

ADDRESSES = {
    "ALICE@Contoso.EXAMPLE": "alice@contoso.example",
    "alice+kiosk@contoso.example": "alice+kiosk@contoso.example",
    "o'brien@contoso.example": "o'brien@contoso.example",
    "a/b@contoso.example": "a/b@contoso.example",
    "a#b@contoso.example": "a#b@contoso.example",
    "a?b=c&d@contoso.example": "a?b=c&d@contoso.example",
    "a%2Fb@contoso.example": "a%2fb@contoso.example",
    "=cmd|'/c'@contoso.example": "=cmd|'/c'@contoso.example",
    "ÄRGER@contoso.example": "ärger@contoso.example",
    "alice@bücher.example": "alice@xn--bcher-kva.example",
}

NO_ADDRESSES = {
    "320 characters": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 55}.example",
    "control character": "ali\x07ce@contoso.example",
    "line feed": "alice@contoso.example\nbob@contoso.example",
    "quoted local part": '"alice archer"@contoso.example',
    "IP literal": "alice@[127.0.0.1]",
    "trailing dot": "alice@contoso.example.",
    "a number": 7,
    "null": None,
}


def add(caller: Caller, **changes: object) -> httpx.Response:
    return caller("POST", EXCEPTIONS, json=ALICE | changes)


def send(caller: Caller, file: str | bytes, **more: Any) -> httpx.Response:
    return caller("POST", EXCEPTIONS, content=file, headers=CSV, **more)


def without_warnings(document: dict[str, object]) -> dict[str, object]:
    """An entry as it is read: warnings stand in the answer to whoever adds it, and nowhere else."""
    return {name: value for name, value in document.items() if name != "warnings"}


def report(accepted: int, refused: int = 0, expired: int = 0, **lists: list[object]) -> dict[str, object]:
    """What an import answers, but for its warnings."""
    return {"accepted": accepted, "refused": refused, "expired": expired, "problems": []} | lists


def emails(caller: Caller) -> list[str]:
    """Everybody on the list, in alphabetical order."""
    found, token = [], ""
    while token is not None:
        page = caller("GET", EXCEPTIONS, params={"pageSize": 1_000, "continuationToken": token}).json()
        found += [item["email"] for item in page["items"]]
        token = page["continuationToken"]
    return sorted(found)


# -- one at a time


def test_one_user_is_put_on_the_list(acme: Caller, service: RunningService) -> None:
    answer = add(acme, expiresAt="2099-01-01T02:00:00+02:00")
    assert answer.status_code == 201
    told = without_warnings(answer.json())
    assert told == {
        "exceptionId": told["exceptionId"],
        "email": "alice@contoso.example",
        "reason": "Kiosk",
        "expiresAt": "2099-01-01T00:00:00Z",
        "inForce": True,
        "createdAt": told["createdAt"],
        "createdBy": "Sam Security",
        "updatedAt": told["createdAt"],
    }
    location = answer.headers["Location"]
    assert location == f"{service.url}{EXCEPTIONS}/{told['exceptionId']}"
    got = acme("GET", urlsplit(location).path)
    assert (got.status_code, got.json(), got.headers["ETag"]) == (200, told, answer.headers["ETag"])


def test_every_address_that_people_have_can_be_excepted_found_and_removed(acme: Caller) -> None:
    for typed, stored in ADDRESSES.items():
        answer = add(acme, email=typed)
        assert (answer.status_code, answer.json()["email"]) == (201, stored)
        (found,) = acme("POST", f"{EXCEPTIONS}/search", json={"email": typed}).json()["items"]
        assert found == without_warnings(answer.json())
    assert emails(acme) == sorted(ADDRESSES.values())
    for typed in ADDRESSES:
        (found,) = acme("POST", f"{EXCEPTIONS}/search", json={"email": typed.upper()}).json()["items"]
        assert acme("DELETE", f"{EXCEPTIONS}/{found['exceptionId']}", headers=ANY).status_code == 204
    assert emails(acme) == []


@pytest.mark.parametrize("email", NO_ADDRESSES.values(), ids=NO_ADDRESSES)
def test_what_is_no_address_is_refused_wherever_it_is_sent(acme: Caller, email: object) -> None:
    for answer in (add(acme, email=email), acme("POST", f"{EXCEPTIONS}/search", json={"email": email or ""})):
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["email"])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": " \t "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "two\nlines"}, "reason"),
        ({"reason": None}, "reason"),
        ({"expiresAt": "tomorrow"}, "expiresAt"),
        ({"expiresAt": "2099-01-01"}, "expiresAt"),
        ({"expiresAt": "2099-01-01T00:00:00"}, "expiresAt"),
        ({"expiresAt": 4_070_908_800}, "expiresAt"),
        ({"expiresAt": "4070908800"}, "expiresAt"),
        ({"expiresAt": "9999-12-31T23:59:59-01:00"}, "expiresAt"),
        ({"inForce": True}, "inForce"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(acme: Caller, changes: dict[str, object], named: str) -> None:
    answer = add(acme, **changes)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [named])
    assert emails(acme) == []


def test_a_user_stands_on_the_list_once(acme: Caller) -> None:
    first = without_warnings(add(acme).json())
    again = add(acme, email="ALICE@contoso.example", reason="Something else")
    assert (again.status_code, again.json()["type"]) == (409, "urn:azure-sso:problem:conflict")
    assert first["exceptionId"] in again.json()["detail"]
    assert acme("GET", f"{EXCEPTIONS}/{first['exceptionId']}").json() == first


def test_of_two_who_add_one_user_at_once_one_does(acme: Caller) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: add(acme).status_code, range(4)))
    assert sorted(answers) == [201, 409, 409, 409]
    assert len(acme("GET", "/v1/accounts/acme/audit").json()["items"]) == 2


def test_an_entry_is_changed_by_merge_patch(acme: Caller) -> None:
    added = add(acme, expiresAt="2099-01-01T00:00:00Z")
    path = f"{EXCEPTIONS}/{added.json()['exceptionId']}"
    for patch, expected in [
        ({"reason": "On leave"}, {"reason": "On leave", "expiresAt": "2099-01-01T00:00:00Z"}),
        ({"expiresAt": None}, {"reason": "On leave", "expiresAt": None}),
        ({"expiresAt": "2098-01-01T00:00:00Z"}, {"reason": "On leave", "expiresAt": "2098-01-01T00:00:00Z"}),
        ({}, {"reason": "On leave", "expiresAt": "2098-01-01T00:00:00Z"}),
    ]:
        told = acme("PATCH", path, json=patch, headers=ANY).json()
        assert {name: told[name] for name in expected} == expected
        assert told["createdAt"] == added.json()["createdAt"] < told["updatedAt"]
    for patch, named in [({"reason": None}, "reason"), ({"email": "bob@contoso.example"}, "email"), ({"x": 1}, "x")]:
        answer = acme("PATCH", path, json=patch, headers=ANY)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [named])


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_entry_is_changed_by_those_who_have_seen_it(acme: Caller, method: str) -> None:
    added = add(acme)
    path = f"{EXCEPTIONS}/{added.json()['exceptionId']}"
    body = {"json": {"reason": "x"}} if method == "PATCH" else {}
    assert acme(method, path, **body).status_code == 428
    assert acme(method, path, **body, headers={"If-Match": '"stale"'}).status_code == 412
    assert acme(method, path, **body, headers={"If-Match": added.headers["ETag"]}).is_success
    absent = acme(method, f"{EXCEPTIONS}/{'x' * 43}", **body, headers=ANY)
    assert (absent.status_code, absent.json()["type"]) == (404, "urn:azure-sso:problem:not-found")


def test_of_one_who_changes_and_one_who_removes_at_once_one_wins(acme: Caller) -> None:
    added = add(acme)
    path, seen = f"{EXCEPTIONS}/{added.json()['exceptionId']}", {"If-Match": added.headers["ETag"]}
    with ThreadPoolExecutor(2) as threads:
        changed = threads.submit(acme, "PATCH", path, json={"reason": "x"}, headers=seen)
        removed = threads.submit(acme, "DELETE", path, headers=seen)
        outcomes = changed.result().status_code, removed.result().status_code
    assert outcomes in {(200, 412), (412, 204), (404, 204)}
    assert acme("GET", path).status_code == (200 if outcomes[0] == 200 else 404)


def test_nobody_is_found_where_nobody_is(acme: Caller) -> None:
    assert acme("POST", f"{EXCEPTIONS}/search", json={"email": "bob@contoso.example"}).json()["items"] == []
    assert acme("GET", EXCEPTIONS).json() == {"items": [], "continuationToken": None}


def test_there_is_no_list_without_an_account(operator: Caller) -> None:
    path = "/v1/accounts/nobody/exceptions"
    answers = [
        operator("GET", path),
        operator("GET", path, headers={"Accept": "text/csv"}),
        operator("POST", path, json=ALICE),
        operator("POST", path, json=[ALICE]),
        operator("POST", path, content="email,reason\n", headers=CSV),
        operator("POST", f"{path}/search", json={"email": "alice@contoso.example"}),
        operator("GET", f"{path}/{'x' * 43}"),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)


def test_one_person_has_an_id_of_their_own_in_each_account(
    acme: Caller, operator: Caller, manager: Callable[[str], Caller]
) -> None:
    operator("PUT", "/v1/accounts/globex", json={"name": "Globex"})
    here = add(acme).json()["exceptionId"]
    there = manager("globex")("POST", "/v1/accounts/globex/exceptions", json=ALICE).json()["exceptionId"]
    assert here != there
    assert manager("globex")("GET", f"/v1/accounts/globex/exceptions/{here}").status_code == 404


def tomorrow(service: RunningService) -> str:
    return (service.clock.now() + timedelta(days=1)).isoformat()


def yesterday(service: RunningService) -> str:
    return (service.clock.now() - timedelta(days=1)).isoformat()


def test_an_exception_does_not_end_before_it_begins(acme: Caller, service: RunningService) -> None:
    refused = add(acme, expiresAt=yesterday(service))
    assert refused.status_code == 422
    detail = "It is in the past. Choose a time in the future, or leave it out."
    assert refused.json()["errors"] == [{"field": "expiresAt", "detail": detail}]
    path = f"{EXCEPTIONS}/{add(acme).json()['exceptionId']}"
    changed = acme("PATCH", path, json={"expiresAt": yesterday(service)}, headers=ANY)
    assert (changed.status_code, changed.json()["errors"]) == (422, refused.json()["errors"])
    assert acme("GET", path).json()["expiresAt"] is None
    row = {"email": "bob@contoso.example", "reason": "x", "expiresAt": yesterday(service)}
    for answer in (
        acme("POST", EXCEPTIONS, json=[row]),
        send(acme, f"email,reason,expiresAt\n{','.join(row.values())}"),
    ):
        assert without_warnings(answer.json()) == report(0, expired=1)
        assert [warning["detail"] for warning in answer.json()["warnings"]] == [
            "Skipped 1 entry whose expiresAt is in the past."
        ]
    assert emails(acme) == ["alice@contoso.example"]


def test_an_entry_that_has_ended_can_be_described_anew_and_does_not_stand_in_the_way(
    acme: Caller, service: RunningService
) -> None:
    first = add(acme, expiresAt=tomorrow(service)).json()
    path = f"{EXCEPTIONS}/{first['exceptionId']}"
    service.clock.advance(timedelta(hours=23))
    assert add(acme, reason="Again").status_code == 409
    service.clock.advance(timedelta(hours=1))
    assert acme("PATCH", path, json={"reason": "Was on leave"}, headers=ANY).json()["inForce"] is False
    again = add(acme, reason="Again", expiresAt=tomorrow(service))
    assert (again.status_code, again.json()["exceptionId"]) == (201, first["exceptionId"])
    assert again.json()["createdAt"] > first["createdAt"]
    read = acme("GET", path)
    assert (read.json(), read.headers["ETag"]) == (without_warnings(again.json()), again.headers["ETag"])
    assert (read.json()["reason"], read.json()["inForce"]) == ("Again", True)
    assert add(acme).status_code == 409
    actions = [item["action"] for item in acme("GET", "/v1/accounts/acme/audit").json()["items"]]
    assert actions == ["exception.added", "exception.changed", "exception.added", "account.registered"]


def test_of_those_who_replace_an_entry_that_has_ended_at_once_one_does(acme: Caller, service: RunningService) -> None:
    add(acme, expiresAt=tomorrow(service)).raise_for_status()
    service.clock.advance(timedelta(days=1))
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: add(acme, reason=f"{number}"), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    (winner,) = (answer.json()["reason"] for answer in answers if answer.status_code == 201)
    (entry,) = acme("GET", EXCEPTIONS).json()["items"]
    assert entry["reason"] == winner


def test_a_date_alone_is_refused_with_the_form_that_is_wanted(acme: Caller) -> None:
    added = add(acme)
    path = f"{EXCEPTIONS}/{added.json()['exceptionId']}"
    detail = (
        "It must be a time such as 2027-01-01T00:00:00Z (RFC 3339). "
        "A date alone, or a time without its offset from UTC, does not say when."
    )
    bob = {"email": "bob@contoso.example", "reason": "x"}
    for at in ("2099-01-01", "2099-01-01T00:00:00", "2099-01-01 10:00"):
        for answer in (
            add(acme, **bob, expiresAt=at),
            acme("PATCH", path, json={"expiresAt": at}, headers=ANY),
        ):
            assert answer.json()["errors"] == [{"field": "expiresAt", "detail": detail}]
        for answer in (
            acme("POST", EXCEPTIONS, json=[bob | {"expiresAt": at}]),
            send(acme, f"email;reason;expiresAt\nbob@contoso.example;x;{at}\n"),
        ):
            assert [problem["detail"] for problem in answer.json()["problems"]] == [f"expiresAt: {detail}"]


def test_whoever_excepts_somebody_at_a_domain_that_the_account_does_not_have_is_warned(
    acme: Caller, operator: Caller, connect: Walk
) -> None:
    """But it is done: the domain may come to the tenant later."""
    typo = {"email": "alice@contso.example", "reason": "x"}

    def warnings() -> list[object]:
        added = acme("POST", EXCEPTIONS, json=typo)
        assert added.status_code == 201
        acme("DELETE", f"{EXCEPTIONS}/{added.json()['exceptionId']}", headers=ANY)
        array = acme("POST", EXCEPTIONS, json=[ALICE, typo]).json()
        file = send(acme, "email,reason\nbob@contoso.example,x\nalice@contso.example,x\nbob@CONTSO.example,x\n").json()
        assert (array["accepted"], file["accepted"]) == (2, 3)
        (entry,) = acme("POST", f"{EXCEPTIONS}/search", json={"email": typo["email"]}).json()["items"]
        acme("DELETE", f"{EXCEPTIONS}/{entry['exceptionId']}", headers=ANY)
        return [added.json()["warnings"], array["warnings"], file["warnings"]]

    said = (
        "The account does not have the domain contso.example, so the exception has no effect until the account's "
        "tenant verifies that domain. Check the spelling."
    )
    expected = [
        [said],
        [{"line": 2, "detail": f"1 entry at contso.example. {said}"}],
        [{"line": 3, "detail": f"2 entries at contso.example. {said}"}],
    ]
    connect(acme)
    assert warnings() == expected
    assert [
        add(acme, email=f"dave@{name}").json()["warnings"] for name in ("contoso.example", "contoso-mail.example")
    ] == [
        [],
        [],
    ]
    domains = {"name": "Acme", "domains": ["contoso.example", "contso.example"]}
    operator("PUT", "/v1/accounts/acme", json=domains, headers=ANY).raise_for_status()
    assert warnings() == [[], [], []]


def test_an_account_that_is_not_connected_has_no_domains_but_those_that_the_vendor_lists(
    acme: Caller, operator: Caller
) -> None:
    assert len(add(acme).json()["warnings"]) == 1
    listed = {"name": "Acme", "domains": ["contoso.example"]}
    operator("PUT", "/v1/accounts/acme", json=listed, headers=ANY).raise_for_status()
    assert add(acme, email="bob@contoso.example").json()["warnings"] == []
    assert len(add(acme, email="bob@fabrikam.example").json()["warnings"]) == 1


def test_an_exception_ends_when_it_says_and_resolve_follows(
    acme: Caller, connect: Walk, resolve: Resolve, service: RunningService
) -> None:
    connect(acme)
    acme("PATCH", "/v1/accounts/acme/policy", json={"mode": "on"}, headers=ANY)
    in_an_hour = (service.clock.now() + timedelta(hours=1)).isoformat()
    path = f"{EXCEPTIONS}/{add(acme, expiresAt=in_an_hour).json()['exceptionId']}"
    assert (acme("GET", path).json()["inForce"], resolve.method("alice@contoso.example")) == (True, "password")
    service.clock.advance(timedelta(minutes=59))
    assert (acme("GET", path).json()["inForce"], resolve.method("alice@contoso.example")) == (True, "password")
    service.clock.advance(timedelta(minutes=1))
    assert (acme("GET", path).json()["inForce"], resolve.method("alice@contoso.example")) == (False, "sso")
    acme("PATCH", path, json={"expiresAt": None}, headers=ANY)
    assert (acme("GET", path).json()["inForce"], resolve.method("alice@contoso.example")) == (True, "password")


# -- page by page


@pytest.fixture
def crowd(acme: Caller) -> list[str]:
    """Eleven users on the list."""
    names = [f"user{number:02}@contoso.example" for number in range(11)]
    assert acme("POST", EXCEPTIONS, json=[ALICE | {"email": name} for name in names]).json()["accepted"] == 11
    return names


@pytest.mark.parametrize("size", [1, 4, 10, 11, 1_000])
def test_pages_walk_everybody_once(acme: Caller, crowd: list[str], size: int) -> None:
    walked, token = [], None
    while True:
        page = acme(
            "GET", EXCEPTIONS, params={"pageSize": size} | ({"continuationToken": token} if token else {})
        ).json()
        assert len(page["items"]) <= size
        walked += [item["email"] for item in page["items"]]
        token = page["continuationToken"]
        if token is None:
            break
    assert sorted(walked) == crowd


TAMPERED = ["x", "e30", "bnVsbA", "W10", "%00", "eyJQYXJ0aXRpb25LZXkiOjd9", "a" * 2_000, "ä"]


def test_a_tampered_continuation_is_refused(acme: Caller, crowd: list[str]) -> None:
    for token in TAMPERED:
        answer = acme("GET", EXCEPTIONS, params={"continuationToken": token})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:azure-sso:problem:invalid")


def test_another_account_s_continuation_shows_none_of_its_users(
    acme: Caller, crowd: list[str], operator: Caller, manager: Callable[[str], Caller]
) -> None:
    foreign = acme("GET", EXCEPTIONS, params={"pageSize": 1}).json()["continuationToken"]
    for account in ("abel", "zoe"):
        operator("PUT", f"/v1/accounts/{account}", json={"name": account})
        path = f"/v1/accounts/{account}/exceptions"
        manager(account)("POST", path, json={"email": f"{account}@contoso.example", "reason": "x"})
        answer = manager(account)("GET", path, params={"continuationToken": foreign})
        assert answer.status_code == 200
        assert {item["email"] for item in answer.json()["items"]} <= {f"{account}@contoso.example"}


def test_a_continuation_made_by_hand_leads_nowhere_else(
    acme: Caller, crowd: list[str], operator: Caller, manager: Callable[[str], Caller]
) -> None:
    operator("PUT", "/v1/accounts/zoe", json={"name": "Zoe"})
    manager("zoe")("POST", "/v1/accounts/zoe/exceptions", json={"email": "zoe@contoso.example", "reason": "x"})
    for partition in ("acme", "zoe", "", "a", "\x00", "x" * 400, "a' or PartitionKey ne 'a"):
        for row in (None, "head:account", "exception:", "audit:", "~", "\x00", "y" * 400):
            key = json.dumps({"PartitionKey": partition, "RowKey": row}).encode()
            token = urlsafe_b64encode(key).decode().rstrip("=")
            answer = acme("GET", EXCEPTIONS, params={"continuationToken": token})
            assert answer.status_code in {200, 422}, (partition, row, answer.text)
            assert {item["email"] for item in answer.json().get("items", [])} <= {*crowd}


# -- many at once


def test_a_json_array_is_taken_item_by_item(acme: Caller) -> None:
    items = [ALICE, 7, {"email": "nobody", "reason": "x"}, {}, {"email": "bob@contoso.example", "reason": "x"}]
    answer = acme("POST", EXCEPTIONS, json=items)
    assert answer.status_code == 200
    problems = [
        {"line": 2, "detail": "It must be a JSON object."},
        {"line": 3, "detail": "email: This is not an email address. An email address must have an @-sign."},
        {"line": 4, "detail": "email: Field required. reason: Field required."},
    ]
    assert without_warnings(answer.json()) == report(2, 3, problems=problems)
    assert emails(acme) == ["alice@contoso.example", "bob@contoso.example"]


def test_half_a_character_in_an_array_spoils_its_own_item_and_no_other(acme: Caller) -> None:
    """JSON can write half a surrogate pair, and no row can hold it."""
    halves = [{"email": "bob@contoso.example", "reason": "half \ud83d"}, ALICE]
    told = acme("POST", EXCEPTIONS, content=json.dumps(halves), headers={"Content-Type": "application/json"})
    assert (told.status_code, told.json()["accepted"], told.json()["refused"]) == (200, 1, 1)
    assert [problem["line"] for problem in told.json()["problems"]] == [1]


def test_an_empty_array_is_nobody(acme: Caller) -> None:
    assert acme("POST", EXCEPTIONS, json=[]).json() == report(0, warnings=[])


def test_a_file_is_taken_record_by_record(acme: Caller) -> None:
    lines = [
        "\ufeffemail;reason;expiresAt",
        "ALICE@contoso.example;Kiosk;",
        "nobody;Kiosk;",
        "",
        "bob@contoso.example;On leave;2099-01-01T00:00:00Z",
        'carol@contoso.example;"On leave. Stand-ins:',
        "dave@contoso.example;until June;",
        'back";',
    ]
    answer = send(acme, "\r\n".join(lines))
    assert answer.status_code == 200
    problems = [
        {"line": 3, "detail": "email: This is not an email address. An email address must have an @-sign."},
        {"line": 6, "detail": "reason: It must be one line of text, without line ends or other control characters."},
    ]
    assert without_warnings(answer.json()) == report(2, 2, problems=problems)
    assert emails(acme) == ["alice@contoso.example", "bob@contoso.example"]


def test_who_is_on_the_list_already_gets_what_the_file_says(acme: Caller) -> None:
    path = f"{EXCEPTIONS}/{add(acme, expiresAt='2099-01-01T00:00:00Z').json()['exceptionId']}"
    assert send(acme, "email,reason\nalice@contoso.example,On leave\n").json()["accepted"] == 1
    told = acme("GET", path).json()
    assert (told["reason"], told["expiresAt"]) == ("On leave", None)


@pytest.mark.parametrize(
    ("file", "status", "kind"),
    [
        (b"", 422, "invalid"),
        (b"alice@contoso.example,Kiosk\n", 422, "invalid"),
        (b"name,email,reason\n", 422, "invalid"),
        (b'"' + b"x" * 200_000, 422, "invalid"),
        ("email,reason\nälice@contoso.example,x\n".encode("latin-1"), 400, "malformed"),
        ("email,reason\n".encode("utf-16"), 400, "malformed"),
        (b"PK\x03\x04\x00", 400, "malformed"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(acme: Caller, file: bytes, status: int, kind: str) -> None:
    answer = send(acme, file)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:azure-sso:problem:{kind}")


def test_what_is_exported_can_be_imported_as_it_is(
    acme: Caller, operator: Caller, manager: Callable[[str], Caller], service: RunningService
) -> None:
    people = [
        {"email": "=1+1@contoso.example", "reason": '=HYPERLINK("https://attacker.example","x")'},
        {"email": "+49@contoso.example", "reason": "-1; @home, 'quoted'"},
        {"email": "'=x@contoso.example", "reason": "'=not a formula"},
        {"email": "o'brien@contoso.example", "reason": "'plain'", "expiresAt": "2099-01-01T00:00:00Z"},
        {"email": "ä@bücher.example", "reason": "Grüße, 漢字"},
    ]
    assert acme("POST", EXCEPTIONS, json=people).json()["accepted"] == len(people)
    ended = {"email": "ended@contoso.example", "reason": "x", "expiresAt": tomorrow(service)}
    add(acme, **ended).raise_for_status()
    service.clock.advance(timedelta(days=2))
    export = acme("GET", EXCEPTIONS, headers={"Accept": "text/csv"})
    assert export.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert export.headers["Content-Disposition"] == 'attachment; filename="exceptions.csv"'
    assert export.content.startswith(b"\xef\xbb\xbf")
    formula = '\'=HYPERLINK(""https://attacker.example"",""x"")'
    assert f'\r\n"\'=1+1@contoso.example","{formula}",""\r\n' in export.text
    operator("PUT", "/v1/accounts/globex", json={"name": "Globex"})
    globex = manager("globex")
    there = "/v1/accounts/globex/exceptions"
    told = globex("POST", there, content=export.content, headers=CSV).json()
    assert without_warnings(told) == report(len(people), expired=1)
    listed = [
        sorted(
            (item["email"], item["reason"], item["expiresAt"])
            for item in caller("GET", path).json()["items"]
            if item["inForce"]
        )
        for caller, path in ((acme, EXCEPTIONS), (globex, there))
    ]
    assert listed[0] == listed[1]
    assert [reason for _, reason, _ in listed[0]] == [
        each["reason"] for each in sorted(people, key=lambda each: each["email"])
    ]


def test_an_empty_list_is_exported_as_its_header(acme: Caller) -> None:
    assert acme("GET", EXCEPTIONS, headers={"Accept": "text/csv"}).text == '\ufeff"email","reason","expiresAt"\r\n'


@pytest.mark.parametrize("media", ["application/vnd.ms-excel", "Text/CSV; charset=utf-8; header=present"])
def test_what_programs_call_a_csv_file_is_one(acme: Caller, media: str) -> None:
    answer = acme("POST", EXCEPTIONS, content="email,reason\nbob@contoso.example,x\n", headers={"Content-Type": media})
    assert (answer.status_code, emails(acme)) == (200, ["bob@contoso.example"])


@pytest.mark.parametrize("items", [b"[{},", b"[[],", b'[{"a":{}},'])
def test_an_array_of_more_objects_than_there_can_be_entries_is_not_read(acme: Caller, items: bytes) -> None:
    array = items[:1] + items[1:] * 110_000 + b"{}]"
    answer = acme("POST", EXCEPTIONS, content=array, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:azure-sso:problem:too-large")
    assert emails(acme) == []


@pytest.mark.timeout(600)
def test_a_large_file_is_imported_and_exported_with_bad_lines_among_the_good(acme: Caller, size: Size) -> None:
    """Each of 2,000 users is named many times in a row, so that the store's share of the time stays small."""
    count, users = size(100_000), 2_000
    bad = range(7, count, count // 10 - 1)
    lines = [f"user{n}" if n in bad else f"user{n * users // count}@contoso.example,Kiosk {n}" for n in range(count)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = send(acme, "\n".join(["email,reason", *lines]), timeout=None)  # pytest's own will do
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    told = answer.json()
    assert (told["accepted"], told["refused"]) == (count - len(bad), len(bad))
    assert [problem["line"] for problem in told["problems"]] == [n + 2 for n in bad]
    assert grown_kib < 100 * 1024
    export = acme("GET", EXCEPTIONS, headers={"Accept": "text/csv"}, timeout=None).text
    good = (line.split(",") for number, line in enumerate(lines) if number not in bad)
    last_words = {email: f'"{email}","{reason}",""' for email, reason in good}
    assert sorted(export.splitlines()[1:]) == sorted(last_words.values())

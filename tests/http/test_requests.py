"""Requests that cannot be read, and how every refusal is told."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from azure.data.tables import TableServiceClient

from functions.http.requests import ARRAY_LIMIT, BODY_LIMIT, FILE_LIMIT
from local.cast.stack import FUNCTION_KEY
from tests.http.conftest import Caller, Resolve
from tests.support.service import RunningService

POLICY = "/v1/accounts/acme/policy"
EXCEPTIONS = "/v1/accounts/acme/exceptions"
MERGE = "application/merge-patch+json"


def problem(answer: httpx.Response) -> tuple[int, str]:
    """A refusal's status and the end of its type, once its form has been checked (RFC 9457)."""
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    assert set(told) - {"errors"} == {"type", "title", "status", "detail", "instance"}
    assert told["status"] == answer.status_code
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", told["instance"])
    assert re.fullmatch(r"[A-Z].*\.", told["detail"])
    assert "Traceback" not in answer.text
    return answer.status_code, told["type"].removeprefix("urn:azure-sso:problem:")


def fields(answer: httpx.Response) -> list[str]:
    """The fields that a 422 names."""
    assert problem(answer) == (422, "invalid")
    return [error["field"] for error in answer.json()["errors"]]


MALFORMED = {
    "nothing": b"",
    "half of it": b'{"mode": "on"',
    "no quotes": b"{mode: on}",
    "single quotes": b"{'mode': 'on'}",
    "a comma too many": b'{"mode": "on",}',
    "two documents": b'{"mode": "on"} {"mode": "off"}',
    "a comment": b'{"mode": "on"} // for all',
    "two byte order marks": b'\xef\xbb\xbf\xef\xbb\xbf{"mode": "on"}',
    "UTF-16": '{"mode": "on"}'.encode("utf-16"),
    "Latin-1": '{"mode": "ö"}'.encode("latin-1"),
    "half a surrogate pair": b'{"mode": "\\ud800"}',
    "ten thousand arrays": b"[" * 10_000 + b"]" * 10_000,
    "ten thousand objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "ten thousand arrays in a field": b'{"mode": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
}


@pytest.mark.parametrize(("method", "media"), [("PUT", "application/json"), ("PATCH", MERGE)])
def test_what_is_not_json_is_malformed(acme: Caller, method: str, media: str) -> None:
    headers = {"If-Match": "*", "Content-Type": media}
    answers = {name: acme(method, POLICY, content=body, headers=headers) for name, body in MALFORMED.items()}
    assert {name: problem(answer) for name, answer in answers.items()} == dict.fromkeys(MALFORMED, (400, "malformed"))


def test_a_list_that_is_not_json_is_malformed(acme: Caller) -> None:
    for body in (b"[" * 10_000 + b"]" * 10_000, b'[{"email": "alice@contoso.example",', b"[NaN]", b"["):
        answer = acme("POST", EXCEPTIONS, content=body, headers={"Content-Type": "application/json"})
        assert problem(answer) == (400, "malformed")


def test_not_a_number_is_nothing_that_a_field_can_be(acme: Caller) -> None:
    headers = {"If-Match": "*", "Content-Type": "application/json"}
    assert fields(acme("PUT", POLICY, content=b'{"mode": NaN}', headers=headers)) == ["mode"]
    assert problem(acme("PATCH", POLICY, content=b'{"mode": NaN}', headers=headers)) == (400, "malformed")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ([], ["(the whole)"]),
        ("on", ["(the whole)"]),
        ({"mode": True}, ["mode"]),
        ({"mode": "pilot"}, ["mode"]),
        ({"mode": ["on"]}, ["mode"]),
        ({"applicationsOff": "unite"}, ["applicationsOff"]),
        ({"applicationsOff": ["unite", 7]}, ["applicationsOff.1"]),
        ({"applicationsOff": ["a b"]}, ["applicationsOff.0"]),
        ({"applicationsOff": ["unite"] * 101}, ["applicationsOff"]),
        ({"mode": "on", "moode": "on"}, ["moode"]),
        ({"when_connection_fails": "sso"}, ["when_connection_fails"]),
        (
            {"mode": 1, "applicationsOff": 2, "whenConnectionFails": 3, "x": 4},
            ["mode", "applicationsOff", "whenConnectionFails", "x"],
        ),
    ],
)
def test_each_wrong_field_is_named(acme: Caller, body: Any, named: list[str]) -> None:
    assert fields(acme("PUT", POLICY, json=body, headers={"If-Match": "*"})) == named


@pytest.mark.parametrize(("method", "media"), [("PUT", "application/json"), ("PATCH", MERGE)])
def test_a_name_that_stands_twice_is_refused_and_a_byte_order_mark_is_read(
    acme: Caller, method: str, media: str
) -> None:
    headers = {"If-Match": "*", "Content-Type": media}
    twice = acme(method, POLICY, content=b'{"mode": "off", "mode": "on"}', headers=headers)
    assert (problem(twice), "a name twice" in twice.json()["detail"]) == ((400, "malformed"), True)
    marked = acme(method, POLICY, content=b'\xef\xbb\xbf{"mode": "on"}', headers=headers)
    assert (marked.status_code, marked.json()["mode"]) == (200, "on")


def test_a_list_may_begin_with_a_byte_order_mark_and_holds_no_name_twice(acme: Caller) -> None:
    headers = {"Content-Type": "application/json"}
    once = b'[{"email": "a@acme.example", "reason": "x"}]'
    twice = b'[{"email": "a@acme.example", "email": "b@acme.example"}]'
    assert acme("POST", EXCEPTIONS, content=b"\xef\xbb\xbf" + once, headers=headers).json()["accepted"] == 1
    assert problem(acme("POST", EXCEPTIONS, content=twice, headers=headers)) == (400, "malformed")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", POLICY), ("PATCH", POLICY), ("POST", EXCEPTIONS), ("POST", EXCEPTIONS + "/search")],
)
def test_another_content_type_is_not_read(acme: Caller, method: str, path: str) -> None:
    for media in ("", "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", "text/json"):
        answer = acme(method, path, content=b"{}", headers={"If-Match": "*", "Content-Type": media})
        assert problem(answer) == (415, "unsupported-media-type")


def test_a_content_type_may_name_its_charset(acme: Caller) -> None:
    headers = {"If-Match": "*", "Content-Type": "Application/JSON; charset=utf-8"}
    assert acme("PUT", POLICY, content=b"{}", headers=headers).status_code == 200


def test_a_document_is_taken_up_to_its_limit(acme: Caller) -> None:
    headers = {"If-Match": "*", "Content-Type": "application/json"}
    assert acme("PUT", POLICY, content=b"{}".ljust(BODY_LIMIT), headers=headers).status_code == 200
    assert problem(acme("PUT", POLICY, content=b"{}".ljust(BODY_LIMIT + 1), headers=headers)) == (413, "too-large")


def test_a_list_is_taken_up_to_its_limit_but_one_entry_is_no_list(acme: Caller) -> None:
    for media, body, status in [
        ("application/json", b"[]".ljust(ARRAY_LIMIT), 200),
        ("application/json", b"[]".ljust(ARRAY_LIMIT + 1), 413),
        ("text/csv", b"email,reason\n".ljust(FILE_LIMIT), 200),
        ("text/csv", b"email,reason\n".ljust(FILE_LIMIT + 1), 413),
        ("application/json", b"{}".ljust(BODY_LIMIT + 1), 413),
    ]:
        assert acme("POST", EXCEPTIONS, content=body, headers={"Content-Type": media}).status_code == status


def test_every_kind_of_refusal_has_its_status_and_type(
    acme: Caller, anybody: Caller, operator: Caller, manager: Callable[[str], Caller]
) -> None:
    entry = {"email": "alice@contoso.example", "reason": "Kiosk"}
    json_of_any, yaml_of_any = ({"If-Match": "*", "Content-Type": f"application/{kind}"} for kind in ("json", "yaml"))
    assert acme("POST", EXCEPTIONS, json=entry).status_code == 201
    assert {
        problem(acme("PATCH", POLICY, json=[], headers={"If-Match": "*"})),
        problem(anybody("GET", POLICY)),
        problem(manager("globex")("GET", POLICY)),
        problem(operator("GET", "/v1/accounts/unknown/policy")),
        problem(acme("POST", EXCEPTIONS, json=entry)),
        problem(acme("PATCH", POLICY, json={}, headers={"If-Match": '"x"'})),
        problem(acme("PUT", POLICY, content=b" " * 300_000, headers=json_of_any)),
        problem(acme("PUT", POLICY, content=b"mode: on", headers=yaml_of_any)),
        problem(acme("PUT", POLICY, json={"mode": "?"}, headers={"If-Match": "*"})),
        problem(acme("PUT", POLICY, json={})),
    } == {
        (400, "malformed"),
        (401, "not-authenticated"),
        (403, "forbidden"),
        (404, "not-found"),
        (409, "conflict"),
        (412, "stale"),
        (413, "too-large"),
        (415, "unsupported-media-type"),
        (422, "invalid"),
        (428, "precondition-required"),
    }  # fmt: skip


def test_an_error_of_ours_is_told_without_its_story(acme: Caller, service: RunningService) -> None:
    with TableServiceClient.from_connection_string(service.connection_string) as tables:
        row = {"PartitionKey": "acme", "RowKey": "head:policy", "document": '{"settings": "secret of the store"}'}
        tables.get_table_client("accounts").upsert_entity(row)
    answer = acme("GET", POLICY)
    assert problem(answer) == (500, "internal")
    assert "secret of the store" not in answer.text


@pytest.mark.parametrize("name", ["a b", "a%2Fb", "a%00b", "%C3%BC", "x" * 65, "a.b", "a'b", "a%23b"])
def test_a_name_in_the_path_that_is_none_is_refused(operator: Caller, name: str) -> None:
    assert fields(operator("GET", f"/v1/accounts/{name}")) == ["accountId"]
    assert fields(operator("GET", f"/v1/applications/{name}")) == ["clientId"]
    assert fields(operator("GET", f"/v1/accounts/acme/exceptions/{name}")) == ["exceptionId"]


SECRET = "alice.archer@contoso.example"


def test_no_refusal_repeats_what_was_sent(acme: Caller, resolve: Resolve) -> None:
    answers = [
        acme("PUT", POLICY, json={"mode": SECRET}, headers={"If-Match": "*"}),
        acme("POST", EXCEPTIONS, json={"email": f"{SECRET}.", "reason": "x"}),
        acme("POST", EXCEPTIONS, json={"email": "x", "reason": SECRET * 50}),
        acme("POST", EXCEPTIONS, content=f'{{"email": {SECRET}}}', headers={"Content-Type": "application/json"}),
        acme("POST", EXCEPTIONS, json=[{"email": f"{SECRET} {SECRET}", "reason": "x"}]),
        acme("POST", EXCEPTIONS + "/search", json={"email": f"<{SECRET}>"}),
        resolve(f'"{SECRET}'),
        resolve("bob@contoso.example", application=SECRET),
    ]
    assert [answer.text for answer in answers if "archer" in answer.text] == []


def test_no_answer_is_kept_by_caches(acme: Caller, client: httpx.Client) -> None:
    answers = [
        acme("GET", POLICY),
        acme("GET", EXCEPTIONS),
        acme("GET", EXCEPTIONS, headers={"Accept": "text/csv"}),
        client.get("/health"),
        client.post("/v1/resolve", content=json.dumps({"email": SECRET}), headers={"x-functions-key": FUNCTION_KEY}),
    ]
    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store"] * len(answers)


def test_quotation_marks_that_never_end_hold_up_nobody(acme: Caller) -> None:
    began = time.process_time()  # of the service, too, which runs in this process
    answer = acme("GET", EXCEPTIONS, headers={"Accept": '"' + 10_000 * r'\\"'})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert time.process_time() - began < 2, "in proportion to the square it takes seven seconds"

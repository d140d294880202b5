"""Refusals as problem documents (RFC 9457)."""

import json
import logging
import re

import pytest

from functions.http.dialects.problem_json import TYPE_PREFIX, Problems
from functions.http.refusals import every_kind, log_unavailable
from shared.kernel.failures import log_failure
from shared.kernel.names import DomainName
from shared.kernel.refusals import (
    Conflict,
    FieldFault,
    Forbidden,
    Invalid,
    NotAuthenticated,
    NotFound,
    Refusal,
    Throttled,
    TokenMissing,
    Unavailable,
)

ID = "6c1d0f7e-6a0c-4f0e-8a44-8f3c3f6f2a10"


def test_a_refusal_is_a_problem_document_of_the_api() -> None:
    answer = Problems().refused(Conflict("contoso.example routes to another account."), ID)
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert json.loads(answer.get_body()) == {
        "type": "urn:azure-sso:problem:conflict",
        "title": "Conflict with the current state",
        "status": 409,
        "detail": "contoso.example routes to another account.",
        "instance": f"urn:uuid:{ID}",
    }


def test_what_is_invalid_names_each_field() -> None:
    refusal = Invalid(
        "Mend the fields.", [FieldFault("name", "Too long."), FieldFault("redirectUris.0", "No address.")]
    )
    assert json.loads(Problems().refused(refusal, ID).get_body())["errors"] == [
        {"field": "name", "detail": "Too long."},
        {"field": "redirectUris.0", "detail": "No address."},
    ]
    assert "errors" not in json.loads(Problems().refused(Invalid("The whole is wrong."), ID).get_body())


@pytest.mark.parametrize(
    ("refusal", "status", "header", "value"),
    [
        (NotAuthenticated("Who?"), 401, "WWW-Authenticate", 'Bearer realm="azure-sso", error="invalid_token"'),
        (TokenMissing("Who?"), 401, "WWW-Authenticate", 'Bearer realm="azure-sso"'),
        (Throttled("Too often.", 30), 429, "Retry-After", "30"),
        (Unavailable("The store is out."), 503, "Retry-After", "5"),
        (Unavailable("The store is out.", 60), 503, "Retry-After", "60"),
    ],
)
def test_a_refusal_carries_the_header_that_http_wants(refusal: Refusal, status: int, header: str, value: str) -> None:
    answer = Problems().refused(refusal, ID)
    assert (answer.status_code, answer.headers[header]) == (status, value)


@pytest.mark.parametrize("refusal", [Forbidden("No."), NotFound("No.")])
def test_other_refusals_carry_none(refusal: Refusal) -> None:
    assert not {"WWW-Authenticate", "Retry-After"} & set(Problems().refused(refusal, ID).headers)


def test_every_type_is_stable_and_its_own() -> None:
    types = [TYPE_PREFIX + kind.slug for kind in every_kind() if kind.__bases__ == (Refusal,)]
    assert len(types) == len(set(types))
    assert all(re.fullmatch(r"urn:azure-sso:problem:[a-z-]+", each) for each in types)


def test_an_error_of_ours_tells_its_id_and_nothing_else() -> None:
    answer = Problems().failed(ID)
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert json.loads(answer.get_body()) == {
        "type": "urn:azure-sso:problem:internal",
        "title": "Something went wrong",
        "status": 500,
        "detail": "This is an error in the service. Give its operators the id in `instance`.",
        "instance": f"urn:uuid:{ID}",
    }


def test_the_log_tells_where_an_error_arose_but_not_its_words(caplog: pytest.LogCaptureFixture) -> None:
    try:
        DomainName("alice@contoso.example")
    except ValueError as error:
        with caplog.at_level(logging.ERROR):
            unexpected = ValueError("alice@contoso.example").with_traceback(error.__traceback__)
            log_failure(logging.getLogger(), "resolve_email", unexpected)
    assert "resolve_email failed: ValueError" in caplog.text
    assert "in __new__" in caplog.text
    assert "alice" not in caplog.text.replace('DomainName("alice@contoso.example")', "")


def test_the_log_tells_what_did_not_answer_but_not_in_its_words(caplog: pytest.LogCaptureFixture) -> None:
    refusal = Unavailable("The storage cannot be reached. Try again in a few seconds.")
    refusal.__cause__ = OSError("alice@contoso.example")
    with caplog.at_level(logging.WARNING):
        log_unavailable("resolve_email", refusal)
    assert caplog.messages == [
        f"resolve_email unavailable: {refusal.detail} cause=OSError status=None",
    ]

"""What Azure's host does to a request before the worker sees it: bodies in chunks are dropped, queries are joined."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from functions.app import build_routes
from tests.http import signing_in
from tests.http.conftest import Caller
from tests.http.signing_in import Asked, Person, query_of
from tests.support.service import FUNCTION_KEY, RunningService

PATH = {
    "accountId": "acme",
    "clientId": "unite",
    "domain": "acme.example",
    "exceptionId": "e" * 43,
    "file": "azure-sso-panel.js",
}
LOST = "The body did not arrive. Send it with a Content-Length: bodies in chunks do not reach this service."


def in_chunks(body: bytes = b"a=b") -> Iterator[bytes]:
    yield body


@pytest.fixture
def with_bodies(service: RunningService) -> list[Any]:
    """Every call that reads a body."""
    routes = build_routes(service.services)
    return [endpoint for each in routes for endpoint in each.endpoints if endpoint.takes]


def test_every_call_says_in_its_own_dialect_that_a_body_in_chunks_did_not_arrive(
    acme: Caller, operator: Caller, with_bodies: list[Any]
) -> None:
    said = {}
    for endpoint in with_bodies:
        path = re.sub(r"\{(\w+)\}", lambda found: PATH[found[1]], endpoint.path)
        for media in endpoint.takes:
            headers = {"Content-Type": media, "If-Match": "*", "x-functions-key": FUNCTION_KEY}
            answers = [
                caller(endpoint.method, path, content=in_chunks(), headers=headers) for caller in (acme, operator)
            ]
            (lost, *_) = [answer for answer in answers if answer.status_code != 403]
            assert (lost.status_code, LOST in lost.text) == (411, True), f"{path}: {lost.text}"
            said[endpoint.path] = lost
    assert len(said) > 10
    problem = said["/v1/resolve"].json()
    assert (problem["type"], problem["detail"]) == ("urn:azure-sso:problem:body-lost", LOST)
    assert said["/oauth2/token"].json() == {"error": "invalid_request", "error_description": LOST}
    for path in ("/oauth2/authorize", "/oauth2/logout", "/v1/connect"):
        assert said[path].headers["Content-Type"].startswith("text/html")


def test_an_integration_does_not_start_without_the_return_address_that_got_lost(acme: Caller) -> None:
    """Its body is optional, so that a lost one would go unnoticed."""
    lost = acme("POST", "/v1/accounts/acme/connection", content=in_chunks(b"{}"))
    assert (lost.status_code, lost.json()["detail"]) == (411, LOST)
    assert acme("POST", "/v1/accounts/acme/connection").status_code == 201


def test_a_body_that_is_empty_on_purpose_is_judged_as_one(acme: Caller) -> None:
    headers = {"Content-Type": "application/json", "If-Match": "*"}
    assert acme("PUT", "/v1/accounts/acme/policy", content=b"", headers=headers).status_code == 400


@pytest.mark.parametrize("twice", ["pageSize=1&pageSize=2", "pageSize=1&pageSize=1", "pageSize=&pageSize=2"])
def test_a_page_is_not_asked_for_twice_at_once(acme: Caller, twice: str) -> None:
    answer = acme("GET", f"/v1/accounts/acme/exceptions?{twice}")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:azure-sso:problem:malformed")


@pytest.mark.parametrize("query", ["PageSize=7&pageSize=1", "pageSize=1&PAGESIZE=7", "pagesize=x&pageSize=1"])
def test_a_name_in_another_case_is_another_name_and_spoils_no_page(acme: Caller, query: str) -> None:
    """The host makes one of the two and joins their values under the first."""
    for email in ("a@acme.example", "b@acme.example"):
        entry = {"email": email, "reason": "Kiosk"}
        acme("POST", "/v1/accounts/acme/exceptions", json=entry).raise_for_status()
    page = acme("GET", f"/v1/accounts/acme/exceptions?{query}").raise_for_status().json()
    assert len(page["items"]) == 1
    more = {"continuationToken": page["continuationToken"], "ContinuationToken": "x", "pageSize": "1"}
    assert len(acme("GET", "/v1/accounts/acme/exceptions", params=more).raise_for_status().json()["items"]) == 1


def test_an_authorization_request_is_read_to_the_letter(contoso: Caller, unite: Asked, person: Person) -> None:
    """Another `State` is an unknown parameter, which is ignored (RFC 6749, section 3.1), wherever it stands."""
    url = f"{person.service.url}/oauth2/authorize?State=evil&{httpx.QueryParams(unite.parameters())}&STATE=evil"
    answer = person.open(person.sign_in_at_microsoft(person.open(url).headers["location"]))
    assert query_of(answer.headers["location"])["state"] == unite.state


def test_an_authorization_request_holds_no_parameter_twice(contoso: Caller, unite: Asked, person: Person) -> None:
    answer = person.open(f"{person.service.url}/oauth2/authorize?{httpx.QueryParams(unite.parameters())}&nonce=evil")
    assert signing_in.refused(person.service, answer, unite) == "invalid_request"


def test_microsofts_answer_is_read_to_the_letter(contoso: Caller, unite: Asked, person: Person) -> None:
    endpoint, _, query = person.answer(unite).partition("?")
    answer = person.open(f"{endpoint}?State=evil&CODE=evil&{query}&Error=access_denied")
    assert query_of(answer.headers["location"]).keys() == {"code", "state", "iss"}


@pytest.mark.parametrize("name", ["state", "code", "error"])
def test_microsofts_answer_holds_no_parameter_twice_and_the_flow_goes_on_without_it(
    contoso: Caller, unite: Asked, person: Person, name: str
) -> None:
    honest = person.answer(unite)
    forged = person.open(f"{honest}&{name}=evil&{name}=evil")
    assert (forged.status_code, "holds a parameter twice" in forged.text) == (400, True)
    assert "code" in query_of(person.open(honest).headers["location"])


@pytest.mark.parametrize("path", ["/signin/front-channel-logout", "/v1/connect", "/v1/connect/callback"])
def test_no_page_takes_a_parameter_twice(client: httpx.Client, path: str) -> None:
    for name in ("state", "sid", "ticket"):
        assert client.get(f"{path}?{name}=a&{name}=a").status_code == 400


def test_head_is_get_without_its_content_wherever_get_is(
    service: RunningService, acme: Caller, operator: Caller, client: httpx.Client
) -> None:
    """Monitors and link checkers ask by HEAD (RFC 9110, section 9.3.2), and are refused as GET is."""
    seen = set()
    for endpoint in (each for routes in build_routes(service.services) for each in routes.endpoints):
        if endpoint.method == "GET":
            path = re.sub(r"\{(\w+)\}", lambda found: PATH[found[1]], endpoint.path)
            for caller in (acme, operator, client.request):
                got, head = caller("GET", path), caller("HEAD", path)
                assert (head.status_code, head.content) == (got.status_code, b""), path
                assert head.headers.get("content-type") == got.headers.get("content-type"), path
                seen.add(head.status_code)
    assert seen >= {200, 400, 401, 403, 404}

"""The OpenAPI document: it describes every call that Azure indexes, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from functions.app import build_app
from functions.http.dialects import INTERNAL, TYPE_PREFIX
from functions.http.refusals import every_kind
from tests.architecture.test_deployment import VERSION
from tests.http.conftest import Caller
from tests.support.service import RunningService

VERBS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture
def api(client: httpx.Client) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "application/json")
    return dict(answer.json())


def operations(api: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, calls in api["paths"].items():
        for verb, operation in calls.items():
            yield path, verb, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_it_is_openapi_3_1_about_this_service(api: dict[str, Any], service: RunningService) -> None:
    assert api["openapi"] == "3.1.0"
    assert api["servers"] == [{"url": service.url}]
    assert set(api["info"]) >= {"title", "version"}
    assert api["info"]["version"] == VERSION
    assert set(api["components"]) == {"schemas", "securitySchemes", "responses"}


def test_every_function_that_azure_indexes_is_described_and_nothing_else(
    api: dict[str, Any], service: RunningService
) -> None:
    indexed = {
        (function.get_function_name(), f"/{trigger['route']}", method)
        for function in build_app(service.services).get_functions()
        for trigger in [function.get_trigger().get_dict_repr()]
        if trigger["type"] == "httpTrigger"
        for method in map(str, trigger["methods"])
        if not method.endswith("HEAD")
    }
    described = {(call["operationId"], path, verb.upper()) for path, verb, call in operations(api)}
    assert described == {(name, path, method.rpartition(".")[2]) for name, path, method in indexed}


def test_every_operation_is_whole(api: dict[str, Any]) -> None:
    names = []
    for path, verb, call in operations(api):
        names.append(call["operationId"])
        assert verb in VERBS
        assert re.fullmatch(r"[A-Z].*[.?]", call["summary"])
        assert set(call["responses"]) > {"default"}
        assert call["security"] in ([], [{"controlPanel": []}], [{"functionKey": []}], [{"portal": []}])
        in_path = [each["name"] for each in call["parameters"] if each["in"] == "path" and each["required"]]
        assert in_path == re.findall(r"\{(\w+)\}", path)
        assert all("pattern" in each["schema"] for each in call["parameters"] if each["in"] == "path"), path
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere(api: dict[str, Any]) -> None:
    found = set(references(api))
    assert found
    for reference in found:
        node: Any = api
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        assert isinstance(node, dict)


def test_every_schema_pattern_is_one_that_javascript_reads(api: dict[str, Any]) -> None:
    patterns: set[str] = set()

    def collect(node: Any) -> None:
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        if isinstance(node, dict) and isinstance(node.get("pattern"), str):
            patterns.add(node["pattern"])
        for child in children:
            collect(child)

    collect(api["components"]["schemas"])
    assert patterns
    for pattern in patterns:
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        assert not re.search(r"\\[AZz]|\(\?P|\(\?#|\(\?[aiLmsux]", pattern)


def test_the_problem_schema_knows_every_type(api: dict[str, Any]) -> None:
    types = api["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert {TYPE_PREFIX + kind.slug for kind in every_kind()} | {INTERNAL} == set(types)


def test_a_change_says_that_it_needs_if_match(api: dict[str, Any], acme: Caller) -> None:
    needing = {
        call["operationId"]
        for _, _, call in operations(api)
        if any(each["name"] == "If-Match" and each["required"] for each in call["parameters"])
    }
    assert needing == {
        "delete_account",
        "delete_application",
        "renew_application_secret",
        "delete_connection",
        "delete_exception",
        "patch_connection",
        "patch_exception",
        "patch_policy",
        "put_policy",
        "reset_policy",
        "switch_domain",
    }


def test_a_refusal_is_described_as_its_dialect_words_it(api: dict[str, Any]) -> None:
    refusals = {
        path: api["components"]["responses"][call["responses"]["default"]["$ref"].rpartition("/")[2]]["content"]
        for path, _, call in operations(api)
    }
    media = {path: [*content] for path, content in refusals.items()}
    assert media.pop("/v1/connect") == media.pop("/v1/connect/callback") == ["text/html"]
    assert {path for path, types in media.items() if types == ["application/problem+json"]} >= {
        "/health",
        "/v1/resolve",
    }
    assert {path for path, types in media.items() if types == ["application/json"]} == {
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/oauth2/jwks",
        "/oauth2/revoke",
        "/oauth2/par",
        "/oauth2/token",
        "/oauth2/userinfo",
    }
    assert {path for path, types in media.items() if types == ["text/html"]} == {
        "/errors/sso-does-not-apply",
        "/portal",
        "/portal/{accountId}",
        "/oauth2/authorize",
        "/oauth2/logout",
        "/signin/callback",
        "/signin/start",
        "/signed-out",
        "/signin/front-channel-logout",
    }


def test_the_export_is_described(api: dict[str, Any]) -> None:
    (listed,) = [call["responses"]["200"] for _, _, call in operations(api) if call["operationId"] == "list_exceptions"]
    assert {*listed["content"]} == {"application/json", "text/csv"}


def test_the_page_of_a_link_shows_redirects_or_waits(api: dict[str, Any]) -> None:
    link = api["paths"]["/v1/connect"]
    assert link["get"]["responses"].keys() == {"200", "202", "303", "default"}
    assert link["post"]["responses"].keys() == {"200", "303", "default"}


def test_it_may_be_kept_for_five_minutes(client: httpx.Client) -> None:
    assert client.get("/openapi.json").headers["Cache-Control"] == "public, max-age=300"

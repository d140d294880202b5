"""Applications, as the vendor's operators register them."""

import json
import re

import pytest

from local.processes import ROOT
from tests.http.conftest import Caller

APPLICATION = "/v1/applications/unite"
UNITE = {
    "name": "Unite",
    "redirectUris": ["https://unite.example/signin", "http://localhost:3000/signin"],
    "ssoSupported": True,
    "requiresProduct": None,
    "passwordSignInUri": "https://unite.example/password",
}
UNSAID = {
    "tokenEndpointAuthMethod": "none",
    "jwks": None,
    "codeBinding": "pkce",
    "refreshTokens": False,
    "assertionAudience": None,
    "requirePushedAuthorizationRequests": False,
    "postLogoutRedirectUris": [],
    "backchannelLogoutUri": None,
    "initiateLoginUri": None,
    "hasSecret": False,
}


def test_an_application_is_registered_and_read(operator: Caller) -> None:
    put = operator("PUT", APPLICATION, json=UNITE)
    assert put.status_code == 201
    told = put.json()
    times = {"createdAt": told["createdAt"], "updatedAt": told["createdAt"]}
    warned = {"warnings": told["warnings"]}  # tests/http/test_browser_clients.py
    assert told == {"clientId": "unite", **UNITE, **UNSAID, **times, **warned}
    got = operator("GET", APPLICATION)
    assert (got.status_code, got.json(), got.headers["ETag"]) == (200, told, put.headers["ETag"])


def test_the_readme_shows_what_it_answers(operator: Caller) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ((asked, shown),) = re.findall(r"/v1/applications/portal -X PUT .*\n +-d '(.*)'\n(.*)\n", readme)
    told = operator("PUT", "/v1/applications/portal", json=json.loads(asked)).text
    time = r'(?<=At":")[^"]+'
    assert re.sub(time, "", told) == re.sub(time, "", shown)


def test_all_applications_are_listed(operator: Caller) -> None:
    assert operator("GET", "/v1/applications").json() == {"items": []}
    for client_id in ("unite", "anymeeting"):
        operator("PUT", f"/v1/applications/{client_id}", json=UNITE)
    items = operator("GET", "/v1/applications").json()["items"]
    assert [item["clientId"] for item in items] == ["anymeeting", "unite"]
    assert items[1] == operator("GET", APPLICATION).json()


def test_registering_again_what_stands_changes_nothing_and_needs_no_version(operator: Caller) -> None:
    first, again = operator("PUT", APPLICATION, json=UNITE), operator("PUT", APPLICATION, json=UNITE)
    assert (again.status_code, again.json(), again.headers["ETag"]) == (200, first.json(), first.headers["ETag"])


def test_a_change_needs_the_version_that_it_starts_from(operator: Caller) -> None:
    first = operator("PUT", APPLICATION, json=UNITE)
    other = UNITE | {"ssoSupported": False}
    assert operator("PUT", APPLICATION, json=other).status_code == 428
    assert operator("PUT", APPLICATION, json=other, headers={"If-Match": '"stale"'}).status_code == 412
    changed = operator("PUT", APPLICATION, json=other, headers={"If-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.json()["ssoSupported"]) == (200, False)
    assert changed.json()["createdAt"] == first.json()["createdAt"] < changed.json()["updatedAt"]


@pytest.mark.parametrize("tags", ["*", '"abc"'])
def test_a_change_of_what_is_gone_registers_nothing(operator: Caller, tags: str) -> None:
    assert operator("PUT", APPLICATION, json=UNITE, headers={"If-Match": tags}).status_code == 412
    assert operator("GET", APPLICATION).status_code == 404


def test_an_application_is_removed(operator: Caller) -> None:
    tag = operator("PUT", APPLICATION, json=UNITE).headers["ETag"]
    assert operator("DELETE", APPLICATION).status_code == 428
    assert operator("DELETE", APPLICATION, headers={"If-Match": '"stale"'}).status_code == 412
    assert operator("DELETE", APPLICATION, headers={"If-Match": tag}).status_code == 204
    assert operator("DELETE", APPLICATION, headers={"If-Match": "*"}).status_code == 404
    assert operator("GET", "/v1/applications").json() == {"items": []}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": ""}, ["name"]),
        ({"ssoSupported": "yes"}, ["ssoSupported"]),
        ({"ssoSupported": 1}, ["ssoSupported"]),
        ({"requiresProduct": ""}, ["requiresProduct"]),
        ({"passwordSignInUri": "http://unite.example/"}, ["passwordSignInUri"]),
        ({"redirectUris": "https://unite.example/"}, ["redirectUris"]),
        ({"redirectUris": [f"https://unite.example/{number}" for number in range(21)]}, ["redirectUris"]),
        ({"redirectUris": [f"https://unite.example/{'x' * 2_000}"]}, ["redirectUris.0"]),
        ({"redirectUris": ["https://unite.example/", "http://unite.example/"]}, ["redirectUris.1"]),
        ({"redirectUris": ["https://unite.example/#fragment"]}, ["redirectUris.0"]),
        ({"redirectUris": ["https://olga@unite.example/"]}, ["redirectUris.0"]),
        ({"redirectUris": ["javascript:alert(1)", "/signin"]}, ["redirectUris.0", "redirectUris.1"]),
        ({"clientId": "unite"}, ["clientId"]),
    ],
)
def test_what_is_wrong_with_an_application_is_named(
    operator: Caller, change: dict[str, object], named: list[str]
) -> None:
    answer = operator("PUT", APPLICATION, json=UNITE | change)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, named)
    assert operator("GET", APPLICATION).status_code == 404


def test_an_application_must_say_whether_it_supports_sso(operator: Caller) -> None:
    answer = operator("PUT", APPLICATION, json={"name": "Unite"})
    assert [error["field"] for error in answer.json()["errors"]] == ["ssoSupported"]

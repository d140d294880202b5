"""A tenant of thousands of domains, from its first connection to its last. With `--slow` it has 5,000, else 200.

That is more than one row holds in the form that shorter lists have; `tests/unit/domains` counts what it costs.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local import loopback
from local.cast.browser import Browser
from tests.http.conftest import CONTOSO, Caller, Resolve
from tests.support.integration import Integration
from tests.support.service import RunningService

DOMAINS = "/v1/accounts/acme/domains"
ANY = {"If-Match": "*"}
PATIENCE = 230
"""Seconds after which Azure's front door answers for a function that has not."""


@pytest.fixture
def client(service: RunningService) -> Iterator[httpx.Client]:
    with loopback.client(base_url=service.url, timeout=PATIENCE) as opened:
        yield opened


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser(patience=PATIENCE) as opened:
        yield opened


@pytest.fixture
def names(pytestconfig: pytest.Config, control: httpx.Client) -> list[str]:
    """The domains that the tenant has verified, of 49 characters each."""
    count = 5_000 if pytestconfig.getoption("slow") else 200
    names = [f"d{number:05}.subsidiary-with-long-names.contoso.example" for number in range(count)]
    control.put(f"/tenants/{CONTOSO}/domains", json=names).raise_for_status()
    return names


@pytest.fixture
def connected(acme: Caller, browser: Browser, names: list[str]) -> Caller:
    """The Security Manager of an account that was just connected to that tenant, with SSO on."""
    walk = Integration(acme, browser)
    assert walk.come_back(walk.prove()).status_code == 200
    acme("PATCH", "/v1/accounts/acme/policy", json={"mode": "on"}, headers=ANY).raise_for_status()
    assert all(len(name) == 49 for name in names)
    return acme


def routed(answer: httpx.Response) -> list[str]:
    items = answer.raise_for_status().json()["items"]
    return [item["domain"] for item in items if item["state"] == "routed"]


def newest(caller: Caller) -> dict[str, Any]:
    event: dict[str, Any] = caller("GET", "/v1/accounts/acme/audit").raise_for_status().json()["items"][0]
    return event


def pages(caller: Caller, size: int) -> list[dict[str, Any]]:
    """Every page of the list."""
    found, continuation = [], ""
    while not found or continuation:
        query = f"?pageSize={size}" + (f"&continuationToken={continuation}" if continuation else "")
        found.append(caller("GET", DOMAINS + query).raise_for_status().json())
        continuation = found[-1]["continuationToken"]
    return found


def test_a_tenant_of_thousands_of_domains_comes_changes_and_goes(
    connected: Caller, names: list[str], control: httpx.Client, resolve: Resolve, service: RunningService
) -> None:
    acme, first, last = connected, f"a@{names[0]}", f"a@{names[-1]}"
    assert routed(acme("GET", DOMAINS)) == names
    assert (resolve.method(first), resolve.method(last)) == ("sso", "sso")
    claims = service.rows("domains")
    assert len(claims) == len(names)

    # a switch, and a refresh that keeps it and rewrites no claim
    off = acme("PATCH", f"{DOMAINS}/{names[-1]}", json={"enabled": False}, headers=ANY)
    assert routed(off) == names[:-1]
    assert routed(acme("POST", f"{DOMAINS}/refresh")) == names[:-1]
    assert (resolve.method(first), resolve.method(last)) == ("sso", "password")
    assert service.rows("domains") == claims
    event = newest(acme)["details"]
    assert event["domainCounts"] == {"routed": len(names) - 1, "off": 1, "not_routable": 1}
    assert len(event["domains"]) == 100

    # half of them leave the tenant, which a check notices
    control.put(f"/tenants/{CONTOSO}/domains", json=names[1::2]).raise_for_status()
    acme("POST", "/v1/accounts/acme/connection/check").raise_for_status()
    assert routed(acme("GET", DOMAINS)) == names[1:-1:2]
    assert (resolve.method(first), resolve.method(f"a@{names[1]}")) == ("password", "sso")
    assert len(service.rows("domains")) == len(names) // 2
    event = newest(acme)["details"]
    assert (event["domainsLeftCount"], event["domainsLeft"]) == (len(names) // 2, names[0:200:2])

    acme("DELETE", "/v1/accounts/acme/connection", headers=ANY).raise_for_status()
    assert service.rows("domains") == []
    assert (routed(acme("GET", DOMAINS)), resolve.method(f"a@{names[1]}")) == ([], "password")


def test_the_list_comes_whole_or_in_pages_with_the_version_for_a_change(connected: Caller, names: list[str]) -> None:
    whole = connected("GET", DOMAINS)
    assert whole.json()["continuationToken"] is None
    found = pages(connected, 90)
    assert [item for page in found for item in page["items"]] == whole.json()["items"]
    assert {len(page["items"]) for page in found[:-1]} == {90}
    first = connected("GET", f"{DOMAINS}?pageSize=1")
    assert first.headers["etag"] == whole.headers["etag"]
    after = first.json()["continuationToken"]
    connected("PATCH", f"{DOMAINS}/{names[0]}", json={"enabled": False}, headers={"If-Match": first.headers["etag"]})
    assert connected("GET", f"{DOMAINS}?continuationToken={after}").json()["items"][0]["domain"] == names[0]
    for token in ("x", "eA", "_w", "bm8"):
        assert connected("GET", f"{DOMAINS}?continuationToken={token}").status_code == 422
    assert connected("GET", f"{DOMAINS}?pageSize=0").status_code == 422

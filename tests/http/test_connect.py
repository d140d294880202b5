"""The browser's way through an integration, and every way to cheat on it."""

from tests.http.conftest import Caller, Resolve, Walk


def test_an_administrator_connects_the_tenant_and_its_domains_route(acme: Caller, connect: Walk, resolve: Resolve) -> None:
    page = connect(acme)
    assert page.title == "Connected"
    connection = acme("GET", "/v1/accounts/acme/connection").json()
    assert connection["status"] == "connected"
    assert acme(
        "PATCH", "/v1/accounts/acme/policy", json={"mode": "on"}, headers={"If-Match": "*"}
    ).status_code == 200
    assert resolve.method("alice@contoso.example") == "sso"

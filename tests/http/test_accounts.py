"""Accounts, as the vendor's operators register them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.http.conftest import Caller, Resolve, Walk
from tests.support.service import RunningService

ACCOUNT = "/v1/accounts/acme"
ACME = {"name": "Acme", "products": ["Unite", "AnyMeeting"], "domains": ["contoso.example"]}


def test_an_account_is_registered_and_read(operator: Caller) -> None:
    put = operator("PUT", ACCOUNT, json=ACME)
    assert put.status_code == 201
    told = put.json()
    assert told == {"accountId": "acme", **ACME, "createdAt": told["createdAt"], "updatedAt": told["createdAt"]}
    got = operator("GET", ACCOUNT)
    assert (got.status_code, got.json(), got.headers["ETag"]) == (200, told, put.headers["ETag"])


def test_products_and_domains_may_be_left_out(operator: Caller) -> None:
    told = operator("PUT", ACCOUNT, json={"name": " Acme "}).json()
    assert (told["name"], told["products"], told["domains"]) == ("Acme", [], None)


def test_registering_again_what_stands_changes_nothing_and_needs_no_version(operator: Caller) -> None:
    first = operator("PUT", ACCOUNT, json=ACME)
    again = operator("PUT", ACCOUNT, json=ACME)
    stale = operator("PUT", ACCOUNT, json=ACME, headers={"If-Match": '"stale"'})
    assert (again.status_code, again.json(), again.headers["ETag"]) == (200, first.json(), first.headers["ETag"])
    assert (stale.status_code, stale.headers["ETag"]) == (200, first.headers["ETag"])
    assert [record["action"] for record in operator("GET", f"{ACCOUNT}/audit").json()["items"]] == [
        "account.registered"
    ]


def test_a_change_needs_the_version_that_it_starts_from(operator: Caller) -> None:
    first = operator("PUT", ACCOUNT, json=ACME)
    other = ACME | {"name": "Acme Ltd"}
    assert operator("PUT", ACCOUNT, json=other).status_code == 428
    assert operator("PUT", ACCOUNT, json=other, headers={"If-Match": '"stale"'}).status_code == 412
    changed = operator("PUT", ACCOUNT, json=other, headers={"If-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.json()["name"]) == (200, "Acme Ltd")
    assert changed.json()["createdAt"] == first.json()["createdAt"] < changed.json()["updatedAt"]
    assert operator("PUT", ACCOUNT, json=ACME, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("tags", ["*", '"abc"'])
def test_a_change_of_what_is_gone_registers_nothing(operator: Caller, tags: str) -> None:
    assert operator("PUT", ACCOUNT, json=ACME, headers={"If-Match": tags}).status_code == 412
    assert operator("GET", ACCOUNT).status_code == 404


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["name"]),
        ({"name": "  "}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": "Acme", "products": ["Unite", ""]}, ["products.1"]),
        ({"name": "Acme", "domains": ["contoso"]}, ["domains.0"]),
        ({"name": "Acme", "domains": "contoso.example"}, ["domains"]),
        ({"name": "Acme", "accountId": "acme"}, ["accountId"]),
    ],
)
def test_what_is_wrong_with_an_account_is_named(operator: Caller, body: dict[str, object], named: list[str]) -> None:
    answer = operator("PUT", ACCOUNT, json=body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, named)


def test_domains_are_stored_as_dns_has_them(operator: Caller) -> None:
    told = operator("PUT", ACCOUNT, json={"name": "Acme", "domains": ["Contoso.Example", "bücher.example"]}).json()
    assert told["domains"] == ["contoso.example", "xn--bcher-kva.example"]


def test_of_two_operators_who_change_one_version_one_wins(operator: Caller) -> None:
    seen = operator("PUT", ACCOUNT, json=ACME).headers["ETag"]

    def rename(name: str) -> int:
        return operator("PUT", ACCOUNT, json=ACME | {"name": name}, headers={"If-Match": seen}).status_code

    with ThreadPoolExecutor(4) as threads:
        outcomes = dict(zip("abcd", threads.map(rename, "abcd"), strict=True))
    assert sorted(outcomes.values()) == [200, 412, 412, 412]
    assert outcomes[operator("GET", ACCOUNT).json()["name"]] == 200


def test_nothing_is_told_of_an_account_that_is_not_there(operator: Caller, manager: Callable[[str], Caller]) -> None:
    assert operator("GET", ACCOUNT).status_code == 404
    assert operator("DELETE", ACCOUNT, headers={"If-Match": "*"}).status_code == 404
    for path in ("policy", "exceptions", "audit", "connection", "domains"):
        assert manager("acme")("GET", f"{ACCOUNT}/{path}").status_code == 404


def test_a_deleted_account_is_gone_with_everything_that_belongs_to_it(
    operator: Caller, acme: Caller, connect: Walk, resolve: Resolve, service: RunningService
) -> None:
    connect(acme)
    acme("PATCH", f"{ACCOUNT}/policy", json={"mode": "on"}, headers={"If-Match": "*"})
    acme("POST", f"{ACCOUNT}/exceptions", json={"email": "bob@contoso.example", "reason": "Kiosk"})
    assert resolve.method("alice@contoso.example") == "sso"
    assert operator("DELETE", ACCOUNT).status_code == 428
    assert operator("DELETE", ACCOUNT, headers={"If-Match": '"stale"'}).status_code == 412
    assert (
        operator("DELETE", ACCOUNT, headers={"If-Match": operator("GET", ACCOUNT).headers["ETag"]}).status_code == 204
    )
    assert (operator("GET", ACCOUNT).status_code, resolve.method("alice@contoso.example")) == (404, "password")
    assert (service.rows("accounts"), service.rows("domains")) == ([], [])

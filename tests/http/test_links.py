"""Links over HTTP: the Security Manager sees which identity each user is tied to, and can release it."""

from collections.abc import Callable

import pytest

from tests.http.conftest import CONTOSO, FABRIKAM, Caller, Token
from tests.http.signing_in import ALICE, ALICE_OID, Asked, NewPerson, Person

LINKS = "/v1/accounts/acme/links"
PEOPLE = (ALICE, "bob@contoso-mail.example", "erin@contoso.example")
UNKNOWN = "A" * 43


def test_a_first_sign_in_makes_a_link_and_later_ones_make_none(contoso: Caller, unite: Asked, person: Person) -> None:
    assert contoso("GET", LINKS).json() == {"items": [], "continuationToken": None}
    person.sign_in(unite)
    person.sign_in(unite)
    response = contoso("GET", LINKS)
    assert response.headers["cache-control"] == "no-store"
    (link,) = response.json()["items"]
    assert link.keys() == {"linkId", "email", "tid", "oid", "linkedAt", "lastUsedAt"}
    assert link["lastUsedAt"] == link["linkedAt"][:10] + "T00:00:00Z"
    assert (link["email"], link["tid"], link["oid"]) == (ALICE, CONTOSO, ALICE_OID)
    made = [entry for entry in contoso("GET", "/v1/accounts/acme/audit").json()["items"] if "link" in entry["action"]]
    assert [(entry["action"], entry["actor"]["role"], entry["actor"]["subject"]) for entry in made] == [
        ("link.made", "User", ALICE_OID)
    ]


def test_links_come_page_by_page(contoso: Caller, unite: Asked, new_person: NewPerson) -> None:
    for username in PEOPLE:
        new_person().sign_in(unite, username, login_hint=username)
    seen, token = [], ""
    while token is not None:
        parameters = {"pageSize": "2", **({"continuationToken": token} if token else {})}
        page = contoso("GET", LINKS, params=parameters).json()
        assert len(page["items"]) <= 2
        seen += [link["email"] for link in page["items"]]
        token = page["continuationToken"]
    assert sorted(seen) == sorted(PEOPLE)


def test_a_released_link_is_gone_and_the_trail_says_who_released_it(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    person.sign_in(unite)
    (link,) = contoso("GET", LINKS).json()["items"]
    assert contoso("DELETE", f"{LINKS}/{link['linkId']}").status_code == 204
    assert contoso("GET", LINKS).json()["items"] == []
    assert contoso("DELETE", f"{LINKS}/{link['linkId']}").status_code == 404
    entry = contoso("GET", "/v1/accounts/acme/audit").json()["items"][0]
    assert (entry["action"], entry["actor"]["role"]) == ("link.released", "SecurityManager")
    details = {name: fact for name, fact in entry["details"].items() if name not in {"person", "identity"}}
    assert details == {"linkId": link["linkId"], "email": ALICE, "tid": CONTOSO, "oid": ALICE_OID}


@pytest.mark.parametrize(("link_id", "status"), [(UNKNOWN, 404), ("short", 422), ("%3Cscript%3E", 422)])
def test_what_is_no_link_of_the_account_is_not_released(acme: Caller, link_id: str, status: int) -> None:
    assert acme("DELETE", f"{LINKS}/{link_id}").status_code == status


def test_the_links_of_an_account_are_its_own(
    contoso: Caller, operator: Caller, manager: Callable[[str], Caller], unite: Asked, person: Person
) -> None:
    operator("PUT", "/v1/accounts/rival", json={"name": "Rival", "products": []}).raise_for_status()
    rival = manager("rival")
    person.sign_in(unite)
    (link,) = contoso("GET", LINKS).json()["items"]
    assert rival("GET", LINKS).status_code == 403
    assert rival("DELETE", f"{LINKS}/{link['linkId']}").status_code == 403
    assert rival("DELETE", f"/v1/accounts/rival/links/{link['linkId']}").status_code == 404
    assert contoso("GET", LINKS).json()["items"] == [link]


def test_an_operator_may_release_links_too(contoso: Caller, operator: Caller, unite: Asked, person: Person) -> None:
    person.sign_in(unite)
    (link,) = operator("GET", LINKS).json()["items"]
    assert operator("DELETE", f"{LINKS}/{link['linkId']}").status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", LINKS),
        ("POST", f"{LINKS}/search"),
        ("POST", f"{LINKS}/release"),
        ("DELETE", f"{LINKS}/{UNKNOWN}"),
    ],
)
def test_links_are_nothing_for_strangers(
    acme: Caller, anybody: Caller, client: object, token: Token, method: str, path: str
) -> None:
    assert anybody(method, path).status_code == 401
    assert Caller(acme.client, token("ulla", account_id="acme"))(method, path).status_code == 403


def test_an_account_that_is_not_registered_has_no_links(operator: Caller) -> None:
    assert operator("GET", "/v1/accounts/nobody/links").status_code == 404
    assert operator("POST", "/v1/accounts/nobody/links/search", json={"email": ALICE}).status_code == 404
    assert operator("POST", "/v1/accounts/nobody/links/release", json={"all": True}).status_code == 404


def test_a_link_is_found_by_its_address(contoso: Caller, unite: Asked, person: Person) -> None:
    person.sign_in(unite)
    found = contoso("POST", f"{LINKS}/search", json={"email": f" {ALICE.upper()} "})
    assert found.headers["cache-control"] == "no-store"
    assert found.json() == contoso("GET", LINKS).json()
    nobody = {"items": [], "continuationToken": None}
    assert contoso("POST", f"{LINKS}/search", json={"email": "bob@contoso.example"}).json() == nobody
    assert contoso("POST", f"{LINKS}/search", json={"email": "bob"}).status_code == 422
    assert contoso("POST", f"{LINKS}/search", params={"email": ALICE}, json={}).status_code == 422


def test_many_links_are_released_in_one_call(contoso: Caller, unite: Asked, new_person: NewPerson) -> None:
    for username in PEOPLE:
        new_person().sign_in(unite, username, login_hint=username)

    def release(**chosen: object) -> object:
        return contoso("POST", f"{LINKS}/release", json=chosen).raise_for_status().json()

    none, one = {"released": 0, "continuationToken": None}, {"released": 1, "continuationToken": None}
    assert release(tenantId=FABRIKAM) == none
    assert release(domain="contoso-mail.example") == one
    assert release(domain="contoso-mail.example") == none, "safe to repeat"
    assert release(tenantId=CONTOSO.upper()) == {"released": 2, "continuationToken": None}
    assert contoso("GET", LINKS).json()["items"] == []
    new_person().sign_in(unite)
    assert release(all=True) == one
    events = [each for each in contoso("GET", "/v1/accounts/acme/audit").json()["items"] if "links." in each["action"]]
    assert [
        (each["actor"]["role"], each["details"]["count"], each["details"]["tenantId"], each["details"]["domain"])
        for each in events
    ] == [
        ("SecurityManager", 1, None, None),
        ("SecurityManager", 2, CONTOSO, None),
        ("SecurityManager", 1, None, "contoso-mail.example"),
    ]
    assert [each["details"]["count"] for each in events] == [1, 2, 1]


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"all": False},
        {"all": True, "domain": "contoso.example"},
        {"tenantId": CONTOSO, "domain": "contoso.example"},
        {"tenantId": "contoso.example"},
        {"domain": "contoso"},
        {"all": True, "continuationToken": "made up"},
    ],
)
def test_what_is_no_choice_of_links_releases_none(acme: Caller, chosen: dict[str, object]) -> None:
    assert acme("POST", f"{LINKS}/release", json=chosen).status_code == 422

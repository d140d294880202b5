"""An account that changes its tenant locks out nobody, and lets nobody be somebody else."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from local.cast.browser import Browser
from local.entra.server import LocalEntra
from local.processes import free_port
from tests.http import signing_in
from tests.http.conftest import CONTOSO, Caller, Token, Walk
from tests.http.moving import CONNECTION, NORA, NORTHWIND, Company
from tests.http.signing_in import ALICE, ALICE_OID, Asked, NewPerson, Page, claims_of
from tests.support.service import RunningService, settings_for

ERIN, ERIN_OID = "erin@contoso.example", "c0c00000-0000-4000-8000-00000000e710"
ERIN_NOW = "erin.now@contoso.example"


@pytest.fixture
def company(contoso: Caller, control: httpx.Client, connect: Walk) -> Company:
    return Company(contoso, control, connect)


@pytest.fixture
def who(unite: Asked, new_person: NewPerson) -> Callable[[str], dict[str, Any]]:
    """Signs somebody in with a fresh browser; the claims of their ID token."""

    def sign_in(email: str, typed: str | None = None) -> dict[str, Any]:
        someone = new_person()
        tokens = someone.tokens(unite, email, login_hint=typed or email)
        return claims_of(someone.service, tokens["id_token"])

    return sign_in


type Who = Callable[..., dict[str, Any]]


def test_people_of_the_new_tenant_are_new_people(company: Company, who: Who) -> None:
    before = who(ALICE)
    company.move(CONTOSO, NORTHWIND, ALICE)
    after = who(ALICE)
    assert (after["tid"], after["email"]) == (NORTHWIND, ALICE)
    assert after["sub"] != before["sub"]
    assert who(ALICE)["sub"] == after["sub"]
    (replaced,) = company.events("link.replaced")
    assert (replaced["email"], replaced["kept"]) == (ALICE, False)
    assert (replaced["earlierTid"], replaced["earlierOid"]) == (CONTOSO, ALICE_OID)
    assert (replaced["tid"], replaced["oid"]) == (NORTHWIND, after["oid"])
    company.leave(NORTHWIND, ALICE)
    company.move(NORTHWIND, CONTOSO)
    company.rename(CONTOSO, ALICE_OID, ALICE)
    assert who(ALICE)["sub"] == before["sub"], "A to B to A: the identity is the same, and so is the person"


def test_the_same_address_is_the_same_person_if_the_manager_says_so(company: Company, who: Who) -> None:
    """And nobody whose former identity had two addresses, at whichever of them they sign in first."""
    alice, erin = who(ALICE), who(ERIN)
    company.rename(CONTOSO, ERIN_OID, ERIN_NOW)
    assert who(ERIN_NOW)["sub"] == erin["sub"]
    assert company.keep_people().json()["detail"].startswith("Nobody is left to be kept")
    company.move(CONTOSO, NORTHWIND, ALICE, ERIN, ERIN_NOW)

    assert not company.keeps_people
    answer = company.keep_people()
    assert (answer.status_code, answer.json()["keepPeople"]) == (200, True)
    assert answer.headers["etag"] == company.manager("GET", CONNECTION).headers["etag"]
    with Browser() as theirs:
        assert company.connect(company.manager, admin=NORA, theirs=theirs).title == "Connected"
    assert company.keeps_people, "a renewed consent keeps the setting"
    kept = who(ALICE)
    assert (kept["sub"], kept["tid"]) == (alice["sub"], NORTHWIND)
    assert company.events("link.replaced")[0]["kept"] is True
    assert company.keeps_people
    others = who(ERIN_NOW), who(ERIN)
    assert len({alice["sub"], erin["sub"], *(each["sub"] for each in others)}) == 4
    assert not company.keeps_people, "nobody is left"
    assert [(each["keepPeople"], each["links"]) for each in company.events("connection.changed")] == [
        (False, 0),
        (True, 3),
    ]

    company.move(NORTHWIND, CONTOSO, ALICE)
    company.keep_people().raise_for_status()
    assert who(ALICE)["sub"] == alice["sub"], "and back, at an identity that is a third one"


def test_an_address_that_the_new_tenant_has_given_to_somebody_else_is_not_theirs(
    company: Company, who: Who, unite: Asked, new_person: NewPerson
) -> None:
    before = who(ALICE)
    company.move(CONTOSO, NORTHWIND, ALICE)
    company.keep_people().raise_for_status()
    kept = who(ALICE)
    assert kept["sub"] == before["sub"]
    company.rename(NORTHWIND, kept["oid"], "alice@northwind.example")
    company.give(NORTHWIND, f"{NORTHWIND[:-4]}ffff", ALICE)
    page = Page.of(new_person().come_back(unite))
    assert page.title == "This address belongs to another account at Microsoft"
    released = company.manager("POST", "/v1/accounts/acme/links/release", json={"domain": "contoso.example"})
    assert released.json()["released"] == 1
    assert who(ALICE)["sub"] not in {before["sub"], kept["sub"]}


def test_a_consent_that_was_revoked_is_no_tenant_that_was_left(
    company: Company, who: Who, control: httpx.Client, unite: Asked, new_person: NewPerson
) -> None:
    who(ALICE)
    company.rename(CONTOSO, ALICE_OID, "alice@contoso.onmicrosoft.com")
    company.give(CONTOSO, f"{CONTOSO[:-4]}ffff", ALICE)
    signing_in.set_policy(company.manager, whenConnectionFails="sso")
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()
    company.manager("POST", f"{CONNECTION}/check").raise_for_status()
    control.post(f"/consents/{CONTOSO}/grant").raise_for_status()
    assert company.manager("GET", CONNECTION).json()["status"] == "consent_revoked"
    assert Page.of(new_person().come_back(unite)).title == "This address belongs to another account at Microsoft"


def test_a_switch_at_another_instance_lets_nobody_of_the_tenant_before_in(
    company: Company,
    entra: LocalEntra,
    service: RunningService,
    unite: Asked,
    new_person: NewPerson,
    who: Who,
) -> None:
    """The other instance still knows the account as it was some seconds ago, and completes the sign-in."""
    port = free_port()
    with RunningService(port, settings_for(service.url, service.connection_string, entra)) as other:
        other.clock.ahead = service.clock.ahead

        def there(url: str) -> str:
            return url.replace(service.url, f"http://localhost:{port}")

        late, known = new_person(), new_person()
        answers = [
            someone.sign_in_at_microsoft(
                str(someone.open(there(unite.address(service.url, login_hint=email))).headers["location"]), email
            )
            for someone, email in ((late, ERIN), (known, ALICE))
        ]
        who(ALICE)
        company.move(CONTOSO, NORTHWIND, ALICE)
        assert company.keep_people().status_code == 200
        for someone, answer in zip((late, known), answers, strict=True):
            page = Page.of(someone.open(there(answer)))
            assert page.title == "Sign-in with Microsoft was switched off"
        assert [link["email"] for link in company.manager("GET", "/v1/accounts/acme/links").json()["items"]] == [ALICE]
        assert who(ALICE)["tid"] == NORTHWIND


def test_only_who_administers_the_account_keeps_people(
    company: Company, anybody: Caller, token: Token, client: httpx.Client
) -> None:
    headers, body = {"If-Match": "*"}, {"keepPeople": True}
    assert anybody("PATCH", CONNECTION, json=body, headers=headers).status_code == 401
    for username, account_id in (("ulla", "acme"), ("sam", "rival")):
        stranger = Caller(client, token(username, account_id=account_id))
        assert stranger("PATCH", CONNECTION, json=body, headers=headers).status_code == 403
    assert company.manager("PATCH", CONNECTION, json=body).status_code == 428
    assert company.manager("PATCH", CONNECTION, json=body, headers={"If-Match": '"old"'}).status_code == 412
    for wrong in ({"keepPeople": "perhaps"}, {"keepPeople": True, "status": "connected"}):
        assert company.manager("PATCH", CONNECTION, json=wrong, headers=headers).status_code == 422
    company.manager("DELETE", CONNECTION, headers=headers).raise_for_status()
    assert company.keep_people().status_code == 409

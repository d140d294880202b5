"""What tokens say of an address is what this sign-in vouches for, whatever was typed and whoever had the address."""

from typing import Any

import httpx
import pytest

from local import loopback
from tests.http import signing_in
from tests.http.conftest import CONTOSO, Caller, Walk
from tests.http.moving import Company
from tests.http.signing_in import ALICE, ALICE_OID, Asked, NewPerson, Page, Person, claims_of

SAID = ("sub", "email", "email_verified", "preferred_username")
NOW = "alice.archer@contoso.example"
COLLEAGUE = f"{CONTOSO[:-4]}ffff"
CAROL, CAROLS_NAME, CAROL_OID = "carol@contoso-mail.example", "c.jones@contoso.example", f"{CONTOSO[:-4]}ca01"


@pytest.fixture
def company(contoso: Caller, control: httpx.Client, connect: Walk) -> Company:
    return Company(contoso, control, connect)


def said(someone: Person, unite: Asked, username: str, typed: str) -> tuple[object, ...]:
    """What an ID token and userinfo say of the address, which must be the same."""
    tokens = someone.tokens(unite, username, login_hint=typed, scope="openid email profile")
    claims = claims_of(someone.service, tokens["id_token"])
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    userinfo = loopback.get(f"{someone.service.url}/oauth2/userinfo", headers=bearer).json()
    found, same = ({name: each[name] for name in SAID if name in each} for each in (claims, userinfo))
    assert same == found
    assert found.get("email_verified", True) is True
    assert ("email" in found) == ("email_verified" in found)
    return found["sub"], found.get("email")


def test_an_address_that_is_a_colleagues_now_is_said_of_nobody_else(
    company: Company, unite: Asked, new_person: NewPerson
) -> None:
    sub, before = said(new_person(), unite, ALICE, ALICE)
    assert before == ALICE
    signed_in = new_person()
    signed_in.sign_in(unite)

    company.rename(CONTOSO, ALICE_OID, NOW)
    assert said(new_person(), unite, NOW, ALICE) == (sub, NOW), "renamed, and nobody has the address"
    company.give(CONTOSO, COLLEAGUE, ALICE)
    assert said(new_person(), unite, NOW, ALICE) == (sub, NOW), "renamed, and a colleague has it"
    assert said(signed_in, unite, NOW, ALICE) == (sub, NOW), "the same, with Microsoft's session from before"
    assert said(new_person(), unite, NOW, NOW) == (sub, NOW), "the name of today, with a link of its own"
    page = Page.of(new_person().come_back(unite, ALICE))
    assert page.title == "This address belongs to another account at Microsoft"

    company.manager("POST", "/v1/accounts/acme/links/release", json={"domain": "contoso.example"}).raise_for_status()
    colleague, theirs = said(new_person(), unite, ALICE, ALICE)
    assert (colleague != sub, theirs) == (True, ALICE)
    page = Page.of(new_person().come_back(unite, NOW))
    assert page.title == "You signed in as somebody else", "who is renamed types an address that is a colleague's"
    assert said(new_person(), unite, NOW, NOW) == (sub, NOW)


def test_an_address_without_a_verified_email_or_a_domain_that_routes_is_left_out(
    company: Company, control: httpx.Client, unite: Asked, new_person: NewPerson
) -> None:
    def change(**fields: object) -> None:
        control.put(f"/tenants/{CONTOSO}/users/{CAROL_OID}", json=fields).raise_for_status()

    sub, _ = said(new_person(), unite, CAROLS_NAME, CAROL)
    assert said(new_person(), unite, CAROLS_NAME, CAROL) == (sub, CAROL), "by the verified email"
    change(email_verified=False)
    assert said(new_person(), unite, CAROLS_NAME, CAROL) == (sub, CAROLS_NAME), "the email is verified no more"
    away = "carol@contoso.onmicrosoft.com"
    company.rename(CONTOSO, CAROL_OID, away)
    assert said(new_person(), unite, away, CAROL) == (sub, None), "nor does the name route"
    change(email_verified=True)
    assert said(new_person(), unite, away, CAROL) == (sub, CAROL)
    change(mail="carol@elsewhere.example")
    assert said(new_person(), unite, away, CAROL) == (sub, None), "the email is at a domain that does not route"
    change(mail=None)
    assert said(new_person(), unite, away, CAROL) == (sub, None)


def test_a_guest_has_no_address_in_tokens(unite: Asked, contoso: Caller, new_person: NewPerson, hostile: Any) -> None:
    """They were a member when the link was made."""
    sub, _ = said(new_person(), unite, ALICE, ALICE)
    hostile(id_token={"acct": 1})
    assert said(new_person(), unite, ALICE, ALICE) == (sub, None)


def test_an_address_of_another_account_is_left_out(
    company: Company, operator: Caller, unite: Asked, new_person: NewPerson
) -> None:
    """Both accounts are connected to the tenant, and each has one of its domains."""
    sub, _ = said(new_person(), unite, CAROLS_NAME, CAROL)
    account = {"name": "Acme", "products": ["Unite"], "domains": ["contoso-mail.example"]}
    operator("PUT", "/v1/accounts/acme", json=account, headers={"If-Match": "*"}).raise_for_status()
    assert said(new_person(), unite, CAROLS_NAME, CAROL) == (sub, CAROL)
    company.rename(CONTOSO, CAROL_OID, "carol@contoso.example")
    company.control.put(f"/tenants/{CONTOSO}/users/{CAROL_OID}", json={"mail": None}).raise_for_status()
    assert said(new_person(), unite, "carol@contoso.example", CAROL) == (sub, None)


def test_the_decision_is_taken_for_the_address_of_today_too(
    company: Company, unite: Asked, new_person: NewPerson
) -> None:
    sub, _ = said(new_person(), unite, ALICE, ALICE)
    company.rename(CONTOSO, ALICE_OID, NOW)
    assert said(new_person(), unite, NOW, ALICE) == (sub, NOW)
    entry = {"email": NOW, "reason": "Kiosk"}
    added = company.manager("POST", "/v1/accounts/acme/exceptions", json=entry).json()
    page = Page.of(new_person().come_back(unite, NOW, login_hint=ALICE))
    assert page.title == "Sign-in with Microsoft was switched off"
    assert NOW in page.html
    path = f"/v1/accounts/acme/exceptions/{added['exceptionId']}"
    company.manager("DELETE", path, headers={"If-Match": "*"}).raise_for_status()
    assert said(new_person(), unite, NOW, ALICE) == (sub, NOW)
    company.manager("POST", "/v1/accounts/acme/exceptions", json=entry | {"email": ALICE}).raise_for_status()
    answer = new_person().authorize(unite)
    assert signing_in.without_query(answer.headers["location"]) == signing_in.without_query(signing_in.PASSWORD_URI)

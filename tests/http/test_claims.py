"""What tokens say of a person and of their sign-in: what Microsoft said, what this sign-in vouches for, no more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.http.conftest import CONTOSO, Caller, Switch
from tests.http.signing_in import ALICE, ALICE_NAMES, ALICE_OID, Asked, Person, claims_of, redeem, set_policy
from tests.support.service import RunningService

CAROL_OID, JONES, CAROL = (
    "c0c00000-0000-4000-8000-00000000ca01",
    "c.jones@contoso.example",
    "carol@contoso-mail.example",
)
ANY = {"If-Match": "*"}


@pytest.fixture
def user(control: httpx.Client) -> Callable[..., None]:
    """Changes somebody at Contoso: `user(ALICE_OID, given_name="Alice")`."""

    def change(oid: str, **fields: Any) -> None:
        control.put(f"/tenants/{CONTOSO}/users/{oid}", json=fields).raise_for_status()

    return change


type Says = Callable[..., dict[str, Any]]


@pytest.fixture
def says(contoso: Caller, unite: Asked, person: Person, service: RunningService) -> Says:
    """Signs somebody in; the ID token's claims: `says(CAROL, login_hint=…)`."""

    def claims(username: str = ALICE, **changes: str | None) -> dict[str, Any]:
        return claims_of(service, person.tokens(unite, username, **changes)["id_token"])

    return claims


def test_names_are_what_microsoft_says_in_the_id_token_and_in_userinfo(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, client: httpx.Client, says: Says
) -> None:
    tokens = person.tokens(unite)
    told = client.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
    for claims in (claims_of(service, tokens["id_token"]), told):
        assert {name: claims[name] for name in ALICE_NAMES} == ALICE_NAMES
    assert ALICE_NAMES.keys().isdisjoint(says(scope="openid email"))


def test_a_name_that_microsoft_does_not_have_is_left_out(says: Says, hostile: Switch) -> None:
    hostile(id_token={"given_name": None, "family_name": ["Archer"]})
    assert says().keys() & ALICE_NAMES.keys() == {"name", "preferred_username"}


def test_a_username_is_the_same_whatever_address_was_typed(says: Says, person: Person) -> None:
    by_mail, by_name = says(JONES, login_hint=CAROL), says(JONES, login_hint=JONES)
    assert (by_mail["email"], by_name["email"]) == (CAROL, JONES)
    assert by_mail["preferred_username"] == by_name["preferred_username"] == JONES


def test_a_username_for_which_sso_does_not_apply_is_not_told(
    says: Says, contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    """As an application may take it for an address: it would meet somebody who signs in by password."""
    code = person.sign_in(unite, JONES, login_hint=CAROL)["code"]
    draft = {"email": JONES, "reason": "An old account"}
    contoso("POST", "/v1/accounts/acme/exceptions", json=draft).raise_for_status()
    assert redeem(service, unite.redemption(code)).json()["error"] == "invalid_grant", "the code would have told it"
    assert says(JONES, login_hint=CAROL)["preferred_username"] == CAROL


def test_a_username_that_this_sign_in_does_not_vouch_for_is_not_told(
    says: Says, user: Callable[..., None], hostile: Switch
) -> None:
    first, renamed = says(JONES, login_hint=CAROL), "carol@contoso.onmicrosoft.com"
    user(CAROL_OID, user_principal_name=renamed)
    assert says(renamed, login_hint=CAROL)["preferred_username"] == CAROL, "no domain of the account"
    hostile(id_token={"acct": 1})
    of_guest = says(renamed, login_hint=CAROL)
    assert of_guest["sub"] == first["sub"]
    assert {"email", "preferred_username"}.isdisjoint(of_guest)


def test_the_context_is_one_that_microsoft_names_and_the_application_prefers(
    says: Says, user: Callable[..., None], hostile: Switch
) -> None:
    assert {"acr", "amr"}.isdisjoint(says(acr_values="c1 1 0")), "Microsoft says nothing"
    user(ALICE_OID, auth_contexts=["c3", "c7"])
    assert [says(acr_values=asked)["acr"] for asked in (None, "c7", "c9 c7 c3", "c9")] == ["c3", "c7", "c7", "c3"]
    for acrs, acr in (("c2", "c2"), (["p1", "c100", "c5"], "c5"), (["c0"], None), ([7], None), ({"c1": 1}, None)):
        hostile(id_token={"acrs": acrs})
        assert says(acr_values="p1 c0").get("acr") == acr


def test_how_somebody_signed_in_is_what_microsoft_says(says: Says, hostile: Switch) -> None:
    for said, told in ((["pwd", "mfa"], ["pwd", "mfa"]), ("rsa", ["rsa"]), ([], None), ([1], None), (["p\nwd"], None)):
        hostile(id_token={"amr": said})
        assert says().get("amr") == told


def test_a_session_ends_as_long_after_the_sign_in_as_the_security_manager_says(
    says: Says, contoso: Caller, service: RunningService
) -> None:
    assert "session_expiry" not in says()
    set_policy(contoso, sessionHours=8)
    now = int(service.clock.now().timestamp())
    assert now + 8 * 3_600 <= says()["session_expiry"] <= now + 8 * 3_600 + 60
    service.clock.advance(timedelta(hours=3))
    assert now + 11 * 3_600 <= says()["session_expiry"], "whenever they last gave their password"


def test_every_claim_that_is_told_is_announced(
    says: Says, contoso: Caller, client: httpx.Client, user: Callable[..., None], hostile: Switch
) -> None:
    set_policy(contoso, sessionHours=8)
    user(ALICE_OID, auth_contexts=["c1"])
    hostile(id_token={"amr": ["pwd"]})
    metadata = client.get("/.well-known/openid-configuration").json()
    told = says()
    assert told.keys() == set(metadata["claims_supported"])
    assert told["acr"] in metadata["acr_values_supported"]
    assert metadata["claims_parameter_supported"] is False


def test_oauth_clients_find_the_same_description(client: httpx.Client) -> None:
    """RFC 8414, section 3."""
    by_openid, by_oauth = (
        client.get(f"/.well-known/{name}") for name in ("openid-configuration", "oauth-authorization-server")
    )
    assert by_oauth.json() == by_openid.json()
    assert by_oauth.headers["access-control-allow-origin"] == "*"

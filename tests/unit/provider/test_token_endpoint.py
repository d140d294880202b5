"""A code buys tokens once, for the client, address and verifier that it was given to."""

import asyncio
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.accounts.head import Account
from shared.kernel.refusals import NotAuthenticated, Unavailable
from shared.policies.policy import Mode
from shared.ports.table import Put
from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.errors import InvalidClientError, OAuthError
from shared.provider.issuer import ACCESS_TOKEN, ID_TOKEN, LOGOUT_TOKEN, challenge_of
from shared.provider.token import TokenResponse
from shared.users.identity import subject_of
from shared.users.terms import ExemptionDraft
from shared.users.user_key import UserKey
from tests.support.ports import signing_keys
from tests.unit.provider.world import (
    ACME,
    ALICE,
    ALICE_OID,
    BOB_OID,
    CALLBACK,
    CONTOSO,
    FABRIKAM,
    ISSUER,
    OLGA,
    OTHER,
    SAM,
    SESSION,
    UNITE,
    VERIFIER,
    WHATEVER_STANDS,
    Provider,
    application,
    identity,
    person,
    sent,
)

TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
async def provider() -> Provider:
    provider = Provider()
    await provider.add()
    return provider


def form(handle: str, **changes: str | tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    asked = {"client_id": UNITE, "grant_type": "authorization_code", "redirect_uri": CALLBACK}
    return sent(**{**asked, "code": handle, "code_verifier": VERIFIER, **changes})


async def refused(provider: Provider, parameters: dict[str, tuple[str, ...]]) -> str:
    with pytest.raises((OAuthError, InvalidClientError)) as refusal:
        await provider.redeem(parameters)
    return refusal.value.error


def said_in(token: str) -> dict[str, Any]:
    """What stands in a token; that it is signed is shown elsewhere."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


async def test_of_many_who_redeem_a_code_at_once_exactly_one_gets_tokens(provider: Provider) -> None:
    shown = form(await provider.issue())
    answers = await asyncio.gather(*(provider.redeem(shown) for _ in range(50)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(TokenResponse) == 1
    assert {answer.error for answer in answers if isinstance(answer, OAuthError)} == {"invalid_grant"}
    provider.clock.advance(timedelta(days=2))
    assert await provider.flows.purge() == len(["the code", "that it was shown again"])
    assert len(provider.flows_table) == 0


async def test_one_code_does_not_make_the_keys_sign_for_everybody_who_shows_it(provider: Provider) -> None:
    """A code is taken last, so whoever shows one a hundred times at once would else use up the vault's signatures."""
    code, signed = await provider.issue(), signing_keys().signed
    shown = (form(code + "-" * number) for number in range(50))  # what stands behind a code is ignored
    answers = await asyncio.gather(*map(provider.redeem, shown), return_exceptions=True)
    assert [type(answer) for answer in answers].count(TokenResponse) == 1
    assert signing_keys().signed - signed == 2, "an access token and an ID token"


async def test_a_code_that_nothing_binds_is_worth_nothing_once_the_application_demands_a_challenge(
    provider: Provider,
) -> None:
    """An application that becomes a public client has nothing else that protects its codes."""
    unbound = await provider.issue(code_challenge=None)
    assert await refused(provider, form(unbound, code_verifier=None)) == "invalid_grant"


@pytest.mark.parametrize(("age", "alive"), [(timedelta(seconds=59), True), (timedelta(seconds=60), False)])
async def test_a_code_lives_for_sixty_seconds(provider: Provider, age: timedelta, *, alive: bool) -> None:
    shown = form(await provider.issue())
    provider.clock.advance(age)
    if alive:
        assert await provider.redeem(shown)
    else:
        assert await refused(provider, shown) == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "other"}, "invalid_grant"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": (CALLBACK, CALLBACK)}, "invalid_request"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": VERIFIER.lower()}, "invalid_grant"),
        ({"code_verifier": challenge_of(VERIFIER)}, "invalid_grant"),
        ({"code_verifier": "é" * 43}, "invalid_grant"),
    ],
)
async def test_who_shows_a_code_with_something_wrong_has_spent_it(
    provider: Provider, changes: dict[str, str | tuple[str, ...] | None], error: str
) -> None:
    await provider.add(OTHER, redirect_uris=(CALLBACK,))
    code = await provider.issue()
    assert await refused(provider, form(code, **changes)) == error
    assert await refused(provider, form(code)) == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unauthorized_client"),
        ({"grant_type": ("authorization_code", "authorization_code")}, "invalid_request"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"code": None}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"code": "made-up"}, "invalid_grant"),
    ],
)
async def test_what_does_not_reach_the_code_does_not_spend_it(
    provider: Provider, changes: dict[str, str | tuple[str, ...] | None], error: str
) -> None:
    code = await provider.issue()
    assert await refused(provider, form(code, **changes)) == error
    assert await provider.redeem(form(code))


@pytest.mark.parametrize("length", [42, 129])
async def test_a_verifier_of_a_forbidden_length_fits_nothing(provider: Provider, length: int) -> None:
    """RFC 7636, section 4.1: 43 to 128 characters, so that nobody can guess it."""
    code = await provider.issue(code_challenge=challenge_of("v" * length))
    assert await refused(provider, form(code, code_verifier="v" * length)) == "invalid_grant"


@given(shown=st.text())
async def test_an_invented_code_buys_nothing(shown: str) -> None:
    provider = Provider()
    await provider.add()
    with pytest.raises((OAuthError, InvalidClientError)) as refusal:
        await provider.redeem(form(shown))
    assert refusal.value.error in {"invalid_grant", "invalid_request"}


async def test_a_client_that_is_not_who_it_says_buys_nothing(provider: Provider) -> None:
    with pytest.raises(InvalidClientError):
        await provider.redeem(form(await provider.issue()), "Basic dW5pdGU6cw==")


async def test_an_id_token_says_who_signed_in(provider: Provider) -> None:
    granted = await provider.redeem(form(await provider.issue()))
    at = int(provider.clock.now().timestamp())
    assert said_in(granted.id_token) == {
        "iss": ISSUER,
        "aud": "unite",
        "sub": "subject",
        "iat": at - 10,
        "exp": at + 600,
        "auth_time": at,
        "at_hash": base64url(hashlib.sha256(granted.access_token.encode()).digest()[:16]),
        "nonce": "n-1",
        "sid": SESSION,
        "email": ALICE.address,
        "email_verified": True,
        "name": "Alice",
        "account_id": ACME,
        "tid": CONTOSO,
        "oid": ALICE_OID,
    }
    assert (granted.expires_in, granted.scope) == (600, "openid email profile")
    assert jwt.get_unverified_header(granted.id_token)["typ"] == ID_TOKEN


async def test_an_id_token_says_when_the_person_signed_in_at_microsoft_or_nothing(provider: Provider) -> None:
    long_ago = provider.clock.now() - timedelta(days=3)
    granted = await provider.redeem(form(await provider.issue(person=person(auth_time=long_ago))))
    assert said_in(granted.id_token)["auth_time"] == int(long_ago.timestamp())
    granted = await provider.redeem(form(await provider.issue(person=person(auth_time=None))))
    assert "auth_time" not in said_in(granted.id_token)


async def test_an_access_token_is_for_ourselves_and_has_a_name_of_its_own(provider: Provider) -> None:
    tokens = [(await provider.redeem(form(await provider.issue()))).access_token for _ in range(2)]
    first, second = map(said_in, tokens)
    assert first.pop("jti") != second.pop("jti")
    at = int(provider.clock.now().timestamp())
    assert first == {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "subject",
        "iat": at - 10,
        "exp": at + 600,
        "email": ALICE.address,
        "email_verified": True,
        "name": "Alice",
        "client_id": "unite",
        "scope": "openid email profile",
    }
    assert jwt.get_unverified_header(tokens[0])["typ"] == ACCESS_TOKEN


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (("openid",), set()),
        (("openid", "email"), {"email", "email_verified"}),
        (("openid", "profile"), {"name"}),
        (("openid", "email", "profile"), {"email", "email_verified", "name"}),
    ],
)
async def test_scopes_say_what_a_client_is_told(provider: Provider, scope: tuple[str, ...], told: set[str]) -> None:
    granted = await provider.redeem(form(await provider.issue(scope=scope)))
    personal = {"email", "email_verified", "name"}
    assert personal & said_in(granted.id_token).keys() == told
    assert (await provider.userinfo.claims(granted.access_token)).keys() == {"sub"} | told


async def test_what_was_not_asked_for_or_is_not_known_is_not_told(provider: Provider) -> None:
    code = await provider.issue(scope=("openid", "profile"), nonce=None, person=person(name=None, sid=None))
    granted = await provider.redeem(form(code))
    untold = {"nonce", "sid", "name", "email", "email_verified"}
    assert untold.isdisjoint(said_in(granted.id_token))
    assert untold.isdisjoint(said_in(granted.access_token))
    assert await provider.userinfo.claims(granted.access_token) == {"sub": "subject"}


async def test_userinfo_tells_what_the_access_token_tells_until_it_expires(provider: Provider) -> None:
    token = (await provider.redeem(form(await provider.issue()))).access_token
    told = {"sub": "subject", "email": ALICE.address, "email_verified": True, "name": "Alice"}
    assert await provider.userinfo.claims(token) == told
    provider.clock.advance(TEN_MINUTES)
    assert await provider.userinfo.claims(token) == told, "clocks may differ by half a minute"
    provider.clock.advance(timedelta(seconds=30))
    with pytest.raises(NotAuthenticated):
        await provider.userinfo.claims(token)


async def test_no_other_token_opens_userinfo(provider: Provider) -> None:
    granted = await provider.redeem(form(await provider.issue()))
    logout_token = await provider.issuer.logout_token(UNITE, "subject", SESSION)
    for token in (granted.id_token, logout_token, "", "made-up"):
        with pytest.raises(NotAuthenticated):
            await provider.userinfo.claims(token)


async def test_a_logout_token_names_a_session_and_carries_no_nonce(provider: Provider) -> None:
    """Back-Channel Logout 1.0, section 2.4."""
    token = await provider.issuer.logout_token(UNITE, "subject", SESSION)
    claims = said_in(token)
    at = int(provider.clock.now().timestamp())
    assert claims.pop("jti") != said_in(await provider.issuer.logout_token(UNITE, "subject", SESSION))["jti"]
    assert claims == {
        "iss": ISSUER,
        "aud": "unite",
        "sub": "subject",
        "iat": at - 10,
        "exp": at + 600,
        "sid": SESSION,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    assert jwt.get_unverified_header(token)["typ"] == LOGOUT_TOKEN


async def test_keys_that_do_not_answer_are_nobodys_fault_and_leave_the_code_good(provider: Provider) -> None:
    code, keys = await provider.issue(), signing_keys()
    keys.available = False
    try:
        for _ in range(2):
            with pytest.raises(Unavailable):
                await provider.redeem(form(code))
    finally:
        keys.available = True
    answers = await asyncio.gather(*(provider.redeem(form(code)) for _ in range(2)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(TokenResponse) == 1


# -- what may have changed since the code was issued -------------------------------------------------------------------


async def sso_off(provider: Provider) -> None:
    await provider.set_policy(Mode.OFF)


async def excepted(provider: Provider) -> None:
    await provider.services.users.exemptions.add(SAM, ExemptionDraft(email=ALICE.address, reason="Leave"))


async def link_released(provider: Provider) -> None:
    await provider.links.release(SAM, UserKey.of(ACME, ALICE))


async def link_of_another(provider: Provider) -> None:
    await link_released(provider)
    await provider.admit(ACME, ALICE, identity(oid=BOB_OID))


async def disconnected(provider: Provider) -> None:
    await provider.services.connection.disconnection.disconnect(SAM, WHATEVER_STANDS)


async def account_closed(provider: Provider) -> None:
    await provider.services.connection.disconnection.close(OLGA, ACME, WHATEVER_STANDS)


async def account_replaced(provider: Provider) -> None:
    await account_closed(provider)
    provider.clock.advance(timedelta(seconds=1))
    await provider.switch_on()
    again = Account(account_id=ACME, name="Acme", created_at=provider.clock.now(), updated_at=provider.clock.now())
    await provider.accounts_table.write(Put(Account.key(ACME), again.document()))
    await provider.admit(ACME, ALICE, identity())


@pytest.mark.parametrize(
    "meanwhile",
    [sso_off, excepted, link_released, link_of_another, disconnected, account_closed, account_replaced],
    ids=lambda meanwhile: meanwhile.__name__,
)
async def test_a_sign_in_that_no_longer_stands_buys_no_tokens(
    provider: Provider, meanwhile: Callable[[Provider], Awaitable[None]]
) -> None:
    code = await provider.issue()
    await meanwhile(provider)
    assert await refused(provider, form(code)) == "invalid_grant"


async def test_an_application_that_was_removed_as_it_redeemed_gets_no_tokens(provider: Provider) -> None:
    client, code = AuthenticatedClient(application()), await provider.issue()
    await provider.register.remove(OLGA, UNITE, WHATEVER_STANDS)
    with pytest.raises(OAuthError, match="no longer applies"):
        await provider.services.provider.token.redeem(client, form(code))


async def test_of_two_wrong_proofs_at_once_both_are_refused(provider: Provider) -> None:
    wrong = form(await provider.issue(), redirect_uri=CALLBACK + "/")
    assert await asyncio.gather(*(refused(provider, wrong) for _ in range(2))) == ["invalid_grant"] * 2


def test_a_subject_is_one_identitys_and_tells_nothing() -> None:
    subjects = {subject_of(tid, oid) for tid in (CONTOSO, FABRIKAM) for oid in (ALICE_OID, "oid-of-bob")}
    assert len(subjects) == 4
    assert {len(subject) for subject in subjects} == {43}
    assert subject_of(CONTOSO, ALICE_OID) == subject_of(CONTOSO, ALICE_OID)
    assert not any(ALICE_OID in subject for subject in subjects)


def test_a_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

"""How an application proves who it is, as operators say it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.access.roles import Actor, Operator
from shared.applications.application import MOST_SUPERSEDED, ApplicationProfile, AuthMethod, CodeBinding
from shared.applications.register import DEFAULT_OVERLAP, ApplicationRegister
from shared.applications.secrets import verify_secret
from shared.kernel.names import ClientId, Product
from shared.kernel.refusals import Conflict, NotFound, PreconditionRequired, Stale
from shared.kernel.versions import Expected
from tests.support.fakes import FixedClock, InMemoryTable

OLGA = Operator(Actor("olga", "Olga Operator", "Operator"))
UNITE = ClientId("unite")
WHATEVER_STANDS = Expected(None)
PUBLIC = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "1"}
BASIC, POST = AuthMethod.CLIENT_SECRET_BASIC, AuthMethod.CLIENT_SECRET_POST


def profile(**changes: Any) -> ApplicationProfile:
    return ApplicationProfile(**{"name": "Unite", "sso_supported": True} | changes)


@pytest.fixture
def table() -> InMemoryTable:
    return InMemoryTable()


@pytest.fixture
def register(table: InMemoryTable) -> ApplicationRegister:
    return ApplicationRegister(table=table, clock=FixedClock())


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint_auth_method": AuthMethod.PRIVATE_KEY_JWT},
        {"jwks": {"keys": [PUBLIC]}},
        {"token_endpoint_auth_method": BASIC, "jwks": {"keys": [PUBLIC]}},
    ],
)
def test_keys_go_with_the_method_that_needs_them(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="private_key_jwt"):
        profile(**changes)


@pytest.mark.parametrize(
    "jwks",
    [
        {},
        {"keys": None},
        {"keys": PUBLIC},
        {"keys": ["key"]},
        *({"keys": [PUBLIC, PUBLIC | {private: "AQAB"}]} for private in ("d", "p", "q", "dp", "dq", "qi", "oth")),
        {"keys": [{"kty": "oct", "k": "AQAB"}]},
    ],
)
def test_a_key_that_is_not_public_is_not_taken(jwks: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="public"):
        profile(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=jwks)


def test_public_keys_are_taken() -> None:
    taken = profile(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks={"keys": [PUBLIC]})
    assert taken.jwks == {"keys": [PUBLIC]}


@pytest.mark.parametrize("method", [BASIC, POST])
async def test_a_secret_is_shown_once_and_those_before_end_with_their_overlap(
    register: ApplicationRegister, method: AuthMethod
) -> None:
    await register.put(OLGA, UNITE, profile(token_endpoint_auth_method=method), None)
    shown = [await register.renew_secret(OLGA, UNITE, WHATEVER_STANDS) for _ in range(4)]
    stored = (await register.read(OLGA, UNITE)).record
    newest_first = stored.secrets(register.clock.now())
    assert len(newest_first) == 1 + MOST_SUPERSEDED
    assert [await verify_secret(*each) for each in zip(reversed(shown), newest_first, strict=False)] == [True] * 3
    assert not any(each in stored.document() for each in shown)
    assert stored.secrets(register.clock.now() + DEFAULT_OVERLAP) == newest_first[:1]
    await register.renew_secret(OLGA, UNITE, WHATEVER_STANDS, timedelta())
    assert len((await register.read(OLGA, UNITE)).record.secrets(register.clock.now())) == 1


async def test_no_secret_is_left_of_an_application_that_needs_none(register: ApplicationRegister) -> None:
    await register.put(OLGA, UNITE, profile(token_endpoint_auth_method=BASIC), None)
    for _ in range(2):
        await register.renew_secret(OLGA, UNITE, WHATEVER_STANDS)
    stored, _ = await register.put(OLGA, UNITE, profile(code_binding=CodeBinding.PKCE), WHATEVER_STANDS)
    assert stored.record.secrets(register.clock.now()) == ()


async def test_a_secret_outlives_a_change_of_what_is_said(register: ApplicationRegister) -> None:
    await register.put(OLGA, UNITE, profile(token_endpoint_auth_method=BASIC), None)
    secret = await register.renew_secret(OLGA, UNITE, WHATEVER_STANDS)
    changed = profile(name="Unite 2", token_endpoint_auth_method=BASIC, code_binding=CodeBinding.PKCE)
    stored, created = await register.put(OLGA, UNITE, changed, WHATEVER_STANDS)
    assert (created, stored.record.profile) == (False, changed)
    assert await verify_secret(secret, (await register.read(OLGA, UNITE)).record.secret or "")


async def test_of_two_who_renew_a_secret_at_once_one_gets_it(register: ApplicationRegister) -> None:
    await register.put(OLGA, UNITE, profile(token_endpoint_auth_method=BASIC), None)
    expected = Expected(frozenset({(await register.read(OLGA, UNITE)).version}))
    answers = await asyncio.gather(
        *(register.renew_secret(OLGA, UNITE, expected) for _ in range(2)), return_exceptions=True
    )
    (secret,) = (answer for answer in answers if isinstance(answer, str))
    assert [isinstance(answer, Stale) for answer in answers].count(True) == 1
    assert await verify_secret(secret, (await register.read(OLGA, UNITE)).record.secret or "")


@pytest.mark.parametrize("method", [AuthMethod.NONE, AuthMethod.PRIVATE_KEY_JWT])
async def test_who_authenticates_otherwise_gets_no_secret(register: ApplicationRegister, method: AuthMethod) -> None:
    jwks = {"keys": [PUBLIC]} if method is AuthMethod.PRIVATE_KEY_JWT else None
    await register.put(OLGA, UNITE, profile(token_endpoint_auth_method=method, jwks=jwks), None)
    with pytest.raises(Conflict, match="tokenEndpointAuthMethod"):
        await register.renew_secret(OLGA, UNITE, WHATEVER_STANDS)


async def test_what_was_seen_long_ago_changes_nothing(register: ApplicationRegister) -> None:
    old = Expected(frozenset({"seen long ago"}))
    with pytest.raises(Stale):
        await register.put(OLGA, UNITE, profile(), old)
    await register.put(OLGA, UNITE, profile(token_endpoint_auth_method=BASIC), None)
    with pytest.raises(Stale):
        await register.put(OLGA, UNITE, profile(), old)
    with pytest.raises(PreconditionRequired):
        await register.put(OLGA, UNITE, profile(), None)
    with pytest.raises(Stale):
        await register.renew_secret(OLGA, UNITE, old)
    with pytest.raises(Stale):
        await register.remove(OLGA, UNITE, old)


async def test_an_application_that_is_removed_is_gone(register: ApplicationRegister) -> None:
    for client_id in (UNITE, ClientId("anymeeting")):
        await register.put(OLGA, client_id, profile(), None)
    assert [each.client_id for each in await register.all(OLGA)] == ["anymeeting", "unite"]
    await register.remove(OLGA, UNITE, WHATEVER_STANDS)
    assert [each.client_id for each in await register.all(OLGA)] == ["anymeeting"]
    for gone in (register.read(OLGA, UNITE), register.remove(OLGA, UNITE, WHATEVER_STANDS)):
        with pytest.raises(NotFound):
            await gone


@pytest.mark.parametrize(
    ("supported", "required", "products", "serves"),
    [
        (True, None, (), True),
        (True, "Unite", ("Unite", "AnyMeeting"), True),
        (True, "Unite", ("AnyMeeting",), False),
        (False, None, (), False),
        (False, "Unite", ("Unite",), False),
    ],
)
async def test_sso_works_where_it_is_supported_and_the_product_is_there(
    register: ApplicationRegister, *, supported: bool, required: str | None, products: tuple[str, ...], serves: bool
) -> None:
    stored, _ = await register.put(OLGA, UNITE, profile(sso_supported=supported, requires_product=required), None)
    assert stored.record.serves(tuple(map(Product, products))) is serves

"""The tokens port: what it signs it verifies, for this kind and audience only, and others do by its key set alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from shared.adapters.jose import Jose
from shared.adapters.local_keys import LocalKeys
from shared.kernel.refusals import NotAuthenticated, Unavailable
from shared.ports.tokens import Tokens
from tests.support.fakes import FixedClock
from tests.support.signing_keys import InMemorySigningKeys

ISSUER = "https://sso.example"
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class World:
    """Tokens, a second instance of the service, and what takes its keys away."""

    clock: FixedClock
    tokens: Tokens
    other: Tokens
    silence: Callable[[], None]

    def claims(self, **changes: Any) -> dict[str, Any]:
        at = int(self.clock.now().timestamp())
        return {"iss": ISSUER, "aud": "unite", "sub": "subject", "iat": at, "exp": at + 600, **changes}


def memory_world(_folder: Path) -> World:
    clock = FixedClock()
    keys = InMemorySigningKeys(clock)

    def silence() -> None:
        keys.available = False

    return World(
        clock, Jose(keys=keys, issuer=ISSUER, clock=clock), Jose(keys=keys, issuer=ISSUER, clock=clock), silence
    )


def files_world(folder: Path) -> World:
    clock = FixedClock()
    directory = folder / "keys"

    def silence() -> None:
        for file in directory.glob("*.pem"):
            file.write_text("no key")

    tokens, other = (Jose(keys=LocalKeys(directory, clock), issuer=ISSUER, clock=clock) for _ in range(2))
    return World(clock, tokens, other, silence)


@pytest.fixture(params=[memory_world, files_world], ids=["memory", "files"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    made: World = request.param(tmp_path)
    return made


async def test_what_one_instance_signs_another_verifies(world: World) -> None:
    claims = world.claims(nonce="n", more={"deep": [1, None, True, "é"]})
    verified = await world.other.verify(await world.tokens.sign("JWT", claims), "JWT", "unite")
    assert (verified.sub, verified.aud, verified.claims) == ("subject", "unite", claims)


async def test_a_token_says_its_type_its_algorithm_and_its_key_and_nothing_else(world: World) -> None:
    header = jwt.get_unverified_header(await world.tokens.sign("at+jwt", world.claims()))
    (key,) = (await world.tokens.jwks())["keys"]
    assert header == {"alg": "RS256", "kid": key["kid"], "typ": "at+jwt"}


async def test_others_verify_by_the_key_set_alone(world: World) -> None:
    keys = jwt.PyJWKSet.from_dict(await world.tokens.jwks())
    token = await world.tokens.sign("JWT", world.claims())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    told = jwt.decode(token, key, algorithms=["RS256"], audience="unite", options={"verify_exp": False})
    assert told == world.claims()


async def test_the_key_set_holds_public_keys_only(world: World) -> None:
    (key,) = (await world.tokens.jwks())["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}


@pytest.mark.parametrize(
    ("typ", "audience"), [("at+jwt", "unite"), ("jwt", "unite"), ("", "unite"), ("JWT", "other"), ("JWT", "")]
)
async def test_one_kind_or_audience_does_not_pass_for_another(world: World, typ: str, audience: str) -> None:
    token = await world.tokens.sign("JWT", world.claims())
    with pytest.raises(NotAuthenticated):
        await world.tokens.verify(token, typ, audience)


async def test_whose_token_it_is_may_be_left_to_the_caller(world: World) -> None:
    token = await world.tokens.sign("JWT", world.claims(aud="whoever"))
    assert (await world.tokens.verify(token, "JWT", None)).aud == "whoever"


async def test_a_token_expires_unless_the_caller_does_not_mind(world: World) -> None:
    token = await world.tokens.sign("JWT", world.claims())
    world.clock.advance(11 * MINUTE)
    with pytest.raises(NotAuthenticated):
        await world.tokens.verify(token, "JWT", "unite")
    assert (await world.tokens.verify(token, "JWT", "unite", expired=True)).sub == "subject"


async def test_a_token_that_has_not_begun_is_not_good_even_if_it_may_have_expired(world: World) -> None:
    token = await world.tokens.sign("JWT", world.claims())
    world.clock.advance(-MINUTE)
    with pytest.raises(NotAuthenticated):
        await world.tokens.verify(token, "JWT", "unite", expired=True)


async def test_another_issuers_token_is_none_of_ours(world: World) -> None:
    token = await world.tokens.sign("JWT", world.claims(iss="https://evil.example"))
    with pytest.raises(NotAuthenticated):
        await world.tokens.verify(token, "JWT", "unite")


@pytest.mark.parametrize("token", ["", "made-up", "a.b.c", "é", "x" * 100_000, "eyJhbGciOiJub25lIn0.e30."])
async def test_what_was_not_signed_is_no_token(world: World, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        await world.tokens.verify(token, "JWT", None, expired=True)


async def test_keys_that_do_not_answer_are_nobodys_fault(world: World) -> None:
    token = await world.tokens.sign("JWT", world.claims())
    world.silence()
    for asked in (
        world.other.jwks(),
        world.other.sign("JWT", world.claims()),
        world.other.verify(token, "JWT", "unite"),
    ):
        with pytest.raises(Unavailable):
            await asked

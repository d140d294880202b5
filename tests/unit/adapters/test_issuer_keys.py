"""An issuer's keys: when they are read again, and which of them are believed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from copy import copy
from datetime import timedelta
from functools import cache

import pytest

from local.entra.keys import SigningKeys as KeySet
from shared.adapters.issuer_keys import IssuerKeys
from shared.adapters.web import Web
from shared.kernel.refusals import NotAuthenticated, Unavailable
from tests.support.fakes import FixedClock
from tests.support.wire import CannedWeb, canned_web

ISSUER = "https://entra.example/contoso/v2.0"
MOMENT = timedelta(seconds=11)


@cache
def first_keys() -> KeySet:
    """Made once: RSA keys take their time."""
    return KeySet()


class Issuer:
    """An issuer with a key set that rolls over, on a real port."""

    def __init__(self, server: CannedWeb) -> None:
        self.keys = copy(first_keys())
        self.server = server
        self.publish()

    @property
    def kid(self) -> str:
        return self.keys.current.kid

    @property
    def reads(self) -> int:
        return len(self.server.asked)

    def publish(self, **more: object) -> None:
        self.server.documents["/keys"] = {"keys": [key.jwk() | more for key in self.keys.published]}

    async def jwks_uri(self) -> str:
        return f"{self.server.url}/keys"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with canned_web() as server:
        yield Issuer(server)


@pytest.fixture
async def plain_web() -> AsyncIterator[Web]:
    web = Web("The other side")
    yield web
    await web.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def keys(issuer: Issuer, plain_web: Web, clock: FixedClock) -> IssuerKeys:
    return IssuerKeys(web=plain_web, jwks_uri=issuer.jwks_uri, clock=clock, issuers=frozenset({ISSUER}))


async def test_a_herd_reads_the_keys_once(issuer: Issuer, keys: IssuerKeys) -> None:
    found = await asyncio.gather(*(keys.find(issuer.kid) for _ in range(50)))
    assert {key.key_id for key in found} == {issuer.kid}
    assert issuer.reads == 1


async def test_a_known_key_costs_no_read(issuer: Issuer, keys: IssuerKeys, clock: FixedClock) -> None:
    await keys.find(issuer.kid)
    clock.advance(timedelta(hours=1))
    await keys.find(issuer.kid)
    assert issuer.reads == 1


async def test_invented_keys_cause_no_flood(issuer: Issuer, keys: IssuerKeys, clock: FixedClock) -> None:
    async def invented(number: int) -> None:
        with pytest.raises(NotAuthenticated):
            await keys.find(f"invented-{number}")

    await asyncio.gather(*map(invented, range(100)))
    assert issuer.reads == 1
    clock.advance(MOMENT)
    await asyncio.gather(*map(invented, range(100)))
    assert issuer.reads == 2


async def test_a_key_that_comes_is_found(issuer: Issuer, keys: IssuerKeys, clock: FixedClock) -> None:
    await keys.find(issuer.kid)
    issuer.keys.roll_over()
    issuer.keys.roll_over()
    issuer.publish()
    clock.advance(MOMENT)
    assert (await keys.find(issuer.kid)).key_id == issuer.kid


async def test_a_key_that_is_withdrawn_dies_within_the_hour(
    issuer: Issuer, keys: IssuerKeys, clock: FixedClock
) -> None:
    withdrawn = issuer.kid
    await keys.find(withdrawn)
    issuer.keys = KeySet()
    issuer.publish()
    clock.advance(timedelta(hours=1, seconds=1))
    with pytest.raises(NotAuthenticated):
        await keys.find(withdrawn)


@pytest.mark.parametrize("named", [ISSUER, None], ids=["by name", "unnamed"])
async def test_a_key_of_the_issuer_is_believed(issuer: Issuer, keys: IssuerKeys, named: str | None) -> None:
    issuer.publish(**({"issuer": named} if named else {}))
    assert (await keys.find(issuer.kid)).key_id == issuer.kid


@pytest.mark.parametrize("other", ["https://entra.example/fabrikam/v2.0", f"{ISSUER}/", ""])
async def test_a_key_of_another_issuer_is_not_believed(issuer: Issuer, keys: IssuerKeys, other: str) -> None:
    issuer.publish(issuer=other)
    with pytest.raises(NotAuthenticated):
        await keys.find(issuer.kid)


async def test_only_rsa_keys_with_an_id_are_taken(issuer: Issuer, keys: IssuerKeys) -> None:
    usable = issuer.keys.current.jwk()
    nameless = {name: value for name, value in usable.items() if name != "kid"}
    symmetric = {"kty": "oct", "kid": "symmetric", "k": "c2VjcmV0"}
    issuer.server.documents["/keys"] = {"keys": [symmetric, nameless, usable]}
    assert (await keys.find(issuer.kid)).key_id == issuer.kid
    with pytest.raises(NotAuthenticated):
        await keys.find("symmetric")


@pytest.mark.parametrize("document", [[], "keys", None, 1])
async def test_a_set_that_is_none_is_no_answer(issuer: Issuer, keys: IssuerKeys, document: object) -> None:
    issuer.server.documents["/keys"] = document
    with pytest.raises(Unavailable):
        await keys.find(issuer.kid)


async def test_a_silent_issuer_is_asked_again_after_a_moment(
    issuer: Issuer, keys: IssuerKeys, clock: FixedClock
) -> None:
    issuer.server.status = 404
    for _ in range(20):
        with pytest.raises(Unavailable):
            await keys.find(issuer.kid)
    assert issuer.reads == 1
    issuer.server.status = 200
    clock.advance(MOMENT)
    assert (await keys.find(issuer.kid)).key_id == issuer.kid


async def test_a_known_key_outlives_a_short_silence(issuer: Issuer, keys: IssuerKeys, clock: FixedClock) -> None:
    await keys.find(issuer.kid)
    issuer.server.status = 503
    clock.advance(MOMENT)
    with pytest.raises(Unavailable):
        await keys.find("unknown")
    assert (await keys.find(issuer.kid)).key_id == issuer.kid


async def test_a_key_that_cannot_be_used_spoils_no_other(issuer: Issuer, keys: IssuerKeys) -> None:
    usable = issuer.keys.current.jwk()
    issuer.server.documents["/keys"] = {"keys": [usable | {"kid": "broken", "n": "!"}, usable]}
    assert (await keys.find(issuer.kid)).key_id == issuer.kid


async def test_who_gives_up_waiting_silences_nobody_else(issuer: Issuer, plain_web: Web, clock: FixedClock) -> None:
    hanging = asyncio.Event()

    async def jwks_uri() -> str:
        if not hanging.is_set():
            hanging.set()
            await asyncio.Event().wait()
        return await issuer.jwks_uri()

    keys = IssuerKeys(web=plain_web, jwks_uri=jwks_uri, clock=clock)
    impatient = asyncio.create_task(keys.find(issuer.kid))
    await hanging.wait()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert issuer.kid == (await keys.find(issuer.kid)).key_id

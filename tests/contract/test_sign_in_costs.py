"""What a sign-in makes the real adapters do that is expensive, counted without a clock: connections, threads, RSA.

The product runs on local Entra, on Azurite for its flows, and on keys of a folder. Counted are calls of C in this
thread, where all of it runs, of the second of two sign-ins: the first one opens what is kept.
"""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from local.cast.application import AuthorizationRequest
from local.cast.person import ALICE
from local.processes import Azurite
from shared.adapters.jose import Jose
from shared.adapters.local_keys import LocalKeys
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTables
from shared.assembly import assemble
from shared.ports.entra import Answer
from shared.ports.sign_in import SignInRequest
from shared.provider.authorization_response import RedirectToApplication, RedirectToEntra, Remembering
from shared.provider.openid_provider import OpenIdProvider
from tests.support.fakes import FixedClock, InMemoryTable
from tests.support.measuring import own_thread_unmeasured
from tests.support.ports import fakes
from tests.support.real_parts import SERVICE, RealEntra
from tests.unit.provider.world import CALLBACK, Provider, sent

OPENS_A_CONNECTION = "socket.connect"
SHAKES_HANDS = "_SSLSocket.do_handshake"
STARTS_A_THREAD = "start_joinable_thread"
ASKS_A_THREAD = "SimpleQueue.put"
SIGNS = "RSAPrivateKey.sign"
VERIFIES = "RSAPublicKey.verify"
PARSES_A_KEY = "RSAPublicNumbers.public_key"

EXPENSIVE = (OPENS_A_CONNECTION, SHAKES_HANDS, STARTS_A_THREAD, ASKS_A_THREAD, SIGNS, VERIFIES, PARSES_A_KEY)


@pytest.fixture
async def provider(store: Azurite, real_entra: RealEntra, tmp_path: Path) -> AsyncIterator[OpenIdProvider]:
    """The product with an account that is connected to Contoso and has SSO on."""
    real_entra.consent()
    clock = FixedClock(real_entra.entra.cloud.now())
    mine = {name: InMemoryTable() for name in ("accounts", "applications")}
    domains = InMemoryTable()
    story = Provider(
        clock=clock, accounts_table=mine["accounts"], applications=mine["applications"], domains_table=domains
    )
    await story.add()
    await story.switch_on()
    tables, keys = AzureTables(Account.from_connection_string(store.connection_string)), LocalKeys(tmp_path, clock)
    ports = fakes(
        clock=clock,
        public_url=SERVICE,
        entra=real_entra.provider,
        signing_keys=keys,
        tokens=Jose(keys=keys, issuer=SERVICE, clock=clock),
        flows=tables.table("rows"),
        domains=domains,
        **mine,
    )
    yield assemble(ports).provider
    await tables.close()


@contextmanager
def counting(found: Counter[str]) -> Iterator[None]:
    """Count what is called inside, in this thread."""

    def see(_: object, event: str, called: object) -> None:
        if event == "c_call":
            found[getattr(called, "__qualname__", "")] += 1

    with own_thread_unmeasured():
        sys.setprofile(see)
        try:
            yield
        finally:
            sys.setprofile(None)


async def sign_in(provider: OpenIdProvider, entra: RealEntra, found: Counter[str]) -> None:
    """Alice signs in; what she and her browser do at Microsoft does not count."""
    request = AuthorizationRequest("unite", CALLBACK, ALICE)
    with counting(found):
        sent_away = await provider.sign_in.authorize(sent(**request.parameters()))
    assert isinstance(sent_away, RedirectToEntra)
    state = parse_qs(urlsplit(sent_away.url).query)["state"][0]
    answer = Answer(state=state, code=entra.code(SignInRequest(sent_away.url, "", ""), ALICE))
    with counting(found):
        back = await provider.sign_in.callback(answer, sent_away.binding.secret)
    assert isinstance(back, Remembering)
    assert isinstance(back.response, RedirectToApplication)
    code = parse_qs(urlsplit(back.response.url).query)["code"][0]
    parameters = sent(**request.redemption(code))
    with counting(found):
        client = await provider.clients.authenticate(None, parameters)
        assert (await provider.grant(client, parameters)).id_token


async def test_a_sign_in_signs_twice_verifies_once_and_opens_nothing(
    provider: OpenIdProvider, real_entra: RealEntra
) -> None:
    first, second = Counter[str](), Counter[str]()
    await sign_in(provider, real_entra, first)
    assert first[OPENS_A_CONNECTION] >= 2, "one to Entra and one to the store: what is counted can be counted"
    assert first[SHAKES_HANDS] >= 1
    await sign_in(provider, real_entra, second)
    assert {name: second[name] for name in EXPENSIVE if second[name]} == {SIGNS: 2, VERIFIES: 1}

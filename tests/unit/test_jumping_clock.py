"""The machine's clock is set, by an hour forward or back: what is remembered is as old as before."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from local.entra.keys import SigningKeys as KeySet
from shared.adapters.issuer_keys import IssuerKeys
from shared.adapters.recent_rows import RecentRows
from shared.adapters.web import Web
from shared.applications.secrets import REMEMBERED_FOR, SecretChecks, hash_secret
from shared.health import Health
from shared.kernel.names import ClientId
from shared.ports.table import Key, Lease, Put, Row
from shared.resolution.leased_cache import LeasedCache
from tests.support.fakes import FixedClock, InMemoryTable
from tests.support.wire import CannedWeb, canned_web

UNITE = ClientId("unite")
AN_HOUR = timedelta(hours=1)
JUMPS = pytest.mark.parametrize("jump", [AN_HOUR, -AN_HOUR], ids=["forward", "back"])


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


class CountedReads(InMemoryTable):
    reads = 0

    async def get(self, key: Key) -> Row | None:
        self.reads += 1
        return await super().get(key)


@JUMPS
async def test_a_row_is_read_again_when_ten_seconds_have_passed(clock: FixedClock, jump: timedelta) -> None:
    table, ten_seconds = CountedReads(), timedelta(seconds=10)
    recent = RecentRows(table=table, clock=clock, max_age=ten_seconds, most=10, most_bytes=10_000)
    await table.write(Put(Key("acme", "policy"), "{}"))
    for passed, reads in ((0, 1), (9, 1), (1, 2)):
        clock.advance(timedelta(seconds=passed))
        clock.jump(jump)
        await recent.get(Key("acme", "policy"))
        assert table.reads == reads


@JUMPS
async def test_an_answer_is_known_as_long_as_its_leases(clock: FixedClock, jump: timedelta) -> None:
    cache = LeasedCache[str, int](10)
    cache.keep("six times seven", 42, (Lease(clock.monotonic() + timedelta(seconds=10)),))
    clock.jump(jump)
    assert cache.find("six times seven", clock.monotonic()) == 42
    clock.advance(timedelta(seconds=10))
    assert cache.find("six times seven", clock.monotonic()) is None


@JUMPS
async def test_a_secret_is_known_for_ten_minutes_after_its_last_use(clock: FixedClock, jump: timedelta) -> None:
    checks, kept = SecretChecks(clock=clock), await hash_secret("secret")
    assert await checks.verify(UNITE, "secret", kept)
    mark = next(iter(checks._proven))
    clock.jump(jump)
    assert checks._remembers(mark)
    clock.advance(REMEMBERED_FOR)
    assert not checks._remembers(mark)


@JUMPS
async def test_a_part_is_probed_every_five_seconds(clock: FixedClock, jump: timedelta) -> None:
    asked = []

    async def probe() -> None:
        asked.append(clock.now())

    health = Health({"part": probe}, clock)
    for passed, probes in ((0, 1), (4, 1), (1, 2)):
        clock.advance(timedelta(seconds=passed))
        clock.jump(jump)
        await health.ask()
        assert len(asked) == probes


@pytest.fixture
def published() -> Iterator[CannedWeb]:
    with canned_web() as server:
        yield server


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web("The other side")
    yield web
    await web.close()


@JUMPS
async def test_keys_of_an_issuer_are_read_again_after_an_hour_and_unknown_ones_after_ten_seconds(
    clock: FixedClock, web: Web, published: CannedWeb, jump: timedelta
) -> None:
    key_set = KeySet()
    published.documents["/keys"] = {"keys": [key.jwk() for key in key_set.published]}

    async def jwks_uri() -> str:
        return f"{published.url}/keys"

    keys = IssuerKeys(web=web, jwks_uri=jwks_uri, clock=clock)
    for passed, reads in ((0, 1), (0, 1), (3_600, 1), (1, 2)):
        clock.advance(timedelta(seconds=passed))
        clock.jump(jump)
        await keys.find(key_set.current.kid)
        assert len(published.asked) == reads
    for passed, reads in ((10, 2), (1, 3), (1, 3)):
        clock.advance(timedelta(seconds=passed))
        clock.jump(jump)
        await keys.refresh()
        assert len(published.asked) == reads

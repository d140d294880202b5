"""Memory is bounded by estimates, so none may be too low: each is held against what Python has really allocated."""

import gc
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import batched

from shared.accounts.head import Account, read_head
from shared.adapters.recent_rows import RecentRows
from shared.domains.tenant_domains import DomainStatus, TenantDomain, TenantDomains
from shared.flows.issued import Issued
from shared.kernel.names import AccountId, DomainName, EmailAddress
from shared.ports.table import TRANSACTION_LIMIT, Key, Page, Put, Row
from shared.users.exemption import Exemption, exemption_key, find_exemption
from shared.users.exemption_sets import ExemptionSets, ListVersion
from shared.users.user_key import UserKey
from tests.support.background import settled
from tests.support.fakes import NEW_YEAR, FixedClock, InMemoryTable

ACME = AccountId("acme")
COUNT = 1_000


class Store(InMemoryTable):
    """A table that hands out rows of its own for each read, as a store does."""

    async def get(self, key: Key) -> Row | None:
        row = await super().get(key)
        return row and received(row)

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        return tuple(map(received, await super().under(partition, prefix)))

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        page = await super().page(partition, prefix, size, continuation)
        return Page(tuple(map(received, page.rows)), page.continuation)


def received(row: Row) -> Row:
    """The row as it comes off the wire."""
    key = Key(row.key.partition.encode().decode(), row.key.row.encode().decode())
    return Row(key, row.document.encode().decode(), row.etag.encode().decode())


async def taken[Kept](keep: Callable[[], Awaitable[Kept]]) -> tuple[int, Kept]:
    """What is kept, and its bytes: of the second time, when nothing is made any more that is made once."""
    await keep()
    gc.collect()
    tracemalloc.start()
    try:
        kept = await keep()
        gc.collect()
        return tracemalloc.get_traced_memory()[0], kept
    finally:
        tracemalloc.stop()


def people() -> list[EmailAddress]:
    return [EmailAddress(f"somebody-with-a-name-{number}@contoso.example") for number in range(COUNT)]


async def stored() -> Store:
    """An account with an exception, which ends, for each of the people."""
    store = Store()
    account = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
    await store.write(Put(Account.key(ACME), account.document()))
    for some in batched(people(), TRANSACTION_LIMIT, strict=False):
        await store.write(*(Put(exemption_key(ACME, key_of(each)), exemption(each).document()) for each in some))
    return store


def key_of(email: EmailAddress) -> UserKey:
    return UserKey.of(ACME, email)


def exemption(email: EmailAddress) -> Exemption:
    return Exemption(
        exception_id=key_of(email),
        email=email.address,
        reason="Keeps the password",
        expires_at=NEW_YEAR + timedelta(days=1),
        created_at=NEW_YEAR,
        created_by="Sam Security",
        updated_at=NEW_YEAR,
    )


async def test_an_exception_list_takes_no_more_than_is_estimated() -> None:
    store = await stored()
    version = ListVersion.at(await read_head(store, ACME))

    async def held() -> ExemptionSets:
        sets = ExemptionSets(table=store, clock=FixedClock())
        alice, bob = map(key_of, people()[:2])
        for user in (alice, bob):  # the list is read when the account is asked for again
            sets.of(version, user)
            await settled()
        assert len(sets.of(version, alice) or ()) == COUNT
        return sets

    octets, sets = await taken(held)
    assert 0 < octets <= sets._held.weight


async def test_remembered_exceptions_take_no_more_than_is_estimated() -> None:
    store = await stored()

    async def remembered() -> RecentRows:
        recent = remembering(store)
        for each in people():
            await find_exemption(recent, ACME, key_of(each))
            await find_exemption(recent, ACME, key_of(EmailAddress(f"not-{each.address}")))
        return recent

    octets, recent = await taken(remembered)
    assert 0 < octets <= recent.size


async def test_a_remembered_head_takes_no_more_than_is_estimated() -> None:
    """Records are parsed from it, of which the one of many domains is the largest."""
    store = await stored()
    names = [DomainName(f"a-domain-of-this-tenant-{number}.example") for number in range(COUNT)]
    domains = TenantDomains(domains=tuple(TenantDomain(name=name, status=DomainStatus.OURS) for name in names))
    await store.write(Put(TenantDomains.key(ACME), domains.document()))

    async def remembered() -> RecentRows:
        recent = remembering(store)
        assert (await read_head(recent, ACME)).stored(TenantDomains).record.find(names[-1])
        return recent

    octets, recent = await taken(remembered)
    assert 0 < octets <= recent.size


async def test_copies_of_what_was_issued_take_no_more_than_is_estimated() -> None:
    async def copied() -> Issued:
        issued = Issued()
        for number in range(COUNT):
            issued.keep(received(Row(Key(f"-20260102T2400-{number:x}", f"sealed-code:{number:064}"), "x" * 900, "1")))
        return issued

    octets, issued = await taken(copied)
    assert 0 < octets <= issued._rows.weight


def remembering(store: Store) -> RecentRows:
    return RecentRows(
        table=store, clock=FixedClock(), max_age=timedelta(seconds=10), most=20_000, most_bytes=100_000_000
    )

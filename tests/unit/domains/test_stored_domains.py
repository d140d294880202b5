"""An account's list of domains as rows: those of today are read and written as ever, and longer lists are packed."""

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from shared.accounts.head import Account, Head, find_head
from shared.domains.stored_domains import listed_names, stored_domains, version_after
from shared.domains.tenant_domains import DomainStatus, DomainSwitch, TenantDomain, TenantDomains, find_domain
from shared.kernel.names import AccountId, DomainName
from shared.kernel.refusals import Stale, TooLarge
from shared.kernel.versions import version_of
from shared.ports.table import Insert, Key, Put
from tests.support.fakes import NEW_YEAR, InMemoryTable

ACME = AccountId("acme")
TODAY = '{"domains":[{"name":"contoso.example","hold":"ours","enabled":false}],"readAt":"2026-01-01T00:00:00Z"}'
"""A row as every release before lists could be packed has written it."""
OFF = DomainSwitch(enabled=False)


def names(count: int, length: int) -> list[DomainName]:
    """Domains of so many characters each."""
    filler = ("." + "x" * 48) * 5
    return [DomainName(f"{number:05}x{filler}"[: length - 8] + ".example") for number in range(count)]


def ours(*given: DomainName) -> TenantDomains:
    domains = tuple(TenantDomain(name=name, status=DomainStatus.OURS) for name in given)
    return TenantDomains(domains=domains, read_at=NEW_YEAR)


class Store:
    """One account, and its list."""

    def __init__(self) -> None:
        self.table = InMemoryTable()

    async def register(self) -> None:
        account = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
        await self.table.write(Put(Account.key(ACME), account.document()))

    async def head(self) -> Head:
        head = await find_head(self.table, ACME)
        assert head is not None
        return head

    async def write(self, record: TenantDomains) -> None:
        await self.table.write(*stored_domains(await self.head()).rewrite(record))

    async def read(self) -> TenantDomains:
        return stored_domains(await self.head()).record

    async def rows(self) -> list[str]:
        return [row.key.row for row in await self.table.under(ACME, TenantDomains.key(ACME).row)]


@pytest.fixture
async def store() -> Store:
    store = Store()
    await store.register()
    return store


async def test_a_row_of_today_is_read_and_written_as_ever(store: Store) -> None:
    await store.table.write(Insert(TenantDomains.key(ACME), TODAY))
    stored = stored_domains(await store.head())
    contoso = DomainName("contoso.example")
    known = TenantDomain(name=contoso, status=DomainStatus.OURS, enabled=False)
    assert stored.record == TenantDomains(domains=(known,), read_at=NEW_YEAR)
    assert stored.version == version_of(TODAY)
    assert find_domain(await store.head(), contoso) == known
    await store.write(stored.record.switched(contoso, DomainSwitch(enabled=True)))
    await store.write(stored.record)
    assert [row.document for row in await store.table.under(ACME, "head:domains")] == [TODAY]


async def test_an_account_without_a_list_has_an_empty_one(store: Store) -> None:
    stored = stored_domains(await store.head())
    assert (stored.record, stored.version) == (TenantDomains(), version_after(TenantDomains()))
    assert find_domain(await store.head(), DomainName("contoso.example")) is None


@pytest.mark.parametrize(("count", "length", "rows"), [(5_000, 49, 1), (5_000, 75, 2), (5_000, 150, 3), (4_000, 49, 1)])
async def test_a_list_of_any_length_that_a_tenant_can_have_is_stored_whole(
    store: Store, count: int, length: int, rows: int
) -> None:
    all_names = names(count, length)
    listed = ours(*all_names).lost(all_names[10:20]).switched(all_names[-1], OFF)
    await store.write(listed)
    stored = stored_domains(await store.head())
    assert stored.record == listed
    assert stored.version == version_after(listed)
    assert len(await store.rows()) == rows
    head = await store.head()
    for name in (all_names[0], all_names[15], all_names[-1]):
        assert find_domain(head, name) == listed.find(name)
    assert find_domain(head, DomainName("contoso.example")) is None
    assert await listed_names(store.table, ACME) == {*all_names}


async def test_a_list_is_packed_only_if_older_code_could_not_have_stored_it(store: Store) -> None:
    """Old and new code run side by side during an update, and old code reads a packed row as an empty list."""
    fits = ours(*names(4_443, 49))
    assert len(fits.document()) <= 400_000 < len(ours(*names(4_445, 49)).document())
    await store.write(fits)
    (row,) = await store.table.under(ACME, "head:domains")
    assert row.document == fits.document()
    await store.write(ours(*names(4_445, 49)))
    (row,) = await store.table.under(ACME, "head:domains")
    assert TenantDomains.model_validate_json(row.document) == TenantDomains(read_at=NEW_YEAR)


async def test_a_list_that_becomes_shorter_leaves_no_rows_behind(store: Store) -> None:
    await store.write(ours(*names(5_000, 150)))
    await store.write(ours(*names(5_000, 75)))
    assert await store.rows() == ["head:domains", "head:domains-2"]
    await store.write(ours(*names(3, 49)))
    assert await store.rows() == ["head:domains"]


async def test_rows_that_older_code_has_left_behind_count_for_nothing_and_go_with_the_next_change(store: Store) -> None:
    await store.write(ours(*names(5_000, 150)))
    (first, *_) = await store.table.under(ACME, "head:domains")
    await store.table.write(Put(first.key, TenantDomains.read(first).let_go().document()))
    assert await store.read() == TenantDomains(read_at=NEW_YEAR)
    assert len(await store.rows()) == 3
    await store.write(ours(*names(3, 49)))
    assert (await store.rows(), await store.read()) == (["head:domains"], ours(*names(3, 49)))


async def test_of_two_who_change_a_packed_list_at_once_one_is_refused(store: Store) -> None:
    listed = ours(*names(5_000, 75))
    await store.write(listed)
    seen = [stored_domains(await store.head()) for _ in range(2)]
    await store.table.write(*seen[0].rewrite(listed.switched(names(1, 75)[0], OFF)))
    with pytest.raises(Stale):
        await store.table.write(*seen[1].rewrite(listed.switched(names(5_000, 75)[-1], OFF)))


async def test_more_than_a_transaction_takes_is_refused(store: Store) -> None:
    with pytest.raises(TooLarge):
        await store.write(ours(*names(5_000, 200)))


async def test_a_missing_row_of_a_packed_list_takes_its_domains_from_the_account_and_no_others(store: Store) -> None:
    await store.write(ours(*names(5_000, 75)))
    head = await store.head()
    gone = head.rows.pop(Key(ACME, "head:domains-2").row)
    assert find_domain(head, names(1, 75)[0]) is not None
    assert find_domain(head, names(5_000, 75)[-1]) is None
    assert len(stored_domains(head).record.domains) == 5_000 - gone.document.count(".example")


async def test_resolution_keeps_little_in_memory_for_five_thousand_domains(store: Store) -> None:
    """Of a list that is not packed it would keep four times as much."""
    await store.write(ours(*names(5_000, 49)))
    name = names(5_000, 49)[-1]
    kept = _kept(lambda head: find_domain(head, name), await store.head())
    assert kept < 1_500_000


def _kept(use: Callable[[Head], object], head: Head) -> int:
    """The bytes that stay with a head after its use."""
    gc.collect()
    tracemalloc.start()
    try:
        use(head)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

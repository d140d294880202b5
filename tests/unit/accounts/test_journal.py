"""A change and the record of it are one transaction, and the record is its receipt."""

import pytest

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import Account, Head, read_head
from shared.accounts.journal import PREFIX, Journal
from shared.connection.connection import ConnectionStarted
from shared.kernel.names import AccountId
from shared.kernel.refusals import NotFound, Stale
from shared.ports.table import Insert, Key, Put, RowChanged, RowExists
from shared.users.exemption import ExceptionsImported
from tests.support.fakes import FixedClock, InMemoryTable

ACME = AccountId("acme")
SAM = Actor("sam", "Sam Security", "SecurityManager")
ENTRY = Key(ACME, "exception:one")
CHANGED = ConnectionStarted()
"""Any event."""


@pytest.fixture
def table() -> InMemoryTable:
    return InMemoryTable()


@pytest.fixture
def journal(table: InMemoryTable) -> Journal:
    return Journal(table=table, clock=FixedClock())


def account() -> Account:
    now = FixedClock().now()
    return Account(account_id=ACME, name="Acme", created_at=now, updated_at=now)


async def records(table: InMemoryTable) -> int:
    return len(await table.under(ACME, PREFIX))


async def registered(table: InMemoryTable) -> Head:
    await table.write(Insert(Account.key(ACME), account().document()))
    return await read_head(table, ACME)


async def test_a_change_that_lost_the_race_is_refused_and_leaves_no_record(
    table: InMemoryTable, journal: Journal
) -> None:
    stored = (await registered(table)).account
    await table.write(Put(stored.key, stored.record.document()))
    with pytest.raises(RowChanged):
        await journal.commit(ACME, SAM, CHANGED, stored.rewrite(stored.record))
    assert await records(table) == 0


async def test_of_two_who_write_a_head_record_first_the_other_hears_that_it_changed(
    table: InMemoryTable, journal: Journal
) -> None:
    await registered(table)
    with pytest.raises(Stale):
        await journal.commit(ACME, SAM, CHANGED, Insert(Account.key(ACME), "{}"))
    assert await records(table) == 0


async def test_a_row_that_should_be_new_and_is_not_is_named(table: InMemoryTable, journal: Journal) -> None:
    await table.write(Insert(ENTRY, "{}"))
    with pytest.raises(RowExists) as refusal:
        await journal.commit(ACME, SAM, CHANGED, Insert(ENTRY, "{}"))
    assert refusal.value.key == ENTRY
    assert await records(table) == 0


async def test_records_of_one_microsecond_are_all_kept_and_later_ones_come_first(table: InMemoryTable) -> None:
    clock = FixedClock()
    journal = Journal(table=table, clock=clock)
    await registered(table)
    for number in range(3):
        await journal.commit(ACME, SAM, ExceptionsImported(count=number, lines=(1, 2), exception_ids=()))
    clock.advance(clock.at.resolution)
    await journal.commit(ACME, SAM, CHANGED)
    page, following = await journal.page(AccountAdministrator(ACME, SAM), 10, None)
    assert [record.action for record in page] == ["connection.started", *["exceptions.imported"] * 3]
    assert {record.details["count"] for record in page[1:]} == {0, 1, 2}
    assert following is None


async def test_an_account_that_is_not_registered_has_no_trail(table: InMemoryTable, journal: Journal) -> None:
    await journal.commit(ACME, SAM, CHANGED)
    with pytest.raises(NotFound):
        await journal.page(AccountAdministrator(ACME, SAM), 10, None)

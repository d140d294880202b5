"""The register of accounts: said twice is said once, and what is erased is gone whatever happens meanwhile."""

import asyncio
from datetime import timedelta

import pytest

from shared.access.roles import Actor, Operator
from shared.accounts.head import Account, existed_at, read_head
from shared.accounts.journal import PREFIX as AUDIT
from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister, Profile
from shared.kernel.names import AccountId, DomainName, Product
from shared.kernel.refusals import Conflict, NotFound, PreconditionRequired, Stale
from shared.kernel.versions import Expected
from shared.ports.table import Insert, Key, Page, Put, Table
from tests.support.fakes import FixedClock, InMemoryTable

ACME, BETA = AccountId("acme"), AccountId("beta")
OLGA = Operator(Actor("olga", "Olga Operator", "Operator"))
PROFILE = Profile("Acme", (Product("Unite"),), None)
NARROWER = Profile("Acme", (Product("Unite"),), (DomainName("contoso.example"),))
WHATEVER_STANDS = Expected(None)


@pytest.fixture
def table() -> InMemoryTable:
    return InMemoryTable()


def register_on(table: Table) -> AccountRegister:
    clock = FixedClock()
    return AccountRegister(table=table, journal=Journal(table=table, clock=clock), clock=clock)


@pytest.fixture
def register(table: InMemoryTable) -> AccountRegister:
    return register_on(table)


async def fill(table: Table, account_id: AccountId, prefix: str, count: int) -> None:
    for number in range(count):
        await table.write(Insert(Key(account_id, f"{prefix}{number:04d}"), "{}"))


async def close(register: AccountRegister, table: InMemoryTable) -> None:
    """Register the account, and mark it as one that is being erased."""
    stored, _ = await register.put(OLGA, ACME, PROFILE, None)
    await table.write(Put(stored.key, stored.record.model_copy(update={"closing": True}).document()))


async def test_an_account_said_twice_is_registered_once(register: AccountRegister, table: InMemoryTable) -> None:
    first, created = await register.put(OLGA, ACME, PROFILE, None)
    rows = len(table)
    second, again = await register.put(OLGA, ACME, PROFILE, None)
    assert (created, again) == (True, False)
    assert second.version == first.version
    assert len(table) == rows


async def test_a_change_names_the_version_that_it_starts_from(register: AccountRegister) -> None:
    stored, _ = await register.put(OLGA, ACME, PROFILE, None)
    with pytest.raises(PreconditionRequired):
        await register.put(OLGA, ACME, NARROWER, None)
    with pytest.raises(Stale):
        await register.put(OLGA, ACME, NARROWER, Expected(frozenset({"another"})))
    changed, created = await register.put(OLGA, ACME, NARROWER, Expected(frozenset({stored.version})))
    assert not created
    assert (await register.read(OLGA, ACME)).record == changed.record
    assert changed.record.domains == ("contoso.example",)


async def test_a_change_of_an_account_that_is_gone_registers_nothing(register: AccountRegister) -> None:
    with pytest.raises(Stale):
        await register.put(OLGA, ACME, PROFILE, WHATEVER_STANDS)
    with pytest.raises(NotFound):
        await register.read(OLGA, ACME)


async def test_of_two_who_register_one_account_in_other_words_at_once_one_is_refused(register: AccountRegister) -> None:
    answers = await asyncio.gather(
        register.put(OLGA, ACME, PROFILE, None), register.put(OLGA, ACME, NARROWER, None), return_exceptions=True
    )
    assert sorted(isinstance(answer, PreconditionRequired) for answer in answers) == [False, True]


async def test_of_two_who_say_the_same_first_at_once_one_registers_and_the_other_finds_it(
    register: AccountRegister,
) -> None:
    (one, first), (other, second) = await asyncio.gather(*(register.put(OLGA, ACME, PROFILE, None) for _ in range(2)))
    assert sorted([first, second]) == [False, True]
    assert one.version == other.version


async def test_registering_sweeps_what_a_late_writer_left_of_an_erased_account(
    register: AccountRegister, table: InMemoryTable
) -> None:
    for prefix in ("exception:", "head:", "audit:"):
        await fill(table, ACME, prefix, 60)
    _, created = await register.put(OLGA, ACME, PROFILE, None)
    assert created
    assert len(table) == len([Account.key(ACME), "its audit record", "who made it", "and is known"])
    assert len(await table.under(ACME, AUDIT)) == 1


async def test_an_account_that_is_being_erased_is_there_for_nobody(
    register: AccountRegister, table: InMemoryTable
) -> None:
    await close(register, table)
    with pytest.raises(NotFound):
        await register.read(OLGA, ACME)
    for profile in (PROFILE, NARROWER):
        for expected in (None, WHATEVER_STANDS):
            with pytest.raises(Conflict, match="being removed"):
                await register.put(OLGA, ACME, profile, expected)
    await register.erase(ACME)
    assert (await register.put(OLGA, ACME, PROFILE, None))[1]


async def test_erasing_takes_every_row_of_the_account_and_of_no_other(
    register: AccountRegister, table: InMemoryTable
) -> None:
    for account_id in (ACME, BETA):
        await register.put(OLGA, account_id, PROFILE, None)
    before = len(table) // 2
    for prefix, count in (("exception:", 250), ("link:", 120), ("audit:", 99), ("later:", 3)):
        await fill(table, ACME, prefix, count)
    await register.erase(ACME)
    assert len(table) == before
    assert await table.under(ACME, "") == ()
    assert (await register.read(OLGA, BETA)).record.name == "Acme"
    with pytest.raises(NotFound):
        await register.read(OLGA, ACME)


async def test_two_who_erase_at_once_both_find_it_gone(register: AccountRegister, table: InMemoryTable) -> None:
    await register.put(OLGA, ACME, PROFILE, None)
    await fill(table, ACME, "exception:", 250)
    await asyncio.gather(*(register.erase(ACME) for _ in range(3)))
    assert len(table) == 0


class HesitantTable(InMemoryTable):
    """Azure may answer a page without rows and still have more (Storage REST, "Query timeout and pagination")."""

    hesitate = True

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        if self.hesitate:
            self.hesitate = False
            return Page((), "more")
        return await super().page(partition, prefix, size, None if continuation == "more" else continuation)


async def test_an_empty_page_is_not_the_end_of_what_an_erased_account_has_left() -> None:
    table = HesitantTable()
    await fill(table, ACME, "exception:", 3)
    await register_on(table).put(OLGA, ACME, PROFILE, None)
    assert (await table.under(ACME, "exception:")) == ()


async def test_an_account_existed_at_a_moment_if_it_is_there_and_was_then(
    register: AccountRegister, table: InMemoryTable
) -> None:
    now = FixedClock().now()
    assert not await existed_at(table, ACME, now)
    await register.put(OLGA, ACME, PROFILE, None)
    assert await existed_at(table, ACME, now)
    assert not await existed_at(table, ACME, now - timedelta(microseconds=1)), "registered since"
    stored = (await read_head(table, ACME)).account
    await table.write(Put(stored.key, stored.record.model_copy(update={"closing": True}).document()))
    assert not await existed_at(table, ACME, now)

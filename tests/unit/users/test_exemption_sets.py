"""Exception lists in memory: never older than their version, bounded, and read in the background."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import batched, count

import pytest

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import Account, read_head
from shared.accounts.journal import Journal
from shared.adapters.recent_rows import RecentRows, WatchedTable
from shared.kernel.names import AccountId, EmailAddress
from shared.kernel.versions import Expected
from shared.ports.table import TRANSACTION_LIMIT, Key, Page, Put
from shared.users.exemption import Exemption, Term, exemption_key, find_exemption
from shared.users.exemption_sets import LONGEST_HELD, MOST_ENTRIES, ExceptionsVersion, ExemptionSets, ListVersion
from shared.users.exemptions import ExemptionList
from shared.users.terms import ExemptionDraft
from shared.users.user_key import UserKey
from tests.support.background import settled
from tests.support.fakes import NEW_YEAR, FixedClock, InMemoryTable

ACME = AccountId("acme")
SAM = AccountAdministrator(ACME, Actor("panel-7", "Sam Security", "SecurityManager"))
ALICE, BOB = (EmailAddress(f"{each}@contoso.example") for each in ("alice", "bob"))
STALENESS = timedelta(seconds=10)
MOMENT = timedelta(microseconds=1)
WHATEVER_STANDS = Expected(None)


class CountedPages(InMemoryTable):
    """Counts the pages that are read of it."""

    pages = 0

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        self.pages += 1
        return await super().page(partition, prefix, size, continuation)


@dataclass
class Instance:
    """One instance of the service on a store that it may share with others."""

    store: CountedPages = field(default_factory=CountedPages)
    clock: FixedClock = field(default_factory=FixedClock)

    def __post_init__(self) -> None:
        self.recent = RecentRows(
            table=self.store, clock=self.clock, max_age=STALENESS, most=1_000, most_bytes=100_000_000
        )
        table = WatchedTable(table=self.store, recent=self.recent)
        self.sets = ExemptionSets(table=table, clock=self.clock)
        self.numbers = count()
        journal = Journal(table=table, clock=self.clock)
        self.list = ExemptionList(table=table, journal=journal, clock=self.clock, has_domain=lambda *_: True)

    async def version(self) -> ListVersion:
        return ListVersion.at(await read_head(self.recent, ACME))

    def somebody(self) -> UserKey:
        """Another user each time."""
        return key(EmailAddress(f"user-{next(self.numbers)}@contoso.example"))

    async def held(self) -> dict[UserKey, Term] | None:
        """What is in memory now, before what this question begins is done."""
        terms = self.sets.of(await self.version(), self.somebody())
        await settled()
        return terms

    async def warm(self) -> dict[UserKey, Term]:
        """What is in memory after two users of the account were asked for."""
        await self.held()
        await self.held()
        terms = await self.held()
        assert terms is not None
        return terms

    async def add(self, *emails: EmailAddress, lasting: timedelta | None = None) -> None:
        for each in emails:
            end = self.clock.now() + lasting if lasting else None
            draft = ExemptionDraft.model_validate({"email": each.address, "reason": "leave", "expiresAt": end})
            await self.list.add(SAM, draft)


def key(email: EmailAddress) -> UserKey:
    return UserKey.of(ACME, email)


async def register(store: InMemoryTable) -> None:
    account = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
    await store.write(Put(Account.key(ACME), account.document()))


async def fill(store: InMemoryTable, count: int) -> None:
    """Put many entries on the list, as an import of before there were versions left them."""
    for some in batched(range(count), TRANSACTION_LIMIT, strict=False):
        await store.write(*map(_entry, some))


def _entry(number: int) -> Put:
    email = EmailAddress(f"person{number}@contoso.example")
    entry = Exemption(
        exception_id=key(email),
        email=email.address,
        reason="leave",
        created_at=NEW_YEAR,
        created_by="Sam",
        updated_at=NEW_YEAR,
    )
    return Put(exemption_key(ACME, entry.exception_id), entry.document())


@pytest.fixture
async def one() -> Instance:
    instance = Instance()
    await register(instance.store)
    return instance


async def test_a_list_is_read_when_a_second_user_of_its_account_is_asked_for(one: Instance) -> None:
    await one.add(ALICE)
    assert (await one.held(), one.store.pages) == (None, 0)
    assert (await one.held(), one.store.pages) == (None, 1)
    assert (await one.held(), one.store.pages) == ({key(ALICE): Term(None)}, 1)


async def test_an_empty_list_of_an_account_that_never_changed_it_is_held_too(one: Instance) -> None:
    assert await one.warm() == {}


@pytest.mark.parametrize(("user", "later"), [(BOB, timedelta()), (ALICE, MOMENT)], ids=["another one", "later"])
async def test_a_list_is_not_read_for_one_user_alone_whose_row_is_in_memory(
    one: Instance, user: EmailAddress, later: timedelta
) -> None:
    async def known(email: EmailAddress) -> bool:
        terms = one.sets.of(await one.version(), key(email))
        await settled()
        return terms is not None

    assert [await known(ALICE) for _ in range(3)] == [False] * 3
    one.clock.advance(STALENESS - MOMENT)
    assert not await known(ALICE)
    assert one.store.pages == 0
    one.clock.advance(later)
    assert not await known(user)
    assert await known(ALICE)
    assert one.store.pages == 1


async def test_many_who_ask_at_once_begin_one_reading(one: Instance) -> None:
    await one.held()
    version = await one.version()
    assert [one.sets.of(version, one.somebody()) for _ in range(64)] == [None] * 64
    await settled()
    assert one.store.pages == 1


async def test_a_change_through_this_instance_counts_at_once(one: Instance) -> None:
    await one.warm()
    await one.add(BOB)
    assert await one.held() is None
    one.clock.advance(STALENESS)
    assert await one.held() is None
    assert await one.held() == {key(BOB): Term(None)}


async def test_a_change_through_another_instance_counts_when_the_head_is_read_again(one: Instance) -> None:
    other = Instance(one.store, one.clock)
    await one.add(ALICE)
    await one.warm()
    await other.list.remove(SAM, key(ALICE), WHATEVER_STANDS)
    one.clock.advance(STALENESS - MOMENT)
    assert await one.held() == {key(ALICE): Term(None)}
    one.clock.advance(timedelta(microseconds=1))
    assert await one.held() is None
    assert await one.held() == {}


async def test_every_way_to_change_the_list_replaces_its_version(one: Instance) -> None:
    versions = set()

    async def changed() -> int:
        versions.add((await read_head(one.store, ACME)).rows["head:exceptions"].document)
        return len(versions)

    await one.add(ALICE, lasting=timedelta(days=1))
    assert await changed() == 1
    await one.list.change(SAM, key(ALICE), WHATEVER_STANDS, lambda terms: terms.model_copy(update={"expires_at": None}))
    assert await changed() == 2
    await one.list.remove(SAM, key(ALICE), WHATEVER_STANDS)
    assert await changed() == 3
    draft = ExemptionDraft.model_validate({"email": BOB.address, "reason": "leave"})
    await one.list.put_many(SAM, {1: draft}, asyncio.Lock())
    assert await changed() == 4


async def test_a_list_that_is_too_long_is_not_held_and_not_read_at_each_change(one: Instance) -> None:
    await fill(one.store, MOST_ENTRIES)
    assert len(await one.warm()) == MOST_ENTRIES
    await one.add(ALICE)
    one.clock.advance(STALENESS)
    one.store.pages = 0
    assert [await one.held() for _ in range(3)] == [None] * 3
    assert one.store.pages == 11
    await one.add(BOB)
    one.clock.advance(LONGEST_HELD - timedelta(microseconds=1))
    assert (await one.held(), one.store.pages) == (None, 11)
    one.clock.advance(timedelta(microseconds=1))
    assert (await one.held(), one.store.pages) == (None, 22)


async def test_a_list_that_changes_all_the_time_is_read_once_in_a_while(one: Instance) -> None:
    await one.warm()
    one.store.pages = 0
    for _ in range(20):
        one.clock.advance(timedelta(seconds=1))
        await one.store.write(ExceptionsVersion.new(ACME))
        one.recent.forget(Key(ACME, "head:exceptions"))
        await one.held()
    assert one.store.pages == 2


async def test_what_an_older_release_has_written_counts_after_five_minutes(one: Instance) -> None:
    await one.warm()
    await one.store.write(_entry(7))
    one.clock.advance(LONGEST_HELD - timedelta(microseconds=1))
    assert await one.held() == {}
    one.clock.advance(timedelta(microseconds=1))
    assert await one.held() is None
    assert len(await one.held() or ()) == 1


async def test_an_account_that_is_registered_again_starts_with_a_list_of_its_own(one: Instance) -> None:
    await one.warm()
    again = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR + STALENESS, updated_at=NEW_YEAR + STALENESS)
    await one.store.write(Put(Account.key(ACME), again.document()))
    one.clock.advance(STALENESS)
    assert await one.held() is None


async def test_a_store_that_does_not_respond_leaves_the_list_unknown_until_it_does(one: Instance) -> None:
    version = await one.version()
    one.sets.of(version, one.somebody())
    one.store.available = False
    assert one.sets.of(version, one.somebody()) is None
    await settled()
    one.store.available = True
    assert await one.held() is None
    one.clock.advance(STALENESS)
    assert await one.held() is None
    assert await one.held() == {}


async def test_memory_is_bounded_by_estimate_and_who_was_asked_for_last_stays(one: Instance) -> None:
    await fill(one.store, 100)
    small = ExemptionSets(table=one.store, clock=one.clock, most_bytes=30_000)
    version = await one.version()
    for _ in range(3):
        assert small.of(version, one.somebody()) is None
        await settled()
    assert not small.knows(ACME)


async def test_a_reading_that_outlives_its_place_leaves_nothing(one: Instance) -> None:
    tiny = ExemptionSets(table=one.store, clock=one.clock, most_bytes=0)
    version = await one.version()
    tiny.of(version, one.somebody())
    tiny.of(version, one.somebody())
    tiny._held.drop(ACME)
    await settled()
    assert not tiny.knows(ACME)


@pytest.mark.parametrize("seed", range(10))
async def test_two_instances_never_answer_by_a_list_that_is_older_than_ten_seconds(seed: int) -> None:
    """The truth of the last ten seconds is kept, and each answer must be one of it."""
    chance = random.Random(seed)
    one = Instance()
    other = Instance(one.store, one.clock)
    await register(one.store)
    people = [EmailAddress(f"person{number}@contoso.example") for number in range(3)]
    truth = [(one.clock.passed, frozenset[UserKey]())]
    for _ in range(150):
        instance, person = chance.choice((one, other)), chance.choice(people)
        now = one.clock.passed
        match chance.randrange(4):
            case 0 if key(person) in truth[-1][1]:
                await instance.list.remove(SAM, key(person), WHATEVER_STANDS)
                truth.append((now, truth[-1][1] - {key(person)}))
            case 0:
                await instance.add(person)
                truth.append((now, truth[-1][1] | {key(person)}))
            case 1:
                one.clock.advance(timedelta(seconds=chance.choice((1, 4, 11))))
            case _:
                terms = await instance.held()
                assert terms is None or frozenset(terms) in _recent(truth, now - STALENESS)


def _recent(truth: list[tuple[timedelta, frozenset[UserKey]]], since: timedelta) -> Iterable[frozenset[UserKey]]:
    """What was true at some time from then on."""
    before = [each for at, each in truth if at <= since]
    return [*before[-1:], *(each for at, each in truth if at > since)]


async def test_an_answer_from_memory_is_the_one_that_the_row_gives(one: Instance) -> None:
    await one.add(ALICE, lasting=timedelta(days=1))
    terms = await one.warm()
    for each in (ALICE, BOB):
        entry = await find_exemption(one.store, ACME, key(each))
        assert terms.get(key(each)) == (entry.term if entry else None)

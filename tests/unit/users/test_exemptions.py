"""One entry of the exception list: for how long it counts, and by which name it is known."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import Account
from shared.accounts.journal import Journal
from shared.kernel.names import AccountId, EmailAddress
from shared.kernel.refusals import Conflict
from shared.kernel.versions import Expected
from shared.ports.record import Stored
from shared.ports.table import Insert, Table
from shared.users.exemption import Exemption
from shared.users.exemptions import ExemptionList
from shared.users.terms import ExemptionDraft
from shared.users.user_key import UserKey
from tests.support.fakes import NEW_YEAR, FixedClock, InMemoryTable
from tests.support.interleaving import Interleaved

ACME, GLOBEX = AccountId("acme"), AccountId("globex")
ALICE, BOB = EmailAddress.parse("alice@contoso.example"), EmailAddress.parse("bob@contoso.example")
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("expires_at", "counts"),
    [(None, True), (NEW_YEAR + INSTANT, True), (NEW_YEAR, False), (NEW_YEAR - INSTANT, False)],
)
def test_an_entry_counts_until_the_very_moment_at_which_it_expires(
    expires_at: datetime | None, *, counts: bool
) -> None:
    entry = Exemption(
        exception_id=UserKey.of(ACME, ALICE),
        email=ALICE.address,
        reason="Kiosk",
        expires_at=expires_at,
        created_at=NEW_YEAR,
        created_by="Sam",
        updated_at=NEW_YEAR,
    )
    assert entry.in_force(NEW_YEAR) is counts


def test_an_id_is_one_person_s_in_one_account_and_tells_nothing_of_them() -> None:
    ids = {UserKey.of(account, email) for account in (ACME, GLOBEX) for email in (ALICE, BOB)}
    assert len(ids) == 4
    assert UserKey.of(ACME, EmailAddress.parse("ALICE@contoso.example")) in ids
    assert not any("alice" in each.lower() for each in ids)


SAM = AccountAdministrator(ACME, Actor("panel-7", "Sam Security", "SecurityManager"))


@dataclass
class Stage:
    """The list of an account on which Alice's entry has just ended, on a table where somebody can step in."""

    table: Interleaved
    clock: FixedClock
    entry: Stored[Exemption]
    mine: ExemptionList
    theirs: ExemptionList

    def draft(self, reason: str) -> ExemptionDraft:
        return ExemptionDraft.model_validate({"email": ALICE.address, "reason": reason})

    async def replace(self) -> None:
        await self.theirs.add(SAM, self.draft("Theirs"))

    async def remove(self) -> None:
        await self.theirs.remove(SAM, self.entry.record.exception_id, Expected(None))


@pytest.fixture
async def stage() -> Stage:
    store, clock = InMemoryTable(), FixedClock()
    account = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
    await store.write(Insert(Account.key(ACME), account.document()))

    def listed(table: Table) -> ExemptionList:
        journal = Journal(table=table, clock=clock)
        return ExemptionList(table=table, journal=journal, clock=clock, has_domain=lambda *_: True)

    table = Interleaved(store)
    theirs = listed(store)
    over = {"email": ALICE.address, "reason": "Over", "expires_at": NEW_YEAR + INSTANT}
    draft = ExemptionDraft.model_validate(over)
    entry = (await theirs.add(SAM, draft)).stored
    clock.advance(INSTANT)
    return Stage(table, clock, entry, listed(table), theirs)


async def reasons(stage: Stage) -> list[str]:
    return [each.reason async for each in stage.theirs.all(SAM)]


async def test_an_entry_that_has_ended_is_replaced(stage: Stage) -> None:
    added = await stage.mine.add(SAM, stage.draft("Mine"))
    (found,) = await stage.theirs.find(SAM, ALICE)
    assert (found, added.stored.record) == (added.stored.record, found)
    assert (found.exception_id, found.created_at) == (stage.entry.record.exception_id, stage.clock.now())


async def test_an_entry_that_somebody_else_removes_and_adds_at_the_same_moment_stands(stage: Stage) -> None:
    # By hand: two others come in between here, and one in the disturbances.
    def step_in() -> None:
        stage.table.before_reading(stage.remove)
        stage.table.before_writing(stage.replace)

    stage.table.before_writing(partial(async_do, step_in))
    with pytest.raises(Conflict, match="already on the exception list"):
        await stage.mine.add(SAM, stage.draft("Mine"))
    assert await reasons(stage) == ["Theirs"]


async def async_do(act: Callable[[], None]) -> None:
    act()

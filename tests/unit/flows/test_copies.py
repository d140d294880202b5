"""An instance has copies of the states and codes that it has issued: they save a read, and decide nothing."""

import asyncio
from datetime import timedelta
from typing import ClassVar

import pytest

from shared.flows.beside import handle_beside, is_beside
from shared.flows.flows import Flow, FlowEnded, Flows, ForeignFlow, digest
from shared.flows.issued import Issued
from shared.flows.once import following
from shared.kernel.refusals import FlowSpent, Unavailable
from shared.ports.table import Key, Put, Row
from tests.support.fakes import FixedClock, InMemoryTable


class Errand(Flow):
    kind: ClassVar[str] = "errand"
    lifetime: ClassVar[timedelta] = timedelta(minutes=1)
    is_copied: ClassVar[bool] = True

    purpose: str = ""


class Ticket(Errand):
    kind: ClassVar[str] = "ticket"
    is_copied: ClassVar[bool] = False


class Read(InMemoryTable):
    """Counts the rows that are read."""

    reads = 0

    async def get(self, key: Key) -> Row | None:
        self.reads += 1
        return await super().get(key)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def table() -> Read:
    return Read()


@pytest.fixture
def here(table: Read, clock: FixedClock) -> Flows:
    return Flows(table=table, clock=clock)


@pytest.fixture
def there(table: Read, clock: FixedClock) -> Flows:
    return Flows(table=table, clock=clock)


def errand(flows: Flows, browser: str | None = None) -> Errand:
    return Errand(expires_at=flows.expiry(Errand), browser_digest=digest(browser) if browser else None)


def once_more(flow: Errand) -> Errand:
    return flow.model_copy(update={"purpose": flow.purpose + "+"})


async def test_whoever_comes_back_to_the_instance_costs_no_read(here: Flows, table: Read) -> None:
    taken, revised = await here.issue(errand(here)), await here.issue(errand(here))
    assert await here.redeem(taken + "#appended", Errand) == errand(here)
    assert (await here.revise(revised, Errand, once_more)).purpose == "+"
    assert table.reads == 0
    assert (await here.revise(revised, Errand, once_more)).purpose == "++"
    assert table.reads == 1, "a copy is used once"


async def test_a_flow_that_follows_is_copied_too(here: Flows, table: Read) -> None:
    handle = following(here.new_handle(Ticket), Errand)
    await here.issue(errand(here), handle)
    assert await here.redeem(handle, Errand)
    assert table.reads == 0


async def test_a_flow_of_a_kind_that_is_taken_and_revised_is_read(here: Flows, table: Read) -> None:
    handle = await here.issue(Ticket(expires_at=here.expiry(Ticket)))
    assert await here.redeem(handle, Ticket)
    assert table.reads == 1


async def test_another_instance_reads_what_it_has_not_issued(here: Flows, there: Flows, table: Read) -> None:
    assert await there.redeem(await here.issue(errand(here)), Errand)
    assert table.reads == 1


async def test_what_was_taken_elsewhere_is_not_taken_by_a_copy(here: Flows, there: Flows) -> None:
    handle = await here.issue(errand(here))
    assert await there.redeem(handle, Errand)
    for _ in range(2):
        with pytest.raises(FlowSpent):
            await here.redeem(handle, Errand)


async def test_what_was_revised_elsewhere_is_revised_from_there_on(here: Flows, there: Flows) -> None:
    handle = await here.issue(errand(here))
    await there.revise(handle, Errand, once_more)
    assert (await here.revise(handle, Errand, once_more)).purpose == "++"


async def test_of_two_instances_at_once_one_takes_it(here: Flows, there: Flows) -> None:
    handle = await here.issue(errand(here))
    answers = await asyncio.gather(
        *(flows.redeem(handle, Errand) for flows in (here, there) for _ in range(9)), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(Errand) == 1
    assert sum(isinstance(answer, FlowSpent) for answer in answers) == 17


async def test_a_copy_opens_nothing_that_its_row_would_not(here: Flows, clock: FixedClock) -> None:
    bound, late = await here.issue(errand(here, "own")), await here.issue(errand(here))
    with pytest.raises(ForeignFlow):
        await here.redeem(bound, Errand, "another")
    assert await here.redeem(bound, Errand, "own")
    with pytest.raises(FlowSpent):
        await here.redeem(late, Ticket)
    clock.advance(Errand.lifetime)
    with pytest.raises(FlowEnded):
        await here.redeem(late, Errand)


async def test_what_was_purged_or_never_kept_is_gone(here: Flows, table: Read, clock: FixedClock) -> None:
    handle = await here.issue(errand(here))
    clock.advance(timedelta(minutes=3))
    assert await here.purge() == 1
    clock.advance(-timedelta(minutes=3))
    with pytest.raises(FlowSpent):
        await here.redeem(handle, Errand)
    table.available = False
    with pytest.raises(Unavailable):
        await here.issue(errand(here), handle)
    table.available = True
    with pytest.raises(FlowSpent):
        await here.redeem(handle, Errand)


async def test_a_flow_beside_others_is_written_with_them_and_found_by_its_handle(here: Flows, table: Read) -> None:
    partition = "-20260102T2400-a"
    handle = handle_beside(partition)
    await here.issue(errand(here), handle, Put(Key(partition, "another"), "{}"))
    assert [row.key.row.partition(":")[0] for row in await table.under(partition, "")] == ["another", "errand"]
    assert await here.redeem(handle + ".appended", Errand)
    with pytest.raises(FlowEnded):
        await here.redeem(handle, Errand)


def test_a_handle_says_whether_its_row_is_beside_others(here: Flows) -> None:
    assert is_beside(handle_beside("-20260102T2400-a") + "#appended")
    for other in (here.new_handle(Errand), "-" * 43, "20260102T2400-x." + "h" * 43, "", "20260102T2400-a."):
        assert not is_beside(other)


def test_a_copy_is_given_out_once() -> None:
    issued, row = Issued(), Row(Key("p", "1"), "{}", "1")
    issued.keep(row)
    assert (issued.pop(row.key), issued.pop(row.key)) == (row, None)


def test_only_so_much_is_kept_and_the_oldest_goes_first() -> None:
    issued, rows = Issued(), [Row(Key("p", f"{number}"), "x" * 1_000_000, "1") for number in range(17)]
    for row in rows:
        issued.keep(row)
    kept = [row for row in rows if issued.pop(row.key)]
    assert kept == rows[2:], "of sixteen megabytes"
    assert issued.pop(rows[-1].key) is None

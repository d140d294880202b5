"""Flows that follow from another one: whoever has its handle begins them, and only once."""

from typing import ClassVar

import pytest

from shared.flows.beside import handle_beside
from shared.flows.flows import HANDLE, Flow, Flows
from shared.flows.once import following
from shared.kernel.refusals import FlowSpent, Unavailable
from shared.ports.table import Insert, Key, Operation, Put, Remove, RowExists
from tests.support.disturbances import Disturbance, Disturbed, Script
from tests.support.fakes import FixedClock, InMemoryTable
from tests.unit.flows.test_flows import Errand, Voucher


class Visit(Errand):
    kind: ClassVar[str] = "visit"
    who: str


@pytest.fixture
def flows() -> Flows:
    return Flows(table=InMemoryTable(), clock=FixedClock())


def visit(flows: Flows, who: str) -> Visit:
    return Visit(expires_at=flows.expiry(Visit), who=who)


def test_a_handle_follows_from_another_and_reveals_nothing_of_it(flows: Flows) -> None:
    first, other = flows.new_handle(Errand), flows.new_handle(Errand)
    second = following(first, Voucher)
    assert HANDLE.fullmatch(second)
    assert second.partition(".")[0] == first.partition(".")[0], "kept as long"
    assert following(first + "&x=y", Voucher) == second, "browsers append to handles"
    handles: list[tuple[str, type[Flow]]] = [(first, Errand), (other, Voucher), (second, Voucher)]
    assert len({first, second, *(following(*each) for each in handles)}) == 5


async def test_what_follows_is_kept_once_and_found_by_its_handle(flows: Flows) -> None:
    handle = following(flows.new_handle(Errand), Visit)
    await flows.issue(visit(flows, "Alice"), handle)
    with pytest.raises(FlowSpent):
        await flows.issue(visit(flows, "Bob"), handle)
    assert (await flows.redeem(handle, Visit)).who == "Alice"
    with pytest.raises(FlowSpent):
        await flows.issue(visit(flows, "Alice"), handle)


@pytest.mark.parametrize("how", [Disturbance.LOST, Disturbance.REPEATED, Disturbance.NOT_MADE], ids=str.lower)
async def test_whose_answer_was_lost_has_kept_it(how: Disturbance) -> None:
    script = Script()
    flows = Flows(table=Disturbed(InMemoryTable(), script), clock=FixedClock())
    handle = flows.new_handle(Visit)
    script.disturb(1, how)
    await script.play(lambda: flows.issue(visit(flows, "Alice"), handle))
    assert (await flows.look(handle, Visit)).who == "Alice"


class Silent(InMemoryTable):
    """A store that reads, and falls silent at the first writes."""

    def __init__(self, silences: int) -> None:
        super().__init__()
        self.silences = silences

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        self.silences -= 1
        if self.silences >= 0:
            raise Unavailable("It does not answer. Try again in a few seconds.")
        return await super().write(*operations)


async def test_what_was_not_kept_is_tried_once_more_and_then_by_its_caller() -> None:
    flows = Flows(table=Silent(silences=2), clock=FixedClock())
    handle = flows.new_handle(Visit)
    with pytest.raises(Unavailable):
        await flows.issue(visit(flows, "Alice"), handle)
    await flows.issue(visit(flows, "Alice"), handle)


class Purged(InMemoryTable):
    """A table from which a row goes as soon as it has been in the way."""

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        (insert,) = operations
        assert isinstance(insert, Insert)
        raise RowExists(insert.key)


async def test_what_was_kept_and_is_purged_meanwhile_was_kept() -> None:
    flows = Flows(table=Purged(), clock=FixedClock())
    with pytest.raises(FlowSpent):
        await flows.issue(visit(flows, "Alice"), flows.new_handle(Visit))


async def test_what_the_store_repeats_late_revives_nothing() -> None:
    """Nor does it take a second time what rows beside it have become since."""
    script, table = Script(), InMemoryTable()
    flows, beside = Flows(table=Disturbed(table, script), clock=FixedClock()), Key("-20260102T2400-a", "beside")
    taken, revised = handle_beside(beside.partition), await flows.issue(visit(flows, "Bob"))
    await flows.issue(visit(flows, "Alice"), taken, Put(beside, "{}"))
    await flows.redeem(taken, Visit)
    await flows.revise(revised, Visit, lambda flow: flow.model_copy(update={"who": "Bob again"}))
    row = await table.get(beside)
    assert row is not None
    await flows.table.write(Remove(row))
    await script.repeat_late()
    with pytest.raises(FlowSpent):
        await flows.redeem(taken, Visit)
    assert (await flows.look(revised, Visit)).who == "Bob again"
    assert await table.get(beside) is None

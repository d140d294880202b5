"""Duties are done when they are due, by one at a time, again after a crash, and not for ever."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.duties.duties import Duties, Duty, Task
from shared.duties.kinds import Backoff, Kind, Outcome
from shared.duties.runner import DutyRunner
from shared.kernel.refusals import Unavailable
from shared.ports.table import Key, Put, Remove, Row, Table
from tests.support.fakes import FixedClock, InMemoryTable
from tests.support.interleaving import Interleaved

MINUTE = timedelta(minutes=1)
PATIENCE = timedelta(seconds=10)
LEASE = PATIENCE + MINUTE
END = timedelta(hours=1)
ALICE = "alice@contoso.example"


class Errand(Task):
    kind: ClassVar[str] = "errand"

    place: str
    road: str = "main"

    @property
    def name(self) -> str:
        return self.place

    @property
    def lane(self) -> str:
        return self.road


class Office:
    """Keeps duties, does them as a test says, and remembers which."""

    def __init__(self, table: Table | None = None) -> None:
        self.clock = FixedClock()
        self.memory = InMemoryTable()
        self.table = table or self.memory
        self.done: list[str] = []
        self.handle: Callable[[Errand], Awaitable[Outcome]] = self._do
        self.duties = Duties(table=self.table, clock=self.clock)

    async def _do(self, errand: Errand) -> Outcome:
        self.done.append(errand.place)
        return Outcome.DONE

    def runner(self, table: Table | None = None) -> DutyRunner:
        """One instance."""
        kind = Kind(
            task=Errand,
            handle=self.handle,
            patience=PATIENCE,
            backoff=Backoff(first=2 * MINUTE, longest=10 * MINUTE),
            end=END,
        )
        return DutyRunner(table=table or self.table, clock=self.clock, kinds=(kind,))

    async def plan(self, *places: str, after: timedelta = timedelta()) -> tuple[Key, ...]:
        return await self.duties.plan(after, *(Errand(place=place) for place in places))

    async def run(self) -> int:
        return await self.runner().run()

    async def pass_(self, time: timedelta) -> None:
        """Let time pass, with a run each minute."""
        until = self.clock.now() + time
        while self.clock.now() < until:
            self.clock.advance(MINUTE)
            await self.run()

    async def rows(self) -> list[Row]:
        return [row async for row in self.table.partitions_before("9")]


@pytest.fixture
def office() -> Office:
    return Office()


async def refuse(_: Errand) -> Outcome:
    raise Unavailable("It does not answer.")


# -- when ------------------------------------------------------------------------------------------------------------


@given(second=st.integers(0, 59), after=st.integers(0, 600))
async def test_a_duty_is_done_within_a_minute_of_when_it_is_due_and_never_before(second: int, after: int) -> None:
    office = Office()
    office.clock.advance(timedelta(seconds=second))
    due = office.clock.now() + timedelta(seconds=after)
    await office.plan("bank", after=timedelta(seconds=after))
    while not office.done:
        office.clock.advance(timedelta(seconds=1))
        await office.run()
    assert timedelta() < office.clock.now() - due <= MINUTE
    assert len(office.memory) == 0


async def test_after_a_day_without_any_instance_everything_is_found_at_once(office: Office) -> None:
    for minutes in range(0, 24 * 60, 7):
        await office.plan(f"place {minutes}", after=minutes * MINUTE)
    office.clock.advance(timedelta(days=1, minutes=1))
    assert await office.run() == len(office.done) == 206
    assert len(office.memory) == 0


async def test_nothing_but_what_is_due_is_read(office: Office) -> None:
    seen: list[Row] = []

    class Watched(Interleaved):
        async def partitions_before(self, partition: str):
            async for row in office.memory.partitions_before(partition):
                seen.append(row)
                yield row

    await office.plan("today")
    await office.plan(*(f"tomorrow {number}" for number in range(250)), after=timedelta(days=1))
    office.clock.advance(MINUTE)
    assert await office.runner(Watched(office.memory)).run() == 1
    assert [row.key.row for row in seen] == ["errand:today"]
    assert len(office.memory) == 250


# -- by whom ---------------------------------------------------------------------------------------------------------


async def test_of_many_instances_one_does_it(office: Office) -> None:
    await office.plan("bank", "post", "shop")
    office.clock.advance(MINUTE)
    await asyncio.gather(*(office.runner().run() for _ in range(10)))
    assert sorted(office.done) == ["bank", "post", "shop"]


async def test_what_somebody_is_at_is_left_to_them_until_the_lease_ends(office: Office) -> None:
    """As after a crash: nothing is removed, and nothing is planned anew."""
    crash = asyncio.CancelledError

    async def die(_: Errand) -> Outcome:
        raise crash

    office.handle = die
    await office.plan("bank")
    office.clock.advance(MINUTE)
    with pytest.raises(crash):
        await office.run()
    office.handle = office._do
    office.clock.advance(LEASE - timedelta(seconds=1))
    assert await office.run() == 0
    office.clock.advance(timedelta(seconds=1))
    assert await office.run() == 1
    assert office.done == ["bank"]
    assert len(office.memory) == 0


async def test_who_took_too_long_does_not_remove_what_another_has_taken(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async def slowly(errand: Errand) -> Outcome:
        office.clock.advance(LEASE)
        office.handle = office._do
        await office.run()
        return await office._do(errand)

    office.handle = slowly
    await office.plan("bank")
    office.clock.advance(MINUTE)
    await office.run()
    assert office.done == ["bank", "bank"], "so a handler must be safe to repeat"
    assert "its lease had ended" in caplog.text
    assert len(office.memory) == 0


async def test_a_duty_that_goes_or_is_taken_before_it_is_read_is_left_alone(office: Office) -> None:
    # By hand: the disturbances run no duties.
    raced = Interleaved(office.memory)

    async def another_instance() -> None:
        await office.runner().run()

    for before in (raced.before_reading, raced.before_writing):
        await office.plan("bank")
        office.clock.advance(MINUTE)
        before(another_instance)
        await office.runner(raced).run()
    assert office.done == ["bank", "bank"], "once for each plan"

    (key,) = await office.plan("bank")
    office.clock.advance(MINUTE)
    row = await office.memory.get(key)
    assert row is not None
    taken = Duty.read(row).model_copy(update={"taken_until": office.clock.now() + MINUTE})

    async def taken_by_another() -> None:
        await office.memory.write(Put(key, taken.document()))

    raced.before_reading(taken_by_another)
    await office.runner(raced).run()
    assert len(office.done) == 2


async def test_a_duty_that_is_not_due_is_not_done_even_if_somebody_asks(office: Office) -> None:
    (key,) = await office.plan("bank", after=MINUTE)
    await office.runner().do(key)
    assert office.done == []


# -- how often -------------------------------------------------------------------------------------------------------


async def times_of_attempts(office: Office) -> list[int]:
    """The minutes at which it is tried in three hours."""
    minutes: list[int] = []
    start = office.clock.now()
    given = office.handle

    async def counted(errand: Errand) -> Outcome:
        minutes.append((office.clock.now() - start) // MINUTE)
        return await given(errand)

    office.handle = counted
    await office.plan("bank")
    await office.pass_(timedelta(hours=3))
    return minutes


async def test_what_fails_is_tried_again_ever_later_until_its_end(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.handle = refuse
    assert await times_of_attempts(office) == [1, 4, 9, 18, 29, 40, 51]
    assert len(office.memory) == 0
    assert "duty given up kind=errand attempts=7" in caplog.text


async def test_what_has_more_to_do_later_says_so(office: Office) -> None:
    async def twice(errand: Errand) -> Outcome:
        office.done.append(errand.place)
        return Outcome.DONE if len(office.done) == 2 else Outcome.AGAIN

    office.handle = twice
    assert await times_of_attempts(office) == [1, 4]
    assert len(office.memory) == 0


async def test_what_hangs_is_ended_and_tried_again() -> None:
    office = Office()
    kind = Kind(
        task=Errand,
        handle=lambda _: asyncio.Event().wait(),  # type: ignore[arg-type,return-value]
        patience=timedelta(milliseconds=10),
        backoff=Backoff(first=MINUTE, longest=MINUTE),
        end=END,
    )
    await office.plan("bank")
    office.clock.advance(MINUTE)
    await DutyRunner(table=office.table, clock=office.clock, kinds=(kind,)).run()
    (row,) = await office.rows()
    assert (Duty.read(row).attempts, Duty.read(row).taken_until) == (1, None)


async def test_an_error_of_the_program_concerns_one_duty_alone(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail_at_the_bank(errand: Errand) -> Outcome:
        if errand.place == "bank":
            raise KeyError(ALICE)
        return await office._do(errand)

    office.handle = fail_at_the_bank
    await office.plan("bank", "post")
    await office.memory.write(Put(Key("20200101T0000", f"errand:{ALICE}"), f'{{"kind": 5, "{ALICE}'))
    office.clock.advance(MINUTE)
    await office.run()
    assert office.done == ["post"]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.message.splitlines()[0] for record in errors] == [
        "reading duty kind=errand due=20200101T0000 failed: ValidationError",
        "duty kind=errand failed: KeyError",
    ]
    assert "in fail_at_the_bank" in caplog.text
    assert ALICE not in caplog.text, "the message of an error, and the name of a duty, may hold personal data"
    assert len(office.memory) == 2


async def test_a_kind_that_this_release_does_not_know_waits_for_one_that_does(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await office.plan("bank")
    office.clock.advance(MINUTE)
    await DutyRunner(table=office.table, clock=office.clock, kinds=()).run()
    assert "duty of an unknown kind kind=errand" in caplog.text
    await office.run()
    assert office.done == ["bank"]


async def test_a_store_that_does_not_answer_leaves_the_duty_due(office: Office) -> None:
    async def store_goes(_: Errand) -> Outcome:
        office.memory.available = False
        return Outcome.DONE

    office.handle = store_goes
    await office.plan("bank")
    office.clock.advance(MINUTE)
    await office.run()
    office.memory.available = True
    office.handle = office._do
    office.clock.advance(LEASE)
    await office.run()
    assert office.done == ["bank"]


# -- side by side ----------------------------------------------------------------------------------------------------


async def test_a_lane_that_is_slow_holds_up_no_other(office: Office) -> None:
    going, elsewhere = asyncio.Event(), asyncio.Event()
    at_once: list[str] = []

    async def hold_up(errand: Errand) -> Outcome:
        if errand.road == "blocked":
            at_once.append(errand.place)
            await going.wait()
        else:
            elsewhere.set()
        return await office._do(errand)

    office.handle = hold_up
    await office.duties.plan(timedelta(), *(Errand(place=f"a{number}", road="blocked") for number in range(30)))
    await office.plan("zoo")
    office.clock.advance(MINUTE)
    run = asyncio.create_task(office.run())
    await elsewhere.wait()
    assert "zoo" not in at_once
    assert len(at_once) <= 4
    going.set()
    await run
    assert len(office.done) == 31


async def test_a_run_ends_before_the_next_and_leaves_it_the_rest(office: Office) -> None:
    async def ten_seconds(errand: Errand) -> Outcome:
        office.clock.advance(timedelta(seconds=10))
        return await office._do(errand)

    office.handle = ten_seconds
    await office.plan(*(f"place {number}" for number in range(30)))
    office.clock.advance(MINUTE)
    assert await office.run() == 30
    assert 5 <= len(office.done) <= 8
    while len(office.memory):
        office.clock.advance(MINUTE)
        await office.run()
    assert len(office.done) == len({*office.done}) == 30


@pytest.mark.parametrize("bound", ["_MOST", "_MOST_OF_A_LANE", "_MOST_READ"])
async def test_one_run_takes_on_so_many_and_no_more(
    office: Office, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(f"shared.duties.runner.{bound}", 3)
    await office.plan("a", "b", "c", "d", "e")
    office.clock.advance(MINUTE)
    assert [await office.run() for _ in range(3)] == [3, 2, 0]


async def test_a_lane_whose_duties_pile_up_leaves_the_others_their_turn(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse_on_one_road(errand: Errand) -> Outcome:
        return await (refuse(errand) if errand.road == "blocked" else office._do(errand))

    monkeypatch.setattr("shared.duties.runner._MOST", 6)
    monkeypatch.setattr("shared.duties.runner._MOST_OF_A_LANE", 4)
    office.handle = refuse_on_one_road
    await office.duties.plan(timedelta(), *(Errand(place=f"a{number}", road="blocked") for number in range(30)))
    office.clock.advance(MINUTE)
    await office.plan("zoo")
    office.clock.advance(MINUTE)
    assert await office.run() == 5
    assert office.done == ["zoo"]


# -- planning --------------------------------------------------------------------------------------------------------


async def test_planning_is_safe_to_repeat(office: Office) -> None:
    assert await office.plan("bank") == await office.plan("bank")
    assert len(office.memory) == 1


async def test_any_number_may_be_planned_at_once(office: Office) -> None:
    assert len(await office.plan(*map(str, range(230)))) == len(office.memory) == 230
    assert await office.plan() == ()


async def test_what_is_withdrawn_is_not_done(office: Office) -> None:
    (key,) = await office.plan("bank")
    await office.duties.withdraw(key)
    await office.duties.withdraw(key)
    await office.pass_(5 * MINUTE)
    assert office.done == []


async def test_what_somebody_has_taken_cannot_be_withdrawn(office: Office) -> None:
    (key,) = await office.plan("bank")

    async def withdraw(errand: Errand) -> Outcome:
        await office.duties.withdraw(key)
        assert await office.memory.get(key) is not None
        return await office._do(errand)

    office.handle = withdraw
    await office.pass_(2 * MINUTE)
    assert office.done == ["bank"]

    (key,) = await office.plan("bank")
    raced = Interleaved(office.memory)

    async def removed() -> None:
        row = await office.memory.get(key)
        assert row is not None
        await office.memory.write(Remove(row))

    raced.before_writing(removed)
    await Duties(table=raced, clock=office.clock).withdraw(key)
    assert len(office.memory) == 0


@given(attempts=st.integers(1, 10**6))
def test_a_wait_grows_and_never_exceeds_the_longest(attempts: int) -> None:
    backoff = Backoff(first=MINUTE, longest=timedelta(days=1))
    assert backoff.after(1) == MINUTE
    assert MINUTE <= backoff.after(attempts) <= backoff.after(attempts + 1) <= timedelta(days=1)

"""The exception list as a file, and the import of many entries at once."""

import asyncio
import csv
import io
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import Account
from shared.accounts.journal import Journal
from shared.kernel.names import AccountId
from shared.kernel.refusals import Invalid, Malformed, NotFound, Unavailable
from shared.ports.table import Insert, Operation
from shared.users.exchange import (
    AT_ONCE,
    BATCH,
    MOST_PROBLEMS,
    BadLine,
    Entry,
    ImportReport,
    import_entries,
    read_csv,
    write_csv,
)
from shared.users.exemptions import Exemption, ExemptionDraft, ExemptionList
from shared.users.user_key import UserKey
from tests.support.fakes import NEW_YEAR, FixedClock, InMemoryTable

ACME = AccountId("acme")
SAM = AccountAdministrator(ACME, Actor("panel-7", "Sam Security", "SecurityManager"))


def draft(email: str, reason: str = "Kiosk", expires_at: datetime | None = None) -> ExemptionDraft:
    return ExemptionDraft.model_validate({"email": email, "reason": reason, "expires_at": expires_at})


def exemption(asked: ExemptionDraft) -> Exemption:
    return Exemption(
        exception_id=UserKey.of(ACME, asked.email),
        email=asked.email.address,
        reason=asked.reason,
        expires_at=asked.expires_at,
        created_at=NEW_YEAR,
        created_by="Sam",
        updated_at=NEW_YEAR,
    )


async def written(*drafts: ExemptionDraft) -> bytes:
    async def entries() -> AsyncIterator[Exemption]:
        for each in drafts:
            yield exemption(each)

    return await write_csv(entries())


ALICE = draft("alice@contoso.example")
BOB = draft("bob@contoso.example", "On leave", datetime(2027, 1, 1, tzinfo=UTC))

HEADER = "email,reason,expiresAt"
LINES = (HEADER, "alice@contoso.example,Kiosk,", "bob@contoso.example,On leave,2027-01-01T00:00:00Z")

ONE_LIST = {
    "as we write it": "\r\n".join([*LINES, ""]),
    "line feeds": "\n".join([*LINES, ""]),
    "carriage returns": "\r".join([*LINES, ""]),
    "no end of the last line": "\n".join(LINES),
    "semicolons": "\n".join(LINES).replace(",", ";"),
    "a byte order mark": "\ufeff" + "\n".join(LINES),
    "as a spreadsheet saves it": "\ufeff" + "\r\n".join([*LINES, ""]).replace(",", ";"),
    "quotes": "\n".join('"{}"'.format(line.replace(",", '","')) for line in LINES),
    "columns in another order": "\n".join(",".join(reversed(line.split(","))) for line in LINES),
    "blanks around": "\n".join(" , ".join(line.split(",")) for line in LINES),
    "another offset": "\n".join(LINES).replace("00:00:00Z", "02:00:00+02:00"),
}


@pytest.mark.parametrize("file", ONE_LIST.values(), ids=ONE_LIST)
def test_one_list_may_be_written_in_many_ways(file: str) -> None:
    assert list(read_csv(file.encode())) == [(2, ALICE), (3, BOB)]


def test_the_end_of_an_exception_may_be_left_out() -> None:
    assert list(read_csv(b"email,reason\nalice@contoso.example,Kiosk\n")) == [(2, ALICE)]


@pytest.mark.parametrize("file", [b"email,reason\n", b"email,reason", b"email,reason\r\n\r\n  \r\n"])
def test_a_list_of_nobody_is_a_list(file: bytes) -> None:
    assert list(read_csv(file)) == []


NO_HEADERS = {
    "nothing": "",
    "a blank line": "\nemail,reason\n",
    "no header": "alice@contoso.example,Kiosk\n",
    "a column missing": "email,expiresAt\n",
    "a column unknown": "email,reason,phone\n",
    "a column twice": "email,reason,reason\n",
    "other letters": "Email,Reason\n",
    "tabs": "email\treason\n",
    "an open quote": '"email,reason\n',
    "a column without end": f"email,reason,{'x' * 200_000}\n",
}


@pytest.mark.parametrize("file", NO_HEADERS.values(), ids=NO_HEADERS)
def test_a_file_must_name_its_columns(file: str) -> None:
    with pytest.raises(Invalid, match="The first line must name the columns"):
        read_csv(file.encode())


@pytest.mark.parametrize(
    "file", ["email,reason\nälice@contoso.example,x\n".encode("latin-1"), "email,reason\n".encode("utf-16")]
)
def test_a_file_must_be_utf_8(file: bytes) -> None:
    with pytest.raises(Malformed, match="not UTF-8"):
        read_csv(file)


def test_a_bad_line_spoils_nothing_but_itself_and_is_numbered_as_an_editor_does() -> None:
    file = """email,reason,expiresAt
alice@contoso.example,Kiosk,

nobody,Kiosk,
carol@contoso.example,,
dave@contoso.example,Kiosk
erin@contoso.example,Kiosk,tomorrow
frank@contoso.example,Kiosk,46388
gina@contoso.example,Kiosk,2027-01-01T00:00:00
"hans@contoso.example,Kiosk,
"ina@contoso.example"x,Kiosk,
bob@contoso.example,On leave,2027-01-01T00:00:00Z
"""
    not_a_moment = "expiresAt: It must be a moment such as 2027-01-01T00:00:00Z (RFC 3339)."
    assert list(read_csv(file.encode())) == [
        (2, ALICE),
        BadLine(4, "email: This is not an email address. An email address must have an @-sign."),
        BadLine(5, "reason: Field required."),
        BadLine(6, "The line has 2 cells, and the header has 3."),
        BadLine(7, not_a_moment),
        BadLine(8, not_a_moment),
        BadLine(9, "expiresAt: Input should have timezone info."),
        BadLine(10, "The line is not CSV: unexpected end of data."),
        BadLine(11, "The line is not CSV: ',' expected after '\"'."),
        (12, BOB),
    ]


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
def test_a_moment_that_utc_cannot_tell_is_refused(moment: str) -> None:
    file = f"email,reason,expiresAt\nalice@contoso.example,Kiosk,{moment}\n"
    assert list(read_csv(file.encode())) == [BadLine(2, "expiresAt: It must be a moment that UTC can tell.")]


async def test_the_file_that_is_written() -> None:
    moment = datetime(2027, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    file = await written(
        ALICE,
        draft("bob@contoso.example", "On leave", moment),
        draft("=cmd@contoso.example", '=HYPERLINK("https://attacker.example")'),
        draft("carol@contoso.example", "'=quoted already"),
    )
    assert file.decode() == (
        "email,reason,expiresAt\r\n"
        "alice@contoso.example,Kiosk,\r\n"
        "bob@contoso.example,On leave,2027-01-01T00:00:00Z\r\n"
        '\'=cmd@contoso.example,"\'=HYPERLINK(""https://attacker.example"")",\r\n'
        "carol@contoso.example,''=quoted already,\r\n"
    )


REASONS = st.text(
    st.sampled_from("=+-@'\"; ,ab\u00fc")
    | st.characters(exclude_categories=["Cs"], exclude_characters="\x7f" + bytes(range(32)).decode()),
    min_size=1,
    max_size=20,
)
LOCAL_PARTS = st.from_regex(r"[=+\-'a-z!/#?{|}]{1,12}", fullmatch=True)


@example("a", "'")
@example("'=a", "''''=")
@given(LOCAL_PARTS, REASONS)
async def test_what_is_exported_is_imported_unchanged_and_runs_in_no_spreadsheet(local: str, reason: str) -> None:
    try:
        asked = ExemptionDraft.model_validate({"email": f"{local}@contoso.example", "reason": reason})
    except ValidationError:
        assume(False)  # noqa: FBT003 - nothing was asked for
    file = await written(asked, BOB)
    assert list(read_csv(file)) == [(2, asked), (3, BOB)]
    cells = [cell for line in csv.reader(io.StringIO(file.decode(), newline="")) for cell in line]
    assert [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}] == []


class CountingTable(InMemoryTable):
    """Knows how large its transactions were and how many were under way together; one of them may find it gone."""

    def __init__(self, failing: int | None = None) -> None:
        super().__init__()
        self.transactions: list[int] = []
        self.under_way = 0
        self.most_under_way = 0
        self._failing = failing

    async def write(self, *operations: Operation) -> None:
        self.transactions.append(len(operations))
        failing, slowness = len(self.transactions) == self._failing, 4 - len(self.transactions) % 4
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0.002 * slowness)
            await super().write(*operations)
        finally:
            self.under_way -= 1
        if failing:
            raise Unavailable("The answer was lost.")


async def list_of_acme(table: InMemoryTable) -> ExemptionList:
    clock = FixedClock()
    account = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
    await table.write(Insert(Account.key(ACME), account.document()))
    return ExemptionList(table=table, journal=Journal(table=table, clock=clock), clock=clock)


def people(count: int) -> Iterator[Entry]:
    return ((line, draft(f"user{line}@contoso.example")) for line in range(1, count + 1))


@pytest.mark.parametrize(
    ("count", "transactions"),
    [(0, []), (1, [2]), (BATCH, [100]), (BATCH + 1, [100, 2]), (2 * BATCH, [100, 100])],
)
async def test_an_import_is_written_in_full_transactions_each_with_its_audit_record(
    count: int, transactions: list[int]
) -> None:
    table = CountingTable()
    exemptions = await list_of_acme(table)
    assert await import_entries(exemptions, SAM, people(count)) == ImportReport(count, ())
    assert table.transactions == [1, *transactions]
    assert len([each async for each in exemptions.all(SAM)]) == count


async def test_whoever_is_named_twice_has_what_the_last_line_says() -> None:
    exemptions = await list_of_acme(InMemoryTable())
    entries = [
        (1, draft("alice@contoso.example", "First")),
        BadLine(2, "Bad."),
        (3, draft("ALICE@contoso.example", "Last")),
    ]
    assert await import_entries(exemptions, SAM, iter(entries)) == ImportReport(2, (BadLine(2, "Bad."),))
    assert [(each.email, each.reason) async for each in exemptions.all(SAM)] == [("alice@contoso.example", "Last")]


async def test_who_is_named_in_several_transactions_has_what_the_last_one_says() -> None:
    """Although the later ones are answered first."""
    table = CountingTable()
    exemptions = await list_of_acme(table)
    drafts = [draft(f"user{number}@contoso.example") for number in range(5 * BATCH)]
    drafts[::BATCH] = [draft("alice@contoso.example", f"{number}") for number in range(5)]
    report = await import_entries(exemptions, SAM, enumerate(drafts, start=2))
    assert report.accepted == 5 * BATCH
    assert [each.reason for each in await exemptions.find(SAM, ALICE.email)] == ["4"]


async def test_a_few_transactions_are_under_way_together() -> None:
    table = CountingTable()
    exemptions = await list_of_acme(table)
    assert await import_entries(exemptions, SAM, people(10 * BATCH)) == ImportReport(10 * BATCH, ())
    assert table.most_under_way == AT_ONCE
    assert table.transactions == [1, *[100] * 10]


@pytest.mark.parametrize("failing", [2, 3, 4, 6])
async def test_a_store_that_goes_away_in_the_middle_leaves_whole_transactions_and_says_how_many(failing: int) -> None:
    """What nobody knows of is not counted. What was under way is waited for and counted."""
    table = CountingTable(failing)
    exemptions = await list_of_acme(table)
    with pytest.raises(Unavailable) as refused:
        await import_entries(exemptions, SAM, people(5 * BATCH))
    known = len(table.transactions) - 2
    assert refused.value.detail.startswith(
        f"The store went away in the middle: {known * BATCH} entries are on the list"
    )
    assert (table.under_way, known) == (0, min(failing, 4))
    assert len([each async for each in exemptions.all(SAM)]) == (known + 1) * BATCH


async def test_a_file_of_bad_lines_is_not_read_to_its_end() -> None:
    exemptions = await list_of_acme(InMemoryTable())
    entries = chain(people(1), (BadLine(line, "Bad.") for line in range(2, 1_000_000)), people(1))
    report = await import_entries(exemptions, SAM, entries)
    assert (report.accepted, len(report.problems)) == (1, MOST_PROBLEMS + 1)
    assert report.problems[-1] == BadLine(MOST_PROBLEMS + 2, "Too many bad lines: the file was not read from here on.")
    assert next(entries) == BadLine(MOST_PROBLEMS + 3, "Bad.")


async def test_while_a_file_is_read_others_have_their_turn() -> None:
    exemptions = await list_of_acme(InMemoryTable())
    turns = []

    def watched() -> Iterator[Entry]:
        for line in range(1, 1_001):
            yield BadLine(line, "Bad.")
        turns.append("end of file")

    await asyncio.gather(import_entries(exemptions, SAM, watched()), _note(turns, "another request"))
    assert turns == ["another request", "end of file"]


async def _note(turns: list[str], turn: str) -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    turns.append(turn)


async def test_nobody_is_put_on_the_list_of_an_account_that_is_not_there() -> None:
    table = InMemoryTable()
    with pytest.raises(NotFound):
        await import_entries(
            ExemptionList(table=table, journal=Journal(table=table, clock=FixedClock()), clock=FixedClock()),
            SAM,
            people(1),
        )
    assert len(table) == 0


def test_reading_a_hundred_thousand_lines_takes_little_more_memory_than_the_file() -> None:
    line = "someone.with.a.name.of.some.length+{}@contoso.example,Works at a shared kiosk in the lobby,\n"
    file = b"email,reason,expiresAt\n" + "".join(line.format(number) for number in range(100_000)).encode()
    tracemalloc.start()
    try:
        entries = read_csv(file)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _, _ in zip(range(2_000), entries, strict=False):
            pass
        held = tracemalloc.get_traced_memory()[1] - before
        whole = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert whole < 8 * len(file)
    assert held < 1_000_000

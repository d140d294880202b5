"""The exception list as a file, and the import of many entries at once."""

import asyncio
import csv
import io
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import Account
from shared.accounts.journal import PREFIX as AUDIT
from shared.accounts.journal import Journal
from shared.kernel.names import AccountId
from shared.kernel.refusals import Invalid, Malformed, NotFound, Unavailable
from shared.ports.table import Insert, Key, Operation, Row
from shared.users.exchange import (
    AT_ONCE,
    BATCH,
    BREATH,
    COLUMNS,
    MOST_PROBLEMS,
    BadLine,
    Entries,
    Entry,
    ImportReport,
    import_entries,
    read_csv,
    read_entry,
    write_csv,
)
from shared.users.exemption import Exemption
from shared.users.exemptions import ExemptionList
from shared.users.remarks import MOST_DOMAINS, Remark
from shared.users.terms import ExemptionDraft
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


async def read(file: str | bytes) -> list[Entry]:
    """The entries of a file, without the pauses between them."""
    entries = await read_csv(file if isinstance(file, bytes) else file.encode())
    return [entry for entry in entries if entry is not None]


ALICE = draft("alice@contoso.example")
BOB = draft("bob@contoso.example", "On leave", datetime(2027, 1, 1, tzinfo=UTC))

HEADER = "email,reason,expiresAt"
LINES = (HEADER, "alice@contoso.example,Kiosk,", "bob@contoso.example,On leave,2027-01-01T00:00:00Z")
PLAIN = "\n".join(LINES)


def quoted(before: str, after: str, *lines: str) -> str:
    """The lines with every cell in quotation marks and something around them."""
    return "\n".join(",".join(f"{before}{cell}{after}" for cell in line.split(",")) for line in lines)


ONE_LIST = {
    "as others write it": "\r\n".join([*LINES, ""]),
    "line feeds": "\n".join([*LINES, ""]),
    "carriage returns": "\r".join([*LINES, ""]),
    "no end of the last line": PLAIN,
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "a byte order mark": "\ufeff" + PLAIN,
    "as a spreadsheet saves it": "\ufeff" + "\r\n".join([*LINES, ""]).replace(",", ";"),
    "quotes": quoted('"', '"', *LINES),
    "quotes after blanks": quoted(' "', '" ', *LINES),
    "quotes after pasted space": quoted('\t\u200b"', '"\u00a0', *LINES),
    "line ends around, in quotes": f"{HEADER}\n" + quoted('"\n', '\r\n"', *LINES[1:]),
    "columns in another order": "\n".join(",".join(reversed(line.split(","))) for line in LINES),
    "blanks around": "\n".join(" , ".join(line.split(",")) for line in LINES),
    "pasted space around": "\n".join("\u00a0\t,\u200e\ufeff".join(line.split(",")) for line in LINES),
    "another offset": PLAIN.replace("00:00:00Z", "02:00:00+02:00"),
    "header in capitals": PLAIN.replace(HEADER, "EMAIL,REASON,EXPIRESAT"),
    "header in words": PLAIN.replace(HEADER, "E-mail, Reason ,Expires At"),
    "header in snake case": PLAIN.replace(HEADER, '"email","reason","expires_at"'),
    "empty columns at the end": "\n".join(f"{line},,\u00a0," for line in LINES),
    "empty columns at the end of rows alone": "\n".join([HEADER, *(f"{line},," for line in LINES[1:])]),
    "empty columns at the end of the header alone": PLAIN.replace(HEADER, f"{HEADER},,"),
    "cells missing at the end, as spreadsheets leave them out": PLAIN.replace("Kiosk,", "Kiosk"),
    "apostrophes before addresses and moments": PLAIN.replace("alice", "'alice").replace(",2027", ",'2027"),
}


@pytest.mark.parametrize("file", ONE_LIST.values(), ids=ONE_LIST)
async def test_one_list_may_be_written_in_many_ways(file: str) -> None:
    assert [entry[1] for entry in await read(file) if isinstance(entry, tuple)] == [ALICE, BOB]


@pytest.mark.parametrize("sep", ["sep=;", '"sep=;"', "SEP=,;;", "\ufeffsep=;", "sep=\t"])
async def test_the_line_that_says_what_separates_cells_is_no_header(sep: str) -> None:
    assert await read(f"{sep}\r\n" + "\r\n".join(LINES).replace(",", ";")) == [(3, ALICE), (4, BOB)]


async def test_the_end_of_an_exception_may_be_left_out() -> None:
    assert await read("email,reason\nalice@contoso.example,Kiosk\n") == [(2, ALICE)]


@pytest.mark.parametrize("rows", ["\n", "", "\r\n\r\n  \r\n", "\n,\n,,,,\n\u200b,\u00a0\n", '\n"",""\n"\n",\n'])
async def test_a_list_of_nobody_is_a_list_however_many_rows_without_values_it_has(rows: str) -> None:
    assert await read(f"email,reason{rows}") == []


NO_HEADERS = {
    "nothing": "",
    "a blank line": "\nemail,reason\n",
    "no header": "alice@contoso.example,Kiosk\n",
    "a column missing": "email,expiresAt\n",
    "a column unknown": "email,reason,phone\n",
    "a column without a name": "email,,reason\n",
    "a column twice": "email,reason,Reason\n",
    "what separates cells, and nothing else": "sep=;",
    "bars": "email|reason\n",
    "an open quote": '"email,reason\n',
    "a quote in a name": '"email"s,reason\n',
    "a column without end": f"email,reason,{'x' * 200_000}\n",
    "a column without end, in quotes": f'email,reason,"{"x" * 200_000}"\n',
}


@pytest.mark.parametrize("file", NO_HEADERS.values(), ids=NO_HEADERS)
async def test_a_file_must_name_its_columns(file: str) -> None:
    with pytest.raises(Invalid, match="The first line must name the columns"):
        await read_csv(file.encode())


NOT_UTF_8 = {
    "Windows-1252": "email,reason\njörg@contoso.example,x\n".encode("cp1252"),
    "at the very end": b"email,reason\nalice@contoso.example,x" + "ö".encode()[:1],
    "after megabytes": b"email,reason\n" + b"\n" * 2_000_000 + b"\xff",
    "Unicode Text": "email\treason\n".encode("utf-16"),
    "UTF-16 without a mark": "email,reason\n".encode("utf-16-le"),
    "a workbook": b"PK\x03\x04\x14\x00\x06\x00",
}


@pytest.mark.parametrize("file", NOT_UTF_8.values(), ids=NOT_UTF_8)
async def test_a_file_must_be_utf_8_and_whoever_saved_it_hears_how(file: bytes) -> None:
    with pytest.raises(Malformed, match="not UTF-8 text\\. In Excel, save it as 'CSV UTF-8"):
        await read_csv(file)


NOT_A_MOMENT = "expiresAt: It must be a time such as 2027-01-01T00:00:00Z (RFC 3339)."
NO_OFFSET = f"{NOT_A_MOMENT} A date alone, or a time without its offset from UTC, does not say when."


async def test_a_bad_line_spoils_nothing_but_itself_and_is_numbered_as_an_editor_does() -> None:
    file = """email,reason,expiresAt
alice@contoso.example,Kiosk,

nobody,Kiosk,
carol@contoso.example,,
dave@contoso.example
"dave@contoso.example","On leave. Stand-ins:
bob@contoso.example,until June
back"
erin@contoso.example,Kiosk,tomorrow
frank@contoso.example,Kiosk,46388
gina@contoso.example,Kiosk,2027-01-01T00:00:00
hans@contoso.example,Kiosk,2027-01-01
ina@contoso.example,Kiosk,,x
bob@contoso.example,On leave,2027-01-01T00:00:00Z
"""
    assert await read(file) == [
        (2, ALICE),
        BadLine(4, "email: This is not an email address. An email address must have an @-sign."),
        BadLine(5, "reason: Field required."),
        BadLine(6, "reason: Field required."),
        BadLine(7, "reason: It must be one line of text, without line ends or other control characters."),
        BadLine(10, NOT_A_MOMENT),
        BadLine(11, NOT_A_MOMENT),
        BadLine(12, NO_OFFSET),
        BadLine(13, NO_OFFSET),
        BadLine(14, "The line has 4 cells, but the header has 3."),
        (15, BOB),
    ]


async def test_what_follows_quotation_marks_that_do_not_add_up_is_no_entry() -> None:
    file = f'{LINES[0]}\n{LINES[1]}\n"bob@contoso.example,On leave,\n{LINES[2]}\n'
    alice, refused = await read(file)
    assert alice == (2, ALICE)
    assert isinstance(refused, BadLine)
    assert (refused.line, refused.detail.partition(":")[0]) == (3, "The quotation marks of this record are unbalanced")


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
async def test_a_moment_that_utc_cannot_tell_is_refused(moment: str) -> None:
    file = f"email,reason,expiresAt\nalice@contoso.example,Kiosk,{moment}\n"
    assert await read(file) == [BadLine(2, "expiresAt: It must be a time that UTC can express.")]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_no_line_inside_a_cell_is_an_entry(column: str, delimiter: str, end: str) -> None:
    """Whichever column it is in: the record is refused, once, at the line where it begins."""
    hidden = delimiter.join(["mallory@contoso.example", "Kiosk", ""])
    fields = {"email": "alice@contoso.example", "reason": "Kiosk", "expiresAt": ""} | {column: f"x{end}{hidden}{end}y"}
    row = delimiter.join(f'"{fields[name]}"' for name in COLUMNS)
    file = end.join([delimiter.join(COLUMNS), row, LINES[2].replace(",", delimiter)])
    (refused, bob) = await read(file)
    assert isinstance(refused, BadLine)
    assert (refused.line, refused.detail.partition(":")[0], bob) == (2, column, (5, BOB))


async def test_the_file_that_is_written() -> None:
    moment = datetime(2027, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    file = await written(
        draft("jörg@contoso.example"),
        draft("bob@contoso.example", "On leave", moment),
        draft("=cmd@contoso.example", '=HYPERLINK("https://attacker.example")'),
        draft("carol@contoso.example", "'=quoted already"),
        draft("'dave@contoso.example", "Left;=1+1;x"),
    )
    assert file.decode() == (
        '\ufeff"email","reason","expiresAt"\r\n'
        '"jörg@contoso.example","Kiosk",""\r\n'
        '"bob@contoso.example","On leave","2027-01-01T00:00:00Z"\r\n'
        '"\'=cmd@contoso.example","\'=HYPERLINK(""https://attacker.example"")",""\r\n'
        '"carol@contoso.example","\'\'=quoted already",""\r\n'
        '"\'\'dave@contoso.example","Left;\'=1+1;x",""\r\n'
    )


RUNS = "=+-@\uff1d\uff0b\uff0d\uff20"
REASONS = st.text(
    st.sampled_from(RUNS + "'\"; ,|ab\u00fc\u00a0\u200b\u2028")
    | st.characters(exclude_categories=["Cs"], exclude_characters="\x7f" + bytes(range(32)).decode()),
    min_size=1,
    max_size=20,
)
LOCAL_PARTS = st.from_regex(r"[=+\-'a-zäö!/#?{|}]{1,12}", fullmatch=True)
MOMENTS = st.none() | st.integers(1, 10**15).map(lambda microseconds: NEW_YEAR + timedelta(microseconds=microseconds))
SETTINGS = st.none() | st.sampled_from([(",", csv.QUOTE_MINIMAL), (";", csv.QUOTE_MINIMAL), ("\t", csv.QUOTE_ALL)])


def saved_again(file: bytes, delimiter: str, quoting: Any) -> bytes:
    """The file as a spreadsheet with these settings saves it."""
    saved = io.StringIO(newline="")
    rows = csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""))
    csv.writer(saved, delimiter=delimiter, quoting=quoting).writerows(rows)
    return saved.getvalue().encode()


@example("a", "'", None, None)
@example("'=a", "''''=", None, (";", csv.QUOTE_MINIMAL))
@example("a", "Left;=1+1;x", None, (";", csv.QUOTE_MINIMAL))
@example("a", 'x;"=1+1";y', None, None)
@given(LOCAL_PARTS, REASONS, MOMENTS, SETTINGS)
async def test_what_is_exported_is_imported_unchanged_and_runs_in_no_spreadsheet(
    local: str, reason: str, expires_at: datetime | None, settings: tuple[str, Any] | None
) -> None:
    try:
        asked = draft(f"{local}@contoso.example", reason, expires_at)
    except ValidationError:
        assume(False)  # noqa: FBT003 - nothing was asked for
    file = await written(asked, BOB)
    assert await read(saved_again(file, *settings) if settings else file) == [(2, asked), (3, BOB)]
    for delimiter in (",", ";", "\t"):
        rows = csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""), delimiter=delimiter)
        assert [cell for row in rows for cell in row if cell[:1] in {*RUNS}] == []


async def test_while_a_long_list_is_written_others_have_their_turn() -> None:
    turns: list[str] = []

    async def entries() -> AsyncIterator[Exemption]:
        for number in range(20 * BREATH):
            yield exemption(draft(f"user{number}@contoso.example"))
        turns.append("end of list")

    file, _ = await asyncio.gather(write_csv(entries()), _note(turns, "another request"))
    assert turns == ["another request", "end of list"]
    assert len(await read(file)) == 20 * BREATH


class CountingTable(InMemoryTable):
    """Knows how large its transactions were and how many were under way together; one of them may find it gone."""

    def __init__(self, failing: int | None = None) -> None:
        super().__init__()
        self.transactions: list[int] = []
        self.under_way = 0
        self.most_under_way = 0
        self._failing = failing
        self._gone = False

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        self.transactions.append(len(operations))
        failing, slowness = len(self.transactions) == self._failing, 4 - len(self.transactions) % 4
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0.02 * slowness)
            written = await super().write(*operations)
        finally:
            self.under_way -= 1
        if failing:
            self._gone = True
            raise Unavailable("The answer was lost.")
        return written

    async def get(self, key: Key) -> Row | None:
        if self._gone and key.row.startswith(AUDIT):
            raise Unavailable("Nobody can ask what became of it.")
        return await super().get(key)


async def list_of_acme(table: InMemoryTable) -> ExemptionList:
    clock = FixedClock()
    account = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
    await table.write(Insert(Account.key(ACME), account.document()))
    return ExemptionList(
        table=table,
        journal=Journal(table=table, clock=clock),
        clock=clock,
        has_domain=lambda _head, domain: domain == "contoso.example",
    )


def people(count: int) -> Entries:
    return ((line, draft(f"user{line}@contoso.example")) for line in range(1, count + 1))


@pytest.mark.parametrize(
    ("count", "transactions"),
    [(0, []), (1, [2, 3]), (BATCH, [2, 100]), (BATCH + 1, [2, 100, 3]), (2 * BATCH, [2, 100, 100])],
)
async def test_an_import_is_written_in_full_transactions_each_with_its_audit_record(
    count: int, transactions: list[int]
) -> None:
    """The first one stores who imports."""
    table = CountingTable()
    exemptions = await list_of_acme(table)
    assert await import_entries(exemptions, SAM, people(count)) == ImportReport(count, ())
    assert table.transactions == [1, *transactions]
    assert len([each async for each in exemptions.all(SAM)]) == count


async def test_whoever_is_named_twice_has_what_the_last_line_says() -> None:
    exemptions = await list_of_acme(InMemoryTable())
    entries: list[Entry] = [
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
    assert table.transactions == [1, 2, *[100] * 10]


class Herd(InMemoryTable):
    """Answers as many readers together as there are transactions under way, and knows in which turn each writes."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0
        self.written_in: list[int] = []
        self._readers = asyncio.Barrier(AT_ONCE)
        self._together = False

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        rows = await super().under(partition, prefix)
        if self._together:
            await self._readers.wait()
        self._together = True
        return rows

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        self.written_in.append(self.turn)
        return await super().write(*operations)

    async def count_turns(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.turn += 1


async def test_of_the_transactions_under_way_no_two_are_made_in_one_turn() -> None:
    table = Herd()
    exemptions = await list_of_acme(table)
    counting = asyncio.create_task(table.count_turns())
    report = await import_entries(exemptions, SAM, people(2 * AT_ONCE * BATCH))
    counting.cancel()
    assert report.accepted == 2 * AT_ONCE * BATCH
    assert len({*table.written_in}) == len(table.written_in) == 2 + 2 * AT_ONCE


@pytest.mark.parametrize("failing", [3, 4, 5, 7])
async def test_a_store_that_goes_away_in_the_middle_leaves_whole_transactions_and_says_how_many(failing: int) -> None:
    """What nobody knows of is not counted. What was under way is waited for and counted."""
    table = CountingTable(failing)
    exemptions = await list_of_acme(table)
    with pytest.raises(Unavailable) as refused:
        await import_entries(exemptions, SAM, people(5 * BATCH))
    known = len(table.transactions) - 3
    assert refused.value.detail.startswith(
        f"The storage failed during the import: {known * BATCH} entries are stored for certain."
    )
    assert (table.under_way, known) == (0, min(failing - 1, 4))
    assert len([each async for each in exemptions.all(SAM)]) == (known + 1) * BATCH


async def test_a_file_of_bad_lines_is_not_read_to_its_end() -> None:
    exemptions = await list_of_acme(InMemoryTable())
    entries = chain(people(1), (BadLine(line, "Bad.") for line in range(2, 1_000_000)), people(1))
    report = await import_entries(exemptions, SAM, entries)
    assert (report.accepted, len(report.problems)) == (1, MOST_PROBLEMS + 1)
    assert report.problems[-1] == BadLine(
        MOST_PROBLEMS + 2,
        "Too many bad lines: the rest of the file was not read. Fix these and import it again.",
    )
    assert next(entries) == BadLine(MOST_PROBLEMS + 3, "Bad.")


async def test_while_a_file_is_read_others_have_their_turn() -> None:
    exemptions = await list_of_acme(InMemoryTable())
    turns = []

    def watched() -> Entries:
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
    clock = FixedClock()
    nobodys = ExemptionList(
        table=table, journal=Journal(table=table, clock=clock), clock=clock, has_domain=lambda *_: True
    )
    with pytest.raises(NotFound):
        await import_entries(nobodys, SAM, people(1))
    assert len(table) == 0


async def test_a_pause_in_the_file_gives_others_their_turn() -> None:
    exemptions = await list_of_acme(InMemoryTable())
    turns: list[str] = []

    def watched() -> Entries:
        for _ in range(20):
            yield None
        turns.append("end of file")

    report, _ = await asyncio.gather(import_entries(exemptions, SAM, watched()), _note(turns, "another request"))
    assert (turns, report) == (["another request", "end of file"], ImportReport(0, ()))


async def test_who_has_ended_already_is_counted_and_changes_nothing() -> None:
    exemptions = await list_of_acme(InMemoryTable())
    entries = [
        (2, draft("alice@contoso.example", "In force")),
        (3, draft("alice@contoso.example", "Over", NEW_YEAR)),
        (4, draft("bob@contoso.example", "Over", NEW_YEAR - timedelta(days=1))),
        (5, draft("carol@contoso.example", "In force", NEW_YEAR + timedelta(microseconds=1))),
    ]
    report = await import_entries(exemptions, SAM, iter(entries))
    assert report == ImportReport(2, (), 2, (Remark(3, "Skipped 2 entries whose expiresAt is in the past."),))
    assert {(each.email, each.reason) async for each in exemptions.all(SAM)} == {
        ("alice@contoso.example", "In force"),
        ("carol@contoso.example", "In force"),
    }


async def test_a_report_warns_once_of_each_domain_that_the_account_does_not_have() -> None:
    exemptions = await list_of_acme(InMemoryTable())
    names = ["contoso.example", "contso.example", "CONTSO.example", *(f"d{n}.example" for n in range(MOST_DOMAINS + 1))]
    entries = ((line, draft(f"user{line}@{name}")) for line, name in enumerate(names, start=2))
    report = await import_entries(exemptions, SAM, entries)
    assert (report.accepted, report.problems, len(report.warnings)) == (len(names), (), MOST_DOMAINS + 1)
    first, *_, last = report.warnings
    assert (first.line, first.detail.partition(".")[0]) == (3, "2 entries at contso")
    assert "The account does not have the domain contso.example" in first.detail
    assert last == Remark(len(names), "2 entries at other domains that the account does not have.")


def test_an_item_with_many_fields_is_refused_without_naming_them() -> None:
    fields = {f"field{number}": "x" for number in range(100_000)}
    expected = "It has 100000 fields. An entry has email, reason and perhaps expiresAt."
    assert read_entry(7, fields) == BadLine(7, expected)


async def test_reading_a_hundred_thousand_lines_takes_little_more_memory_than_the_file() -> None:
    line = "someone.with.a.name.of.some.length+{}@contoso.example,Works at a shared kiosk in the lobby,\n"
    file = b"email,reason,expiresAt\n" + "".join(line.format(number) for number in range(100_000)).encode()
    tracemalloc.start()
    try:
        entries = await read_csv(file)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _, _ in zip(range(2_000), entries, strict=False):
            pass
        held = tracemalloc.get_traced_memory()[1] - before
        whole = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert whole < 2 * len(file)
    assert held < 1_000_000

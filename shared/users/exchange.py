"""The exception list as a file: CSV in, CSV out, and the import of many entries at once.

A record is one entry, so that a bad record affects no other. Text that a spreadsheet would run as a formula is written
with an apostrophe before it, which reading removes, so that an exported file can be imported unchanged.
"""

import asyncio
import csv
import io
import re
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from shared.access.roles import AccountAdministrator
from shared.kernel.faults import faults_of
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import Invalid, Refusal, Unavailable
from shared.ports.table import TRANSACTION_LIMIT
from shared.users.csv_file import BadRecord, CsvFile, CsvRecord, open_csv
from shared.users.exemption import Exemption
from shared.users.exemptions import ExemptionList
from shared.users.formulas import with_guards, without_guards
from shared.users.remarks import Remark, Remarks
from shared.users.terms import ExemptionDraft

COLUMNS = ("email", "reason", "expiresAt")
_REQUIRED = frozenset({"email", "reason"})
_BY_HEADER = {name.lower(): name for name in COLUMNS}

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 as Windows-1252."""

BATCH = TRANSACTION_LIMIT - 2
"""Entries of one transaction, beside its audit record and the version of the list."""

AT_ONCE = 3
"""Concurrent transactions. Azure takes as long to respond to one as the SDK to build it; more than a few would only
block the event loop for others."""

MOST_PROBLEMS = 10_000
"""Bad lines after which reading stops: it is not the file that the caller meant to send."""

_TOO_MANY = "Too many bad lines: the rest of the file was not read. Fix these and import it again."

BREATH = 25
"""Entries after which other requests get their turn."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A record that was refused: its first line, counted from 1 as in editors, and why."""

    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import.

    `accepted` of its entries are on the list now; `expired` ones had ended already and were left out; `problems` are
    the records that were refused.
    """

    accepted: int
    problems: tuple[BadLine, ...]
    expired: int = 0
    warnings: tuple[Remark, ...] = ()


type Entry = tuple[int, ExemptionDraft] | BadLine

type Entries = Iterator[Entry | None]
"""Entries one after the other. None means that a step was read since the last one, and others get their turn."""


async def read_csv(body: bytes) -> Entries:
    """The entries of a CSV file: see `shared.users.csv_file` for the formats.

    Rows without values are left out, and cells missing at a row's end count as empty, as spreadsheets save them.

    Raises:
        Malformed: it is not UTF-8.
        Invalid: the header lacks a column or has an unknown one.
    """
    file = await open_csv(body, _columns)
    if file is None:
        raise Invalid(
            "The first line must name the columns: email, reason and, optionally, expiresAt. "
            "Separate them by commas, semicolons or tabs."
        )
    return _entries(file)


def _columns(cells: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that a header names, in any case, as one word or more; none if it is not a header of ours."""
    names = tuple(_BY_HEADER.get(re.sub("[ _-]", "", cell.lower()), "") for cell in cells)
    good = _REQUIRED <= {*names} <= {*COLUMNS} and len({*names}) == len(names)
    return names if good else ()


def _entries(file: CsvFile) -> Entries:
    for record in file.records:
        match record:
            case None:
                yield None
            case BadRecord(line, detail):
                yield BadLine(line, detail)
            case CsvRecord(line, cells) if any(cells):
                yield _entry(line, cells, file.columns)


def _entry(line: int, cells: tuple[str, ...], columns: tuple[str, ...]) -> Entry:
    if any(cells[len(columns) :]):
        return BadLine(line, f"The line has {len(cells)} cells, but the header has {len(columns)}.")
    return read_entry(line, {name: _read_cell(name, cell) for name, cell in zip(columns, cells, strict=False) if cell})


def read_entry(number: int, fields: Mapping[str, object]) -> Entry:
    """Read one entry from its fields by name, or return why it is refused."""
    if len(fields) > 2 * len(COLUMNS):
        return BadLine(number, f"It has {len(fields)} fields. An entry has email, reason and perhaps expiresAt.")
    try:
        return number, ExemptionDraft.model_validate(fields, by_name=False)
    except ValidationError as error:
        return BadLine(number, " ".join(f"{fault.field}: {fault.detail}" for fault in faults_of(error)))


async def import_entries(
    exemptions: ExemptionList, administrator: AccountAdministrator, entries: Entries
) -> ImportReport:
    """Put every good entry on the list, in transactions of 98 entries and their audit record.

    For a user who is named twice the last record counts. Entries that have ended are counted, and change nothing.
    Repeating an import is safe, whether or not it was finished. After `MOST_PROBLEMS` bad lines it stops, and reports
    that as the last problem.

    Raises:
        NotFound: there is no such account.
        Unavailable: the store failed in the middle; the detail has the number of entries on the list.
    """
    remarks = Remarks(await exemptions.own_domain(administrator))
    problems: list[BadLine] = []
    batch: dict[int, ExemptionDraft] = {}
    writes = _Writes(exemptions, administrator)
    try:
        async with writes:
            for count, entry in enumerate(entries, start=1):
                if entry is None or count % BREATH == 0:
                    await asyncio.sleep(0)
                if entry is None:
                    continue
                if isinstance(entry, BadLine):
                    problems.append(entry)
                    if len(problems) > MOST_PROBLEMS:
                        problems[-1] = BadLine(entry.line, _TOO_MANY)
                        break
                    continue
                number, draft = entry
                if exemptions.has_ended(draft.expires_at):
                    remarks.ended(number)
                    continue
                remarks.taken(number, draft.email.domain)
                batch[number] = draft
                if len(batch) == BATCH:
                    await writes.begin(batch)
                    batch = {}
            if batch:
                await writes.begin(batch)
    except Unavailable as refusal:
        raise Unavailable(
            f"The storage failed during the import: {writes.accepted} entries are stored for certain. "
            "Import the whole file again; entries that are already stored are not harmed.",
            refusal.retry_after,
        ) from refusal
    return ImportReport(writes.accepted, tuple(problems), remarks.expired, tuple(remarks.warnings()))


class _Writes:
    """Transactions under way, in the file's order: while the store processes one, the next is built.

    Two that name the same user run one after the other, so that the later line wins. The SDK takes tens of milliseconds
    to build one, so other requests get their turn between any two. Leaving the `with` block waits for all of them;
    `accepted` are the entries whose transaction took place.
    """

    def __init__(self, exemptions: ExemptionList, administrator: AccountAdministrator) -> None:
        self.accepted = 0
        self._exemptions = exemptions
        self._administrator = administrator
        self._turn = asyncio.Lock()
        self._introduced = False
        self._under_way: deque[tuple[int, set[EmailAddress], asyncio.Task[None]]] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def begin(self, batch: dict[int, ExemptionDraft]) -> None:
        """Write these as soon as fewer than `AT_ONCE` transactions are under way."""
        if not self._introduced:
            await self._exemptions.introduce(self._administrator)
            self._introduced = True
        users = {draft.email for draft in batch.values()}
        while len(self._under_way) == AT_ONCE or any(users & others for _, others, _ in self._under_way):
            await self._settle()
        writing = asyncio.create_task(self._exemptions.put_many(self._administrator, batch, self._turn))
        self._under_way.append((len(batch), users, writing))

    async def _settle(self) -> None:
        count, _, writing = self._under_way.popleft()
        await writing
        self.accepted += count

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        refused: Refusal | None = None
        while self._under_way:
            try:
                await self._settle()
            except Refusal as refusal:
                refused = refused or refusal
        if refused and error is None:
            raise refused


async def write_csv(exemptions: AsyncIterator[Exemption]) -> bytes:
    """The list as a CSV file (RFC 4180): a byte order mark, a header line, every cell in quotation marks."""
    file = io.StringIO(newline="")
    file.write(BYTE_ORDER_MARK)
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    done = bytearray()
    count = 0
    async for each in exemptions:
        expires = each.expires_at.isoformat().replace("+00:00", "Z") if each.expires_at else ""
        writer.writerow((_write_email(each.email), with_guards(each.reason), expires))
        count += 1
        if count % BREATH == 0:
            done += _taken_from(file)
            await asyncio.sleep(0)
    return bytes(done + _taken_from(file))


def _taken_from(file: io.StringIO) -> bytes:
    """Return what was written so far, and empty the file."""
    text = file.getvalue()
    file.seek(0)
    file.truncate()
    return text.encode()


def _read_cell(name: str, cell: str) -> str:
    """A cell without the apostrophe that marks it as text, from a spreadsheet or from us. A reason may need its own."""
    return without_guards(cell) if name == "reason" else cell.removeprefix("'")


def _write_email(email: str) -> str:
    """Write an address so that `_read_cell` reads it back: an apostrophe of its own gets another one before it."""
    return f"'{email}" if email.startswith("'") else with_guards(email)

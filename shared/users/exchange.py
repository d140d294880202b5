"""The exception list as a file: CSV in, CSV out, and the import of many entries at once.

A line is one entry, so that one bad line spoils nothing but itself. Cells that a spreadsheet would run as a formula are
written with an apostrophe before them (OWASP, "CSV Injection"), which reading takes off again, so that an exported
file can be imported as it is.
"""

import asyncio
import csv
import io
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from shared.access.roles import AccountAdministrator
from shared.kernel.faults import faults_of
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import Invalid, Malformed, Refusal, Unavailable
from shared.ports.table import TRANSACTION_LIMIT
from shared.users.exemptions import Exemption, ExemptionDraft, ExemptionList

COLUMNS = ("email", "reason", "expiresAt")
_REQUIRED = frozenset({"email", "reason"})
_RUNS = frozenset("=+-@\t\r")

BATCH = TRANSACTION_LIMIT - 1
"""Entries that one transaction takes beside its audit record."""

AT_ONCE = 3
"""Transactions that are under way together. Azure takes as long to answer one as the SDK to make it; more than a few
would only take the event loop from others."""

MOST_PROBLEMS = 10_000
"""Bad lines after which a file is not read any further: it is not the file that somebody meant to send."""

_BREATH = 100
"""Lines after which other requests have their turn."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be taken, numbered from 1 as an editor numbers them, and why."""

    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file: how many of its entries are on the list now, and which lines were refused."""

    accepted: int
    problems: tuple[BadLine, ...]


type Entry = tuple[int, ExemptionDraft] | BadLine


def read_csv(body: bytes) -> Iterator[Entry]:
    """The entries of a CSV file (RFC 4180, in UTF-8, commas or semicolons) with a header line.

    Raises:
        Malformed: it is not UTF-8.
        Invalid: the header lacks a column or has one that we do not know.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("The file is not UTF-8. Save it as 'CSV UTF-8' and send it again.") from None
    lines = enumerate(io.StringIO(text, newline=None), start=1)
    header = next(lines, (1, ""))[1]
    delimiter = ";" if ";" in header else ","
    try:
        names = _cells(header, delimiter)
    except csv.Error:
        names = []
    if not _REQUIRED <= set(names) <= set(COLUMNS) or len(set(names)) != len(names):
        raise Invalid("The first line must name the columns: email, reason and, optionally, expiresAt.")
    return _entries(lines, names, delimiter)


def _entries(lines: Iterator[tuple[int, str]], names: list[str], delimiter: str) -> Iterator[Entry]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            cells = _cells(line, delimiter)
        except csv.Error as error:
            yield BadLine(number, f"The line is not valid CSV: {error}.")
            continue
        if len(cells) != len(names):
            yield BadLine(number, f"The line has {len(cells)} cells, but the header has {len(names)}.")
            continue
        filled = {name: _without_guard(cell) for name, cell in zip(names, cells, strict=True) if cell}
        yield read_entry(number, filled)


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line.rstrip("\n")], delimiter=delimiter, strict=True))]


def read_entry(number: int, fields: Mapping[str, object]) -> Entry:
    """One entry from its fields by name, or why it cannot be taken."""
    try:
        return number, ExemptionDraft.model_validate(fields, by_name=False)
    except ValidationError as error:
        return BadLine(number, " ".join(f"{fault.field}: {fault.detail}" for fault in faults_of(error)))


async def import_entries(
    exemptions: ExemptionList, administrator: AccountAdministrator, entries: Iterator[Entry]
) -> ImportReport:
    """Put every good entry on the list, in transactions of 99 entries and their audit record.

    Whoever is named twice has what the last line says. Repeating an import is safe, whether or not it was finished.
    After `MOST_PROBLEMS` bad lines it stops, and the last problem says so.

    Raises:
        NotFound: there is no such account.
        Unavailable: the store went away in the middle; the detail says how many entries are on the list.
    """
    await exemptions.must_exist(administrator)
    problems: list[BadLine] = []
    batch: dict[int, ExemptionDraft] = {}
    writes = _Writes(exemptions, administrator)
    try:
        async with writes:
            for count, entry in enumerate(entries, start=1):
                if count % _BREATH == 0:
                    await asyncio.sleep(0)
                if isinstance(entry, BadLine) and len(problems) == MOST_PROBLEMS:
                    problems.append(
                        BadLine(
                            entry.line,
                            "Too many bad lines: the rest of the file was not read. Fix these and import it again.",
                        )
                    )
                    break
                if isinstance(entry, BadLine):
                    problems.append(entry)
                    continue
                number, draft = entry
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
    return ImportReport(writes.accepted, tuple(problems))


class _Writes:
    """Transactions under way, in the file's order: while the store answers one, the next is made.

    Two that name the same user follow one another, so that the later line wins. Leaving the `with` block waits for all
    of them; `accepted` are the entries whose transaction took place.
    """

    def __init__(self, exemptions: ExemptionList, administrator: AccountAdministrator) -> None:
        self.accepted = 0
        self._exemptions = exemptions
        self._administrator = administrator
        self._under_way: deque[tuple[int, set[EmailAddress], asyncio.Task[None]]] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def begin(self, batch: dict[int, ExemptionDraft]) -> None:
        """Write these as soon as there is room for them."""
        users = {draft.email for draft in batch.values()}
        while len(self._under_way) == AT_ONCE or any(users & others for _, others, _ in self._under_way):
            await self._settle()
        writing = asyncio.create_task(self._exemptions.put_many(self._administrator, batch))
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
    """The list as a CSV file with a header line and CRLF ends (RFC 4180)."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    async for each in exemptions:
        expires = each.expires_at.isoformat().replace("+00:00", "Z") if each.expires_at else ""
        writer.writerow((_with_guard(each.email), _with_guard(each.reason), expires))
    return file.getvalue().encode()


def _with_guard(cell: str) -> str:
    """An apostrophe before what a spreadsheet would run, and before what would be taken for such a guard."""
    return f"'{cell}" if cell[0] in _RUNS or _is_guarded(cell) else cell


def _without_guard(cell: str) -> str:
    return cell[1:] if _is_guarded(cell) else cell


def _is_guarded(cell: str) -> bool:
    """Apostrophes, one or more, and then something that runs."""
    bare = cell.lstrip("'")
    return bare not in {cell, ""} and bare[0] in _RUNS

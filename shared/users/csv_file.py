"""CSV as spreadsheets write it: the bytes of a file, read as records (RFC 4180), in steps that block nobody.

A record is not a line: a quoted cell may contain line ends, and its content is never a record of its own. Where
quotation marks are unbalanced, nobody can tell what is inside a cell and what is not. So that record is refused, and
nothing after it is read. Lines have a limit before they are parsed, and so does a record of several lines.

Commas, semicolons or tabs separate cells. This module owns the form of a file; its callers know what the cells mean.
"""

import asyncio
import codecs
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shared.kernel.names import PASTED
from shared.kernel.refusals import Malformed

LONGEST = 32_768
"""Characters of a line, and of a record. A row of a spreadsheet's 16,384 columns, all empty, still passes."""

MOST_LINES = 100
"""Lines of one record. A cell with more of them was never closed."""

STEP = 4_096
"""Bytes after which other requests get their turn."""

_CHECKED_AT_ONCE = 64 * STEP
_DELIMITERS = (",", ";", "\t")
_SEP = re.compile(r'"?sep=.?"?[,;\t]*', re.IGNORECASE)
"""The line before the header in which Excel writes, and reads, what separates cells."""

_INSIDE = re.compile(r'[^"]*+(?:""[^"]*+)*+')
"""The content of a quoted cell, up to its end or the line's."""

_NOT_UTF_8 = (
    "The file is not UTF-8 text. In Excel, save it as 'CSV UTF-8 (Comma delimited)', not as a workbook, 'CSV' or "
    "'Unicode Text'; elsewhere choose the encoding UTF-8. Then send it again."
)
_TOO_LONG = f"The line is longer than {LONGEST:,} characters."
_UNBALANCED = (
    "The quotation marks of this record are unbalanced: one is never closed, is followed by more text, or is not "
    "doubled inside its cell. Nothing from this line on was read. Fix it and import the file again."
)


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """The cells of a record, without the space around them, and the line at which it begins, counted from 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be read, the line at which it begins, and why."""

    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class CsvFile:
    """The records below a header. `records` yields None after each `STEP` bytes, so that others get their turn."""

    columns: tuple[str, ...]
    records: Iterator[CsvRecord | BadRecord | None]


async def open_csv(body: bytes, columns_of: Callable[[tuple[str, ...]], tuple[str, ...]]) -> CsvFile | None:
    """Check a file's encoding, and detect by its header which columns it has and what separates them.

    Args:
        body: the file.
        columns_of: the columns that the cells of a header name, none if it is no header; empty cells at the end of
            the header are left out.

    Returns:
        The file, or None if its first line is no header, whatever separates it.

    Raises:
        Malformed: it is not UTF-8.
    """
    await _must_be_utf_8(body)
    lines = _lines(body)
    number, header = 1, await _next(lines)
    if _SEP.fullmatch(header):
        number, header = 2, await _next(lines)
    for delimiter in _DELIMITERS:
        grammar = _Grammar(delimiter)
        columns = columns_of(_cells_of(header, grammar))
        if columns:
            return CsvFile(columns, _records(lines, grammar, number))
    return None


def _cells_of(header: str, grammar: "_Grammar") -> tuple[str, ...]:
    """The header's cells but for empty ones at the end; none if it cannot be read."""
    record = _Record(1, grammar)
    try:
        cells = record.stripped() if record.feed(header) else ()
    except _UnbalancedError:
        return ()
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


async def _must_be_utf_8(body: bytes) -> None:
    """Check the whole body before any of it is used. UTF-16 without a mark can pass as UTF-8, except for its zeros."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), _CHECKED_AT_ONCE):
            if "\0" in decoder.decode(body[start : start + _CHECKED_AT_ONCE]):
                raise Malformed(_NOT_UTF_8)
            await asyncio.sleep(0)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Malformed(_NOT_UTF_8) from None


async def _next(lines: Iterator[str | None]) -> str:
    for line in lines:
        if line is not None:
            return line
        await asyncio.sleep(0)
    return ""


def _lines(body: bytes) -> Iterator[str | None]:
    """Every line without its end, and None after each step. A line that is too long is cut: see `_joined`."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=True)
    begun = ""
    for start in range(0, len(body), STEP):
        first, *others = decoder.decode(body[start : start + STEP]).split("\n")
        begun = _joined(begun, first)
        for line in others:
            yield begun
            begun = line
        yield None
    yield from (begun + decoder.decode(b"", final=True)).split("\n")


def _joined(begun: str, more: str) -> str:
    """A continued line. If too long, it keeps one character above the limit, and a quotation mark if it had any."""
    if len(begun) + len(more) <= LONGEST:
        return begun + more
    mark = '"' if '"' in begun or '"' in more else ""
    return f"{mark}{begun}{more}"[: LONGEST + 1]


def _records(lines: Iterator[str | None], grammar: "_Grammar", number: int) -> Iterator[CsvRecord | BadRecord | None]:
    record: _Record | None = None
    for line in lines:
        if line is None:
            yield None
            continue
        number += 1
        if record is None and '"' not in line:
            if len(line) > LONGEST:
                yield BadRecord(number, _TOO_LONG)
            elif line:
                yield CsvRecord(number, tuple(cell.strip(PASTED) for cell in line.split(grammar.delimiter)))
            continue
        record = record or _Record(number, grammar)
        try:
            whole = record.feed(line)
        except _UnbalancedError:
            break
        if whole:
            yield CsvRecord(record.line, record.stripped())
            record = None
    if record is not None:
        yield BadRecord(record.line, _UNBALANCED)


class _UnbalancedError(Exception):
    """Quotation marks are unbalanced."""


class _Grammar:
    """How cells are separated. Space before and after a quoted cell is not part of it.

    Args: `delimiter`, the separator.
    """

    def __init__(self, delimiter: str) -> None:
        space = f"[{re.escape(PASTED.replace(delimiter, ''))}]*+"
        self.delimiter = delimiter
        self.opening = re.compile(f'{space}"')
        self.closing = re.compile(rf'"{space}({delimiter}|\Z)')
        self.plain = re.compile(rf"([^{delimiter}]*+)({delimiter}|\Z)")


@dataclass(slots=True)
class _Record:
    """A record with quotation marks, fed line by line until it is complete."""

    line: int
    grammar: _Grammar
    _cells: list[str] = field(default_factory=list)
    _open: list[str] | None = None
    _lines: int = 0
    _length: int = 0

    def feed(self, line: str) -> bool:
        """Take the next line; return whether the record is complete.

        Raises:
            _UnbalancedError: quotation marks are unbalanced, or enclose so much that one was never closed.
        """
        self._lines += 1
        self._length += len(line) + 1
        if self._lines > MOST_LINES or self._length > LONGEST + 1:
            raise _UnbalancedError
        at = 0
        while True:
            if self._open is None and (opening := self.grammar.opening.match(line, at)):
                self._open = []
                at = opening.end()
            end = self._plain(line, at) if self._open is None else self._quoted(self._open, line, at)
            if end is None:
                return self._open is None
            at = end

    def _plain(self, line: str, at: int) -> int | None:
        """Take a cell that is not quoted; return where the next begins."""
        cell = self.grammar.plain.match(line, at)
        if cell is None or cell[1].count('"') % 2:
            raise _UnbalancedError
        self._cells.append(cell[1])
        return cell.end() if cell[2] else None

    def _quoted(self, parts: list[str], line: str, at: int) -> int | None:
        """Take this line's part of a quoted cell; return where the next cell begins."""
        inside = _INSIDE.match(line, at)
        end = inside.end() if inside else at
        parts.append(line[at:end])
        if end == len(line):
            return None
        closing = self.grammar.closing.match(line, end)
        if closing is None:
            raise _UnbalancedError
        self._cells.append("\n".join(parts).replace('""', '"'))
        self._open = None
        return closing.end() if closing[1] else None

    def stripped(self) -> tuple[str, ...]:
        """Its cells, once it is complete."""
        return tuple(cell.strip(PASTED) for cell in self._cells)

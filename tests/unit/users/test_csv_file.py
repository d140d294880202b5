"""Files as people's programs write them: records, not lines; bounds before anything is parsed; turns for others."""

import asyncio
import csv
import io
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.names import PASTED
from shared.users.csv_file import LONGEST, MOST_LINES, STEP, BadRecord, CsvFile, CsvRecord, open_csv


def columns(cells: tuple[str, ...]) -> tuple[str, ...]:
    return cells if cells == ("a", "b") else ()


async def opened(rows: str, delimiter: str = ",") -> CsvFile:
    file = await open_csv(f"a{delimiter}b\n{rows}".encode(), columns)
    assert file is not None
    return file


async def read(rows: str, delimiter: str = ",") -> list[CsvRecord | BadRecord]:
    file = await opened(rows, delimiter)
    return [record for record in file.records if record is not None]


async def cells(rows: str, delimiter: str = ",") -> list[tuple[str, ...]]:
    return [record.cells if isinstance(record, CsvRecord) else ("refused",) for record in await read(rows, delimiter)]


ROWS = st.lists(
    st.lists(
        st.text(st.sampled_from("\",;\t\r\n' x") | st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        min_size=1,
        max_size=4,
    ),
    max_size=6,
)


def as_lines_end_here(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip(PASTED)


@given(
    ROWS, st.sampled_from(",;\t"), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(["\n", "\r\n"])
)
async def test_what_programs_write_is_read(rows: list[list[str]], delimiter: str, quoting: Any, end: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)
    assert await cells(file.getvalue(), delimiter) == [tuple(map(as_lines_end_here, row)) for row in rows]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ('5" by 7" paper,x', ('5" by 7" paper', "x")),
        ('he said "no",x', ('he said "no"', "x")),
        ('"he said ""no""",x', ('he said "no"', "x")),
        ('"",x', ("", "x")),
        ('"""",x', ('"', "x")),
        ('"1\n\n3",x', ("1\n\n3", "x")),
        ('"1\r2\r\n3",x', ("1\n2\n3", "x")),
        ('x,"', ("refused",)),
        ("x,", ("x", "")),
        (",", ("", "")),
        ('x, "y" ', ("x", "y")),
        ('x,\u00a0\t"y\nz"\u200b', ("x", "y\nz")),
        ("x,y\u2028z\u0085\v\f\x1c", ("x", "y\u2028z")),
    ],
)
async def test_how_cells_are_told_apart(rows: str, expected: tuple[str, ...]) -> None:
    assert await cells(rows) == [expected]


NOT_ADDING_UP = {
    "never closed": '"x,y',
    "never closed in the last cell": 'x,"y',
    "closed, and then more": '"x" y,z',
    "closed, and then another": '"x" "y",z',
    "not doubled": '"he said "no"",z',
    "not doubled, and a line inside": '"she said "no",\nmallory,until June\nback"',
    "opened in the middle, and a line inside": 'x,y "On leave:\nmallory,until June\nback"',
    "after another separator, and a line inside": 'x;"On leave:\nmallory,until June\nback"',
    "a single one in the middle": 'x,5" screen',
    "too many lines inside": 'x,"' + "\nmallory,until June" * MOST_LINES + '"',
    "too many characters inside": 'x,"' + ("y" * 1_000 + "\n") * (LONGEST // 1_000 + 1) + '"',
    "too many characters in a line": f'x,"{"y" * LONGEST}"',
    "too many characters before the first": f'{"y" * LONGEST} "z',
    "to the end of a large file": 'x,"' + "\n" * 5_000_000,
}


@pytest.mark.parametrize("rows", NOT_ADDING_UP.values(), ids=NOT_ADDING_UP)
async def test_where_quotation_marks_do_not_add_up_nothing_more_is_read(rows: str) -> None:
    """Nobody can tell any more what is inside a cell."""
    before, refused = await read(f"before,x\n{rows}\nmallory,x\n")
    assert before == CsvRecord(2, ("before", "x"))
    assert isinstance(refused, BadRecord)
    assert (refused.line, "Nothing from this line on was read" in refused.detail) == (3, True)


async def test_a_record_may_have_as_many_lines_and_characters_as_is_said() -> None:
    most_lines = '"' + "\n" * (MOST_LINES - 1) + 'x",y'
    longest = f'"{"x" * (LONGEST - 4)}",'
    assert await cells(f"{most_lines}\n{longest}y\n{longest[1:-2]}xyz,") == [
        ("x", "y"),
        ("x" * (LONGEST - 4), "y"),
        ("x" * (LONGEST - 4) + "xyz", ""),
    ]
    two_lines = f'x,"{"y" * (LONGEST - 5)}\n"'
    assert await cells(two_lines) == [("x", "y" * (LONGEST - 5))]
    assert await cells(f"{two_lines} ") == await cells(f"{longest}yy") == [("refused",)]


@pytest.mark.parametrize("length", [LONGEST + 1, LONGEST + STEP, 10 * LONGEST])
async def test_a_line_without_end_is_refused_before_it_is_parsed_and_spoils_nothing_but_itself(length: int) -> None:
    assert await read(f"x,y\n{'z' * length}\nx,y\n{'z' * length}") == [
        CsvRecord(2, ("x", "y")),
        BadRecord(3, "The line is longer than 32,768 characters."),
        CsvRecord(4, ("x", "y")),
        BadRecord(5, "The line is longer than 32,768 characters."),
    ]


LARGE = {
    "entries": "alice,Kiosk\n",
    "blank lines": "\n",
    "carriage returns": "\r",
    "nothing but separators": ",",
    "rows without values": ",,,,,,,,\n",
    "one line": "x",
    "quotation marks": '"',
    "quoted cells": '"x","y"\n',
    "long quoted cells": f'"{"x" * 3_000}","y\n"\n',
    "letters of two bytes": "ö",
    "letters of four bytes": "\U0001f600\n",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
async def test_no_more_than_a_step_is_read_without_a_pause(text: str) -> None:
    """Beside the file's last line, which a pause stands before."""
    size = 40 * STEP
    rows = text * (size // len(text.encode()))
    file = await opened(rows)
    taken = [*file.records]
    assert taken.count(None) >= len(rows.encode()) // STEP or isinstance(taken[-1], BadRecord)
    for pause, records in groupby(taken, key=lambda each: each is None):
        found = [each for each in records if isinstance(each, CsvRecord)]
        assert pause or sum(len("".join(each.cells)) for each in found) <= STEP + LONGEST
        assert len(found) <= STEP


async def test_while_a_files_encoding_is_checked_and_its_header_read_others_have_their_turn() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    body = b"a" * 5_000_000
    assert await open_csv(body, columns) is None
    waiting.cancel()
    assert turns >= len(body) // STEP

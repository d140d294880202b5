"""The panel previews a CSV file as the service reads it: a record of one is a record of the other, and nothing else."""

import asyncio
import json
import subprocess
from collections.abc import Iterable
from itertools import chain, product
from pathlib import Path
from typing import Any

import pytest

from functions.http.scripts import DIST
from shared.users.csv_file import BadRecord, CsvRecord, open_csv
from shared.users.exchange import _columns
from shared.users.formulas import with_guards, without_guards

READ = """
const { readCsv, textOf, writeCsv } = await import(process.argv[1]);
let given = "";
for await (const part of process.stdin) given += part;
const { files, bytes, lines } = JSON.parse(given);
const listed = new Map();
const texts = bytes.map((each) => textOf(Uint8Array.from(each).buffer));
const written = lines.map((each) => writeCsv([each], { title: "why", of: () => each.reason }));
console.log(JSON.stringify({ read: files.map((each) => readCsv(each, listed)), texts, written }));
"""

HEADER = "email,reason,expiresAt\n"
PIECES = ('"', ",", "\n", "b", " ", '""')
FILES = [
    f'{HEADER}alice@contoso.example,"On leave. Stand-ins:\nbob@contoso.example,until June\nback"\n',
    f'{HEADER}alice@contoso.example, "On leave. Stand-ins:\nbob@contoso.example,until June\nback"\n',
    f'{HEADER}\u00a0"alice@contoso.example"\u200b,\ufeff"Kiosk, 5"" wide" ,\n',
    f'{HEADER}alice@contoso.example,5" wide\nbob@contoso.example,Kiosk"\n',
    f'{HEADER}alice@contoso.example,"never closed\nbob@contoso.example,Kiosk\n',
    f"{HEADER}alice@contoso.example,Kiosk,,more\nbob@contoso.example,Kiosk,,,\n,,\n\u200b,\n",
    f"{HEADER}'alice@contoso.example,'=1+1;'-2,'2099-01-01T00:00:00Z\n",
    f"{HEADER}alice@contoso.example,{'x' * 40_000}\nbob@contoso.example,Kiosk\n",
    f'{HEADER}alice@contoso.example,"{"x" * 40_000}"\nbob@contoso.example,Kiosk\n',
    f'{HEADER}alice@contoso.example,"{"\n" * 120}"\nbob@contoso.example,Kiosk\n',
    "\ufeffsep=;\r\nEMAIL;Reason;Expires At;;\r\nalice@contoso.example;Kiosk;\r\n",
    '"sep=;";;\r"E-Mail";Reason\ralice@contoso.example;"a;b"\r',
    "email\treason\nalice@contoso.example\tKiosk, wide\n",
    "reason,email\nKiosk,alice@contoso.example",
    "email,reason,reason\n",
    "email,reason,phone\n",
    '"email,reason\n',
    "email|reason\n",
    "",
]
ADDRESS = "'=o'hara@contoso.example"
TEXTS = ("=1", "Left;=1+1;x", "a,-b", "'=1", "' \"@x", "\u200b+1", "\uff1d1\t\uff0d2", "Kiosk", 'say "hi"', "x;'")


def of_the_panel(files: Iterable[str], bodies: Iterable[bytes] = (), texts: Iterable[str] = ()) -> dict[str, Any]:
    """What the panel makes of texts, of bytes, and of lines that it writes."""
    lines = [{"line": 2, "email": ADDRESS, "reason": text, "ends": "", "kind": "add"} for text in texts]
    given = json.dumps({"files": [*files], "bytes": [[*each] for each in bodies], "lines": lines})
    (script,) = DIST.glob("azure-sso-csv.*.js")
    command = ["node", "--input-type=module", "--eval", READ, str(script)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True, cwd=Path(DIST))
    return json.loads(done.stdout)


async def of_the_service(text: str) -> list[tuple[object, ...]] | None:
    """Its records: line, cells by column without marks, and what is wrong."""
    file = await open_csv(text.encode(), _columns)
    if file is None:
        return None
    found: list[tuple[object, ...]] = []
    for record in file.records:
        match record:
            case BadRecord(line, detail):
                found.append((line, "", "", "", "long" if detail.startswith("The line is") else "quotes"))
            case CsvRecord(line, cells) if any(cells):
                named = dict(zip(file.columns, cells, strict=False))
                email, ends = (named.get(name, "").removeprefix("'") for name in ("email", "expiresAt"))
                extra = any(cells[len(file.columns) :])
                found.append((line, email, without_guards(named.get("reason", "")), ends, "cells" if extra else None))
    return found


def shown(lines: list[dict[str, Any]] | None) -> list[tuple[object, ...]] | None:
    """The panel's lines in the same form; whether an address is one is not a question of the file."""
    if lines is None:
        return None
    of_the_file = {"cells", "long", "quotes"}
    return [
        (each["line"], each["email"], each["reason"], each["ends"], fault if fault in of_the_file else None)
        for each in lines
        for fault in [each.get("fault")]
    ]


def test_the_panel_reads_a_file_as_the_service_does() -> None:
    some = chain.from_iterable(product(PIECES, repeat=count) for count in range(6))
    files = [*FILES, *(f"{HEADER}a@b.example,{''.join(pieces)}\nc@d.example,Kiosk\n" for pieces in some)]
    read = of_the_panel(files)["read"]

    async def both() -> list[list[tuple[object, ...]] | None]:
        return [await of_the_service(each) for each in files]

    expected = asyncio.run(both())
    wrong = [
        (each, panel, service)
        for each, panel, service in zip(files, map(shown, read), expected, strict=True)
        if panel != service
    ]
    assert wrong == []
    assert None in expected
    assert any(each and each[-1][-1] == "quotes" for each in expected)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("j\u00f6rg".encode(), "j\u00f6rg"),
        ("\ufeffj\u00f6rg".encode(), "j\u00f6rg"),
        ("j\u00f6rg".encode("cp1252"), None),
        ("email".encode("utf-16"), None),
        ("email".encode("utf-16-le"), None),
    ],
)
def test_what_is_not_utf_8_is_not_guessed_at(body: bytes, text: str | None) -> None:
    assert of_the_panel([], [body])["texts"] == [text]


def test_what_the_panel_writes_runs_nowhere_and_is_read_as_it_was() -> None:
    written = of_the_panel([], texts=TEXTS)["written"]
    read = of_the_panel([each.replace(',"why"', "", 1) for each in written])["read"]
    for text, file, lines in zip(TEXTS, written, read, strict=True):
        assert f'"{with_guards(text).replace(chr(34), chr(34) * 2)}"' in file
        assert (lines[0]["email"], lines[0]["reason"]) == (ADDRESS, text)

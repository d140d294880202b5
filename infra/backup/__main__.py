"""`make export FILE=…` and `make import FILE=… [EXACT=yes]`, on the command line."""

import argparse
import asyncio
import logging
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Final

from infra.backup.archive import ArchiveError
from infra.backup.store import StoreError, find_place, opened
from infra.backup.transfer import export_tables, import_tables

_LOCAL_SETTINGS: Final = Path("local.settings.json")


def main() -> None:
    """Run the command and report the result; exit code 1 with one sentence when something is wrong."""
    logging.getLogger("azure").setLevel(logging.CRITICAL)  # errors are reported once, in our words
    try:
        asyncio.run(_run(_asked()))
    except (ArchiveError, StoreError) as refusal:
        sys.exit(str(refusal))
    except FileExistsError as error:
        sys.exit(f"{error.filename} exists, and no file is overwritten: choose another name.")
    except OSError as error:
        sys.exit(f"{error.filename or 'The disk'}: {error.strerror}.")
    except sqlite3.OperationalError as error:
        sys.exit(f"Temporary files cannot be written: {error}.")
    except KeyboardInterrupt:
        sys.exit("Stopped. An export is gone; an import that had begun is finished by repeating it.")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.backup", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("export", help="write the tables to a new file").add_argument("file", type=Path)
    importing = what.add_parser("import", help="write the rows of a file to the tables")
    importing.add_argument("file", type=Path)
    importing.add_argument("--exact", action="store_true", help="remove the rows that the file does not have")
    return parser.parse_args()


async def _run(asked: argparse.Namespace) -> None:
    began = time.monotonic()
    async with opened(find_place(os.environ, _LOCAL_SETTINGS)) as service:
        if asked.what == "export":
            print(f"Exporting {service.url} to {asked.file}")
            rows = await export_tables(service, asked.file)
            for table, count in rows.items():
                print(f"  {table:<14} {count:>9,} rows")
            print(f"{sum(rows.values()):,} rows, {asked.file.stat().st_size:,} bytes, {_since(began)}.")
            print("The file holds email addresses: keep it as safe as the store.")
        else:
            print(f"Importing {asked.file} to {service.url}")
            tables = await import_tables(service, asked.file, exact=asked.exact)
            for table, done in tables.items():
                others = f", {done.others:,} others {'removed' if asked.exact else 'left'}" if done.others else ""
                print(f"  {table:<14} {done.written:>9,} rows written{others}")
            print(f"{sum(done.written for done in tables.values()):,} rows, {_since(began)}.")
            if not asked.exact and any(done.others for done in tables.values()):
                print("The file does not have the others: `EXACT=yes` removes them.")


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"


if __name__ == "__main__":
    main()

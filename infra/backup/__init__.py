"""The tables in one file: `make export` writes it, `make import` puts it back, into the same store or another.

It runs on an operator's machine, against Azure Table Storage, Azure Cosmos DB for Table and Azurite. It knows entities
and their types, not their meaning: whatever a release of the product stores in its tables is restored unchanged. It is
not a way to change data, and it leaves out `flows`: single-use items must not become valid again. It leaves out `keys`,
too, whose rows are useless without the vault.
"""

from typing import Final

from shared.wiring import TABLE_NAMES

TABLES: Final = tuple(sorted({*TABLE_NAMES} - {"flows", "keys"}))
"""The tables of a backup, in the order of the file. Sign-ins in progress, codes, used assertions and sessions are in
`flows`: see docs/decisions/0021-backup.md."""

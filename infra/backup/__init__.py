"""The tables in one file: `make export` writes it, `make import` puts it back, into the same store or another.

It runs on an operator's machine, against Azure Table Storage, Azure Cosmos DB for Table and Azurite. It knows entities
and their types, not what they mean: whatever a release of the product keeps in its tables comes back as it was. It is
not a way to change data, and it does not take `flows` along: what is good for one use must not come back to life.
"""

from typing import Final

from shared.wiring import TABLE_NAMES

TABLES: Final = tuple(sorted({*TABLE_NAMES} - {"flows"}))
"""What is backed up, in the order of the file. Sign-ins under way, codes, used assertions and sessions live in `flows`:
see docs/decisions/0021-backup.md."""

"""Flows that this instance has issued and nobody has come back with yet, so that whoever does costs no read.

A copy may be as old as it likes: it is used for a write that names its version, and the store refuses that write if
another instance was first. Then the row is read. A copy is used once.
"""

from sys import getsizeof

from shared.kernel.caches import BoundedCache
from shared.ports.table import Key, Row

_MOST = 10_000
_MOST_BYTES = 16_000_000
"""By estimate: fifty sign-ins a second of people who take two minutes at Microsoft."""

_FRAME = 1_000
"""Bytes that a copy takes beside its document."""


class Issued:
    """The copies; the oldest go first."""

    def __init__(self) -> None:
        self._rows = BoundedCache[Key, Row](_MOST, _MOST_BYTES)

    def keep(self, row: Row) -> None:
        """Keep a row as it was written."""
        self._rows.put(row.key, row)
        self._rows.weigh(row.key, _FRAME + getsizeof(row.document))

    def pop(self, key: Key) -> Row | None:
        """The copy, which is gone then."""
        row = self._rows.get(key)
        self._rows.drop(key)
        return row

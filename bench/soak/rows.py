"""What the tables hold, by kind of row; and what would be left of it by the purge of a later day."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from azure.data.tables import TableServiceClient

from local.processes import Azurite
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTables
from shared.flows.expiry import first_to_keep
from shared.flows.purge import purge_expired
from shared.wiring import TABLE_NAMES

_TEXT_OF_AN_EVENT: Final = "accounts person of an event"
KEPT: Final = frozenset({"accounts audit", "applications ~audit", _TEXT_OF_AN_EVENT, "accounts portal-session"})
"""Kinds that keep what was done: trails, and visits to the portal, of which a later one removes those that are over."""

_FLOWS, _DUTIES = "flows", "duties"
_MINUTE: Final = re.compile(r"[0-9]{8}T[0-9]{4}")
_LATE: Final = timedelta(minutes=3)
"""The timer runs each minute, for most of it, and what is due in a minute is taken in the next one."""


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of each kind the tables hold, and how many characters each kind has in all.

    A kind is a table and how its row keys begin. `expired` counts the rows that a purge would remove, and `late` the
    duties that should have been done.
    """

    counts: Counter[str]
    characters: Counter[str]
    expired: int
    late: int

    @classmethod
    def of(cls, store: Azurite, now: datetime) -> Self:
        """Read them all."""
        counts, characters, expired, late = Counter[str](), Counter[str](), 0, 0
        last_due = f"{now - _LATE:%Y%m%dT%H%M}"
        with TableServiceClient.from_connection_string(store.connection_string) as service:
            for name in TABLE_NAMES:
                for entity in service.get_table_client(name).list_entities():
                    kind, partition = _kind(name, entity), str(entity["PartitionKey"])
                    counts[kind] += 1
                    characters[kind] += sum(len(part) for part in entity.values() if isinstance(part, str))
                    expired += name == _FLOWS and partition < first_to_keep(now)
                    late += name == _DUTIES and bool(_MINUTE.fullmatch(partition)) and partition < last_due
        return cls(counts, characters, expired, late)

    @property
    def expiring(self) -> Counter[str]:
        """The rows that have an end, by kind."""
        return _of(self.counts, (kind for kind in self.counts if kind.startswith(f"{_FLOWS} ")))

    @property
    def kept(self) -> int:
        """How many rows keep what was done."""
        return _of(self.counts, KEPT).total()

    @property
    def lasting(self) -> int:
        """How many rows stay until somebody changes them."""
        return _of(self.counts, self._lasting_kinds).total()

    @property
    def lasting_characters(self) -> int:
        """How long they are in all."""
        return _of(self.characters, self._lasting_kinds).total()

    @property
    def _lasting_kinds(self) -> list[str]:
        ending = tuple(f"{table} " for table in (_FLOWS, _DUTIES))
        return [kind for kind in self.counts if kind not in KEPT and not kind.startswith(ending)]


def purge(store: Azurite, as_of: datetime) -> None:
    """Do what the service's purge will do at a later moment."""

    async def purged() -> None:
        tables = AzureTables(Account.from_connection_string(store.connection_string))
        try:
            await purge_expired(tables.table(_FLOWS), as_of)
        finally:
            await tables.close()

    asyncio.run(purged())


def _kind(table: str, entity: dict[str, Any]) -> str:
    begin, *more = str(entity["RowKey"]).split(":")
    if (table, begin, len(more)) == ("accounts", "person", 2):
        return _TEXT_OF_AN_EVENT
    return f"{table} {begin}" if more or table == _FLOWS else table


def _of(counts: Counter[str], kinds: Iterable[str]) -> Counter[str]:
    return Counter({kind: counts[kind] for kind in kinds if counts[kind]})

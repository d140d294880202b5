"""Sessions: who is signed in to which applications, so that logout reaches all of them.

A session's name is the hash of Entra's `sid`. It has a row for each application. A row is in a partition of the day on
which it expires, so those of a session that lives are of two days at most. Beside it, written by the same transaction,
is a row that names the session for the person, so that all their sessions end when they are erased. It is in the
session's shard, so an erasure, which is rare, looks into every shard.
"""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.flows.expiry import SHARDS, day_of, partition_of
from shared.flows.flows import digest
from shared.kernel.names import AccountId, ClientId
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import Key, Put, Remove, Row, RowChanged, Table
from shared.provider.issuer import Person

_PREFIX = "session:"
_OF_PERSON = "session-of:"
_LIFETIME = timedelta(hours=24)
_SOON = timedelta(minutes=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Session(Record):
    """One application to which a person is signed in. With `logout_hint` Entra need not ask who signs out."""

    client_id: ClientId
    sub: str
    logout_hint: str | None
    began_at: datetime | None = None
    """When the person last signed in to the application; None in rows from before this was stored."""
    account_id: AccountId | None = None
    """The account in which they did; None in rows from before this was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The sessions of every person that an application may end."""

    table: Table
    """The flows' table, whose purge also removes old sessions."""
    clock: Clock
    """Dates the sessions."""

    @staticmethod
    def name_of(entra_sid: str) -> str:
        """The `sid` that applications get: it does not reveal Entra's."""
        return digest(f"sid {entra_sid}")

    def beginning(self, person: Person, client_id: ClientId, logout_hint: str | None) -> tuple[str, tuple[Put, ...]]:
        """The partition of a session that begins now, and the writes by which a person is signed in to an application.

        None without a `sid`, since nobody could end it: the partition is a random one then.
        """
        now, sid = self.clock.now(), person.sid
        partition = partition_of(day_of(now + _LIFETIME), sid or secrets.token_hex(1))
        if sid is None:
            return partition, ()
        session = Session(
            client_id=client_id, sub=person.sub, logout_hint=logout_hint, began_at=now, account_id=person.account_id
        )
        mine = f"{_OF_PERSON}{name_of_person(person.account_id, person.sub)}:{sid}"
        named = Put(Key(partition, mine), "{}")
        return partition, (Put(Key(partition, _prefix(sid) + client_id), session.document()), named)

    async def find(self, sid: str) -> tuple[Row, ...]:
        """The rows of a session, the latest last: one per application, or two if a sign-in was repeated the next day.

        Raises:
            Unavailable: the store does not respond.
        """
        found = await asyncio.gather(
            *(self.table.under(partition, _prefix(sid)) for partition in self._partitions(sid)),
            self.table.under(sid, _PREFIX),  # of earlier releases
        )
        return tuple(sorted((row for rows in found for row in rows), key=_began_at))

    async def of_person(self, account_id: AccountId, sub: str) -> tuple[str, ...]:
        """The names of the sessions that a person has begun in an account, some of which may have ended.

        Sixteen queries for each of two days.
        """
        prefix = f"{_OF_PERSON}{name_of_person(account_id, sub)}:"
        partitions = [partition for shard in SHARDS for partition in self._partitions(shard)]
        found = await asyncio.gather(*(self.table.under(partition, prefix) for partition in partitions))
        return tuple({row.key.row.removeprefix(prefix): None for rows in found for row in rows})

    async def current(self, sid: str, client_id: ClientId) -> Session | None:
        """The session in this application; None if the person is signed out of it."""
        sessions = [Session.read(row) for row in await self.find(sid)]
        return next((session for session in reversed(sessions) if session.client_id == client_id), None)

    async def is_alive(self, person: Person, client_id: ClientId, begun_by: datetime) -> bool:
        """Whether the person is still signed in to this application; True without a `sid`, since nobody can end it.

        Args:
            person: the person.
            client_id: the application.
            begun_by: a moment soon after the session began, which is not long ago.
        """
        if person.sid is None:
            return True
        row = _prefix(person.sid) + client_id
        days = {day_of(moment + _LIFETIME): None for moment in (begun_by, begun_by - _SOON)}
        found = await asyncio.gather(*(self.table.get(Key(partition_of(day, person.sid), row)) for day in days))
        return any(found)

    async def end(self, rows: tuple[Row, ...]) -> tuple[Session, ...]:
        """Remove these, and return their applications. Of concurrent calls, only one returns each row."""
        return tuple([Session.read(row) for row in rows if await self._taken(row)])

    def _partitions(self, name: str) -> tuple[str, ...]:
        """The partitions of the rows of a session of this name, or of names that begin so, that have not expired."""
        now = self.clock.now()
        return tuple({partition_of(day_of(moment), name): None for moment in (now, now + _LIFETIME)})

    async def _taken(self, row: Row) -> bool:
        try:
            await self.table.write(Remove(row))
        except RowChanged:
            return False
        return True


def _prefix(sid: str) -> str:
    return f"{_PREFIX}{sid}:"


def name_of_person(account_id: AccountId, sub: str) -> str:
    """The name of a person among those who have sessions: it says nothing of them."""
    return digest(f"person {account_id} {sub}")


def _began_at(row: Row) -> datetime:
    return Session.read(row).began_at or _LONG_AGO

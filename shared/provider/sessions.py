"""Sessions: who is signed in to which applications, so that logout reaches all of them.

A session's name is the hash of Entra's `sid`; its rows, one per application, are in one partition. Another row, in a
partition of the person's, has the name of each of their sessions, so that all of them end when the person is erased.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.flows.flows import digest
from shared.kernel.names import AccountId, ClientId
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import Key, Put, Remove, Row, RowChanged, Table
from shared.provider.issuer import Person

_PREFIX = "session:"
_OF_PERSON = "session-of:"
_LIFETIME = timedelta(hours=24)


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

    async def begin(self, person: Person, client_id: ClientId, logout_hint: str | None) -> None:
        """Store that a person is signed in to this application; nothing without a `sid`, since nobody could end it."""
        if person.sid is not None:
            now = self.clock.now()
            session = Session(
                client_id=client_id,
                sub=person.sub,
                logout_hint=logout_hint,
                began_at=now,
                account_id=person.account_id,
            )
            mine = Key(_name_of(person.account_id, person.sub), _OF_PERSON + person.sid)
            await asyncio.gather(
                self.table.write(Put(_key(person.sid, client_id), session.document(), expires_at=now + _LIFETIME)),
                self.table.write(Put(mine, "{}", expires_at=now + _LIFETIME)),
            )

    async def find(self, sid: str) -> tuple[Row, ...]:
        """The rows of a session, one per application."""
        return await self.table.under(sid, _PREFIX)

    async def of_person(self, account_id: AccountId, sub: str) -> tuple[str, ...]:
        """The names of the sessions that a person has begun in an account, some of which may have ended."""
        rows = await self.table.under(_name_of(account_id, sub), _OF_PERSON)
        return tuple(row.key.row.removeprefix(_OF_PERSON) for row in rows)

    async def current(self, sid: str, client_id: ClientId) -> Session | None:
        """The session in this application; None if the person is signed out of it."""
        row = await self.table.get(_key(sid, client_id))
        return None if row is None else Session.read(row)

    async def end(self, rows: tuple[Row, ...]) -> tuple[Session, ...]:
        """Remove these, and return their applications. Of concurrent calls, only one returns each application."""
        return tuple([Session.read(row) for row in rows if await self._taken(row)])

    async def _taken(self, row: Row) -> bool:
        try:
            await self.table.write(Remove(row))
        except RowChanged:
            return False
        return True


def _key(sid: str, client_id: ClientId) -> Key:
    return Key(sid, _PREFIX + client_id)


def _name_of(account_id: AccountId, sub: str) -> str:
    """The partition of the rows that name a person's sessions."""
    return digest(f"person {account_id} {sub}")

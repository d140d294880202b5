"""Sessions: who is signed in to which applications, so that logout reaches all of them.

A session is named by the hash of Entra's `sid`; its rows, one an application, are side by side.
"""

from dataclasses import dataclass
from datetime import timedelta

from shared.flows.flows import digest
from shared.kernel.names import ClientId
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import Key, Put, Remove, Row, RowChanged, Table
from shared.provider.issuer import Person

_PREFIX = "session:"
_LIFETIME = timedelta(hours=24)


class Session(Record):
    """One application in which a person is signed in. With `logout_hint` Entra need not ask who signs out."""

    client_id: ClientId
    sub: str
    logout_hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The sessions of every person, as far as an application may end them."""

    table: Table
    """The flows' table, whose purge removes old sessions, too."""
    clock: Clock
    """Dates the sessions."""

    @staticmethod
    def name_of(entra_sid: str) -> str:
        """The `sid` that applications see: it reveals nothing of Entra's."""
        return digest(f"sid {entra_sid}")

    async def begin(self, person: Person, client_id: ClientId, logout_hint: str | None) -> None:
        """Keep that a person is signed in to this application. Without a `sid` nobody could ever end it."""
        if person.sid is not None:
            session = Session(client_id=client_id, sub=person.sub, logout_hint=logout_hint)
            key = Key(person.sid, _PREFIX + client_id)
            await self.table.write(Put(key, session.document(), expires_at=self.clock.now() + _LIFETIME))

    async def find(self, sid: str) -> tuple[Row, ...]:
        """The rows of a session, one an application."""
        return await self.table.under(sid, _PREFIX)

    async def end(self, rows: tuple[Row, ...]) -> tuple[Session, ...]:
        """Remove these and return their applications; of concurrent calls, each application goes to one."""
        return tuple([Session.read(row) for row in rows if await self._taken(row)])

    async def _taken(self, row: Row) -> bool:
        try:
            await self.table.write(Remove(row))
        except RowChanged:
            return False
        return True

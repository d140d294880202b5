"""Families of refresh tokens: one row for each sign-in that an application may renew.

    begun ──use──> rotated ──use──> rotated …        each use gives the next token, and ends the one before it
       │             ├──the one before, within 30 s──> the same next token: a lost answer, or two tabs
       │             └──any other token of it, or another client's──> ended: somebody has copied a token
       └──sign-out, erasure, revocation, a refused decision, its code a second time, time──> ended

The row has digests of the current token and of the one before it, never a token (docs/decisions/0042). It lives in the
month in which it expires, below the name of its person; beside it, a row in the name of the session finds it at
sign-out. A family ends by a change of its row, so a refresh that is under way then fails. What is left of the row is
nobody's: it keeps a write that the store repeats late from beginning the family again.
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime

from shared.flows.expiry import months_of_four_weeks, partition_of
from shared.flows.inserted import insert_once
from shared.kernel.names import AccountId, ClientId
from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.table import Insert, Key, Put, Remove, Replace, Row, RowChanged, RowExists, Table
from shared.provider.errors import OAuthError, RefreshTokenReusedError, invalid_grant
from shared.provider.family import Family, HeldFamily, Place, SessionOfFamily
from shared.provider.issuer import Code
from shared.provider.refresh_token import PREFIX, RefreshToken, family_key, half_name_of
from shared.provider.sessions import Sessions

OF_SESSION = "family-of:"
"""Of the row keys that name a family for its session."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """The families of every person."""

    table: Table
    """The flows' table, whose purge also removes expired families."""
    sessions: Sessions
    """Whether the person is still signed in."""
    clock: Clock
    """The time."""

    async def begin(self, code: Code, handle: str) -> RefreshToken:
        """Begin the family of a code that is about to be taken, and return its first token.

        It may be repeated as long as the code is good: the last token counts. A sign-out removes the session before it
        looks for families, and this writes the family before it looks for the session, so one of them sees the other.

        Raises:
            OAuthError: the person has signed out since.
            Unavailable: the store does not respond.
        """
        token, person = RefreshToken.first(code, handle), code.person
        family = Family(
            client_id=code.client_id,
            scope=code.scope,
            person=person,
            typed=code.typed,
            issued_at=code.issued_at,
            used_at=self.clock.now(),
            current=token.digest,
        )
        writes: list[Awaitable[object]] = [self._write_first(token.key, family)]
        if person.sid is not None:
            session = SessionOfFamily(
                client_id=code.client_id,
                sub=person.sub,
                logout_hint=None,
                began_at=code.issued_at,
                account_id=person.account_id,
                month=token.month,
                family=token.name,
            )
            beside = _key_beside(token.month, person.sid, token.name)
            writes.append(self.table.write(Put(beside, session.document())))
        await asyncio.gather(*writes)
        if not await self.sessions.is_alive(person, code.client_id, code.issued_at):
            await self._end_at(token.key)
            raise invalid_grant("The user has signed out since the code was issued.")
        return token

    async def find(self, token: RefreshToken, client_id: ClientId) -> HeldFamily:
        """Find the family of a token that is good, and this client's. Any other token of a family ends it.

        Raises:
            RefreshTokenReusedError: it was used before, or was issued to another client. The family has ended.
            OAuthError: it is unknown, or has expired.
            Unavailable: the store does not respond.
        """
        row, now = await self.table.get(token.key), self.clock.now()
        if row is None:
            raise _unknown()
        family = Family.read(row)
        if family.has_ended or family.is_over(now):
            await self.end(row)
            raise _unknown()
        place = family.place_of(token, now)
        if place is None or family.client_id != client_id:
            await self.end(row)
            _log.warning(
                "refresh_token.reused application=%s by=%s account=%s",
                family.client_id,
                client_id,
                family.person.account_id,
            )
            raise RefreshTokenReusedError
        return HeldFamily(family, row, place)

    async def use(self, held: HeldFamily, token: RefreshToken, spent_until: datetime) -> RefreshToken:
        """The token after this one: a new one, or the one that was given out a moment ago.

        Args:
            held: its family.
            token: the token that is used.
            spent_until: from `RenewalPace.renew`, for the row.

        Raises:
            OAuthError: the family has ended meanwhile.
            Unavailable: the store does not respond. Whether or not it did the write, the token may be shown again.
        """
        while held.place is Place.CURRENT:
            rotated = held.family.rotated(token, self.clock.now(), spent_until)
            try:
                await self.table.write(Replace(held.row, rotated.document()))
            except (RowChanged, Unavailable) as failure:
                held = await self.find(token, held.family.client_id)
                if held.place is Place.CURRENT and isinstance(failure, Unavailable):
                    raise
            else:
                return token.successor(rotated.salt)
        return token.successor(held.family.salt)

    async def end(self, row: Row) -> None:
        """End the family in this row, with what names it for its session. Safe to repeat, which removes what was left.

        Raises:
            Unavailable: the store does not respond.
        """
        await self._end_row(row)
        person = Family.read(row).person
        if person.sid is not None:
            month, name = _month_and_name(row.key)
            beside = await self.table.get(_key_beside(month, person.sid, name))
            if beside is not None:
                await self._remove(beside)

    async def end_of(self, code: Code, handle: str) -> None:
        """End the family of a code that was shown a second time (RFC 6749, section 4.1.2)."""
        if await self._end_at(RefreshToken.first(code, handle).key):
            _log.warning("code.reused application=%s account=%s", code.client_id, code.person.account_id)

    async def revoke(self, token: RefreshToken, client_id: ClientId) -> None:
        """End the family of this token, whether it is good or was used before. Safe to repeat.

        Raises:
            OAuthError: the family is another client's.
            Unavailable: the store does not respond.
        """
        row = await self.table.get(token.key)
        if row is None:
            return
        if Family.read(row).client_id != client_id:
            raise invalid_grant("The token was issued to another client.")
        await self.end(row)

    async def of_session(self, sid: str) -> tuple[Row, ...]:
        """The rows (`SessionOfFamily`) that name the families of a session."""
        return await self._under(sid, f"{OF_SESSION}{sid}:")

    async def of_person(self, account_id: AccountId, sub: str) -> tuple[Row, ...]:
        """The families (`Family`) of a person in an account."""
        name = half_name_of(account_id, sub)
        return await self._under(name, PREFIX + name)

    async def end_without_session(self, client_id: ClientId, account_id: AccountId, sub: str) -> None:
        """End an application's families for a person whose sign-ins have no `sid`: a sign-out finds others by it."""
        for row in await self.of_person(account_id, sub):
            family = Family.read(row)
            if family.client_id == client_id and family.person.sid is None:
                await self.end(row)

    async def end_named(self, row: Row) -> None:
        """End the family that this row (`SessionOfFamily`) names. Safe to repeat."""
        named = SessionOfFamily.read(row)
        family = await self.table.get(family_key(named.month, named.family))
        if family is not None:
            await self._end_row(family)
        await self._remove(row)

    async def _write_first(self, key: Key, family: Family) -> None:
        """Write the row of a family that begins, or begins anew because its code was not taken.

        Raises:
            OAuthError: it has ended.
        """
        try:
            await insert_once(self.table, Insert(key, family.document()))
        except RowExists:
            row = await self.table.get(key)
            if row is None or Family.read(row).has_ended:
                raise _unknown() from None
            try:
                await self.table.write(Replace(row, family.document()))
            except RowChanged:
                await self._write_first(key, family)

    async def _end_at(self, key: Key) -> bool:
        """End the family at this key; whether there was one that had not ended."""
        row = await self.table.get(key)
        if row is None:
            return False
        await self.end(row)
        return not Family.read(row).has_ended

    async def _under(self, name: str, prefix: str) -> tuple[Row, ...]:
        months = months_of_four_weeks(self.clock.now())
        found = await asyncio.gather(*(self.table.under(partition_of(month, name), prefix) for month in months))
        return tuple(row for rows in found for row in rows)

    async def _end_row(self, row: Row) -> None:
        """End the family in this row, also in one that is being replaced."""
        family = Family.read(row)
        if family.has_ended:
            return
        try:
            await self.table.write(Replace(row, family.ended().document()))
        except RowChanged:
            again = await self.table.get(row.key)
            if again is not None:
                await self._end_row(again)

    async def _remove(self, row: Row) -> None:
        """Remove a row, also one that is being replaced."""
        try:
            await self.table.write(Remove(row))
        except RowChanged:
            again = await self.table.get(row.key)
            if again is not None:
                await self._remove(again)


def _key_beside(month: str, sid: str, name: str) -> Key:
    """The key of the row that names a family for its session."""
    return Key(partition_of(month, sid), f"{OF_SESSION}{sid}:{name}")


def _month_and_name(key: Key) -> tuple[str, str]:
    """The month and the name in the key of a family."""
    return key.partition[1:].partition("-")[0], key.row.removeprefix(PREFIX)


def _unknown() -> OAuthError:
    return invalid_grant("The refresh token is unknown, has expired, or was ended. Sign in again.")

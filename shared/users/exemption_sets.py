"""Exception lists in memory, so that a user of a known account who was never asked for costs no read.

A list is held as long as its version stands: a random value in the account's head, which every transaction on the list
replaces. Resolution reads the head anyway, at most ten seconds old, which is how an instance hears of a change by
another. A list is read after its version, so it is never older than that; it may be newer.

A list is read in the background when its account is asked for again: for another user, or for the first one when their
row is read again. Until that is done, and for a list of more than `MOST_ENTRIES`, the user's own row is read.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self
from uuid import uuid4

from shared.accounts.head import Head, HeadRecord
from shared.kernel.caches import BoundedCache
from shared.kernel.names import AccountId
from shared.kernel.refusals import Refusal
from shared.ports.clock import Clock
from shared.ports.table import Put, Table
from shared.users.exemption import PREFIX, Exemption, Term
from shared.users.user_key import UserKey

MOST_ENTRIES: Final = 10_000
"""Entries of the longest list that is held."""

LONGEST_HELD: Final = timedelta(minutes=5)
"""After this a list is read again even if its version stands: an older release, which runs beside this one during an
update, changes lists without replacing versions."""

_PAUSE: Final = timedelta(seconds=10)
"""Between two readings of one list, however often it changes: an import replaces its version at each transaction."""

_PAGE = 1_000
_MOST_ACCOUNTS = 20_000
_FRAME = 500
"""Bytes that a list takes, whatever its length."""
_PER_ENTRY = 360
"""Bytes that an entry takes: its key, its end and its place, measured with tracemalloc. Never fewer."""


class ExceptionsVersion(HeadRecord):
    """The version of an account's exception list. `value` is random, so that no two versions are ever the same."""

    row = "exceptions"

    value: str = ""

    @classmethod
    def new(cls, account_id: AccountId) -> Put:
        """The operation that replaces the version, whatever it is, so that no writer waits for another one."""
        return Put(cls.key(account_id), cls(value=uuid4().hex).document())


class ListVersion(NamedTuple):
    """The version of an account's list: when the account was registered, and its `ExceptionsVersion`, if it has one."""

    account_id: AccountId
    registered_at: datetime
    value: str

    @classmethod
    def at(cls, head: Head) -> Self:
        """The version as of this head."""
        account = head.account.record
        return cls(account.account_id, account.created_at, head.stored(ExceptionsVersion).record.value)


@dataclass(slots=True)
class _Held:
    """What is held of an account: nothing yet, a list of some version, or that the list is too long."""

    first: UserKey
    alone_until: timedelta
    version: ListVersion | None = None
    terms: dict[UserKey, Term] | None = None
    until: timedelta = timedelta.min
    again: timedelta = timedelta.min
    being_read: bool = False

    def terms_at(self, version: ListVersion, now: timedelta) -> dict[UserKey, Term] | None:
        """The list, if it is held and of this version."""
        return self.terms if self.version == version and now < self.until else None

    def is_due(self, user: UserKey, now: timedelta) -> bool:
        """Whether it may be read. A list that is too long is not, for a time, whatever its version."""
        too_long = self.version is not None and self.terms is None and now < self.until
        asked_again = user != self.first or now >= self.alone_until
        return asked_again and not self.being_read and now >= self.again and not too_long


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionSets:
    """The exception lists that this instance holds."""

    table: Table
    """The accounts' table."""
    clock: Clock
    """The time."""
    most_bytes: int = 64_000_000
    """The memory of all lists, by estimate; the least recently used go first."""
    readings: set[asyncio.Task[None]] = field(init=False, repr=False, default_factory=set)
    """The readings under way. Nobody waits for them."""
    _held: BoundedCache[AccountId, _Held] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_held", BoundedCache[AccountId, _Held](_MOST_ACCOUNTS, self.most_bytes))

    def knows(self, account_id: AccountId) -> bool:
        """Whether the account's list is held, of whatever version."""
        held = self._held.get(account_id)
        return held is not None and held.terms is not None

    def of(self, version: ListVersion, user: UserKey) -> dict[UserKey, Term] | None:
        """The account's list of this version, by user; None if it is not held.

        If it is not held and the account is asked for again, a reading begins.
        """
        now = self.clock.monotonic()
        held = self._held.get(version.account_id)
        if held is None:
            self._held.put(version.account_id, _Held(user, now + _PAUSE))
            return None
        terms = held.terms_at(version, now)
        if terms is None and held.is_due(user, now):
            held.again, held.being_read = now + _PAUSE, True
            reading = asyncio.create_task(self._read(held, version))
            self.readings.add(reading)
            reading.add_done_callback(self.readings.discard)
        return terms

    async def _read(self, held: _Held, version: ListVersion) -> None:
        account_id = version.account_id
        try:
            terms = await self._terms(account_id)
        except Refusal:
            return
        finally:
            held.being_read = False
        held.version, held.terms, held.until = version, terms, self.clock.monotonic() + LONGEST_HELD
        if self._held.get(account_id) is held:
            self._held.weigh(account_id, _FRAME + _PER_ENTRY * len(terms or ()))

    async def _terms(self, account_id: AccountId) -> dict[UserKey, Term] | None:
        """Every entry's terms, by user; None if there are too many."""
        terms: dict[UserKey, Term] = {}
        continuation = None
        while True:
            page = await self.table.page(account_id, PREFIX, _PAGE, continuation)
            entries = map(Exemption.read, page.rows)
            terms |= {each.exception_id: each.term for each in entries}
            if len(terms) > MOST_ENTRIES:
                return None
            continuation = page.continuation
            if continuation is None:
                return terms

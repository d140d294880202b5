"""What was kept for long enough goes: old events, who they named, and links that nobody uses. A duty, once a day.

It reads every row of the accounts' and the applications' table, and only if an operator has set a limit. Whoever no
event names any more is removed from the rows of persons, too. A link that is removed is an event; the next sign-in
makes a new one, proven as every first one is.
"""

import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from typing import ClassVar

from shared.access.roles import OURSELVES
from shared.accounts.head import find_head
from shared.accounts.journal import PREFIX as ACCOUNTS_TRAIL
from shared.accounts.journal import Journal
from shared.applications.register import ApplicationRegister
from shared.duties.duties import Task
from shared.duties.kinds import Backoff, Kind, Outcome
from shared.kernel.names import AccountId
from shared.ports.clock import Clock
from shared.ports.table import TRANSACTION_LIMIT, Remove, Replace, Row, RowChanged, Table
from shared.privacy.limits import FOR_EVER, Limits
from shared.trail.persons import KNOWN, PERSON, Known, Persons
from shared.trail.trail import is_older
from shared.users.identity import find_identity
from shared.users.link import PREFIX as LINKS
from shared.users.link import Link, LinkExpired
from shared.users.people import People

_BEYOND_EVERY_PARTITION = "~"
_DAY = timedelta(days=1)
_NEVER = timedelta(days=365_000)
_HELD = 5_000
"""Rows that are held before what is too old of them is removed."""

_log = logging.getLogger(__name__)


class RetentionRun(Task):
    """Remove what was kept for long enough."""

    kind: ClassVar[str] = "retention"

    @property
    def name(self) -> str:
        """There is one."""
        return "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Ends what is kept."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The accounts' trails."""
    applications: ApplicationRegister
    """The applications, which have trails, too."""
    people: People
    """Whether the people of an earlier tenant are kept, which ends with their links."""
    limits: Limits
    """How long it is kept."""
    clock: Clock
    """The time."""

    def kind(self) -> Kind[RetentionRun]:
        """The kind of duty that does it, once a day for ever."""
        return Kind(
            task=RetentionRun,
            handle=self.run,
            patience=timedelta(minutes=10),
            backoff=Backoff(first=_DAY, longest=_DAY),
            end=_NEVER,
        )

    async def run(self, _: RetentionRun) -> Outcome:
        """Remove what is too old. Safe to repeat; a run that was cut short goes on tomorrow with what is left."""
        if self.limits != FOR_EVER:
            removed = 0
            async for account_id, rows in self._partitions():
                removed += await self._end(account_id, rows)
            if self.limits.trail is not None:
                removed += await self._end_trail(self.applications.persons(), await self.applications.trail_rows())
            _log.info("retention removed=%d", removed)
        return Outcome.AGAIN

    async def _partitions(self) -> AsyncIterator[tuple[AccountId, list[Row]]]:
        """What might be too old of each account, in parts."""
        held, count = defaultdict[str, list[Row]](list), 0
        async for row in self.table.partitions_before(_BEYOND_EVERY_PARTITION):
            if row.key.row.startswith((ACCOUNTS_TRAIL, PERSON, KNOWN, LINKS)):
                held[row.key.partition].append(row)
                count += 1
            if count == _HELD:
                for partition, rows in held.items():
                    yield AccountId(partition), rows
                held.clear()
                count = 0
        for partition, rows in held.items():
            yield AccountId(partition), rows

    async def _end(self, account_id: AccountId, rows: list[Row]) -> int:
        persons = self.journal.trail(account_id).persons
        links = [row for row in rows if row.key.row.startswith(LINKS)]
        others = [row for row in rows if not row.key.row.startswith(LINKS)]
        return await self._end_links(account_id, links) + await self._end_trail(persons, others)

    async def _end_trail(self, persons: Persons, rows: list[Row]) -> int:
        """Remove old events and what they say about persons, and persons whom no event has named since."""
        if self.limits.trail is None:
            return 0
        cutoff = self.clock.now() - self.limits.trail
        known = [row for row in rows if persons.is_known(row.key)]
        old = [row for row in rows if not persons.is_of_a_person(row.key) and is_older(row.key, cutoff)]
        removed = sum([await _removed(persons.table, some) for some in batched(old, TRANSACTION_LIMIT, strict=False)])
        for row in known:
            if Known.read(row).named_on < cutoff.date():
                removed += await persons.forget(row)
        return removed

    async def _end_links(self, account_id: AccountId, rows: list[Row]) -> int:
        """Remove links that were not used for long, and begin to count where no use was stored yet."""
        if self.limits.unused_links is None or await find_head(self.table, account_id) is None:
            return 0
        now = self.clock.now()
        removed = 0
        for row in rows:
            link = Link.read(row)
            with contextlib.suppress(RowChanged):  # used, released or replaced at this moment
                if link.last_used_at is None:
                    await self.table.write(Replace(row, link.used(now).document()))
                elif link.last_used_at < now - self.limits.unused_links:
                    identity = await find_identity(self.table, account_id, link.tid, link.oid)
                    event = LinkExpired(person=link.person, identity=link.identity)
                    changes = Remove(row), *identity.without(link.link_id)
                    await self.journal.commit(account_id, OURSELVES, event, *changes)
                    removed += 1
        if removed:
            await self.people.end_if_all_moved(account_id)
        return removed


async def _removed(table: Table, rows: tuple[Row, ...]) -> int:
    """Remove events, which nobody changes; how many of them another run had left."""
    try:
        await table.write(*map(Remove, rows))
    except RowChanged:
        return sum([await _removed(table, (row,)) for row in rows]) if len(rows) > 1 else 0
    return len(rows)

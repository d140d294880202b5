"""A trail, and the only way to change the thing that it belongs to: in one transaction with the record of the change.

The row key of a trail's record is made before the write and is unique, which makes the record the receipt of its
transaction: when its response was lost, or a write was refused because the SDK had repeated it, the receipt shows that
it took place.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from shared.access.roles import OURSELVES, USER, Actor
from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import (
    TRANSACTION_LIMIT,
    Insert,
    Key,
    Operation,
    Replace,
    Row,
    RowChanged,
    RowExists,
    Table,
)
from shared.trail.events import Event, Found, Person, catalogue
from shared.trail.persons import Persons

_PAGES_SEARCHED = 10

_END_OF_TIME = datetime(2300, 1, 1, tzinfo=UTC)

_MOST_TRIES = 10
"""Attempts to name persons whom other events name, or whom somebody erases, at the same moment."""


class AuditRecord(Record):
    """One change as it is stored; `action` and `details` are an event's (`shared.trail.events`).

    With `by_reference` its persons are references, and the actor's is in place of the subject. Records of before have
    the persons themselves.
    """

    at: datetime
    actor: Actor
    action: str
    details: dict[str, JsonValue]
    by_reference: bool = False

    def references(self, kinds: Mapping[str, type[Event]]) -> tuple[str, ...]:
        """The references that it holds."""
        if not self.by_reference:
            return ()
        kind = kinds.get(self.action)
        actor = () if self.actor.role == OURSELVES.role else (self.actor.subject,)
        return (*actor, *(kind.references_in(self.details) if kind else ()))


@dataclass(frozen=True, slots=True)
class ShownActor:
    """The actor as a reader sees them; `subject` and `name` are None once the person was erased."""

    subject: str | None
    name: str | None
    role: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """One change as a reader of the trail sees it."""

    at: datetime
    actor: ShownActor
    action: str
    details: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class _Change:
    """An event, by whom and when."""

    at: datetime
    actor: Actor
    event: Event

    @property
    def by(self) -> tuple[Person, ...]:
        """The person who acts; nobody if it is the service. Who signs in acts as the identity that the event names."""
        if self.actor.role == OURSELVES.role:
            return ()
        if self.actor.role != USER:
            return (Person(subject=self.actor.subject, name=self.actor.name),)
        named = (each for each in self.event.persons() if each.oid == self.actor.subject)
        return (next(named, Person(oid=self.actor.subject)).model_copy(update={"name": self.actor.name}),)

    @property
    def about(self) -> tuple[Person, ...]:
        """The persons whom it is about, with the name of the one who acts."""
        acting = {each.known_as: each for each in self.by}
        return tuple(acting.get(each.known_as, each) for each in self.event.persons())

    def record(self, references: Mapping[str, str]) -> AuditRecord:
        """The record, with these references (by `Person.known_as`)."""
        by = next((Actor(references[each.known_as], None, self.actor.role) for each in self.by), self.actor)
        details = self.event.details(references)
        return AuditRecord(at=self.at, actor=by, action=self.event.action, details=details, by_reference=True)

    def said(self, persons: Persons, references: Mapping[str, str], name: str) -> tuple[Operation, ...]:
        """The operation that stores its text about its first person, if it has any; `name` is the record's own."""
        texts = self.event.texts()
        return (persons.said(references[self.about[0].known_as], name, texts),) if texts else ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records to look for: those of a kind, and those that name a person or one of these references."""

    kind: str | None = None
    person: Person | None = None
    references: frozenset[str] | None = None


def kind_of(action: str) -> str:
    """The kind of an event: the thing that its action names, in the singular."""
    return action.partition(".")[0].removesuffix("s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The records of one thing's changes, in the thing's own partition, so that both are one transaction."""

    table: Table
    """The table of the thing and its trail."""
    clock: Clock
    """Dates the records."""
    partition: str
    """The partition of both."""
    prefix: str
    """The prefix of the records' row keys; no other row of the partition has it."""
    persons: Persons
    """The persons whom the records name."""

    async def commit(self, actor: Actor, event: Event, *changes: Operation) -> None:
        """Write the changes and the event in one transaction, with the persons whom it names for the first time.

        Args:
            actor: the person or program that makes the change.
            event: the change.
            changes: 99 operations at most, and 90 if the event names persons.

        Raises:
            RowChanged: a row has changed since it was read.
            RowExists: a row that should be new exists already.
        """
        now = self.clock.now()
        key = Key(self.partition, self._newest_first(now))
        await self._write(key, _Change(now, actor, event), changes, lambda document: Insert(key, document))

    async def introduce(self, actor: Actor) -> None:
        """Store who acts, if no event has named them yet, so that transactions that follow have room for 99 changes."""
        person = Person(subject=actor.subject, name=actor.name)
        naming = await self.persons.name((), (person,), self.clock.now())
        if naming.operations:
            with contextlib.suppress(RowExists, RowChanged):
                await self.table.write(*naming.operations)

    async def page(self, size: int, continuation: str | None) -> tuple[tuple[ShownRecord, ...], str | None]:
        """At most `size` records, the newest first, and the continuation for the next ones.

        Persons are read side by side, each once.

        Raises:
            Invalid: the service did not issue this continuation.
        """
        page = await self.table.page(self.partition, self.prefix, size, continuation)
        return await self._shown(page.rows), page.continuation

    async def _shown(self, rows: Iterable[Row]) -> tuple[ShownRecord, ...]:
        kinds = catalogue()
        records = {row.key.row.removeprefix(self.prefix): AuditRecord.read(row) for row in rows}
        found = await self.persons.find(each for record in records.values() for each in record.references(kinds))
        return tuple(_shown(name, record, kinds, found) for name, record in records.items())

    async def search(
        self, wanted: Wanted, size: int, continuation: str | None
    ) -> tuple[tuple[ShownRecord, ...], str | None]:
        """Those of the next records that are wanted, the newest first, and the continuation for the next ones.

        `size` records are looked at together, and ten times as many until one is found: there may be none on a page,
        and more on the next.

        Raises:
            Invalid: the service did not issue this continuation.
        """
        references = await self.persons.references_of(wanted.person) if wanted.person else wanted.references
        kinds = catalogue()

        def is_wanted(row: Row) -> bool:
            record = AuditRecord.read(row)
            named = references is None or not references.isdisjoint(record.references(kinds))
            return named and wanted.kind in {None, kind_of(record.action)}

        for _ in range(_PAGES_SEARCHED):
            page = await self.table.page(self.partition, self.prefix, size, continuation)
            continuation = page.continuation
            if rows := [row for row in page.rows if is_wanted(row)]:
                return await self._shown(rows), continuation
            if continuation is None:
                break
        return (), continuation

    async def rewrite(self, row: Row) -> bool:
        """Name the persons of a record of before by reference; whether there was anything to do. Safe to repeat."""
        record = AuditRecord.read(row)
        kind = catalogue().get(record.action)
        if record.by_reference or kind is None:
            return False
        change = _Change(record.at, record.actor, kind.of_before(record.details))
        try:
            await self._write(row.key, change, (), lambda document: Replace(row, document))
        except RowChanged:
            return False  # rewritten by another, or removed with its account
        return True

    async def _write(
        self, key: Key, change: _Change, changes: tuple[Operation, ...], receipt: Callable[[str], Operation]
    ) -> None:
        """Write changes and record. If others name or erase its persons at the same moment, name them anew."""
        taken = {each.key for each in changes}
        tries = 0
        while True:
            tries += 1
            naming = await self.persons.name(change.about, change.by, self.clock.now())
            document = change.record(naming.references).document()
            said = change.said(self.persons, naming.references, key.row.removeprefix(self.prefix))
            needed = [each for each in (*naming.operations, *said) if each.key not in taken]
            try:
                if len(changes) + len(needed) >= TRANSACTION_LIMIT:
                    await self.table.write(*needed)
                    needed = []
                await self.table.write(*changes, *needed, receipt(document))
            except (RowExists, RowChanged, Unavailable) as failure:
                written = await self.table.get(key)
                if written is not None and written.document == document:
                    return
                if isinstance(failure, Unavailable) or tries == _MOST_TRIES:
                    raise
                if not await self.persons.was_overtaken(naming):
                    raise
            else:
                return

    def _newest_first(self, at: datetime) -> str:
        """A row key that sorts later times first and is unique even within a microsecond."""
        return f"{self.prefix}{_left(at)}-{secrets.token_hex(8)}"


def is_older(key: Key, at: datetime) -> bool:
    """Whether an event, or what it says about a person, is older than this."""
    return key.row.rpartition(":")[2] > _left(at)


def _left(at: datetime) -> str:
    """The time that is left, in digits of which the greater are older."""
    return f"{(_END_OF_TIME - at) // timedelta(microseconds=1):017d}"


def _shown(name: str, record: AuditRecord, kinds: Mapping[str, type[Event]], found: Mapping[str, Found]) -> ShownRecord:
    actor = record.actor
    if not record.by_reference or actor.role == OURSELVES.role:
        by = ShownActor(actor.subject, actor.name, actor.role, None)
    else:
        person = found[actor.subject].person if actor.subject in found else Person()
        by = ShownActor(person.subject or person.oid, person.name, actor.role, actor.subject)
    kind = kinds.get(record.action) if record.by_reference else None
    details = kind.shown(record.details, found, name) if kind else record.details
    return ShownRecord(record.at, by, record.action, details)

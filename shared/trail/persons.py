"""Persons, as trails name them: an event holds a random reference, and what it stands for is in one row beside it.

    audit:…                       an event: references, and no address, name or id of anybody
    person:<reference>            the person: address, name, object id, derived ids
    person:<reference>:<event>    text about the person that belongs to one event, such as the reason of an exception
    known:<name>                  the reference by which the person was named before
    known:<name>:<other name>     another name that was named in one event with this one

A person goes by an address (a user of the account), by an Entra identity, or by a subject of the control panel. Whoever
goes by several has a row for each. Rows are written in the transaction of the event that names a person first. To erase
a person is to remove these rows: events never change, and their references then stand for nobody
(docs/decisions/0036-a-person-is-a-reference.md).
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import batched

from pydantic import JsonValue

from shared.kernel.versions import version_of
from shared.ports.record import Record
from shared.ports.table import (
    TRANSACTION_LIMIT,
    Insert,
    Key,
    Operation,
    Put,
    Remove,
    Replace,
    Row,
    RowChanged,
    Table,
)
from shared.trail.events import Found, Person, Said

PERSON = "person:"
KNOWN = "known:"
_REFERENCE_BYTES = 16
_AT_ONCE = 32
"""Persons that are read at the same time for a page."""


class Known(Record):
    """The reference of a person who was named before.

    `facts` is the version of the person's row. `named_on` is the day on which an event named the person last, `since`
    when the row was made.
    """

    reference: str
    facts: str
    named_on: date
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """The references of an event's persons, and the operations that its transaction needs for them."""

    references: Mapping[str, str]
    """By `Person.known_as`."""
    operations: tuple[Operation, ...]
    """They fail if somebody erases, or names for the first time, one of the persons at the same moment."""
    read: Mapping[Key, str | None] = field(repr=False)
    """The version of each row that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persons:
    """The persons of one partition's trails."""

    table: Table
    """The table of the trails."""
    partition: str
    """Their partition."""
    family: str = ""
    """What the keys of all these rows start with, where the partition has keys of others."""

    async def name(self, persons: Iterable[Person], bystanders: Iterable[Person], now: datetime) -> Naming:
        """Find the references of an event's persons, and make one for each who is new: one point read a person.

        Args:
            persons: whom the event is about. Its transaction fails if one of them is erased at the same moment.
            bystanders: who acts. If one is erased at the same moment, the event has a reference that stands for nobody.
            now: when the event takes place.
        """
        about = {each.known_as: each for each in persons}
        everybody = {each.known_as: each for each in bystanders} | about
        keys = {name: self._known(name) for name in everybody}
        rows = dict(zip(keys, await asyncio.gather(*map(self.table.get, keys.values())), strict=True))
        references: dict[str, str] = {}
        operations: list[Operation] = []
        for name, person in everybody.items():
            reference, needed = self._named(keys[name], rows[name], person, now, bound=name in about)
            references[name] = reference
            operations += needed
        operations += [Put(self._known(f"{name}:{other}"), "{}") for name in about for other in about if other != name]
        read = {keys[name]: row.etag if row else None for name, row in rows.items()}
        return Naming(references=references, operations=tuple(operations), read=read)

    async def was_overtaken(self, naming: Naming) -> bool:
        """Whether one of the persons was erased, or named by another event, since the naming."""
        rows = await asyncio.gather(*map(self.table.get, naming.read))
        return tuple(row.etag if row else None for row in rows) != tuple(naming.read.values())

    def said(self, reference: str, event: str, texts: dict[str, JsonValue]) -> Operation:
        """The operation that stores what an event says about a person."""
        return Put(self._person(f"{reference}:{event}"), Said(texts=texts).document())

    async def find(self, references: Iterable[str]) -> dict[str, "Found"]:
        """Who these are, by reference, without those who were erased: one read a person, side by side."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def rows_of(reference: str) -> tuple[Row, ...]:
            async with turns:
                return await self.rows_of(reference)

        distinct = [*dict.fromkeys(references)]
        families = zip(distinct, await asyncio.gather(*map(rows_of, distinct)), strict=True)
        found = {each: _found(rows, self._person(each).row) for each, rows in families}
        return {reference: person for reference, person in found.items() if person is not None}

    async def look_up(self, name: str) -> "Entry":
        """What is stored of this name (`Person.known_as`): two reads at most."""
        own = self._known(name).row
        rows = await self.table.under(self.partition, own)
        known = next((Known.read(row) for row in rows if row.key.row == own), None)
        theirs = await self.rows_of(known.reference) if known else ()
        return Entry(
            reference=known.reference if known else None,
            since=known.since if known else datetime.max.replace(tzinfo=UTC),
            person=_found(theirs, self._person(known.reference).row) if known else None,
            others=tuple(row.key.row.rpartition(":")[2] for row in rows if row.key.row != own),
            rows=(*rows, *theirs),
        )

    async def known_since(self, person: Person) -> datetime | None:
        """When an event named the person first; None if none did, or they were erased: one point read."""
        row = await self.table.get(self._known(person.known_as))
        return Known.read(row).since if row else None

    async def references_of(self, person: Person) -> frozenset[str]:
        """The references by which events name a person, by this name or by another that they go by."""
        entry = await self.look_up(person.known_as)
        entries = (entry, *await asyncio.gather(*map(self.look_up, entry.others)))
        return frozenset(each.reference for each in entries if each.reference is not None)

    async def rows_of(self, reference: str) -> tuple[Row, ...]:
        """Every row of a person but those by which they are known."""
        return await self.table.under(self.partition, self._person(reference).row)

    def is_known(self, key: Key) -> bool:
        """Whether this is the row by which a person is known."""
        return key.row.startswith(self.family + KNOWN) and key.row.count(":") == 1

    def is_of_a_person(self, key: Key) -> bool:
        """Whether this row is not an event, nor what one says about a person."""
        of_them = key.row.startswith((self.family + KNOWN, self.family + PERSON))
        return of_them and not is_text(key)

    async def forget(self, row: Row) -> int:
        """Remove a person whom no event names any more; return the number of rows.

        Args:
            row: by which they are known. Nothing but text is removed if an event names them at this moment.
        """
        others = (await self.look_up(row.key.row.removeprefix(self.family + KNOWN))).rows
        texts = [each for each in others if is_text(each.key)]
        theirs = [each for each in others if not is_text(each.key) and each.key != row.key]
        try:
            for some in batched(texts, TRANSACTION_LIMIT, strict=False):
                await self.table.write(*map(Remove, some))
            await self.table.write(*map(Remove, (row, *theirs)))
        except RowChanged:
            return 0
        return len(others)

    def _person(self, reference: str) -> Key:
        return Key(self.partition, f"{self.family}{PERSON}{reference}")

    def _known(self, name: str) -> Key:
        return Key(self.partition, f"{self.family}{KNOWN}{name}")

    def _named(
        self, key: Key, row: Row | None, person: Person, now: datetime, *, bound: bool
    ) -> tuple[str, list[Operation]]:
        """The person's reference, and the operations that store what is new about them."""
        document = person.document()
        today = now.astimezone(UTC).date()
        if row is None:
            known = Known(reference=new_reference(), facts=version_of(document), named_on=today, since=now)
            return known.reference, [Insert(key, known.document()), self._written(known.reference, document)]
        known = Known.read(row)
        renamed = person.name is not None and known.facts != version_of(document)
        if not (bound or renamed or known.named_on < today):
            return known.reference, []
        facts = version_of(document) if renamed else known.facts
        again = known.model_copy(update={"facts": facts, "named_on": max(today, known.named_on)})
        written = [self._written(known.reference, document)] if renamed else []
        return known.reference, [Replace(row, again.document()), *written]

    def _written(self, reference: str, document: str) -> Operation:
        return Put(self._person(reference), document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is stored of one name."""

    reference: str | None
    """What events call it."""
    since: datetime
    """When it was named first; at the end of time if it never was."""
    person: Found | None
    """The person; None if they are not known."""
    others: tuple[str, ...]
    """The names that were named in one event with it."""
    rows: tuple[Row, ...]
    """All of its rows."""


def is_text(key: Key) -> bool:
    """Whether this is a text about a person."""
    return key.row.lstrip("~").startswith(PERSON) and key.row.count(":") > 1


def new_reference() -> str:
    """A reference that tells nothing about anybody."""
    return secrets.token_urlsafe(_REFERENCE_BYTES)


def _found(rows: tuple[Row, ...], own: str) -> Found | None:
    """The person in these rows, of which `own` is the person's own; None if it was removed."""
    persons = [Person.read(row) for row in rows if row.key.row == own]
    said = {row.key.row.rpartition(":")[2]: Said.read(row) for row in rows if row.key.row != own}
    return Found(persons[0], said) if persons else None

"""The rows by which an account knows a person, found from one address.

    address ──link──> identity ──its other links──> addresses      theirs: exceptions, links, names in the trail
       └──named together in an event──> identities, addresses      theirs, too, if nobody has them now

An address that was released may be somebody else's by now. So what was linked before is followed only where no link and
no exception is left: then it says nothing of anybody but this person.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from shared.kernel.names import AccountId, TenantId
from shared.portal.session import PREFIX as PORTAL_SESSIONS
from shared.portal.session import PortalSession
from shared.ports.table import Key, Row, Table
from shared.trail.events import Person
from shared.trail.persons import Persons
from shared.users.exemption import Exemption, exemption_key
from shared.users.identity import Identity, find_identity, subject_of
from shared.users.link import PREFIX as LINKS
from shared.users.link import Link, link_key
from shared.users.people import mark_key
from shared.users.user_key import UserKey

_PAGE = 1_000
_USER = "user-"


@dataclass(slots=True)
class Traces:
    """All that an account has of a person.

    `rows` are in the order in which one leads to the next, `names` are `Person.known_as`.
    """

    rows: dict[Key, Row] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    subs: set[str] = field(default_factory=set)
    identities: set[str] = field(default_factory=set)
    """`Person.known_as` of their identities, whether or not an event has named them."""
    authors: set[str] = field(default_factory=set)
    """What stands for them as the author of exceptions."""
    exceptions: int = 0
    links: int = 0

    def add(self, *rows: Row | None) -> None:
        """Add the rows that are there."""
        self.rows |= {row.key: row for row in rows if row is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search for the traces of one person."""

    table: Table
    """The accounts' table."""
    persons: Persons
    """The persons of the account's trail."""
    account_id: AccountId
    """The account."""
    until: datetime
    """What was made later is somebody's who came later."""

    async def find(self, user_key: UserKey, panel: tuple[str, ...]) -> Traces:
        """Find the traces of the person with this address, and with these names in the control panel."""
        traces, seen = Traces(), set[str]()
        links, sessions = await asyncio.gather(self._links(), self._portal_sessions(panel))
        traces.add(*sessions)
        certain, former = [_USER + user_key, *panel], list[str]()
        while certain or former:
            theirs = bool(certain)
            name = (certain or former).pop(0)
            if name in seen:
                continue
            seen.add(name)
            if name.startswith(_USER):
                key = UserKey(name.removeprefix(_USER))
                exemption, linking, mark = await self._user(key)
                if not theirs and (exemption or linking):
                    continue
                traces.exceptions += exemption is not None
                traces.links += linking is not None
                traces.add(exemption, linking, mark)
                certain += [Link.read(linking).identity.known_as] if linking else []
            elif not theirs and name in links:
                continue
            certain += [link.person.known_as for link in links.get(name, ())]
            former += await self._named(traces, name)
            for link in links.get(name, ())[:1]:
                traces.identities.add(name)
                await self._identity(traces, link.tid, link.oid, link.subject)
        return traces

    async def _portal_sessions(self, panel: tuple[str, ...]) -> tuple[Row, ...]:
        """The person's sessions in the portal, which end by it."""
        rows = await self.table.under(self.account_id, PORTAL_SESSIONS)
        sessions = [(row, PortalSession.read(row)) for row in rows]
        return tuple(
            row
            for row, session in sessions
            if session.began_at <= self.until and Person(subject=session.actor.subject).known_as in panel
        )

    async def _user(self, user_key: UserKey) -> tuple[Row | None, Row | None, Row | None]:
        """The user's exception and link, and the link's mark while people move to another tenant."""
        exemption, link, mark = await asyncio.gather(
            self.table.get(exemption_key(self.account_id, user_key)),
            self.table.get(link_key(self.account_id, user_key)),
            self.table.get(mark_key(self.account_id, user_key)),
        )
        old = exemption is not None and Exemption.read(exemption).created_at <= self.until
        linked = link is not None and Link.read(link).linked_at <= self.until
        return exemption if old else None, link if linked else None, mark if linked else None

    async def _named(self, traces: Traces, name: str) -> tuple[str, ...]:
        """Add the rows of a name that events have for the person, and return the names that go with it."""
        entry = await self.persons.look_up(name)
        if entry.reference is None or entry.since > self.until:
            return ()
        traces.names.add(name)
        traces.references.append(entry.reference)
        traces.add(*entry.rows)
        person = entry.person.person if entry.person else None
        if person is not None and person.subject is not None:
            traces.authors |= {person.subject, person.name or person.subject}
        if person is not None and person.tid is not None and person.oid is not None:
            tid = TenantId(person.tid)
            await self._identity(traces, tid, person.oid, subject_of(tid, person.oid))
        return entry.others

    async def _identity(self, traces: Traces, tid: TenantId, oid: str, sub: str) -> None:
        """Add the row of an identity, and those of identities that had its links before and have none now."""
        stored = (await find_identity(self.table, self.account_id, tid, oid)).stored
        before = [Key(self.account_id, row) for row in stored.record.former]
        former = [row for row in await asyncio.gather(*map(self.table.get, before)) if row is not None]
        traces.add(stored.row, *(row for row in former if not Identity.read(row).links))
        traces.subs |= {sub, stored.record.sub or sub}

    async def _links(self) -> dict[str, list[Link]]:
        """The links of each identity, by its name.

        It reads every link of the account, because older links stand in no list of their identity.
        """
        links: dict[str, list[Link]] = {}
        continuation = None
        while True:
            page = await self.table.page(self.account_id, LINKS, _PAGE, continuation)
            for link in map(Link.read, page.rows):
                if link.linked_at <= self.until:
                    links.setdefault(link.identity.known_as, []).append(link)
            continuation = page.continuation
            if continuation is None:
                return links

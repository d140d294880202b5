"""Setup links: start links that are valid for days, for an Entra administrator who has no login of the vendor's.

Several may be open at a time, until one of them connects the account. All of an account are in one row of its head, so
that a try reads them with the connection, and the transaction that connects ends the others. A link is named by the id
of its attempt; what opens it is a ticket, of which nothing is stored here.

```mermaid
stateDiagram-v2
    [*] --> waiting
    waiting --> opened: its page was shown
    opened --> pressed: somebody goes on to Microsoft
    pressed --> refused: a try was refused
    refused --> pressed: another try
    pressed --> connected: consent proven
    waiting --> over
    opened --> over
    refused --> over
    state "ended, revoked, expired" as over
```
"""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from enum import StrEnum

from shared.access.roles import Actor
from shared.accounts.head import Head, HeadRecord
from shared.connection.connection import Attempt, Connection
from shared.kernel.names import Name
from shared.kernel.refusals import Conflict
from shared.ports.record import Record
from shared.trail.events import Event, Person

SHORTEST, LONGEST = timedelta(minutes=10), timedelta(days=14)
"""The lifetime that a setup link may have."""

MOST = 20
"""Setup links of an account that are kept, those that are over included."""

ERASED = "erased"
"""In place of the name of an administrator who was erased, where their work stays."""

_KEPT = timedelta(days=30)
"""How long a link that is over is listed."""


class SetupLinkId(Name):
    """A setup link: random, and no secret."""

    __slots__ = ()
    pattern = re.compile(r"[A-Za-z0-9_-]{22}")
    rule = "The id of a setup link is 22 letters, digits, hyphens or underscores."


class LinkState(StrEnum):
    """What has become of a setup link."""

    WAITING = "waiting"
    OPENED = "opened"
    PRESSED = "pressed"
    REFUSED = "refused"
    CONNECTED = "connected"
    ENDED = "ended"
    REVOKED = "revoked"
    EXPIRED = "expired"


class SignedIn(Record):
    """The person who signed in at Microsoft by a link. `known_as` is that of `Person`."""

    known_as: str
    name: str | None


class LinkRefusal(Record):
    """The last refusal of a try: `reason` is its type."""

    at: datetime
    reason: str
    detail: str


class SetupLink(Record):
    """A setup link, named by the id of its attempt.

    It opens until `expires_at`, and the tries that were begun until then have until `until`. `ended_at` is when another
    link connected the account.
    """

    link_id: str
    created_at: datetime
    created_by: Actor
    expires_at: datetime
    until: datetime
    tenant: str | None = None
    opened_at: datetime | None = None
    pressed_at: datetime | None = None
    presses: int = 0
    signed_in: SignedIn | None = None
    refusal: LinkRefusal | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: Actor | None = None

    @property
    def attempt(self) -> Attempt:
        """The attempt that it stands for."""
        return Attempt(attempt_id=self.link_id, until=self.until, by=Person(subject=self.created_by.subject).known_as)

    @property
    def _closed_at(self) -> datetime | None:
        return self.connected_at or self.ended_at or self.revoked_at

    @property
    def over_at(self) -> datetime:
        """When it was, or will be, over."""
        return self._closed_at or self.expires_at

    def is_open(self, now: datetime) -> bool:
        """Whether it can be opened."""
        return self._closed_at is None and now < self.expires_at

    def counts(self, now: datetime) -> bool:
        """Whether a try of it may still connect the account."""
        return self._closed_at is None and now < self.until

    def state(self, now: datetime) -> LinkState:
        """What has become of it."""
        if self.connected_at is not None:
            return LinkState.CONNECTED
        if self.ended_at is not None:
            return LinkState.ENDED
        if self.revoked_at is not None:
            return LinkState.REVOKED
        return self._progress() if now < self.expires_at else LinkState.EXPIRED

    def _progress(self) -> LinkState:
        if self.pressed_at is None:
            return LinkState.WAITING if self.opened_at is None else LinkState.OPENED
        return LinkState.REFUSED if self.refusal and self.refusal.at >= self.pressed_at else LinkState.PRESSED

    def opened(self, now: datetime) -> "SetupLink":
        """The link after its page was shown. Only the first time is kept: a mail scanner may look every minute."""
        return self if self.opened_at else self.model_copy(update={"opened_at": now})

    def pressed(self, now: datetime) -> "SetupLink":
        """The link after one more press of its button."""
        return self.opened(now).model_copy(update={"pressed_at": now, "presses": self.presses + 1})

    def refused(self, refusal: LinkRefusal, signed_in: SignedIn | None) -> "SetupLink":
        """The link after a try was refused; `signed_in` is who had signed in, if they got so far."""
        return self.model_copy(update={"refusal": refusal, "signed_in": signed_in})

    def revoked(self, actor: Actor, now: datetime) -> "SetupLink":
        """The link after it was revoked; the same if it is over, and no try of it is under way."""
        return self.model_copy(update={"revoked_at": now, "revoked_by": actor}) if self.counts(now) else self

    def without(self, names: AbstractSet[str], now: datetime) -> "SetupLink":
        """The link after persons of these names (`Person.known_as`) were erased: it names them no more.

        One that they have made is revoked: the page behind it shows who did.
        """
        changes: dict[str, object] = {}
        if _is_of(self.created_by, names):
            revoked_at = now if self.counts(now) else self.revoked_at
            changes = {"created_by": Actor(ERASED, None, self.created_by.role), "revoked_at": revoked_at}
        if self.revoked_by is not None and _is_of(self.revoked_by, names):
            changes["revoked_by"] = Actor(ERASED, None, self.revoked_by.role)
        if self.signed_in is not None and self.signed_in.known_as in names:
            changes["signed_in"] = None
        return self.model_copy(update=changes)


class SetupLinks(HeadRecord):
    """The setup links of an account, the newest first."""

    row = "setup"

    links: tuple[SetupLink, ...] = ()

    def find(self, link_id: str) -> SetupLink | None:
        """The link of this id, if there is one."""
        return next((each for each in self.links if each.link_id == link_id), None)

    def open_attempts(self, now: datetime) -> tuple[Attempt, ...]:
        """The attempts of all links that may still connect the account."""
        return tuple(each.attempt for each in self.links if each.counts(now))

    def kept(self, now: datetime) -> tuple[SetupLink, ...]:
        """Those that are listed."""
        return tuple(each for each in self.links if now < each.over_at + _KEPT)

    def added(self, link: SetupLink, now: datetime) -> "SetupLinks":
        """With one more. Those that have been over for the longest time make room for it.

        Raises:
            Conflict: too many are open.
        """
        others = self.kept(now)
        over = sorted((each for each in others if not each.is_open(now)), key=lambda each: each.over_at)
        surplus = max(0, len(others) + 1 - MOST)
        if surplus > len(over):
            raise Conflict(f"{MOST} setup links of this account are open. Revoke one that nobody needs any more.")
        gone = {each.link_id for each in over[:surplus]}
        return SetupLinks(links=(link, *(each for each in others if each.link_id not in gone)))

    def changed(self, link_id: str, change: Callable[[SetupLink], SetupLink]) -> "SetupLinks":
        """With `change(link)` in place of the link; the same if there is no such link."""
        return self._each(lambda link: change(link) if link.link_id == link_id else link)

    def connected(self, attempt_id: str, signed_in: SignedIn, now: datetime) -> "SetupLinks":
        """After an attempt, which may be of none of them, has connected the account: no other one is open."""

        def end(link: SetupLink) -> SetupLink:
            if link.link_id == attempt_id:
                return link.model_copy(update={"connected_at": now, "signed_in": signed_in})
            return link.model_copy(update={"ended_at": now}) if link.counts(now) else link

        return self._each(end)

    def all_revoked(self, actor: Actor, now: datetime) -> "SetupLinks":
        """With none that is open, because the account was disconnected."""
        return self._each(lambda link: link.revoked(actor, now))

    def without(self, names: AbstractSet[str], now: datetime) -> "SetupLinks":
        """After persons of these names were erased."""
        return self._each(lambda link: link.without(names, now))

    def _each(self, change: Callable[[SetupLink], SetupLink]) -> "SetupLinks":
        return SetupLinks(links=tuple(map(change, self.links)))


def _is_of(actor: Actor, names: AbstractSet[str]) -> bool:
    return Person(subject=actor.subject).known_as in names


class ConnectionLinkRevoked(Event):
    """A setup link was revoked, before it had connected the account."""

    action = "connection.link_revoked"

    setup_link: str


def connection_at(head: Head, now: datetime) -> Connection:
    """The connection of an account at this time, in which a setup link counts like any other start."""
    return pending_or_not(head, head.stored(Connection).record, now)


def pending_or_not(head: Head, connection: Connection, now: datetime) -> Connection:
    """The connection at this time, of the account with this head."""
    return connection.as_of(now, *head.stored(SetupLinks).record.open_attempts(now))

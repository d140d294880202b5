"""The record of a session in the portal, its ticket, and its events.

```mermaid
stateDiagram-v2
    [*] --> linked: the control panel asks
    linked --> begun: the button is pressed, in one browser
    linked --> [*]: five minutes
    begun --> [*]: signed out, revoked, idle, or expired
```

A session is a row of its account, so that its beginning and its end are in one transaction with their events. It is
named by a hash of the secret that the browser keeps, which is stored nowhere.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from shared.access.roles import Actor
from shared.flows.flows import Flow, FlowEnded, digest
from shared.kernel.names import AccountId, Name
from shared.ports.record import Record
from shared.ports.table import Key
from shared.trail.events import Event, Person, ShownAs

PREFIX = "portal-session:"

LIFETIME = timedelta(hours=8)
"""How long a session lives at most."""

IDLE = timedelta(minutes=30)
"""How long a session lives that is not used."""

_ID_LENGTH = 32


class PortalSessionId(Name):
    """A session in the portal: no secret, since it is a hash of one."""

    __slots__ = ()
    pattern = re.compile(r"[0-9a-f]{32}")
    rule = "The id of a portal session is 32 hexadecimal digits."


class PortalTicket(Flow):
    """The right to begin one session, in the first browser that presses the button."""

    kind: ClassVar[str] = "portal-ticket"
    lifetime: ClassVar[timedelta] = timedelta(minutes=5)
    start: ClassVar[str] = "Open it again from the control panel."

    account_id: AccountId
    actor: Actor
    session_id: str | None = None

    @property
    def made_at(self) -> datetime:
        """When it was made."""
        return self.expires_at - self.lifetime

    def begun_as(self, session_id: str) -> "PortalTicket":
        """The ticket of this session. The same browser may press again.

        Raises:
            FlowEnded: another browser has begun a session by it.
        """
        if self.session_id not in {None, session_id}:
            raise FlowEnded(self, f"This link was already used in another browser. {self.start}")
        return self.model_copy(update={"session_id": session_id})


class PortalSession(Record):
    """A session: whose it is, in which role, and until when."""

    session_id: str
    actor: Actor
    began_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    @classmethod
    def begin(cls, session_id: str, actor: Actor, now: datetime) -> "PortalSession":
        """A new one."""
        return cls(session_id=session_id, actor=actor, began_at=now, last_used_at=now, expires_at=now + LIFETIME)

    def lives(self, now: datetime) -> bool:
        """Whether it may be used."""
        return self.ended_at is None and now < self.expires_at and now < self.last_used_at + IDLE


def session_key(account_id: AccountId, session_id: str) -> Key:
    """The key of a session's row."""
    return Key(account_id, PREFIX + session_id)


def session_id_of(secret: str) -> str:
    """The id of the session whose secret this is."""
    return digest(f"portal session {secret}")[:_ID_LENGTH]


_AS_IN_THE_PANEL = ShownAs({"subject": "subject", "name": "name"}, inside=True)


class PortalLinked(Event):
    """A link to the portal was made for a person, who can begin one session by it, in a role."""

    action = "portal.linked"

    person: Annotated[Person, _AS_IN_THE_PANEL]
    role: str


class PortalOpened(Event):
    """A person began a session in the portal. What they do there stands under their name and role."""

    action = "portal.opened"

    session: str


class PortalSignedOut(Event):
    """A person ended their session in the portal."""

    action = "portal.signed_out"

    session: str


class PortalRevoked(Event):
    """A person's session in the portal was ended by somebody else."""

    action = "portal.revoked"

    person: Annotated[Person, _AS_IN_THE_PANEL]
    session: str

"""One family of refresh tokens, as its row has it: where a token stands in it, and what is left once it has ended."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from shared.kernel.names import ClientId
from shared.ports.record import Record
from shared.ports.table import Row
from shared.provider.issuer import Person
from shared.provider.refresh_token import FAMILY_LIFETIME, RefreshToken
from shared.provider.sessions import Session

IDLE_LIFETIME = timedelta(days=7)
"""How long a token may lie unused."""

SAME_SUCCESSOR = timedelta(seconds=30)
"""How long after its use a token gives the same next one again."""


class Place(Enum):
    """Where a token stands in its family."""

    CURRENT = "current"
    BEFORE = "before"
    """It was used a moment ago."""


class Family(Record):
    """One family, which is a `Grant`: what its tokens renew.

    `current` and `previous` are digests, and `current` is empty once it has ended; `salt` makes the current token of
    the one before it. `used_at` is when the current one was given out; until `spent_until` the family has spent its
    renewals (`shared.provider.renewal_pace`).
    """

    client_id: ClientId
    scope: tuple[str, ...]
    person: Person
    typed: str | None
    issued_at: datetime
    used_at: datetime
    current: str
    previous: str | None = None
    salt: str = ""
    spent_until: datetime | None = None

    @property
    def nonce(self) -> None:
        """None: a renewed ID token has no nonce (OpenID Connect Core, section 12.2)."""
        return

    @property
    def has_ended(self) -> bool:
        """Whether none of its tokens is good, whatever the time."""
        return not self.current

    def ended(self) -> "Family":
        """What is left of it once it has ended, which does not say whose it was. An earlier release reads it, too."""
        was = self.person
        nobody = Person(sub="", email=None, name=None, account_id=was.account_id, tid=was.tid, oid="", sid=was.sid)
        changes = {"scope": (), "person": nobody, "typed": None, "current": "", "previous": None, "salt": ""}
        return self.model_copy(update=changes)

    def is_over(self, now: datetime) -> bool:
        """Whether it is too old, has not been used for too long, or outlives the session that the account allows."""
        ends = self.issued_at + FAMILY_LIFETIME, self.used_at + IDLE_LIFETIME, self.person.session_expires_at
        return any(end is not None and end <= now for end in ends)

    def place_of(self, token: RefreshToken, now: datetime) -> Place | None:
        """Where a token stands; None if it was used before, or is none of the family's."""
        if hmac.compare_digest(self.current, token.digest):
            return Place.CURRENT
        recent = now - self.used_at < SAME_SUCCESSOR
        return Place.BEFORE if recent and hmac.compare_digest(self.previous or "", token.digest) else None

    def rotated(self, token: RefreshToken, now: datetime, spent_until: datetime) -> "Family":
        """The family once its current token is used."""
        salt = secrets.token_urlsafe(32)
        tokens = {"current": token.successor(salt).digest, "previous": self.current, "salt": salt}
        return self.model_copy(update={**tokens, "used_at": now, "spent_until": spent_until})


class SessionOfFamily(Session):
    """A session in an application that lasts as long as a family: it names the family for the `sid`."""

    month: str
    family: str


@dataclass(frozen=True, slots=True)
class HeldFamily:
    """A family that was found by a token of it, which is good."""

    family: Family
    row: Row
    place: Place

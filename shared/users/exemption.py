"""An exception: one user who keeps the vendor's password although SSO is on.

It is an `Exemption` in code, since Python's `Exception` is taken; people and the API say exception. Its key is a
hash of the email, so that finding it costs one point read in a list of any length, and no email appears in a URL.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from shared.kernel.names import AccountId
from shared.ports.record import Record
from shared.ports.table import Key, RowReader
from shared.trail.events import AboutAPerson, Event, Person, ShownAs
from shared.users.user_key import UserKey

PREFIX = "exception:"


@dataclass(frozen=True, slots=True)
class Term:
    """How long an exception lasts; for ever if `expires_at` is None."""

    expires_at: datetime | None

    def in_force(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or now < self.expires_at


class Exemption(Record):
    """One user who keeps the vendor's password. `email` is in the normal form, in which addresses are compared."""

    exception_id: UserKey
    email: str
    reason: str
    expires_at: datetime | None = None
    created_at: datetime
    created_by: str
    updated_at: datetime

    @property
    def person(self) -> Person:
        """The user, as events name them."""
        return Person(user_key=self.exception_id, email=self.email)

    @property
    def term(self) -> Term:
        """How long it lasts."""
        return Term(self.expires_at)

    def in_force(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.term.in_force(now)


class ExceptionEvent(Event):
    """What the events of one exception have in common."""

    person: Annotated[Person, ShownAs({"exceptionId": "user_key", "email": "email"})]
    reason: AboutAPerson
    expires_at: datetime | None


class ExceptionAdded(ExceptionEvent):
    """A user was put on the exception list."""

    action = "exception.added"


class ExceptionChanged(ExceptionEvent):
    """The terms of an exception were changed. The fields are the new terms."""

    action = "exception.changed"


class ExceptionRemoved(ExceptionEvent):
    """A user was taken off the exception list."""

    action = "exception.removed"


class ExceptionsImported(Event):
    """Up to 98 users were put on the exception list by an import. `lines` are their first and last in the file.

    It names none of them: each entry says when it was made and by whom.
    """

    action = "exceptions.imported"

    count: int
    lines: tuple[int, int]


async def find_exemption(reader: RowReader, account_id: AccountId, user: UserKey) -> Exemption | None:
    """The user's entry, in force or not: one point read."""
    row = await reader.get(exemption_key(account_id, user))
    return Exemption.read(row) if row else None


def exemption_key(account_id: AccountId, exemption_id: UserKey) -> Key:
    """The key of a user's entry."""
    return Key(account_id, PREFIX + exemption_id)

"""The link between a vendor's user, known by account and email, and an Entra identity, known by tenant and object id.

A user signs in by their link. Addresses change hands, identities do not
(https://learn.microsoft.com/entra/identity-platform/migrate-off-email-claim-authorization).
"""

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from shared.connection.connection import Connection
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.kernel.refusals import Forbidden
from shared.ports.record import Record
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.table import Key
from shared.trail.events import Event, Person, ShownAs
from shared.users.identity import subject_of
from shared.users.user_key import UserKey

PREFIX = "link:"


class SignInRefused(Forbidden):
    """A person has signed in at Microsoft, and is refused here. Each kind explains who must act.

    `again`: whether another account can help.
    """

    slug = "sign-in-refused"
    title = "You are not signed in"
    again: ClassVar[bool] = True


class LinkConflict(SignInRefused):
    """The address is linked to another identity."""

    slug = "link-conflict"
    title = "This address belongs to another account at Microsoft"
    again = False


class SsoSwitchedOff(SignInRefused):
    """SSO applied when the person was sent to Microsoft, and no longer does."""

    slug = "sso-switched-off"
    title = "Sign-in with Microsoft was switched off"
    again = False


SWITCHED_OFF = (
    "Your company has switched off sign-in with Microsoft, for you or for this application, while you were signing in. "
    "Go back to the application and sign in with your password there."
)


class Link(Record):
    """One user's link.

    `sub` is a copy of the identity's (`shared.users.identity`), which never changes while the identity has a link; None
    in rows from before it was stored.
    """

    link_id: UserKey
    email: str
    tid: TenantId
    oid: str
    linked_at: datetime
    sub: str | None = None
    last_used_at: datetime | None = None
    """The day, in UTC, on which the user signed in by it last; None in rows from before it was stored."""

    def used(self, now: datetime) -> "Link":
        """The link once it was used: it changes once a day."""
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return self.model_copy(update={"last_used_at": day})

    @property
    def person(self) -> Person:
        """The user, as events name them."""
        return Person(user_key=self.link_id, email=self.email)

    @property
    def identity(self) -> Person:
        """The identity, as events name it."""
        return Person(tid=self.tid, oid=self.oid)

    def is_of(self, identity: VerifiedIdentity) -> bool:
        """Whether the user is linked to this identity."""
        return (self.tid, self.oid) == (identity.tid, identity.oid)

    def is_left_behind_by(self, connection: Connection) -> bool:
        """Whether the account has left the link's tenant since the link was made.

        A connection that is older than the link was read before the account returned to the link's tenant.
        """
        elsewhere = connection.tenant not in {None, self.tid}
        return elsewhere and connection.connected_at is not None and self.linked_at < connection.connected_at

    @property
    def subject(self) -> str:
        """The `sub` of its identity."""
        return self.sub or subject_of(self.tid, self.oid)


class _Linked(Event):
    person: Annotated[Person, ShownAs({"linkId": "user_key", "email": "email"})]
    identity: Annotated[Person, ShownAs({"tid": "tid", "oid": "oid"})]


class LinkMade(_Linked):
    """A person signed in for the first time, and the address belongs to their Entra identity from now on."""

    action = "link.made"


class LinkReplaced(_Linked):
    """A person signed in for the first time since the account has left the tenant of the address's link.

    `tid` and `oid` are theirs, `earlierTid` and `earlierOid` those of the link before. `kept`: applications see the
    same person, because `keepPeople` was on.
    """

    action = "link.replaced"

    earlier: Annotated[Person, ShownAs({"earlierTid": "tid", "earlierOid": "oid"})]
    kept: bool


class LinkReleased(_Linked):
    """A Security Manager has released the address, so that its next first sign-in makes a new link."""

    action = "link.released"


class LinkExpired(_Linked):
    """Nobody has signed in by the link for as long as the operator keeps such links (`SSO_UNUSED_LINK_DAYS`)."""

    action = "link.expired"


class LinksReleased(Event):
    """A Security Manager has released up to 49 links of a tenant or a domain, or, where both are null, of all.

    It names none of the people.
    """

    action = "links.released"

    count: int
    tenant_id: TenantId | None
    domain: DomainName | None


def link_key(account_id: AccountId, link_id: UserKey) -> Key:
    """The key of a user's link."""
    return Key(account_id, PREFIX + link_id)

"""The link between a vendor's user, known by account and email, and an Entra identity, known by tenant and object id.

A user signs in by their link. The first sign-in makes it, and only if the tenant itself vouches for the address; every
later one must be of the same identity, whatever its addresses are by then. Addresses change hands, identities do not
(https://learn.microsoft.com/entra/identity-platform/migrate-off-email-claim-authorization).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from shared.access.roles import USER, AccountAdministrator, Actor
from shared.accounts.head import read_head
from shared.accounts.journal import Journal
from shared.kernel.names import PASTED, AccountId, EmailAddress, TenantId
from shared.kernel.refusals import Forbidden, NotFound
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.table import Insert, Key, Remove, RowChanged, RowExists, Table
from shared.trail.events import Event, ShownAs
from shared.trail.persons import Person
from shared.users.user_key import UserKey

PREFIX = "link:"

_MEMBER = 0


class SignInRefused(Forbidden):
    """A person has signed in at Microsoft, and is refused here. Each kind explains who must act.

    `again`: whether another account can help.
    """

    slug = "sign-in-refused"
    title = "You are not signed in"
    again: ClassVar[bool] = True


class WrongPerson(SignInRefused):
    """Another person signed in than the one whose address was typed."""

    slug = "wrong-person"
    title = "You signed in as somebody else"


class GuestRefused(SignInRefused):
    """A guest signed in, who belongs to another organisation."""

    slug = "guest"
    title = "Guests cannot sign in here"


class AcctMissing(SignInRefused):
    """The ID token lacks `acct` (member or guest), because this service's app registration does not request it."""

    slug = "acct-missing"
    title = "Microsoft does not say whether you are a member"
    again = False


class EmailUnverified(SignInRefused):
    """The tenant does not vouch for the address."""

    slug = "email-unverified"
    title = "Your organisation has not verified this address"
    again = False


class LinkConflict(SignInRefused):
    """The address is linked to another identity."""

    slug = "link-conflict"
    title = "This address belongs to another account at Microsoft"
    again = False


class Link(Record):
    """One user's link."""

    link_id: UserKey
    email: str
    tid: TenantId
    oid: str
    linked_at: datetime

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


class _Linked(Event):
    person: Annotated[Person, ShownAs({"linkId": "user_key", "email": "email"})]
    identity: Annotated[Person, ShownAs({"tid": "tid", "oid": "oid"})]


class LinkMade(_Linked):
    """A person signed in for the first time, and the address belongs to their Entra identity from now on."""

    action = "link.made"


class LinkReleased(_Linked):
    """A Security Manager has released the address, so that its next first sign-in makes a new link."""

    action = "link.released"


def prove_email(identity: VerifiedIdentity, email: EmailAddress) -> None:
    """Prove that the tenant vouches for this member's address, before the first link is made.

    Args:
        identity: the person who signed in.
        email: the address that was typed. Resolution has shown that its domain is verified in this tenant, so a user
            principal name that equals it is in a verified domain, too.

    Raises:
        AcctMissing: it is unknown whether they are a member.
        GuestRefused: they are not a member.
        EmailUnverified: the address is theirs, but not verified.
        WrongPerson: the address is not theirs.
    """
    if identity.acct is None:
        raise AcctMissing(
            "Microsoft does not say whether you are a member of your organisation. The vendor's operators must fix "
            "this: the app registration of this service lacks the optional claim acct in ID tokens."
        )
    if identity.acct != _MEMBER:
        raise GuestRefused("You are a guest in this organisation. Sign in with an account of your own organisation.")
    if email == _address(identity.preferred_username):
        return
    if email == _address(identity.email):
        if identity.xms_edov:
            return
        raise EmailUnverified(
            "Your organisation has not verified the domain of this address. "
            "Ask an administrator of your organisation at Microsoft to verify it."
        )
    signed_in = identity.preferred_username or "somebody else"
    raise WrongPerson(f"You signed in as {signed_in}, and the application asked for {email.address}.")


def _address(text: str | None) -> EmailAddress | None:
    """The address of a claim. Nobody pastes claims: with something invisible around it, it is not the address."""
    if text is None or text != text.strip(PASTED):
        return None
    try:
        return EmailAddress.parse(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The links of every account's users. Of any number of first sign-ins of a user, exactly one makes the link."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    clock: Clock
    """The time."""

    async def admit(self, account_id: AccountId, email: EmailAddress, identity: VerifiedIdentity) -> Link:
        """Return the user's link, if this identity may sign in as them; make it if there is none yet.

        Of two concurrent first sign-ins one makes the link, and the other is checked against it.

        Raises:
            LinkConflict: the user is linked to another identity, and the tenant vouches for this one, too.
            NotFound: the account was removed meanwhile.
            SignInRefused: there is no link to this identity, and the tenant does not vouch for the address; see
                `prove_email`. A person who only chose the wrong account gets that reason, and can try again.
        """
        link_id = UserKey.of(account_id, email)
        row = await self.table.get(link_key(account_id, link_id))
        if row is not None:
            return _must_be_of(Link.read(row), identity, email)
        prove_email(identity, email)
        await read_head(self.table, account_id)
        link = Link(
            link_id=link_id, email=email.address, tid=identity.tid, oid=identity.oid, linked_at=self.clock.now()
        )
        person = Actor(identity.oid, identity.name, USER)
        try:
            event = LinkMade(person=link.person, identity=link.identity)
            await self.journal.commit(account_id, person, event, Insert(link_key(account_id, link_id), link.document()))
        except RowExists:
            return await self.admit(account_id, email, identity)
        return link

    async def page(
        self, administrator: AccountAdministrator, size: int, continuation: str | None
    ) -> tuple[tuple[Link, ...], str | None]:
        """At most `size` links in the order of their ids, and the continuation for the next ones.

        Raises:
            NotFound: there is no such account.
            Invalid: the continuation is not one of ours.
        """
        await read_head(self.table, administrator.account_id)
        page = await self.table.page(administrator.account_id, PREFIX, size, continuation)
        return tuple(Link.read(row) for row in page.rows), page.continuation

    async def release(self, administrator: AccountAdministrator, link_id: UserKey) -> None:
        """Release a user's link: their next sign-in makes a new one. A link never changes, so no version is needed.

        Raises:
            NotFound: there is no such link, or it was released at the same moment.
        """
        row = await self.table.get(link_key(administrator.account_id, link_id))
        if row is None:
            raise _no_link()
        try:
            link = Link.read(row)
            event = LinkReleased(person=link.person, identity=link.identity)
            await self.journal.commit(administrator.account_id, administrator.actor, event, Remove(row))
        except RowChanged:
            raise _no_link() from None


def _no_link() -> NotFound:
    return NotFound("This link does not exist in this account.")


def _must_be_of(link: Link, identity: VerifiedIdentity, email: EmailAddress) -> Link:
    if not link.is_of(identity):
        prove_email(identity, email)
        raise LinkConflict(
            "This address was used by another account of your organisation before. "
            "Ask your company's Security Manager to release the link, then sign in again."
        )
    return link


def link_key(account_id: AccountId, link_id: UserKey) -> Key:
    """The key of a user's link."""
    return Key(account_id, PREFIX + link_id)

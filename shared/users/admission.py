"""Who may sign in as whom. A first sign-in makes the link, and only if the tenant itself vouches for the address.

Every later one must be of the same identity, whatever its addresses are by then. A link to a tenant that the account
has left bars nobody: the next first sign-in, proven as every first one is, replaces it.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.access.roles import USER, Actor
from shared.accounts.head import Head, find_head
from shared.accounts.journal import Journal
from shared.connection.connection import Connection
from shared.domains.tenant_domains import DomainState, find_domain
from shared.kernel.names import AccountId, DomainName, EmailAddress
from shared.kernel.refusals import Unavailable
from shared.policies.policy import Policy
from shared.ports.clock import Clock
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.table import Insert, RecentReader, Replace, Row, RowChanged, RowExists, Table
from shared.users.address_proof import prove_email, vouched_address, vouched_username
from shared.users.identity import Identity, find_identity
from shared.users.link import SWITCHED_OFF, Link, LinkConflict, LinkMade, LinkReplaced, SsoSwitchedOff, link_key
from shared.users.people import People
from shared.users.user_key import UserKey


@dataclass(frozen=True, slots=True)
class Seen:
    """What an admission depends on, as it was read.

    `at` is taken before: if the account leaves the tenant then, the link is older than what comes next.
    """

    at: datetime
    head: Head | None
    row: Row | None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A person who may sign in, and what their account says of them.

    `email` and `username` are addresses that tokens may call theirs; None if there is none. `session_hours` is how long
    an application may keep its session; None leaves it to the application.
    """

    link: Link
    email: EmailAddress | None
    username: EmailAddress | None
    session_hours: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Admits the people of every account. Of any number of first sign-ins of a user, exactly one makes the link."""

    table: Table
    """The accounts' table as it is now: a sign-in must not outlive its account, or the account's connection."""
    recent: RecentReader
    """Remembers the links that were read."""
    journal: Journal
    """The audit trail."""
    people: People
    """Whether the people of an earlier tenant are kept."""
    clock: Clock
    """The time."""

    async def look(self, account_id: AccountId, email: EmailAddress) -> Seen:
        """Read what `admit` depends on, whoever it is that signs in: account and link as they are now.

        The link is remembered, for the code that is redeemed next.
        """
        now = self.clock.now()
        key = link_key(account_id, UserKey.of(account_id, email))
        head, row = await asyncio.gather(find_head(self.table, account_id), self.recent.anew(key))
        return Seen(now, head, row)

    async def admit(
        self,
        account_id: AccountId,
        email: EmailAddress,
        identity: VerifiedIdentity,
        begun_at: datetime,
        seen: Seen | None = None,
    ) -> Admitted:
        """Return the user's link, if this identity may sign in as them; make it if there is none that bars them.

        Of two concurrent first sign-ins one makes the link, and the other is checked against it.

        Args:
            account_id: the account to which the address routed.
            email: the address that was typed.
            identity: the person who signed in.
            begun_at: when they were sent to Microsoft.
            seen: from `look`, since the browser came back; it is read here if it is None.

        Raises:
            SsoSwitchedOff: the account is gone, or another by now, or not connected to the identity's tenant.
            LinkConflict: the user is linked to another identity, and the tenant vouches for this one, too.
            SignInRefused: there is no link to this identity, and the tenant does not vouch for the address; see
                `prove_email`. A person who only chose the wrong account gets that reason, and can try again.
        """
        seen = seen or await self.look(account_id, email)
        now, head, row = seen.at, seen.head, seen.row
        if head is None or not _is_still_connected(head, identity, begun_at):
            raise SsoSwitchedOff(SWITCHED_OFF)
        link = Link.read(row) if row else None
        if link is None or not link.is_of(identity):
            prove_email(identity, email)
            try:
                link = await self._first(head, email, identity, row, now)
            except (RowExists, RowChanged):
                return await self.admit(account_id, email, identity, begun_at)
        elif row is not None and link.used(now) != link:
            # Once a day, so that unused links can be found. A sign-in that cannot store it goes on.
            with contextlib.suppress(RowChanged, Unavailable):
                await self.table.write(Replace(row, link.used(now).document()))
        routes, policy = partial(_routes, head), head.stored(Policy).record.settings
        username = vouched_username(identity, routes)
        return Admitted(link, vouched_address(identity, email, routes), username, policy.session_hours)

    async def _first(
        self, head: Head, email: EmailAddress, identity: VerifiedIdentity, row: Row | None, now: datetime
    ) -> Link:
        if row is None:
            return await self._link(head, email, identity, now)
        _must_be_left_behind(Link.read(row), head, email)
        return await self._replace(head, email, identity, row, now)

    async def _link(self, head: Head, email: EmailAddress, identity: VerifiedIdentity, now: datetime) -> Link:
        """Make the user's first link.

        Raises:
            RowExists, RowChanged: another sign-in was first.
        """
        account_id, link_id = head.account_id, UserKey.of(head.account_id, email)
        own = await find_identity(self.table, account_id, identity.tid, identity.oid)
        mine = own.linked(link_id)
        link = _link_of(identity, link_id, email, mine, now)
        event = LinkMade(person=link.person, identity=link.identity)
        insert = Insert(link_key(account_id, link_id), link.document())
        await self.journal.commit(account_id, _actor(identity), event, insert, own.stored.rewrite(mine))
        return link

    async def _replace(
        self, head: Head, email: EmailAddress, identity: VerifiedIdentity, row: Row, now: datetime
    ) -> Link:
        """Replace a link to a tenant that the account has left, in one transaction with both identities.

        The connection is part of it, so that it is refused if the account has left this tenant, too, or `keepPeople`
        was switched. The `sub` moves only if the Security Manager has said so, the old identity has no other link, and
        the new one is known to no application yet.

        Raises:
            RowChanged: another sign-in, or a release, was first.
        """
        account_id, before = head.account_id, Link.read(row)
        link_id, connection = before.link_id, head.stored(Connection)
        own, former = await asyncio.gather(
            find_identity(self.table, account_id, identity.tid, identity.oid),
            find_identity(self.table, account_id, before.tid, before.oid),
        )
        kept = connection.record.keep_people and former.has_only(link_id) and own.has_no_sub
        mine = own.succeeding(former, link_id, kept=kept)
        link = _link_of(identity, link_id, email, mine, now)
        event = LinkReplaced(person=link.person, identity=link.identity, earlier=before.identity, kept=kept)
        left = (former.stored.rewrite(Identity()),) if kept else former.divided(link_id)
        unchanged = connection.rewrite(connection.record)
        changes = unchanged, Replace(row, link.document()), own.stored.rewrite(mine), *left
        await self.journal.commit(account_id, _actor(identity), event, *changes)
        if connection.record.keep_people:
            await self.people.end_if_all_moved(account_id)
        return link


def _is_still_connected(head: Head, identity: VerifiedIdentity, begun_at: datetime) -> bool:
    """Whether the account existed when the sign-in began, and is connected to the identity's tenant now."""
    return head.account.record.created_at <= begun_at and head.stored(Connection).record.tenant == identity.tid


def _routes(head: Head, domain: DomainName) -> bool:
    """Whether the connected tenant has verified the domain, and it routes to the account."""
    found = find_domain(head, domain)
    return found is not None and found.state(head.account.record.domains) is DomainState.ROUTED


def _must_be_left_behind(link: Link, head: Head, email: EmailAddress) -> None:
    if not (link.is_left_behind_by(head.stored(Connection).record) and _routes(head, email.domain)):
        raise LinkConflict(
            "This address was used by another account of your organisation before. "
            "Ask your company's Security Manager to release the link, then sign in again."
        )


def _link_of(identity: VerifiedIdentity, link_id: UserKey, email: EmailAddress, known: Identity, now: datetime) -> Link:
    link = Link(link_id=link_id, email=email.address, tid=identity.tid, oid=identity.oid, linked_at=now, sub=known.sub)
    return link.used(now)


def _actor(identity: VerifiedIdentity) -> Actor:
    return Actor(identity.oid, identity.name, USER)

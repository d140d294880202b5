"""An Entra identity in one account: the row that gives it its `sub`, and lists its links.

Its key is a hash, so a row contains no address, name or object id; its links do. One `sub` belongs to one row.

    no row            the identity has no link, or only links from before these rows existed: `subject_of` is its `sub`
    sub, links        the identity has these links, and maybe older ones without a row: see `shared.users.people`
    sub, no links     its links are gone; if it signs in again, it is the same person to the applications
    no sub, no links  its `sub` has moved to an identity of the account's next tenant; if it signs in again, it gets one
"""

import hashlib
import secrets
from dataclasses import dataclass

from shared.kernel.encoding import base64url
from shared.kernel.names import AccountId, TenantId
from shared.ports.record import Record, Stored
from shared.ports.table import Key, Operation, RowReader
from shared.users.user_key import UserKey

PREFIX = "identity:"


class Identity(Record):
    """What one row says; see the module.

    `links` are the ids of its links. `former` are the keys of the rows of identities that had one of its links before,
    for whoever removes all that is known of a person. `divided`: another identity has got one of its links, so that
    nobody can tell any more who is the same person, and its `sub` stays.
    """

    sub: str | None = None
    links: tuple[UserKey, ...] = ()
    former: tuple[str, ...] = ()
    divided: bool = False

    def linked(self, link_id: UserKey) -> "Identity":
        """The identity with one link more."""
        return self.model_copy(update={"links": (*self.unlinked(link_id).links, link_id)})

    def unlinked(self, *link_ids: UserKey) -> "Identity":
        """The identity without these links."""
        return self.model_copy(update={"links": tuple(each for each in self.links if each not in link_ids)})


def identity_key(account_id: AccountId, tid: TenantId, oid: str) -> Key:
    """The key of an identity's row: a hash, so that one identity has different rows in different accounts."""
    hashed = hashlib.sha256(f"{account_id}\0{tid}\0{oid}".encode()).digest()
    return Key(account_id, PREFIX + base64url(hashed))


def subject_of(tid: TenantId, oid: str) -> str:
    """The `sub` of an identity, unless its row has another. It reveals nothing, and survives a change of address."""
    return base64url(hashlib.sha256(f"{tid}\0{oid}".encode()).digest())


@dataclass(frozen=True, slots=True)
class StoredIdentity:
    """An identity, and its row if it has one."""

    tid: TenantId
    oid: str
    stored: Stored[Identity]

    @property
    def has_no_sub(self) -> bool:
        """Whether no application knows it, so that it can be given another's `sub`."""
        return self.stored.record.sub is None

    def has_only(self, link_id: UserKey) -> bool:
        """Whether this is, and was, its one link in the account. Unknown, and so False, without a row."""
        return self.stored.record.links == (link_id,) and not self.stored.record.divided

    def linked(self, link_id: UserKey) -> Identity:
        """The identity with one link more, and with a `sub`: if its own has moved away, a new one."""
        record = self.stored.record
        own = subject_of(self.tid, self.oid) if self.stored.row is None else secrets.token_urlsafe(32)
        return record.model_copy(update={"sub": record.sub or own}).linked(link_id)

    def succeeding(self, former: "StoredIdentity", link_id: UserKey, *, kept: bool) -> Identity:
        """The identity with the link of a former one, and, if it is kept, its `sub`."""
        mine, before = self.linked(link_id), former.stored.record
        keys = dict.fromkeys((*mine.former, former.stored.key.row, *before.former))
        keys.pop(self.stored.key.row, None)
        return mine.model_copy(update={"sub": before.sub if kept else mine.sub, "former": tuple(keys)})

    def divided(self, link_id: UserKey) -> tuple[Operation, ...]:
        """The operation after which the identity has lost a link to another, which has not got its `sub`."""
        if self.has_only(link_id):
            return self.without(link_id)
        rest = self.stored.record.unlinked(link_id)
        sub = rest.sub or subject_of(self.tid, self.oid)
        return (self.stored.rewrite(rest.model_copy(update={"sub": sub, "divided": True})),)

    def without(self, *link_ids: UserKey) -> tuple[Operation, ...]:
        """The operation that removes released links from its list, if it has a row.

        The row goes with the last link, unless it says what nobody could work out: another `sub` than `subject_of`.
        """
        if self.stored.row is None:
            return ()
        rest = self.stored.record.unlinked(*link_ids)
        plain = not rest.links and rest.sub == subject_of(self.tid, self.oid)
        return (self.stored.removal() if plain else self.stored.rewrite(rest),)


async def find_identity(reader: RowReader, account_id: AccountId, tid: TenantId, oid: str) -> StoredIdentity:
    """The identity as it is stored in an account: one point read."""
    key = identity_key(account_id, tid, oid)
    row = await reader.get(key)
    return StoredIdentity(tid, oid, Stored(Identity.read(row) if row else Identity(), key, row))

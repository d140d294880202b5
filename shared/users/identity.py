"""An Entra identity in one account: the row that gives it its `sub`, and lists its links.

Its key is a hash, so a row contains no address, name or object id; its links do. One `sub` belongs to one row.

    no row            the identity has no link, or only links from before these rows existed: `subject_of` is its `sub`
    sub, links        the identity has these links, and maybe older ones without a row: see `shared.users.people`
    sub, no links     its links were released; if it signs in again, it is the same person to the applications
    no sub, no links  its `sub` has moved to an identity of the account's next tenant; if it signs in again, it gets one

`kept_from` are the keys of the rows from which `sub` has moved here, for whoever removes all that is known of a person.
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
    """What one row says; see the module. `links` are the ids of its links."""

    sub: str | None = None
    links: tuple[UserKey, ...] = ()
    kept_from: tuple[str, ...] = ()

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
        """Whether this is its one link in the account. Unknown, and so False, without a row."""
        return self.stored.record.links == (link_id,)

    def linked(self, link_id: UserKey) -> Identity:
        """The identity with one link more, and with a `sub`: if its own has moved away, a new one."""
        record = self.stored.record
        own = subject_of(self.tid, self.oid) if self.stored.row is None else secrets.token_urlsafe(32)
        return record.model_copy(update={"sub": record.sub or own}).linked(link_id)

    def after(self, former: "StoredIdentity", link_id: UserKey) -> Identity:
        """The identity with the `sub` of a former one, and its link."""
        key, record = former.stored.key.row, former.stored.record
        before = tuple(each for each in (key, *record.kept_from) if each != self.stored.key.row)
        return Identity(sub=record.sub, kept_from=before).linked(link_id)

    def without(self, *link_ids: UserKey) -> tuple[Operation, ...]:
        """The operation that removes links from its list, if it has a row.

        The row goes with the last link, unless it says what nobody could work out: another `sub` than `subject_of`.
        """
        if self.stored.row is None:
            return ()
        rest = self.stored.record.unlinked(*link_ids)
        plain = rest == Identity(sub=subject_of(self.tid, self.oid))
        return (self.stored.removal() if plain else self.stored.rewrite(rest),)


async def find_identity(reader: RowReader, account_id: AccountId, tid: TenantId, oid: str) -> StoredIdentity:
    """The identity as it is stored in an account: one point read."""
    key = identity_key(account_id, tid, oid)
    row = await reader.get(key)
    return StoredIdentity(tid, oid, Stored(Identity.read(row) if row else Identity(), key, row))

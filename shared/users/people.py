"""Whether the people of an earlier tenant stay the same to the applications: the setting `keepPeople` of a connection.

It says that the same address means the same person. It is off by default, and off again once no link of an earlier
tenant is left. While it is on, an `earlier:` row marks each such link, so that whether one is left costs two reads.
A mark proves nothing: it is checked against its link, and removed if the link is gone or of the connected tenant.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from itertools import batched

from shared.access.roles import OURSELVES, AccountAdministrator
from shared.accounts.head import Head, find_head, read_head
from shared.accounts.journal import Journal
from shared.connection.connection import (
    Connection,
    ConnectionChanged,
    ConnectionSettings,
    connected_tenant,
)
from shared.domains.domain_claims import DomainClaim
from shared.kernel.names import AccountId, TenantId
from shared.kernel.refusals import Conflict, Stale, Unavailable
from shared.kernel.versions import Expected
from shared.ports.table import (
    TRANSACTION_LIMIT,
    Insert,
    Key,
    Operation,
    Put,
    Remove,
    Replace,
    Row,
    RowChanged,
    RowExists,
    Table,
)
from shared.users.identity import PREFIX as IDENTITIES
from shared.users.identity import Identity, identity_key
from shared.users.link import PREFIX as LINKS
from shared.users.link import Link, link_key
from shared.users.user_key import UserKey

PREFIX = "earlier:"
_PAGE = 1_000
_AT_ONCE = 8
_AFTER_ALL_DOMAINS = "~"
"""Sorts after every domain name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The people of every account, across a change of tenant."""

    table: Table
    """The accounts' table."""
    domains: Table
    """The domain claims, which name the tenants of all accounts."""
    journal: Journal
    """The audit trail."""

    async def change(
        self,
        administrator: AccountAdministrator,
        expected: Expected,
        change: Callable[[ConnectionSettings], ConnectionSettings],
    ) -> Head:
        """Put `change(settings)` in place of the connection's settings, and return the account's head. Safe to repeat.

        Raises:
            NotFound: there is no such account.
            Conflict: the account is not connected; or nobody is left to be kept, or nobody may be.
            Stale: the connection is not the version that the caller has read, or another writer was first.
        """
        head = await read_head(self.table, administrator.account_id)
        old = head.stored(Connection)
        tenant_id = connected_tenant(old.record)
        expected.must_allow(old.version)
        settings = change(ConnectionSettings(keep_people=old.record.keep_people))
        if settings.keep_people == old.record.keep_people:
            return head
        links = await self._mark(head.account_id, tenant_id) if settings.keep_people else None
        new = old.record.model_copy(update={"keep_people": settings.keep_people})
        event = ConnectionChanged(keep_people=settings.keep_people, tenant_id=tenant_id, links=links)
        await self.journal.commit(head.account_id, administrator.actor, event, old.rewrite(new))
        if not settings.keep_people:
            return head.then(new)
        await self.end_if_all_moved(head.account_id)  # the last one may have moved since the links were read
        return await read_head(self.table, head.account_id)

    async def end_if_all_moved(self, account_id: AccountId) -> None:
        """Switch `keepPeople` off if no link of an earlier tenant is left.

        What was done before must not fail because of it. If it cannot be done now, the next call does it.
        """
        with contextlib.suppress(Unavailable):
            try:
                await self._end_if_all_moved(account_id)
            except Stale:
                await self.end_if_all_moved(account_id)

    async def _end_if_all_moved(self, account_id: AccountId) -> None:
        head = await find_head(self.table, account_id)
        if head is None or not head.stored(Connection).record.keep_people:
            return
        if not await self._is_anybody_left(head):
            stored = head.stored(Connection)
            event = ConnectionChanged(keep_people=False, tenant_id=stored.record.tenant_id, links=0)
            off = stored.record.model_copy(update={"keep_people": False})
            await self.journal.commit(account_id, OURSELVES, event, stored.rewrite(off))

    async def _is_anybody_left(self, head: Head) -> bool:
        account_id, tenant_id = head.account_id, head.stored(Connection).record.tenant
        while rows := (await self.table.page(account_id, PREFIX, 1, None)).rows:
            link_id = UserKey(rows[0].key.row.removeprefix(PREFIX))
            link = await self.table.get(link_key(account_id, link_id))
            if link is not None and Link.read(link).tid != tenant_id:
                return True
            await self._write_all([Remove(rows[0])])
        return False

    async def _mark(self, account_id: AccountId, tenant_id: TenantId) -> int:
        """Mark the links of earlier tenants, and write the identities of links from before there were any.

        Neither changes what is true of anybody, so no event records it. Safe to repeat.

        Raises:
            Conflict: there are no such links, or another account has people of their tenants.
        """
        links = [Link.read(row) async for row in self._rows(account_id, LINKS)]
        earlier = [link for link in links if link.tid != tenant_id]
        if not earlier:
            await read_head(self.table, account_id)  # an account that is gone by now has no links, either
            raise Conflict("Nobody is left to be kept: no link belongs to an earlier tenant of this account.")
        await self._must_have_alone(account_id, {link.tid for link in earlier})
        identities = [row async for row in self._rows(account_id, IDENTITIES)]
        marks = [row async for row in self._rows(account_id, PREFIX)]
        try:
            await self._write_all([*_identified(account_id, links, identities), *_marked(account_id, earlier, marks)])
        except (RowExists, RowChanged):
            return await self._mark(account_id, tenant_id)
        return len(earlier)

    async def _must_have_alone(self, account_id: AccountId, tenants: set[TenantId]) -> None:
        """Refuse if another account is connected to one of these tenants: a person there has the same `sub`."""
        async for row in self.domains.partitions_before(_AFTER_ALL_DOMAINS):
            claim = DomainClaim.read(row)
            if claim.tenant_id in tenants and claim.account_id != account_id:
                raise Conflict(
                    "The people of the earlier tenant cannot be kept: another account is connected to it, "
                    "where they are the same persons to the applications."
                )

    async def _rows(self, account_id: AccountId, prefix: str) -> AsyncIterator[Row]:
        continuation = None
        while True:
            page = await self.table.page(account_id, prefix, _PAGE, continuation)
            for row in page.rows:
                yield row
            continuation = page.continuation
            if continuation is None:
                return

    async def _write_all(self, operations: list[Operation]) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def write(some: Iterable[Operation]) -> None:
            async with slots:
                await self.table.write(*some)

        await asyncio.gather(*map(write, batched(operations, TRANSACTION_LIMIT, strict=False)))


def mark_key(account_id: AccountId, link_id: UserKey) -> Key:
    """The key of the mark of a link."""
    return Key(account_id, PREFIX + link_id)


def _identified(account_id: AccountId, links: list[Link], rows: list[Row]) -> list[Operation]:
    """The operations after which each identity with links has a row that lists exactly these."""
    known = {row.key: row for row in rows}
    linked: dict[Key, list[Link]] = {}
    for link in links:
        linked.setdefault(identity_key(account_id, link.tid, link.oid), []).append(link)
    operations: list[Operation] = []
    for key, theirs in linked.items():
        row = known.get(key)
        before = Identity.read(row) if row else Identity()
        links_now = tuple(link.link_id for link in theirs)
        listed = before.links if {*before.links} == {*links_now} else links_now
        after = before.model_copy(update={"sub": before.sub or theirs[0].subject, "links": listed})
        if after != before:
            operations.append(Replace(row, after.document()) if row else Insert(key, after.document()))
    return operations


def _marked(account_id: AccountId, earlier: list[Link], rows: list[Row]) -> list[Operation]:
    """The operations after which exactly these links are marked."""
    wanted = {mark_key(account_id, link.link_id) for link in earlier}
    stale = [Remove(row) for row in rows if row.key not in wanted]
    return [*(Put(key, "{}") for key in wanted - {row.key for row in rows}), *stale]

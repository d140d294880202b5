"""The links of an account's users, for its Security Manager: listed, searched, and released."""

import asyncio
from dataclasses import dataclass

from shared.access.roles import AccountAdministrator, AccountReader
from shared.accounts.head import read_head
from shared.accounts.journal import Journal
from shared.kernel.names import AccountId, DomainName, EmailAddress, TenantId
from shared.kernel.refusals import NotFound
from shared.ports.table import Operation, Remove, Row, RowChanged, Table
from shared.users.identity import StoredIdentity, find_identity
from shared.users.link import PREFIX, Link, LinkReleased, LinksReleased, link_key
from shared.users.people import People
from shared.users.user_key import UserKey

_IN_ONE_TRANSACTION = 49
"""Links released together: each with its identity, and one event for all."""

_PAGE = 500
_PAGES = 10
"""Pages of links that one call looks through."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The links to release: those to a tenant, those of a domain's addresses, or, without either, all."""

    tenant_id: TenantId | None = None
    domain: DomainName | None = None

    def includes(self, link: Link) -> bool:
        """Whether a link is one of them."""
        theirs = self.tenant_id in {None, link.tid}
        return theirs and self.domain in {None, EmailAddress(link.email).domain}


@dataclass(frozen=True, slots=True)
class Released:
    """How many links one call has released, and the continuation for the next call; None if it has seen all."""

    count: int
    continuation: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The links of every account's users. `shared.users.admission` makes them."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    people: People
    """Whether the people of an earlier tenant are kept, which ends with their links."""

    async def page(
        self, reader: AccountReader, size: int, continuation: str | None
    ) -> tuple[tuple[Link, ...], str | None]:
        """At most `size` links in the order of their ids, and the continuation for the next ones.

        Raises:
            NotFound: there is no such account.
            Invalid: the continuation is not one of ours.
        """
        await read_head(self.table, reader.account_id)
        page = await self.table.page(reader.account_id, PREFIX, size, continuation)
        return tuple(Link.read(row) for row in page.rows), page.continuation

    async def find(self, reader: AccountReader, email: EmailAddress) -> tuple[Link, ...]:
        """Find the link of an address, if there is one.

        Raises:
            NotFound: there is no such account.
        """
        account_id = reader.account_id
        await read_head(self.table, account_id)
        row = await self.table.get(link_key(account_id, UserKey.of(account_id, email)))
        return (Link.read(row),) if row else ()

    async def release(self, administrator: AccountAdministrator, link_id: UserKey) -> None:
        """Release a user's link: their next sign-in makes a new one. No version is needed.

        Raises:
            NotFound: there is no such link, or it was released or replaced at the same moment.
        """
        account_id = administrator.account_id
        row = await self.table.get(link_key(account_id, link_id))
        if row is None:
            raise _no_link()
        link = Link.read(row)
        identity = await find_identity(self.table, account_id, link.tid, link.oid)
        event = LinkReleased(person=link.person, identity=link.identity)
        try:
            await self.journal.commit(account_id, administrator.actor, event, Remove(row), *identity.without(link_id))
        except RowChanged:
            await self._must_stand(row)
            await self.release(administrator, link_id)
        else:
            await self.people.end_if_all_moved(account_id)

    async def release_many(
        self, administrator: AccountAdministrator, chosen: Chosen, continuation: str | None
    ) -> Released:
        """Release the chosen links among the next 5,000. Safe to repeat, from the continuation or from the start.

        Raises:
            NotFound: there is no such account.
            Invalid: the continuation is not one of ours.
        """
        account_id = administrator.account_id
        await read_head(self.table, account_id)
        count = 0
        for _ in range(_PAGES):
            page = await self.table.page(account_id, PREFIX, _PAGE, continuation)
            rows = [row for row in page.rows if chosen.includes(Link.read(row))]
            for start in range(0, len(rows), _IN_ONE_TRANSACTION):
                some = rows[start : start + _IN_ONE_TRANSACTION]
                count += await self._release_some(administrator, chosen, some)
            continuation = page.continuation
            if continuation is None:
                break
        await self.people.end_if_all_moved(account_id)
        return Released(count, continuation)

    async def _release_some(self, administrator: AccountAdministrator, chosen: Chosen, rows: list[Row]) -> int:
        """Release these in one transaction; if one of them changes meanwhile, those that are still among the chosen."""
        account_id = administrator.account_id
        event = LinksReleased(count=len(rows), tenant_id=chosen.tenant_id, domain=chosen.domain)
        changes = [*map(Remove, rows), *await self._left(account_id, rows)]
        try:
            await self.journal.commit(account_id, administrator.actor, event, *changes)
        except RowChanged:
            found = await asyncio.gather(*(self.table.get(row.key) for row in rows))
            still = [row for row in found if row is not None and chosen.includes(Link.read(row))]
            return await self._release_some(administrator, chosen, still) if still else 0
        return len(rows)

    async def _left(self, account_id: AccountId, rows: list[Row]) -> list[Operation]:
        """What is left of the identities of these links."""
        theirs: dict[tuple[TenantId, str], list[UserKey]] = {}
        for link in map(Link.read, rows):
            theirs.setdefault((link.tid, link.oid), []).append(link.link_id)
        identities: list[StoredIdentity] = await asyncio.gather(
            *(find_identity(self.table, account_id, tid, oid) for tid, oid in theirs)
        )
        return [
            operation for identity in identities for operation in identity.without(*theirs[identity.tid, identity.oid])
        ]

    async def _must_stand(self, row: Row) -> None:
        """Refuse if this link is no longer there: somebody has released or replaced it. It may have been used."""
        found = await self.table.get(row.key)
        if found is None or Link.read(found).linked_at != Link.read(row).linked_at:
            raise _no_link() from None


def _no_link() -> NotFound:
    return NotFound("This link does not exist in this account.")

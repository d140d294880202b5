"""The exception list: users of an account who keep the vendor's password although SSO is on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.access.roles import AccountAdministrator, AccountReader
from shared.accounts.head import Head, read_head
from shared.accounts.journal import Journal
from shared.kernel.names import DomainName, EmailAddress
from shared.kernel.refusals import Conflict, FieldFault, Invalid, NotFound
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.record import Stored
from shared.ports.table import Key, Operation, Put, RowChanged, RowExists, Table
from shared.users.exemption import (
    PREFIX,
    ExceptionAdded,
    ExceptionChanged,
    ExceptionEvent,
    ExceptionRemoved,
    ExceptionsImported,
    Exemption,
    exemption_key,
    find_exemption,
)
from shared.users.exemption_sets import ExceptionsVersion
from shared.users.remarks import OwnDomain, strange_domain
from shared.users.terms import ExemptionDraft, ExemptionTerms
from shared.users.user_key import UserKey

_PAGE = 1_000

LONGEST_SEARCHED = 10_000
"""Entries of the longest list that is searched for a part of an address or a reason."""


@dataclass(frozen=True, slots=True)
class Added:
    """An entry that is on the list now, and remarks for its author."""

    stored: Stored[Exemption]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionList:
    """The exception list of every account."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    clock: Clock
    """Dates the entries."""
    has_domain: Callable[[Head, DomainName], bool]
    """Whether the head's account has a domain."""

    async def add(self, administrator: AccountAdministrator, draft: ExemptionDraft) -> Added:
        """Put one user on the list, replacing an entry of theirs that has ended.

        Raises:
            NotFound: there is no such account.
            Invalid: the entry ends in the past.
            Conflict: the user is on the list.
        """
        account_id = administrator.account_id
        head = await read_head(self.table, account_id)
        self._must_not_have_ended(draft.expires_at)
        exemption = self._written(administrator, draft)
        stored: Stored[Exemption] = Stored(exemption, exemption_key(account_id, exemption.exception_id), None)
        try:
            await self._commit(administrator, ExceptionAdded, exemption, stored.rewrite(exemption))
        except RowExists:
            await self._replace_ended(administrator, exemption, stored.key)
        domain = draft.email.domain
        warnings = () if self.has_domain(head, domain) else (strange_domain(domain),)
        return Added(stored.then(exemption), warnings)

    async def _replace_ended(self, administrator: AccountAdministrator, exemption: Exemption, key: Key) -> None:
        """Replace an entry that has ended. Of several concurrent writers one succeeds.

        Raises:
            Conflict: there is an entry that has not ended.
        """
        row = await self.table.get(key)
        old = Stored(Exemption.read(row) if row else exemption, key, row)
        if row is not None and old.record.in_force(self.clock.now()):
            raise Conflict(
                f"This user is already on the exception list, as {exemption.exception_id}. "
                "Change that entry with PATCH instead."
            ) from None
        try:
            await self._commit(administrator, ExceptionAdded, exemption, old.rewrite(exemption))
        except (RowExists, RowChanged):
            await self._replace_ended(administrator, exemption, key)

    def has_ended(self, expires_at: datetime | None) -> bool:
        """Whether an entry with this end has already ended."""
        return expires_at is not None and expires_at <= self.clock.now()

    def _must_not_have_ended(self, expires_at: datetime | None) -> None:
        if self.has_ended(expires_at):
            fault = FieldFault("expiresAt", "It is in the past. Choose a time in the future, or leave it out.")
            raise Invalid("An exception must end in the future.", [fault])

    async def put_many(
        self, administrator: AccountAdministrator, drafts: dict[int, ExemptionDraft], turn: asyncio.Lock
    ) -> None:
        """Put up to 98 users on the list in one transaction, replacing entries that they have. Safe to repeat.

        Args:
            administrator: the Security Manager, and the account.
            drafts: the entries, by line; of several drafts for one user the last one counts.
            turn: keeps concurrent transactions from being built in one turn of the event loop.

        Raises:
            NotFound: there is no such account, or it was removed meanwhile.
        """
        await self.must_exist(administrator)
        async with turn:
            await asyncio.sleep(0)
        written = {each.exception_id: each for each in (self._written(administrator, d) for d in drafts.values())}
        puts = [Put(exemption_key(administrator.account_id, key), each.document()) for key, each in written.items()]
        event = ExceptionsImported(count=len(puts), lines=(min(drafts), max(drafts)))
        version = ExceptionsVersion.new(administrator.account_id)
        await self.journal.commit(administrator.account_id, administrator.actor, event, version, *puts)

    async def introduce(self, administrator: AccountAdministrator) -> None:
        """Store who imports, before the first transaction of an import."""
        await self.journal.trail(administrator.account_id).introduce(administrator.actor)

    async def must_exist(self, reader: AccountReader) -> None:
        """Refuse if the account, and so its list, does not exist.

        Raises:
            NotFound: there is no such account.
        """
        await read_head(self.table, reader.account_id)

    async def own_domain(self, reader: AccountReader) -> OwnDomain:
        """Return the test for the account's own domains. The account must exist, as in `must_exist`."""
        return partial(self.has_domain, await read_head(self.table, reader.account_id))

    async def read(self, reader: AccountReader, exemption_id: UserKey) -> Stored[Exemption]:
        """Read one entry.

        Raises:
            NotFound: it is not on the list, or there is no such account.
        """
        await self.must_exist(reader)
        row = await self.table.get(exemption_key(reader.account_id, exemption_id))
        if row is None:
            raise NotFound("This exception does not exist in this account.")
        return Stored(Exemption.read(row), row.key, row)

    async def find(self, reader: AccountReader, email: EmailAddress) -> tuple[Exemption, ...]:
        """Find the user's entry, if there is one.

        Raises:
            NotFound: there is no such account.
        """
        await self.must_exist(reader)
        found = await find_exemption(self.table, reader.account_id, UserKey.of(reader.account_id, email))
        return (found,) if found else ()

    async def search(self, reader: AccountReader, text: str) -> tuple[Exemption, ...]:
        """Every entry whose address or reason contains the text, in either case, by address.

        Raises:
            NotFound: there is no such account.
            Conflict: the list is too long to be searched for a part of an address.
        """
        wanted = text.casefold()
        entries, continuation = await self.page(reader, _PAGE, None)
        while continuation is not None:
            if len(entries) >= LONGEST_SEARCHED:
                raise Conflict(
                    f"The list has more than {LONGEST_SEARCHED:,} entries, too many to search for a part of an "
                    "address or a reason. Search for the whole address instead."
                )
            following, continuation = await self.page(reader, _PAGE, continuation)
            entries += following
        found = [each for each in entries if wanted in each.email.casefold() or wanted in each.reason.casefold()]
        return tuple(sorted(found, key=lambda each: each.email))

    async def page(
        self, reader: AccountReader, size: int, continuation: str | None
    ) -> tuple[tuple[Exemption, ...], str | None]:
        """At most `size` entries in the order of their ids, and the continuation for the next ones.

        Raises:
            NotFound: there is no such account.
            Invalid: the continuation is not one of ours.
        """
        await self.must_exist(reader)
        page = await self.table.page(reader.account_id, PREFIX, size, continuation)
        return tuple(Exemption.read(row) for row in page.rows), page.continuation

    async def all(self, reader: AccountReader) -> AsyncIterator[Exemption]:
        """Every entry, read page by page."""
        continuation = None
        while True:
            entries, continuation = await self.page(reader, _PAGE, continuation)
            for entry in entries:
                yield entry
            if continuation is None:
                return

    async def change(
        self,
        administrator: AccountAdministrator,
        exemption_id: UserKey,
        expected: Expected,
        change: Callable[[ExemptionTerms], ExemptionTerms],
    ) -> Stored[Exemption]:
        """Put `change(terms)` in place of the entry's terms.

        Raises:
            NotFound: it is not on the list.
            Invalid: the new end is in the past, and was not before.
            Stale: the entry is not the version that the caller has read, or another writer was first.
        """
        old = await self.read(administrator, exemption_id)
        expected.must_allow(old.version)
        terms = change(ExemptionTerms(reason=old.record.reason, expires_at=old.record.expires_at))
        if terms.expires_at != old.record.expires_at:
            self._must_not_have_ended(terms.expires_at)
        new = old.record.model_copy(
            update={"reason": terms.reason, "expires_at": terms.expires_at, "updated_at": self.clock.now()}
        )
        await self._commit(administrator, ExceptionChanged, new, old.rewrite(new))
        return old.then(new)

    async def remove(self, administrator: AccountAdministrator, exemption_id: UserKey, expected: Expected) -> None:
        """Take one user off the list.

        Raises:
            NotFound: the user is not on it.
            Stale: the entry is not the version that the caller has read, or another writer was first.
        """
        old = await self.read(administrator, exemption_id)
        expected.must_allow(old.version)
        await self._commit(administrator, ExceptionRemoved, old.record, old.removal())

    async def _commit(
        self,
        administrator: AccountAdministrator,
        kind: type[ExceptionEvent],
        exemption: Exemption,
        operation: Operation,
    ) -> None:
        event = kind(person=exemption.person, reason=exemption.reason, expires_at=exemption.expires_at)
        version = ExceptionsVersion.new(administrator.account_id)
        await self.journal.commit(administrator.account_id, administrator.actor, event, version, operation)

    def _written(self, administrator: AccountAdministrator, draft: ExemptionDraft) -> Exemption:
        now = self.clock.now()
        actor = administrator.actor
        return Exemption(
            exception_id=UserKey.of(administrator.account_id, draft.email),
            email=draft.email.address,
            reason=draft.reason,
            expires_at=draft.expires_at,
            created_at=now,
            created_by=actor.name or actor.subject,
            updated_at=now,
        )

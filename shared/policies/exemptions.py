"""The exception list: users of an account who keep the vendor's password although SSO is on.

An entry is an `Exemption` in code, since Python's `Exception` is taken; people and the API say exception. It is found
by a hash of the email, so that it costs one point read whether the list holds none or a hundred thousand, and no
email stands in a URL.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Self

from pydantic import JsonValue

from shared.access.roles import AccountAdministrator
from shared.accounts.head import Head, read_head
from shared.accounts.journal import Journal
from shared.kernel.documents import Asked
from shared.kernel.names import AccountId, DomainName, EmailAddress, Name
from shared.kernel.refusals import Conflict, FieldFault, Invalid, NotFound
from shared.kernel.versions import Expected
from shared.policies.remarks import OwnDomain, strange_domain
from shared.policies.terms import Expiry, Reason
from shared.ports.clock import Clock
from shared.ports.record import Record, Stored
from shared.ports.table import Key, Operation, Put, RowChanged, RowExists, RowReader, Table

PREFIX = "exception:"
_EXPORT_PAGE = 1_000


class ExemptionId(Name):
    """Names one entry of one account's list. It is derived from the email, and tells nothing of it."""

    __slots__ = ()
    pattern = re.compile(r"[A-Za-z0-9_-]{43}")
    rule = "An exception id is 43 letters, digits, hyphens or underscores."

    @classmethod
    def of(cls, account_id: AccountId, email: EmailAddress) -> Self:
        """SHA-256 of account and email, so that one person has different ids in different accounts."""
        hashed = hashlib.sha256(f"{account_id}\0{email.address}".encode()).digest()
        return cls(urlsafe_b64encode(hashed).decode().rstrip("="))


class ExemptionDraft(Asked):
    """What somebody asks to put on the list."""

    email: EmailAddress
    reason: Reason
    expires_at: Expiry | None = None


class ExemptionTerms(Asked):
    """What of an entry can be changed. Whom it is for cannot: that would be another entry."""

    reason: Reason
    expires_at: Expiry | None = None


class Exemption(Record):
    """One user who keeps the vendor's password. `email` is in the one form that is compared."""

    exception_id: ExemptionId
    email: str
    reason: str
    expires_at: datetime | None = None
    created_at: datetime
    created_by: str
    updated_at: datetime

    def in_force(self, now: datetime) -> bool:
        """Whether it still counts."""
        return self.expires_at is None or now < self.expires_at


async def find_exemption(reader: RowReader, account_id: AccountId, email: EmailAddress) -> Exemption | None:
    """The user's entry, in force or not: one point read."""
    row = await reader.get(_key(account_id, ExemptionId.of(account_id, email)))
    return Exemption.read(row) if row else None


@dataclass(frozen=True, slots=True)
class Added:
    """An entry that is on the list now, and what whoever added it should know."""

    stored: Stored[Exemption]
    warnings: tuple[str, ...]


class ExemptionList:
    """The exception list of every account.

    Args: `table`, the accounts' table; `journal`; `clock`; `has_domain`, whether the account of a head has a domain.
    """

    def __init__(
        self, table: Table, journal: Journal, clock: Clock, has_domain: Callable[[Head, DomainName], bool]
    ) -> None:
        self._table = table
        self._journal = journal
        self._clock = clock
        self._has_domain = has_domain

    async def add(self, administrator: AccountAdministrator, draft: ExemptionDraft) -> Added:
        """Put one user on the list, in the place of an entry of theirs that has ended.

        Raises:
            NotFound: there is no such account.
            Invalid: it ends in the past.
            Conflict: the user is on the list.
        """
        account_id = administrator.account_id
        head = await read_head(self._table, account_id)
        self._must_not_have_ended(draft.expires_at)
        exemption = self._written(administrator, draft)
        stored: Stored[Exemption] = Stored(exemption, _key(account_id, exemption.exception_id), None)
        try:
            await self._commit(administrator, "exception.added", exemption, stored.rewrite(exemption))
        except RowExists:
            await self._replace_ended(administrator, exemption, stored.key)
        domain = draft.email.domain
        warnings = () if self._has_domain(head, domain) else (strange_domain(domain),)
        return Added(stored.then(exemption), warnings)

    async def _replace_ended(self, administrator: AccountAdministrator, exemption: Exemption, key: Key) -> None:
        """Put an entry in the place of one that has ended. Of several who do so at once one does.

        Raises:
            Conflict: there is one that has not.
        """
        row = await self._table.get(key)
        old = Stored(Exemption.read(row) if row else exemption, key, row)
        if row is not None and old.record.in_force(self._clock.now()):
            raise Conflict(
                f"This user is on the exception list already, as {exemption.exception_id}. "
                "Change that entry with PATCH instead."
            ) from None
        try:
            await self._commit(administrator, "exception.added", exemption, old.rewrite(exemption))
        except (RowExists, RowChanged):
            await self._replace_ended(administrator, exemption, key)

    def has_ended(self, expires_at: datetime | None) -> bool:
        """Whether an entry that is to end then would never count."""
        return expires_at is not None and expires_at <= self._clock.now()

    def _must_not_have_ended(self, expires_at: datetime | None) -> None:
        if self.has_ended(expires_at):
            fault = FieldFault("expiresAt", "It lies in the past. Name a moment to come, or leave it out.")
            raise Invalid("An exception cannot end before it begins.", [fault])

    async def put_many(self, administrator: AccountAdministrator, drafts: dict[int, ExemptionDraft]) -> None:
        """Put up to 99 users on the list in one transaction, replacing entries that they have. Safe to repeat.

        Args:
            administrator: who does it, and for which account.
            drafts: what to put there, by line; of one user's several drafts the last one counts.

        Raises:
            NotFound: there is no such account, or no longer.
        """
        await self.must_exist(administrator)
        written = {each.exception_id: each for each in (self._written(administrator, d) for d in drafts.values())}
        puts = [Put(_key(administrator.account_id, key), each.document()) for key, each in written.items()]
        details: dict[str, JsonValue] = {
            "count": len(puts),
            "lines": [min(drafts), max(drafts)],
            "exceptionIds": [*written],
        }
        await self._journal.commit(administrator.account_id, administrator.actor, "exceptions.imported", details, *puts)

    async def must_exist(self, administrator: AccountAdministrator) -> None:
        """Ask whether there is a list to put somebody on.

        Raises:
            NotFound: there is no such account.
        """
        await read_head(self._table, administrator.account_id)

    async def own_domain(self, administrator: AccountAdministrator) -> OwnDomain:
        """Ask whether there is a list to put somebody on, and which domains its account has.

        Raises:
            NotFound: there is no such account.
        """
        return partial(self._has_domain, await read_head(self._table, administrator.account_id))

    async def read(self, administrator: AccountAdministrator, exemption_id: ExemptionId) -> Stored[Exemption]:
        """One entry.

        Raises:
            NotFound: it is not on the list, or there is no such account.
        """
        await self.must_exist(administrator)
        row = await self._table.get(_key(administrator.account_id, exemption_id))
        if row is None:
            raise NotFound("There is no such exception in this account.")
        return Stored(Exemption.read(row), row.key, row)

    async def find(self, administrator: AccountAdministrator, email: EmailAddress) -> tuple[Exemption, ...]:
        """The user's entry, if there is one.

        Raises:
            NotFound: there is no such account.
        """
        await self.must_exist(administrator)
        found = await find_exemption(self._table, administrator.account_id, email)
        return (found,) if found else ()

    async def page(
        self, administrator: AccountAdministrator, size: int, continuation: str | None
    ) -> tuple[tuple[Exemption, ...], str | None]:
        """At most `size` entries in the order of their ids, and the continuation for the next ones.

        Raises:
            NotFound: there is no such account.
            Invalid: the continuation is none of ours.
        """
        await self.must_exist(administrator)
        page = await self._table.page(administrator.account_id, PREFIX, size, continuation)
        return tuple(Exemption.read(row) for row in page.rows), page.continuation

    async def all(self, administrator: AccountAdministrator) -> AsyncIterator[Exemption]:
        """Every entry, read page by page."""
        continuation = None
        while True:
            entries, continuation = await self.page(administrator, _EXPORT_PAGE, continuation)
            for entry in entries:
                yield entry
            if continuation is None:
                return

    async def change(
        self,
        administrator: AccountAdministrator,
        exemption_id: ExemptionId,
        expected: Expected,
        change: Callable[[ExemptionTerms], ExemptionTerms],
    ) -> Stored[Exemption]:
        """Put `change(terms)` in place of the entry's terms.

        Raises:
            NotFound: it is not on the list.
            Invalid: it is to end in the past, and did not before.
            Stale: it is not the version that the caller has seen, or somebody else was first.
        """
        old = await self.read(administrator, exemption_id)
        expected.must_allow(old.version)
        terms = change(ExemptionTerms(reason=old.record.reason, expires_at=old.record.expires_at))
        if terms.expires_at != old.record.expires_at:
            self._must_not_have_ended(terms.expires_at)
        new = old.record.model_copy(
            update={"reason": terms.reason, "expires_at": terms.expires_at, "updated_at": self._clock.now()}
        )
        await self._commit(administrator, "exception.changed", new, old.rewrite(new))
        return old.then(new)

    async def remove(self, administrator: AccountAdministrator, exemption_id: ExemptionId, expected: Expected) -> None:
        """Take one user off the list.

        Raises:
            NotFound: they are not on it.
            Stale: the entry is not the version that the caller has seen, or somebody else was first.
        """
        old = await self.read(administrator, exemption_id)
        expected.must_allow(old.version)
        await self._commit(administrator, "exception.removed", old.record, old.removal())

    async def _commit(
        self, administrator: AccountAdministrator, action: str, exemption: Exemption, operation: Operation
    ) -> None:
        details = exemption.model_dump(
            mode="json", by_alias=True, include={"exception_id", "email", "reason", "expires_at"}
        )
        await self._journal.commit(administrator.account_id, administrator.actor, action, details, operation)

    def _written(self, administrator: AccountAdministrator, draft: ExemptionDraft) -> Exemption:
        now = self._clock.now()
        actor = administrator.actor
        return Exemption(
            exception_id=ExemptionId.of(administrator.account_id, draft.email),
            email=draft.email.address,
            reason=draft.reason,
            expires_at=draft.expires_at,
            created_at=now,
            created_by=actor.name or actor.subject,
            updated_at=now,
        )


def _key(account_id: AccountId, exemption_id: ExemptionId) -> Key:
    return Key(account_id, PREFIX + exemption_id)

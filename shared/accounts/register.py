"""The register of accounts, which the vendor's operators keep."""

from dataclasses import dataclass

from shared.access.roles import Operator
from shared.accounts.head import PREFIX, Account, find_head, read_head
from shared.accounts.journal import Journal
from shared.kernel.names import AccountId, DomainName, Product
from shared.kernel.refusals import Conflict, PreconditionRequired, Stale
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.record import Stored
from shared.ports.table import TRANSACTION_LIMIT, Insert, Remove, Row, RowChanged, Table
from shared.trail.events import Event


@dataclass(frozen=True, slots=True)
class Profile:
    """The fields of an account that an operator sets; see `Account`."""

    name: str
    products: tuple[Product, ...]
    domains: tuple[DomainName, ...] | None


class _AccountProfile(Event):
    name: str
    products: tuple[Product, ...]
    domains: tuple[DomainName, ...] | None


class AccountRegistered(_AccountProfile):
    """An operator has registered the account."""

    action = "account.registered"


class AccountChanged(_AccountProfile):
    """An operator has changed the account's entry in the register. The fields are the new values."""

    action = "account.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRegister:
    """The vendor's customers. For the rest of the service, an account exists only if it is registered here."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    clock: Clock
    """Dates the records."""

    async def put(
        self, operator: Operator, account_id: AccountId, profile: Profile, expected: Expected | None
    ) -> tuple[Stored[Account], bool]:
        """Register the account, or change its entry; the flag is True if it is new.

        Repeating the current values changes nothing and needs no version, so a repeated PUT is safe.

        Raises:
            PreconditionRequired: it exists and differs, and the caller names no version that they have seen.
            Stale: it is not the version that the caller has seen, or no longer exists, or another writer was first.
        """
        head = await find_head(self.table, account_id, closing=True)
        if head is None:
            return await self._add(operator, account_id, profile, expected)
        if head.account.record.closing:
            raise Conflict("This account is being removed. Repeat DELETE until it returns 404, then register it again.")
        old = head.account
        if Profile(old.record.name, old.record.products, old.record.domains) == profile:
            return old, False
        if expected is None:
            raise PreconditionRequired(
                "This account already exists. To change it, send If-Match with the ETag that you read."
            )
        expected.must_allow(old.version)
        account = old.record.model_copy(
            update={
                "name": profile.name,
                "products": profile.products,
                "domains": profile.domains,
                "updated_at": self.clock.now(),
            }
        )
        event = AccountChanged(name=profile.name, products=profile.products, domains=profile.domains)
        await self.journal.commit(account_id, operator.actor, event, old.rewrite(account))
        return old.then(account), False

    async def read(self, _operator: Operator, account_id: AccountId) -> Stored[Account]:
        """The account's entry in the register.

        Raises:
            NotFound: it is not registered.
        """
        return (await read_head(self.table, account_id)).account

    async def erase(self, account_id: AccountId) -> None:
        """Remove every row of the account, its audit trail included, the head last.

        A crash in between leaves the head, and a repeated erasure continues from there. Its domains must have been
        released before.
        """
        continuation = None
        while True:
            page = await self.table.page(account_id, "", TRANSACTION_LIMIT, continuation)
            rows = [row for row in page.rows if not row.key.row.startswith(PREFIX)]
            if not await self._removed(rows):
                continue
            if page.continuation is None:
                break
            continuation = page.continuation
        while not await self._removed([*await self.table.under(account_id, PREFIX)]):
            continue

    async def sweep(self, account_id: AccountId) -> bool:
        """Whether nothing is left of an erased account; False if it has been registered again in the meantime.

        Rows are read before the account is found to be missing, so that none of a new account's is among them.
        """
        continuation = None
        while True:
            page = await self.table.page(account_id, "", TRANSACTION_LIMIT, continuation)
            if not page.rows and page.continuation is None:
                return True
            if page.rows and await find_head(self.table, account_id, closing=True) is not None:
                return False
            await self._removed([*page.rows])
            continuation = None if page.rows else page.continuation

    async def _removed(self, rows: list[Row]) -> bool:
        """Whether these rows are removed; False if one has changed since it was read, so read again."""
        try:
            if rows:
                await self.table.write(*map(Remove, rows))
        except RowChanged:
            return False
        return True

    async def _add(
        self, operator: Operator, account_id: AccountId, profile: Profile, expected: Expected | None
    ) -> tuple[Stored[Account], bool]:
        """Register an account. Rows that a late writer left of an erased account of the same id are removed first."""
        if expected is not None:
            raise Stale("This account no longer exists. To register it again, send no If-Match.")
        if not await self.sweep(account_id):
            return await self.put(operator, account_id, profile, None)
        now = self.clock.now()
        account = Account(
            account_id=account_id,
            name=profile.name,
            products=profile.products,
            domains=profile.domains,
            created_at=now,
            updated_at=now,
        )
        key = Account.key(account_id)
        try:
            event = AccountRegistered(name=profile.name, products=profile.products, domains=profile.domains)
            await self.journal.commit(account_id, operator.actor, event, Insert(key, account.document()))
        except RowChanged:
            return await self.put(operator, account_id, profile, None)  # registered by another caller just now
        return Stored(account, key, None).then(account), True

"""The register of accounts, which the vendor's operators keep."""

from dataclasses import dataclass

from pydantic import JsonValue

from shared.access.roles import Operator
from shared.accounts.head import Account, find_head, read_head
from shared.accounts.journal import Journal
from shared.kernel.names import AccountId, DomainName, Product
from shared.kernel.refusals import PreconditionRequired
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.record import Stored
from shared.ports.table import TRANSACTION_LIMIT, Insert, Remove, RowChanged, Table


@dataclass(frozen=True, slots=True)
class Profile:
    """What an operator says of an account; see `Account`."""

    name: str
    products: tuple[Product, ...]
    domains: tuple[DomainName, ...] | None

    def told(self) -> dict[str, JsonValue]:
        """The same as the audit trail has it."""
        domains: JsonValue = None if self.domains is None else [*self.domains]
        return {"name": self.name, "products": [*self.products], "domains": domains}


class AccountRegister:
    """Args: `table`, the accounts' table; `journal`; `clock`."""

    def __init__(self, table: Table, journal: Journal, clock: Clock) -> None:
        self._table = table
        self._journal = journal
        self._clock = clock

    async def put(
        self, operator: Operator, account_id: AccountId, profile: Profile, expected: Expected | None
    ) -> tuple[Stored[Account], bool]:
        """Register the account, or change what is said of it; the flag is True if it is new.

        Saying again what is said already changes nothing and needs no version, so a repeated PUT is safe.

        Raises:
            PreconditionRequired: it exists and differs, and the caller does not say which version they have seen.
            Stale: it exists and is not the version that the caller has seen.
        """
        now = self._clock.now()
        head = await find_head(self._table, account_id)
        details = profile.told()
        if head is None:
            account = Account(
                account_id=account_id,
                name=profile.name,
                products=profile.products,
                domains=profile.domains,
                created_at=now,
                updated_at=now,
            )
            key = Account.key(account_id)
            operation = Insert(key, account.document())
            await self._journal.commit(account_id, operator.actor, "account.registered", details, operation)
            return Stored(account, key, None).then(account), True
        old = head.account
        if Profile(old.record.name, old.record.products, old.record.domains) == profile:
            return old, False
        if expected is None:
            raise PreconditionRequired("This account exists. To change it, send If-Match with the ETag you have read.")
        expected.must_allow(old.version)
        account = old.record.model_copy(
            update={
                "name": profile.name,
                "products": profile.products,
                "domains": profile.domains,
                "updated_at": now,
            }
        )
        await self._journal.commit(account_id, operator.actor, "account.changed", details, old.rewrite(account))
        return old.then(account), False

    async def read(self, account_id: AccountId) -> Stored[Account]:
        """What is said of the account.

        Raises:
            NotFound: it is not registered.
        """
        return (await read_head(self._table, account_id)).account

    async def erase(self, account_id: AccountId) -> None:
        """Remove every row of the account, its audit trail included, the head last.

        A crash in between leaves a registered account, and erasing again goes on where this ended. Its domains must
        have been released before.
        """
        for prefix in ("exception:", "link:", "audit:", ""):
            continuation = None
            while True:
                page = await self._table.page(account_id, prefix, TRANSACTION_LIMIT, continuation)
                try:
                    if page.rows:
                        await self._table.write(*map(Remove, page.rows))
                except RowChanged:
                    continue  # changed or removed by somebody else since the page was read: read it again
                if page.continuation is None:
                    break
                continuation = page.continuation

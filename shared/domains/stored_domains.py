"""How an account's list of domains is stored: in one row, or packed into as many as it needs.

    head:domains                  an object for each domain, while the document fits a row
    head:domains, head:domains-2  a longer list, packed: the names by status, separated by blanks

Every row is one of the account's head, so the list is read with the head, and all rows of a list change in one
transaction. Each change replaces the first row, which makes its version the lock of the whole list.

A packed list takes half the space. Resolution looks one name up in it (`find_domain`) and makes no object of the
others. Shorter lists are not packed, because older code, which cannot read packed ones, may run beside this during an
update; see docs/decisions/0031-a-long-list-of-domains-is-packed.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

from shared.accounts.head import Head, HeadRecord
from shared.domains.domain_claims import DomainClaim
from shared.domains.tenant_domains import DomainStatus, PackedDomains, TenantDomains, domains_key, held, packed_rows
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.kernel.versions import version_of
from shared.ports.table import Insert, Operation, Remove, Replace, Row, RowReader

_PLAIN = 400_000
"""Characters of a list that is not packed: the longest document that fits a row, and that older code could write."""

_PACKED = 300_000
"""Characters of names in a packed row."""


@dataclass(frozen=True, slots=True)
class StoredDomains:
    """An account's list, and the rows that it came from: none if there is no list yet."""

    account_id: AccountId
    record: TenantDomains
    rows: tuple[Row, ...]
    """Every row of the head that is a list's, also those that older code has left behind."""
    count: int
    """How many of them, from the first on, are this list's."""

    @property
    def version(self) -> str:
        """The strong entity tag that the API returns for the list."""
        documents = [row.document for row in self.rows[: self.count]]
        return version_of("".join(documents)) if documents else version_of(self.record.document())

    def rewrite(self, record: TenantDomains) -> tuple[Operation, ...]:
        """The operations that replace the list with `record`, and are refused if another writer was first."""
        known = {row.key: row for row in self.rows}
        written: list[Operation] = []
        for number, document in enumerate(_documents(record), start=1):
            key = domains_key(self.account_id, number)
            row = known.pop(key, None)
            written.append(Replace(row, document) if row else Insert(key, document))
        return (*written, *map(Remove, known.values()))


def stored_domains(head: Head) -> StoredDomains:
    """The account's list as the head has it, or an empty one."""
    rows = tuple(sorted(_rows_of(head.account_id, head.rows.values()), key=lambda row: (len(row.key.row), row.key.row)))
    packed = packed_rows(head)
    record = _unpacked(packed) if packed else head.stored(TenantDomains).record
    return StoredDomains(head.account_id, record, rows, len(packed) or len(rows[:1]))


async def listed_names(reader: RowReader, account_id: AccountId) -> set[DomainName]:
    """Every domain in an account's list, whether or not the account exists: one range query."""
    rows = await reader.under(account_id, TenantDomains.key(account_id).row)
    packed = {each.name for row in rows for each in PackedDomains.read(row).domains()}
    return packed | {each.name for row in rows for each in TenantDomains.read(row).domains}


def version_after(record: TenantDomains) -> str:
    """The version of a list once `record` was written."""
    return version_of("".join(_documents(record)))


class _ConnectedTenant(HeadRecord):
    """Only the tenant of an account's connection, for older claims that name none. Remove it when none are left."""

    row = "connection"

    tenant_id: TenantId | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """What an account's own rows say of its claims."""

    names: Collection[DomainName]
    """The domains whose claims it holds."""
    named: Collection[DomainName] | None
    """The domains that the vendor names for it; None if the vendor names none."""
    tenant_id: TenantId | None
    """Its connection's tenant."""

    @classmethod
    def of(cls, head: Head) -> Self:
        """The holding of the account of this head."""
        named = head.account.record.domains
        tenant_id = head.stored(_ConnectedTenant).record.tenant_id
        return cls(held(stored_domains(head).record), None if named is None else frozenset(named), tenant_id)

    def stands_by(self, name: DomainName, claim: DomainClaim, tenant_id: TenantId) -> bool:
        """Whether the account confirms its claim, against another account with a fresh proof.

        Entra lets one tenant verify a domain at a time. If the fresh proof is of another tenant than the one that
        proved this account's claim, this account's tenant has lost the domain. A domain that the vendor does not list
        for the account is not the account's.

        Args:
            name: the domain.
            claim: this account's claim.
            tenant_id: the tenant of the other account, just proven to have verified the domain.
        """
        listed = self.named is None or name in self.named
        return (claim.tenant_id or self.tenant_id) == tenant_id and name in self.names and listed


def _rows_of(account_id: AccountId, rows: Collection[Row]) -> Iterator[Row]:
    first = TenantDomains.key(account_id).row
    return (row for row in rows if row.key.row == first or row.key.row.startswith(f"{first}-"))


def _unpacked(packed: tuple[PackedDomains, ...]) -> TenantDomains:
    domains = sorted((each for part in packed for each in part.domains()), key=lambda each: each.name)
    return TenantDomains(domains=tuple(domains), read_at=packed[0].read_at)


def _documents(record: TenantDomains) -> list[str]:
    """The documents of the list's rows, the first one first."""
    plain = record.document()
    if len(plain) <= _PLAIN:
        return [plain]
    parts: list[dict[bool, dict[DomainStatus, list[str]]]] = []
    room = 0
    for each in record.domains:
        room -= len(each.name) + 1
        if room < 0:
            parts.append({True: defaultdict(list), False: defaultdict(list)})
            room = _PACKED - len(each.name) - 1
        parts[-1][each.enabled][each.status].append(each.name)
    return [
        PackedDomains(
            rows=len(parts),
            read_at=record.read_at,
            on={status: " ".join(names) for status, names in part[True].items()},
            off={status: " ".join(names) for status, names in part[False].items()},
        ).document()
        for part in parts
    ]

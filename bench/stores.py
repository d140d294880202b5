"""Stores of any size: an Azurite that starts with rows that were not written one by one.

Azurite writes a few hundred transactions a second, and fewer the more rows it has, so that writing 100,000 accounts
would take longer than all measurements on them. So it is started once to write a file with one row, the other rows are
added to that file after this pattern, and it starts again with all of them. The documents in the rows are the product's
own.
"""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from azure.data.tables import TableClient

from local.processes import Azurite, azurite
from shared.access.roles import Actor
from shared.accounts.head import Account, HeadRecord
from shared.applications.application import Application, ApplicationProfile
from shared.connection.connection import Connection, Status
from shared.domains.domain_claims import DomainClaim
from shared.domains.tenant_domains import DomainStatus, TenantDomain, TenantDomains
from shared.kernel.names import AccountId, ClientId, DomainName, EmailAddress, Product, TenantId
from shared.policies.policy import Mode, Policy, PolicySettings
from shared.users.exemption import PREFIX, Exemption
from shared.users.user_key import UserKey
from shared.wiring import TABLE_NAMES

TENANT: Final = TenantId("c0c00000-0000-4000-8000-000000000000")
_PATTERN: Final = 999_999
"""The number in the pattern that the others are made from; no other number occurs in a document."""

_FILE: Final = "__azurite_db_table__.json"
_NOW: Final = datetime.now(UTC)
_ACTOR: Final = Actor(subject="olga", role="Operator", name="Olga Operator")


@dataclass(frozen=True, slots=True)
class Entity:
    """A row of a table as the product writes it."""

    table: str
    partition: str
    row: str
    document: str


def account_id(number: int) -> AccountId:
    """The id of an account of a store."""
    return AccountId(f"account-{number:06}")


def domain(number: int) -> DomainName:
    """The domain that routes to the account of this number."""
    return DomainName(f"customer-{number:06}.example")


def client_id(number: int) -> ClientId:
    """The id of an application of a store."""
    return ClientId(f"application-{number:06}")


def accounts(count: int) -> Iterator[Entity]:
    """Accounts that are connected, each with one domain that routes to it, and with SSO on."""
    for number in range(count):
        name, owner = domain(number), account_id(number)
        heads: list[HeadRecord] = [
            Account(
                account_id=owner,
                name=f"Customer {number}",
                products=(Product("Unite"),),
                created_at=_NOW,
                updated_at=_NOW,
            ),
            Connection(
                status=Status.CONNECTED, tenant_id=TENANT, tenant_name="Contoso", connected_by=_ACTOR, connected_at=_NOW
            ),
            TenantDomains(domains=(TenantDomain(name=name, status=DomainStatus.OURS),), read_at=_NOW),
            Policy(settings=PolicySettings(mode=Mode.ON), updated_at=_NOW, updated_by="Sam Security"),
        ]
        for head in heads:
            yield Entity("accounts", owner, head.key(owner).row, head.document())
        claim = DomainClaim(account_id=owner, tenant_id=TENANT, claimed_at=_NOW)
        yield Entity("domains", name, "claim", claim.document())


def applications(count: int) -> Iterator[Entity]:
    """Applications that support SSO for every account."""
    for number in range(count):
        profile = ApplicationProfile(name=f"Application {number}", sso_supported=True)
        record = Application(client_id=client_id(number), profile=profile, created_at=_NOW, updated_at=_NOW)
        yield Entity("applications", "application", record.client_id, record.document())


def bystanders(first: int, count: int) -> Iterator[Entity]:
    """Accounts that no request touches, from number `first` on: an account's first row and its domain claim."""
    owner = account_id(_PATTERN)
    account = Account(account_id=owner, name="Customer", created_at=_NOW, updated_at=_NOW).document()
    claim = DomainClaim(account_id=owner, tenant_id=TENANT, claimed_at=_NOW).document()
    for number in range(first, first + count):
        digits = f"{number:06}"
        document = account.replace(str(_PATTERN), digits)
        yield Entity("accounts", account_id(number), Account.key(owner).row, document)
        yield Entity("domains", domain(number), "claim", claim.replace(str(_PATTERN), digits))


def exceptions(owner: AccountId, name: DomainName, count: int) -> Iterator[Entity]:
    """Entries on an account's exception list, for people of this domain."""
    pattern_id = UserKey.of(owner, EmailAddress(f"exception-{_PATTERN}@{name}"))
    pattern = Exemption(
        exception_id=pattern_id,
        email=f"exception-{_PATTERN}@{name}",
        reason="Keeps the password",
        created_at=_NOW,
        created_by="Sam Security",
        updated_at=_NOW,
    ).document()
    for number in range(count):
        exception_id = UserKey.of(owner, EmailAddress(f"exception-{number:06}@{name}"))
        document = pattern.replace(pattern_id, exception_id).replace(str(_PATTERN), f"{number:06}")
        yield Entity("accounts", owner, PREFIX + exception_id, document)


@contextmanager
def stored(*families: Iterable[Entity]) -> Generator[Azurite]:
    """Run an Azurite that has these rows."""
    with TemporaryDirectory(prefix="bench-store-") as scratch:
        location = Path(scratch)
        with azurite(location=location) as emulator:
            emulator.create_tables(TABLE_NAMES)
            with TableClient.from_connection_string(emulator.connection_string, TABLE_NAMES[0]) as table:
                table.create_entity({"PartitionKey": "p", "RowKey": "r", "document": "{}"})
        _fill(location / _FILE, chain.from_iterable(families))
        with azurite(location=location) as emulator:
            yield emulator


def _fill(file: Path, entities: Iterable[Entity]) -> None:
    """Put rows into the file of an Azurite that has one row in all."""
    database = json.loads(file.read_text(encoding="utf-8"))
    collections = {each["name"].rpartition("$")[2]: each for each in database["collections"]}
    (pattern,) = (row for name in TABLE_NAMES for row in collections[name]["data"])
    collections[TABLE_NAMES[0]]["data"].clear()
    by_table = groupby(sorted(entities, key=lambda each: each.table), key=lambda each: each.table)
    for name, family in by_table:
        rows, collection = [*family], collections[name]
        collection["data"] = [_like(pattern, number, each) for number, each in enumerate(rows, start=1)]
        collection["maxId"] = len(rows)
        collection["binaryIndices"]["PartitionKey"]["values"] = _order([each.partition for each in rows])
        collection["binaryIndices"]["RowKey"]["values"] = _order([each.row for each in rows])
    file.write_text(json.dumps(database, separators=(",", ":")), encoding="utf-8")


def _like(pattern: Mapping[str, Any], number: int, entity: Entity) -> dict[str, Any]:
    keys = {"PartitionKey": entity.partition, "RowKey": entity.row}
    properties = pattern["properties"] | keys | {"document": entity.document}
    return {**pattern, **keys, "properties": properties, "$loki": number}


def _order(keys: list[str]) -> list[int]:
    """The positions of the rows in sorted order, which is the content of an index of LokiJS."""
    return sorted(range(len(keys)), key=keys.__getitem__)

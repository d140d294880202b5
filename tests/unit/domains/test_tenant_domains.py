"""The list of a tenant's domains: found by name, and changed without mixing up what was and what is."""

import pytest

from shared.accounts.head import Account, Head
from shared.domains.domain_claims import DomainClaim
from shared.domains.tenant_domains import DomainStatus, DomainSwitch, TenantDomain, TenantDomains, stands_by
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.ports.record import Stored
from shared.ports.table import Row
from tests.support.fakes import NEW_YEAR

NAMES = [DomainName(f"d{number}.contoso.example") for number in range(1_000)]
MANY = TenantDomains(domains=tuple(TenantDomain(name=name, status=DomainStatus.OURS) for name in NAMES))


@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_a_domain_is_found_as_it_is_after_every_change(name: DomainName) -> None:
    assert MANY.find(name) == TenantDomain(name=name, status=DomainStatus.OURS)
    off = MANY.switched(name, DomainSwitch(enabled=False))
    assert off.find(name) == TenantDomain(name=name, status=DomainStatus.OURS, enabled=False)
    assert off.lost(name).find(name) == TenantDomain(name=name, status=DomainStatus.ANOTHERS, enabled=False)
    assert MANY.find(name) == TenantDomain(name=name, status=DomainStatus.OURS)
    assert [each.name for each in off.domains] == NAMES


def test_a_domain_that_is_not_verified_is_not_found() -> None:
    assert MANY.find(DomainName("contoso.example")) is None


CONTOSO, FABRIKAM = (TenantId(f"{letter}00000-0000-4000-8000-000000000000") for letter in ("c0c", "fab"))
ACME = AccountId("acme")


@pytest.mark.parametrize(("tenant_id", "stands"), [(CONTOSO, True), (FABRIKAM, False)])
def test_a_domain_is_stood_by_against_whom_its_claims_tenant_says(tenant_id: TenantId, *, stands: bool) -> None:
    """Not the connection, which this package does not know: an account without one stands by its claim, too."""
    account = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
    row = Row(TenantDomains.key(ACME), MANY.document(), etag="")
    holder = Head(account=Stored(account, Account.key(ACME), None), rows={row.key.row: row})
    claim = DomainClaim(account_id=ACME, tenant_id=CONTOSO, claimed_at=NEW_YEAR)
    assert stands_by(holder, NAMES[0], claim, tenant_id) is stands
    assert not stands_by(holder, DomainName("contoso.example"), claim, tenant_id)


def test_the_list_reads_and_writes_rows_of_today() -> None:
    stored = '{"domains":[{"name":"contoso.example","hold":"ours","enabled":false}],"readAt":"2026-01-01T00:00:00Z"}'
    key = TenantDomains.key(ACME)
    listed = TenantDomains.read(Row(key, stored, etag=""))
    known = TenantDomain(name=DomainName("contoso.example"), status=DomainStatus.OURS, enabled=False)
    assert listed == TenantDomains(domains=(known,), read_at=NEW_YEAR)
    assert listed.document() == stored

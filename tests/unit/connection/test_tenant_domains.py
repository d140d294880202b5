"""The list of a tenant's domains: found by name, and changed without mixing up what was and what is."""

import pytest

from shared.connection.tenant_domains import DomainSwitch, Hold, TenantDomain, TenantDomains
from shared.kernel.names import DomainName

NAMES = [DomainName(f"d{number}.contoso.example") for number in range(1_000)]
MANY = TenantDomains(domains=tuple(TenantDomain(name=name, hold=Hold.OURS) for name in NAMES))


@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_a_domain_is_found_as_it_is_after_every_change(name: DomainName) -> None:
    assert MANY.find(name) == TenantDomain(name=name, hold=Hold.OURS)
    off = MANY.switched(name, DomainSwitch(enabled=False))
    assert off.find(name) == TenantDomain(name=name, hold=Hold.OURS, enabled=False)
    assert off.lost(name).find(name) == TenantDomain(name=name, hold=Hold.ANOTHERS, enabled=False)
    assert MANY.find(name) == TenantDomain(name=name, hold=Hold.OURS)
    assert [each.name for each in off.domains] == NAMES


def test_a_domain_that_is_not_verified_is_not_found() -> None:
    assert MANY.find(DomainName("contoso.example")) is None

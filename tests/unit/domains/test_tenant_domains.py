"""The list of a tenant's domains: found by name, and changed without mixing up what was and what is."""

import pytest

from shared.accounts.head import Account, Head
from shared.domains.domain_claims import DomainClaim
from shared.domains.stored_domains import Holding
from shared.domains.tenant_domains import DomainState, DomainStatus, DomainSwitch, TenantDomain, TenantDomains, loss_of
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
    assert off.lost({name}).find(name) == TenantDomain(name=name, status=DomainStatus.ANOTHERS, enabled=False)
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
    holding = Holding.of(holder)
    assert holding.stands_by(NAMES[0], claim, tenant_id) is stands
    assert not holding.stands_by(DomainName("contoso.example"), claim, tenant_id)


def test_the_list_reads_and_writes_rows_of_today() -> None:
    stored = '{"domains":[{"name":"contoso.example","hold":"ours","enabled":false}],"readAt":"2026-01-01T00:00:00Z"}'
    key = TenantDomains.key(ACME)
    listed = TenantDomains.read(Row(key, stored, etag=""))
    known = TenantDomain(name=DomainName("contoso.example"), status=DomainStatus.OURS, enabled=False)
    assert listed == TenantDomains(domains=(known,), read_at=NEW_YEAR)
    assert listed.document() == stored


# -- public domains ----------------------------------------------------------------------------------------------------

GMAIL, HUSHMAIL = DomainName("gmail.com"), DomainName("hushmail.com")
"""One that never routes, and one that is only on the list."""


@pytest.mark.parametrize(
    ("name", "status", "named", "state"),
    [
        (GMAIL, DomainStatus.OURS, {GMAIL}, DomainState.NOT_ROUTABLE),
        (HUSHMAIL, DomainStatus.NOT_ASKED, None, DomainState.NOT_ROUTABLE),
        (HUSHMAIL, DomainStatus.OURS, {HUSHMAIL}, DomainState.ROUTED),
        (HUSHMAIL, DomainStatus.OURS, None, DomainState.ROUTED),
    ],
    ids=["well known", "on the list", "on the list and named", "claimed before it was on the list"],
)
def test_a_public_domain_routes_only_if_the_vendor_names_it_or_it_was_claimed_before(
    name: DomainName, status: DomainStatus, named: set[DomainName] | None, state: DomainState
) -> None:
    assert TenantDomain(name=name, status=status).state(named) is state


# -- what events report ------------------------------------------------------------------------------------------------


def test_an_event_counts_all_domains_and_names_a_hundred_those_first_that_have_changed() -> None:
    lost = MANY.lost(NAMES[500:503]).switched(NAMES[900], DomainSwitch(enabled=False))
    found = lost.summary(None, MANY)
    assert found.counts == {DomainState.ROUTED: 996, DomainState.CONFLICT: 3, DomainState.OFF: 1}
    assert len(found.domains) == 100
    assert [*found.domains.items()][:4] == [
        *((name, DomainState.CONFLICT) for name in NAMES[500:503]),
        (NAMES[900], DomainState.OFF),
    ]
    assert [*MANY.summary(None).domains] == NAMES[:100]


def test_domains_that_are_lost_together_are_one_event() -> None:
    assert loss_of({NAMES[7]}).details({}) == {"domain": NAMES[7]}
    assert loss_of({NAMES[2], NAMES[1]}).details({}) == {"domains": [NAMES[1], NAMES[2]], "count": 2}
    many = loss_of(NAMES).details({})
    assert (many["domains"], many["count"]) == (sorted(NAMES)[:100], 1_000)

"""What is known of a domain that nobody has."""

from shared.kernel.names import DomainName
from shared.resolution.decision import Situation
from shared.resolution.facts import DomainFacts


def test_nobodys_domain_has_no_tenant_and_routes_nowhere() -> None:
    nobodys = DomainFacts.of(None, DomainName("contoso.example"), None, ())
    assert (nobodys.tenant_id, nobodys.account_id, nobodys.exceptions) == (None, None, None)
    assert nobodys.situation == Situation()

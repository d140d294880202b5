"""What is known of a person, and until when."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.kernel.names import EmailAddress
from shared.resolution.decision import Situation
from shared.resolution.facts import DomainFacts, Facts
from shared.users.exemption import Term
from tests.support.fakes import NEW_YEAR

ALICE = EmailAddress("alice@contoso.example")
TOMORROW = NEW_YEAR + timedelta(days=1)


def facts(exemption: Term | None) -> Facts:
    return Facts(domain=DomainFacts(situation=Situation(), leases=()), exemption=exemption, leases=())


@pytest.mark.parametrize(
    ("known", "end"),
    [
        (None, None),
        (Term(None), None),
        (Term(TOMORROW), TOMORROW),
        (Term(NEW_YEAR), None),
    ],
    ids=["no exception", "one without end", "one in force", "one that is over"],
)
def test_facts_end_by_themselves_with_an_exception_that_is_in_force(known: Term | None, end: datetime | None) -> None:
    assert facts(known).end(NEW_YEAR) == end


@pytest.mark.parametrize(
    ("known", "excepted"),
    [(None, False), (Term(None), True), (Term(TOMORROW), True), (Term(NEW_YEAR), False)],
    ids=["no exception", "one without end", "one in force", "one that is over"],
)
def test_everybody_at_a_domain_is_in_one_situation_but_for_exceptions(known: Term | None, *, excepted: bool) -> None:
    assert facts(known).situation(NEW_YEAR) == replace(Situation(), excepted=excepted)


def test_nobodys_domain_has_no_tenant_and_routes_nowhere() -> None:
    nobodys = DomainFacts.of(None, ALICE.domain, None, ())
    assert (nobodys.tenant_id, nobodys.account_id, nobodys.exceptions) == (None, None, None)
    assert nobodys.situation == Situation()

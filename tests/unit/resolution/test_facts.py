"""What is known of a person, and until when."""

from datetime import datetime, timedelta

import pytest

from shared.connection.connection import Connection
from shared.kernel.names import EmailAddress
from shared.resolution.decision import Situation
from shared.resolution.facts import Facts
from shared.users.exemption import Term
from tests.support.fakes import NEW_YEAR

ALICE = EmailAddress("alice@contoso.example")
TOMORROW = NEW_YEAR + timedelta(days=1)


def facts(exemption: Term | None) -> Facts:
    return Facts(email=ALICE, application=None, head=None, exemption=exemption)


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


def test_nobodys_domain_has_no_connection_and_routes_nowhere() -> None:
    assert facts(None).connection == Connection()
    assert facts(None).situation(NEW_YEAR) == Situation()

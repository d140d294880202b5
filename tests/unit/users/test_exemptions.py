"""One entry of the exception list: for how long it counts, and by which name it is known."""

from datetime import datetime, timedelta

import pytest

from shared.kernel.names import AccountId, EmailAddress
from shared.users.exemptions import Exemption
from shared.users.user_key import UserKey
from tests.support.fakes import NEW_YEAR

ACME, GLOBEX = AccountId("acme"), AccountId("globex")
ALICE, BOB = EmailAddress.parse("alice@contoso.example"), EmailAddress.parse("bob@contoso.example")
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("expires_at", "counts"),
    [(None, True), (NEW_YEAR + INSTANT, True), (NEW_YEAR, False), (NEW_YEAR - INSTANT, False)],
)
def test_an_entry_counts_until_the_very_moment_at_which_it_expires(
    expires_at: datetime | None, *, counts: bool
) -> None:
    entry = Exemption(
        exception_id=UserKey.of(ACME, ALICE),
        email=ALICE.address,
        reason="Kiosk",
        expires_at=expires_at,
        created_at=NEW_YEAR,
        created_by="Sam",
        updated_at=NEW_YEAR,
    )
    assert entry.in_force(NEW_YEAR) is counts


def test_an_id_is_one_person_s_in_one_account_and_tells_nothing_of_them() -> None:
    ids = {UserKey.of(account, email) for account in (ACME, GLOBEX) for email in (ALICE, BOB)}
    assert len(ids) == 4
    assert UserKey.of(ACME, EmailAddress.parse("ALICE@contoso.example")) in ids
    assert not any("alice" in each.lower() for each in ids)

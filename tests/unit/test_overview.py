"""How many there are, when there are more than are counted; and lists too long to be searched."""

import pytest

from shared.accounts.head import Account
from shared.assembly import assemble
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import Conflict
from shared.overview import Tally
from shared.ports.table import Put, Table
from shared.users.exemption import Exemption, exemption_key
from shared.users.exemptions import LONGEST_SEARCHED
from shared.users.user_key import UserKey
from tests.support.fakes import NEW_YEAR, InMemoryTable
from tests.support.ports import fakes
from tests.unit.provider.world import ACME, SAM


async def excepted(number: int) -> Table:
    """An account with this many exceptions."""
    table = InMemoryTable()
    account = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
    puts = [Put(Account.key(ACME), account.document())]
    for each in range(number):
        key = UserKey.of(ACME, EmailAddress.parse(f"user-{each}@acme.example"))
        entry = Exemption(
            exception_id=key,
            email=f"user-{each}@acme.example",
            reason="Kiosk",
            created_at=NEW_YEAR,
            created_by="Sam",
            updated_at=NEW_YEAR,
        )
        puts.append(Put(exemption_key(ACME, key), entry.document()))
    for start in range(0, len(puts), 100):
        await table.write(*puts[start : start + 100])
    return table


async def test_up_to_a_thousand_are_counted_and_more_are_estimated() -> None:
    services = assemble(fakes(accounts=await excepted(1_000)))
    assert (await services.overviews.read(SAM)).exceptions == Tally(1_000, exact=True)
    services = assemble(fakes(accounts=await excepted(6_000)))
    tally = (await services.overviews.read(SAM)).exceptions
    assert not tally.exact
    assert tally.count % 100 == 0
    assert 5_400 < tally.count < 6_600


async def test_a_list_is_searched_for_a_part_up_to_its_bound() -> None:
    services = assemble(fakes(accounts=await excepted(LONGEST_SEARCHED)))
    assert len(await services.users.exemptions.search(SAM, "user-77")) == 111
    services = assemble(fakes(accounts=await excepted(LONGEST_SEARCHED + 1)))
    with pytest.raises(Conflict, match="whole address"):
        await services.users.exemptions.search(SAM, "user-77")


def test_positions_rise_with_the_order_of_keys() -> None:
    keys = sorted(UserKey.of(ACME, EmailAddress.parse(f"user-{each}@acme.example")) for each in range(500))
    positions = [key.position for key in keys]
    assert positions == sorted(positions)
    assert 0 <= positions[0] < 0.1
    assert 0.9 < positions[-1] < 1

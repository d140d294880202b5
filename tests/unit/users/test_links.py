"""The links as a Security Manager sees them: page by page, searched, and released."""

import asyncio
import json

import pytest

from shared.access.roles import AccountAdministrator
from shared.kernel.names import AccountId, EmailAddress
from shared.kernel.refusals import Invalid, NotFound
from shared.users.user_key import UserKey
from tests.unit.provider.world import ACME, ALICE, SAM, Provider, identity

BETA = AccountId("beta")
ALICES = UserKey.of(ACME, ALICE)


@pytest.fixture
async def provider() -> Provider:
    """Two accounts that are connected to Contoso, as yet without links."""
    opened = Provider()
    for account_id in (ACME, BETA):
        await opened.add_account(account_id)
    return opened


async def test_a_tie_is_released_once(provider: Provider) -> None:
    with pytest.raises(NotFound):
        await provider.links.release(SAM, ALICES)
    await provider.admit(ACME, ALICE, identity())
    answers = await asyncio.gather(*(provider.links.release(SAM, ALICES) for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(NotFound) == 4
    with pytest.raises(NotFound):
        await provider.links.release(SAM, ALICES)


async def test_a_manager_releases_no_tie_of_another_account(provider: Provider) -> None:
    await provider.admit(ACME, ALICE, identity())
    with pytest.raises(NotFound):
        await provider.links.release(AccountAdministrator(BETA, SAM.actor), ALICES)
    assert await provider.admit(ACME, ALICE, identity())


async def test_ties_come_page_by_page(provider: Provider) -> None:
    await provider.add_account()
    emails = [EmailAddress.parse(f"user{number}@contoso.example") for number in range(3)]
    made = [
        await provider.admit(ACME, email, identity(oid=email.address, preferred_username=email.address))
        for email in emails
    ]
    first, continuation = await provider.links.page(SAM, 2, None)
    second, end = await provider.links.page(SAM, 2, continuation)
    assert [*first, *second] == sorted(made, key=lambda link: link.link_id)
    assert (len(first), end) == (2, None)
    with pytest.raises(Invalid):
        await provider.links.page(SAM, 2, "made up")


async def test_an_account_that_is_not_there_has_no_ties() -> None:
    with pytest.raises(NotFound):
        await Provider().links.page(SAM, 2, None)


async def test_the_row_of_a_tie_is_named_by_a_hash(provider: Provider) -> None:
    await provider.admit(ACME, ALICE, identity())
    (row,) = await provider.accounts_table.under(ACME, "link:")
    assert "alice" not in row.key.row
    assert json.loads(row.document)["linkId"] == row.key.row.removeprefix("link:")

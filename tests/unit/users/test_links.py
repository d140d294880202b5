"""The links as a Security Manager sees them: page by page, searched, and released."""

import asyncio
import json

import pytest

from shared.access.roles import AccountAdministrator
from shared.kernel.names import AccountId, DomainName, EmailAddress
from shared.kernel.refusals import Invalid, NotFound
from shared.ports.table import Put
from shared.trail.trail import AuditRecord
from shared.users.identity import Identity, identity_key
from shared.users.link import Link, link_key
from shared.users.links import Chosen, Released
from shared.users.user_key import UserKey
from tests.support.fakes import NEW_YEAR
from tests.unit.provider.world import ACME, ALICE, ALICE_OID, CONTOSO, FABRIKAM, SAM, Provider, identity

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


async def test_a_link_is_found_by_its_address(provider: Provider) -> None:
    made = await provider.admit(ACME, ALICE, identity())
    assert await provider.links.find(SAM, ALICE) == (made,)
    assert await provider.links.find(SAM, EmailAddress.parse("bob@contoso.example")) == ()
    with pytest.raises(NotFound):
        await Provider().links.find(SAM, ALICE)


# -- many at once -----------------------------------------------------------------------------------------------------


def addresses(count: int) -> list[EmailAddress]:
    return [EmailAddress.parse(f"user{number}@contoso.example") for number in range(count)]


async def admit_all(provider: Provider, *emails: EmailAddress, **claims: object) -> None:
    for email in emails:
        name = {"oid": email.address, "preferred_username": email.address}
        await provider.admit(ACME, email, identity(**name | claims))


@pytest.mark.parametrize("claims", [{"oid": "one"}, {}], ids=["one person's", "each another's"])
async def test_many_links_are_released_with_an_event_for_each_transaction(
    provider: Provider, claims: dict[str, str]
) -> None:
    """An identity goes with its last link."""
    await admit_all(provider, *addresses(100), **claims)
    assert await provider.links.release_many(SAM, Chosen(), None) == Released(100, None)
    assert await provider.links.release_many(SAM, Chosen(), None) == Released(0, None)
    rows = await provider.accounts_table.under(ACME, "")
    assert [row.key.row for row in rows if row.key.row.startswith(("link:", "identity:"))] == []
    events = [AuditRecord.read(row) for row in rows if row.key.row.startswith("audit:")]
    assert sorted(event.details["count"] for event in events if event.action == "links.released") == [2, 49, 49]


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        (Chosen(tenant_id=CONTOSO), []),
        (Chosen(tenant_id=FABRIKAM), ["alice@contoso.example", "bob@contoso-mail.example"]),
        (Chosen(domain=DomainName("contoso.example")), ["bob@contoso-mail.example"]),
        (Chosen(domain=DomainName("example.com")), ["alice@contoso.example", "bob@contoso-mail.example"]),
    ],
)
async def test_only_the_chosen_are_released(provider: Provider, chosen: Chosen, left: list[str]) -> None:
    await admit_all(provider, ALICE, EmailAddress.parse("bob@contoso-mail.example"))
    await provider.links.release_many(SAM, chosen, None)
    links, _ = await provider.links.page(SAM, 10, None)
    assert sorted(link.email for link in links) == left


async def test_a_call_looks_at_so_many_and_the_next_one_goes_on(provider: Provider) -> None:
    for number in range(5_001):
        link_id = UserKey.of(ACME, EmailAddress.parse(f"user{number}@contoso.example"))
        link = Link(link_id=link_id, email="user@contoso.example", tid=CONTOSO, oid="oid", linked_at=NEW_YEAR)
        await provider.accounts_table.write(Put(link_key(ACME, link_id), link.document()))
    first = await provider.links.release_many(SAM, Chosen(), None)
    assert first.count == 5_000
    assert first.continuation is not None
    assert await provider.links.release_many(SAM, Chosen(), first.continuation) == Released(1, None)
    with pytest.raises(Invalid):
        await provider.links.release_many(SAM, Chosen(), "made up")


async def test_who_signs_in_meanwhile_is_released_too_and_who_is_gone_is_not_counted(provider: Provider) -> None:
    # By hand: two others come in between, each before one transaction.
    emails = addresses(2)
    await admit_all(provider, *emails, oid="one")

    async def one_is_released() -> None:
        await provider.links.release(SAM, UserKey.of(ACME, emails[0]))

    async def nobody_is_left() -> None:
        await provider.links.release(SAM, UserKey.of(ACME, emails[1]))

    provider.accounts_raced.before_writing(one_is_released)
    assert await provider.links.release_many(SAM, Chosen(), None) == Released(1, None)
    await admit_all(provider, emails[1])
    provider.accounts_raced.before_writing(nobody_is_left)
    assert await provider.links.release_many(SAM, Chosen(), None) == Released(0, None)


async def test_a_release_waits_for_a_sign_in_of_the_same_identity(provider: Provider) -> None:
    # By hand: the disturbances have one address.
    other = EmailAddress.parse("alice.archer@contoso.example")
    await provider.admit(ACME, ALICE, identity())

    async def alice_signs_in_by_another_address() -> None:
        await provider.admit(ACME, other, identity(preferred_username=other.address))

    provider.accounts_raced.before_writing(alice_signs_in_by_another_address)
    await provider.links.release(SAM, ALICES)
    identity_row = await provider.accounts_table.get(identity_key(ACME, CONTOSO, ALICE_OID))
    assert identity_row is not None
    assert Identity.read(identity_row).links == (UserKey.of(ACME, other),)


async def test_older_links_are_released_without_an_identity(provider: Provider) -> None:
    link = Link(link_id=ALICES, email=ALICE.address, tid=CONTOSO, oid=ALICE_OID, linked_at=NEW_YEAR)
    await provider.accounts_table.write(Put(link_key(ACME, ALICES), link.document()))
    await provider.links.release(SAM, ALICES)
    assert await provider.links.find(SAM, ALICE) == ()


async def test_what_a_release_has_done_does_not_fail_because_the_store_goes(provider: Provider) -> None:
    await provider.admit(ACME, ALICE, identity())

    async def store_goes() -> None:
        provider.accounts_table.available = False

    async def after_the_release() -> None:
        provider.accounts_raced.before_reading(store_goes)

    provider.accounts_raced.before_writing(after_the_release)
    await provider.links.release(SAM, ALICES)
    provider.accounts_table.available = True
    assert await provider.links.find(SAM, ALICE) == ()

"""Sign-ins over the adapter and Azurite, of whose requests one is lost, or its answer, or is carried twice, or late.

`tests/unit/provider/test_disturbed_sign_ins.py` disturbs the calls of the product. Here it is the wire below the
adapter, which asks again by itself: nobody hears of it, and everything is done once.
"""

from collections.abc import AsyncIterator

import pytest

from local.processes import Azurite
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTables
from shared.kernel.names import EmailAddress
from shared.ports.table import Key
from shared.provider.errors import OAuthError
from shared.provider.sessions import Sessions
from shared.trail.trail import AuditRecord
from shared.wiring import TABLE_NAMES
from tests.support.disturbances import Disturbance
from tests.support.lossy import LossyWire, lossy_wire
from tests.unit.provider.walk import answer_to, back, code_in, left, redeemed, renewed, rows
from tests.unit.provider.world import ACME, Provider


@pytest.fixture(scope="module")
async def wire(store: Azurite) -> AsyncIterator[LossyWire]:
    store.create_tables(TABLE_NAMES)
    async with lossy_wire(store.port) as wire:
        yield wire


@pytest.fixture(scope="module")
async def provider(store: Azurite, wire: LossyWire) -> AsyncIterator[Provider]:
    """The product on tables in Azurite, with an account that is connected and an application that renews tokens."""
    account = Account.from_connection_string(store.connection_string.replace(f":{store.port}/", f":{wire.port}/"))
    tables = AzureTables(account)
    provider = Provider(
        applications=tables.table("applications"),
        domains_table=tables.table("domains"),
        flows_table=tables.table("flows"),
        duties_table=tables.table("duties"),
        accounts_table=tables.table("accounts"),
        remembers=True,
    )
    await provider.switch_on()
    await provider.add(refresh_tokens=True)
    yield provider
    await tables.close()


async def sign_in(provider: Provider, email: EmailAddress, oid: str) -> str:
    """Somebody's first sign-in, tokens for its code, and the renewal of them; the code."""
    away = await left(provider, login_hint=email.address)
    answer = answer_to(provider, away, oid=oid, sid=f"sid-{oid}", preferred_username=email.address)
    code = code_in(await back(provider, away, answer))
    tokens = await redeemed(provider, code)
    await renewed(provider, tokens.refresh_token)
    return code


async def events(provider: Provider) -> list[str]:
    """What the trail of the account says."""
    return [AuditRecord.read(row).action for row in await provider.accounts_table.under(ACME, "audit:")]


@pytest.mark.parametrize("how", [Disturbance.NOT_MADE, Disturbance.LOST, Disturbance.REPEATED], ids=str.lower)
async def test_whatever_happens_on_the_wire_a_sign_in_is_done_once(
    provider: Provider, wire: LossyWire, how: Disturbance
) -> None:
    before = (await events(provider)).count("link.made")
    at, made, signed_in = 0, 1, 0
    while at < made:
        at, signed_in, name = at + 1, signed_in + 1, f"{how.name.lower()}-{at}"
        wire.disturb(at, how)
        code = await sign_in(provider, EmailAddress(f"{name}@contoso.example"), name)
        made = wire.made
        wire.disturb(0, None)
        assert len(await provider.sessions.find(Sessions.name_of(f"sid-{name}"))) == 1
        with pytest.raises(OAuthError, match="was already used"):
            await redeemed(provider, code)
    assert signed_in > 15, "so many requests does it make"
    assert (await events(provider)).count("link.made") - before == signed_in


async def test_what_the_store_gets_once_more_long_afterwards_changes_nothing(
    provider: Provider, wire: LossyWire
) -> None:
    wire.disturb(0, None)
    code = await sign_in(provider, EmailAddress("late@contoso.example"), "late")
    before = await documents(provider)
    await wire.repeat_late()
    assert len(wire.writes) == 8
    assert await documents(provider) == before
    with pytest.raises(OAuthError, match="was already used"):
        await redeemed(provider, code)


async def documents(provider: Provider) -> dict[Key, str]:
    """What is in the store of the account, and of flows."""
    found = [*await rows(provider), *await provider.accounts_table.under(ACME, "")]
    return {row.key: row.document for row in found}

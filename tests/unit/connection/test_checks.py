"""A sign-in that Entra refused makes us ask the tenant, and nobody can make us ask often."""

from datetime import timedelta

import pytest

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import Account, read_head
from shared.accounts.journal import PREFIX
from shared.assembly import assemble
from shared.connection.connection import Connection, Status
from shared.kernel.names import AccountId, TenantId
from shared.ports.entra import ConsentMissing
from shared.ports.organizations import Organization
from shared.ports.table import Put
from shared.ports.telemetry import ConnectStep, Event, EventName
from tests.support.fakes import NEW_YEAR, FakeEntra, FixedClock, InMemoryTable, NotedEvents
from tests.support.ports import fakes

CONTOSO = TenantId("c0c00000-0000-4000-8000-000000000000")


class Tenant(FakeEntra):
    """A tenant that counts who asks, and consents or not."""

    asked = 0
    consents = True

    async def read_organization(self, tenant_id: TenantId) -> Organization:
        self.asked += 1
        if not self.consents:
            raise ConsentMissing("unauthorized_client", 700016, "Gone.")
        return Organization(tenant_id=tenant_id, display_name="Contoso", verified_domains=())


class World:
    def __init__(self) -> None:
        self.clock, self.table, self.tenant = FixedClock(), InMemoryTable(), Tenant()
        self.telemetry = NotedEvents()
        services = assemble(fakes(clock=self.clock, accounts=self.table, entra=self.tenant, telemetry=self.telemetry))
        self.checks = services.connection.checks

    async def connected(self, name: str) -> AccountId:
        account_id = AccountId(name)
        account = Account(account_id=account_id, name=name, created_at=NEW_YEAR, updated_at=NEW_YEAR)
        connection = Connection(status=Status.CONNECTED, tenant_id=CONTOSO)
        await self.table.write(Put(Account.key(account_id), account.document()))
        await self.table.write(Put(Connection.key(account_id), connection.document()))
        return account_id

    async def status(self, account_id: AccountId) -> Status:
        return (await read_head(self.table, account_id)).stored(Connection).record.status


@pytest.fixture
def world() -> World:
    return World()


async def test_a_tenant_that_consents_is_asked_once_in_five_minutes_and_nothing_is_written(world: World) -> None:
    acme = await world.connected("acme")
    for _ in range(5):
        await world.checks.probe(acme)
    assert world.tenant.asked == 1
    assert await world.table.under(acme, PREFIX) == ()
    world.clock.advance(timedelta(minutes=5))
    await world.checks.probe(acme)
    assert world.tenant.asked == 2


async def test_a_consent_that_is_gone_is_written_down(world: World) -> None:
    acme = await world.connected("acme")
    world.tenant.consents = False
    await world.checks.probe(acme)
    assert await world.status(acme) is Status.CONSENT_REVOKED
    assert len(await world.table.under(acme, PREFIX)) == 1


async def test_one_account_does_not_hold_up_another_and_memory_is_bounded(world: World) -> None:
    first = await world.connected("first")
    await world.checks.probe(first)
    for number in range(1_000):
        await world.checks.probe(AccountId(f"nobody{number}"))
    await world.checks.probe(first)
    assert world.tenant.asked == 2


async def test_a_consent_that_goes_and_comes_back_is_told_each_time_once(world: World) -> None:
    acme = await world.connected("acme")
    sam = AccountAdministrator(acme, Actor("sam", "Sam Security", "SecurityManager"))
    for consents in (True, False, False, True, True):
        world.tenant.consents = consents
        await world.checks.check(sam)
    assert world.telemetry.events == [
        Event(EventName.CONNECT, step, account_id=acme) for step in (ConnectStep.REVOKED, ConnectStep.RESTORED)
    ]

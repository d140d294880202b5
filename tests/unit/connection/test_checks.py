"""A sign-in that Entra refused makes us ask the tenant, and nobody can make us ask often."""

from datetime import timedelta

import pytest

from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import Account, read_head
from shared.accounts.journal import PREFIX
from shared.assembly import assemble
from shared.connection.checks import ConsentProbe
from shared.connection.connection import Connection, Status
from shared.domains.stored_domains import stored_domains
from shared.domains.tenant_domains import DomainStatus, TenantDomain, TenantDomains
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.kernel.refusals import Stale
from shared.ports.entra import ConsentMissing, GraphForbidden
from shared.ports.organizations import Organization
from shared.ports.table import Put, Remove
from shared.ports.telemetry import ConnectStep, Event, EventName
from shared.trail.trail import AuditRecord
from tests.support.fakes import NEW_YEAR, FakeEntra, FixedClock, InMemoryTable, NotedEvents
from tests.support.interleaving import Interleaved
from tests.support.ports import fakes

CONTOSO = TenantId("c0c00000-0000-4000-8000-000000000000")
KEPT, SOLD, NEW = (DomainName(f"{name}.contoso.example") for name in ("kept", "sold", "new"))


class Tenant(FakeEntra):
    """A tenant that counts who asks, and consents or not."""

    asked = 0
    consents = True
    graph = True
    domains: tuple[DomainName, ...] = ()

    async def read_organization(self, tenant_id: TenantId) -> Organization:
        self.asked += 1
        if not self.consents:
            raise ConsentMissing("unauthorized_client", 700016, "Gone.")
        if not self.graph:
            raise GraphForbidden("access_denied", None, "Forbidden.")
        await self._travel()
        return Organization(tenant_id=tenant_id, display_name="Contoso", verified_domains=self.domains)


class World:
    def __init__(self) -> None:
        self.clock, self.table, self.tenant = FixedClock(), InMemoryTable(), Tenant()
        self.telemetry, self.duties, self.raced = NotedEvents(), InMemoryTable(), Interleaved(self.table)
        self.services = assemble(
            fakes(
                clock=self.clock,
                accounts=self.raced,
                duties=self.duties,
                entra=self.tenant,
                telemetry=self.telemetry,
            )
        )
        self.checks = self.services.connection.checks

    async def check(self, account_id: AccountId) -> Connection:
        """The Security Manager asks how the connection is."""
        sam = AccountAdministrator(account_id, Actor("sam", "Sam Security", "SecurityManager"))
        return (await self.checks.check(sam))[0]

    async def pass_(self, time: timedelta) -> None:
        """Let time pass, with a run of the duties every five minutes."""
        until = self.clock.now() + time
        while self.clock.now() < until:
            self.clock.advance(timedelta(minutes=5))
            await self.services.upkeep.duties.run()

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


# -- one 403 is not a revoked consent ----------------------------------------------------------------------------------


async def test_a_403_that_is_gone_some_time_later_was_no_revoked_consent(world: World) -> None:
    acme = await world.connected("acme")
    world.tenant.graph = False
    for _ in range(3):
        found = await world.check(acme)
        assert (found.status, found.last_check and found.last_check.outcome) == (Status.CONNECTED, "unconfirmed")
        world.clock.advance(timedelta(minutes=1))
    world.tenant.graph = True
    await world.pass_(timedelta(minutes=15))
    head = (await read_head(world.table, acme)).stored(Connection).record
    assert (head.status, head.doubted_at, head.last_check and head.last_check.outcome) == (Status.CONNECTED, None, "ok")
    assert world.telemetry.events == []
    assert len(world.duties) == 0


@pytest.mark.parametrize("ask", ["check", "the duty alone"])
async def test_a_403_that_is_still_there_some_time_later_is_one(world: World, ask: str) -> None:
    acme = await world.connected("acme")
    world.tenant.graph = False
    await world.checks.probe(acme)
    assert await world.status(acme) is Status.CONNECTED
    world.clock.advance(timedelta(minutes=5))
    if ask == "check":
        await world.check(acme)
    else:
        await world.pass_(timedelta(minutes=5))
    assert await world.status(acme) is Status.CONSENT_REVOKED
    assert world.telemetry.events == [Event(EventName.CONNECT, ConnectStep.REVOKED, account_id=acme)]


async def test_no_number_of_refused_sign_ins_confirms_a_403(world: World) -> None:
    acme = await world.connected("acme")
    world.tenant.graph = False
    for _ in range(10):
        await world.checks.probe(acme)
        world.clock.advance(timedelta(minutes=6))
    assert world.tenant.asked == 10
    assert await world.status(acme) is Status.CONNECTED
    await world.pass_(timedelta(minutes=5))
    assert await world.status(acme) is Status.CONSENT_REVOKED, "the duty has found it again"


async def test_an_outage_between_two_403_neither_confirms_nor_clears(world: World) -> None:
    acme = await world.connected("acme")
    world.tenant.graph = False
    await world.check(acme)
    world.tenant.graph, world.tenant.available = True, False
    await world.pass_(timedelta(minutes=30))
    assert await world.status(acme) is Status.CONNECTED
    world.tenant.graph, world.tenant.available = False, True
    await world.pass_(timedelta(hours=1))
    assert await world.status(acme) is Status.CONSENT_REVOKED


@pytest.mark.parametrize("how", ["consents", "graph"])
async def test_a_consent_that_comes_back_heals_the_account_by_itself(world: World, how: str) -> None:
    acme = await world.connected("acme")
    setattr(world.tenant, how, False)
    await world.check(acme)
    await world.pass_(timedelta(days=2))
    assert await world.status(acme) is Status.CONSENT_REVOKED
    assert world.tenant.asked < 20, "it is probed ever more rarely"
    setattr(world.tenant, how, True)
    await world.pass_(timedelta(hours=7))
    assert await world.status(acme) is Status.CONNECTED
    assert world.telemetry.events == [
        Event(EventName.CONNECT, step, account_id=acme) for step in (ConnectStep.REVOKED, ConnectStep.RESTORED)
    ]
    assert len(world.duties) == 0
    asked = world.tenant.asked
    await world.pass_(timedelta(days=1))
    assert world.tenant.asked == asked, "an account that is well is left in peace"


async def test_an_account_that_is_gone_or_disconnected_is_probed_no_more(world: World) -> None:
    gone, disconnected = await world.connected("gone"), await world.connected("disconnected")
    world.tenant.consents = False
    for account_id in (gone, disconnected):
        await world.check(account_id)
    row = await world.table.get(Account.key(gone))
    assert row is not None
    await world.table.write(Remove(row))
    await world.table.write(Put(Connection.key(disconnected), Connection().document()))
    await world.pass_(timedelta(minutes=15))
    assert world.tenant.asked == 2
    assert len(world.duties) == 0


async def test_a_probe_that_lost_a_race_is_repeated(world: World) -> None:
    # By hand: the disturbances run no duties.
    acme = await world.connected("acme")
    world.tenant.consents = False
    await world.check(acme)
    world.tenant.consents = True

    async def changed_by_another() -> None:
        row = await world.table.get(Connection.key(acme))
        assert row is not None
        await world.table.write(Put(row.key, row.document))

    world.raced.before_writing(changed_by_another)
    await world.pass_(timedelta(minutes=10))
    assert await world.status(acme) is Status.CONSENT_REVOKED
    await world.pass_(timedelta(minutes=20))
    assert await world.status(acme) is Status.CONNECTED


# -- domains that left the tenant --------------------------------------------------------------------------------------


async def with_domains(world: World) -> AccountId:
    """An account whose tenant had two domains, and has sold one and verified another since."""
    acme = await world.connected("acme")
    for name in (KEPT, SOLD):
        assert await world.services.connection.domains.routing.claims.claim(name, acme, CONTOSO)
    listed = tuple(TenantDomain(name=name, status=DomainStatus.OURS) for name in (KEPT, SOLD))
    await world.table.write(Put(TenantDomains.key(acme), TenantDomains(domains=listed).document()))
    world.tenant.domains = (KEPT, NEW)
    return acme


async def listed_and_claimed(world: World, account_id: AccountId) -> tuple[list[str], list[str]]:
    """The account's list, and the domains whose claim it holds."""
    domains = stored_domains(await read_head(world.table, account_id)).record.domains
    claims = [await world.services.connection.domains.routing.claims.holder(name) for name in (KEPT, SOLD, NEW)]
    return [each.name for each in domains], [
        name for name, claim in zip((KEPT, SOLD, NEW), claims, strict=True) if claim
    ]


@pytest.mark.parametrize("how", ["check", "a sign-in that was refused", "the duty"])
async def test_a_domain_that_left_the_tenant_is_let_go_and_a_new_one_waits_for_a_refresh(
    world: World, how: str
) -> None:
    acme = await with_domains(world)
    match how:
        case "check":
            await world.check(acme)
        case "the duty":
            await world.checks.probe_again(ConsentProbe(account_id=acme))
        case _:
            await world.checks.probe(acme)
    assert await listed_and_claimed(world, acme) == ([KEPT], [KEPT])
    (event,) = [AuditRecord.read(row) for row in await world.table.under(acme, PREFIX)]
    assert event.details == {"outcome": "ok", "domainsLeft": [SOLD], "domainsLeftCount": 1}
    await world.checks.probe_again(ConsentProbe(account_id=acme))
    assert len(await world.table.under(acme, PREFIX)) == 1


@pytest.mark.parametrize("silent", ["consents", "graph"])
async def test_a_tenant_that_does_not_answer_has_lost_no_domain(world: World, silent: str) -> None:
    acme = await with_domains(world)
    setattr(world.tenant, silent, False)
    await world.check(acme)
    assert await listed_and_claimed(world, acme) == ([KEPT, SOLD], [KEPT, SOLD])


async def test_a_check_does_not_overwrite_a_switch_of_the_same_moment(world: World) -> None:
    acme = await with_domains(world)
    off = TenantDomains(
        domains=tuple(TenantDomain(name=name, status=DomainStatus.OURS, enabled=False) for name in (KEPT, SOLD))
    )
    world.raced.before_writing(lambda: world.table.write(Put(TenantDomains.key(acme), off.document())))
    with pytest.raises(Stale):
        await world.check(acme)
    assert await listed_and_claimed(world, acme) == ([KEPT, SOLD], [KEPT, SOLD])
    await world.check(acme)
    (kept,) = stored_domains(await read_head(world.table, acme)).record.domains
    assert (kept.name, kept.enabled) == (KEPT, False)

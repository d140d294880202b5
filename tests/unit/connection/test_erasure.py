"""An account that is closed is gone, whatever was being written to it meanwhile, and on whatever instance."""

import asyncio
import random
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from shared.access.roles import AccountAdministrator, Actor, Operator
from shared.accounts.head import Account, read_head
from shared.accounts.register import Profile
from shared.assembly import assemble
from shared.connection.connection import Connection, ConnectionStarted, Status
from shared.connection.disconnection import Erasure
from shared.domains.domain_claims import DomainClaims
from shared.domains.tenant_domains import DomainStatus, TenantDomain, TenantDomains
from shared.kernel.names import AccountId, DomainName, EmailAddress, TenantId
from shared.kernel.refusals import NotFound, Refusal, Unavailable
from shared.kernel.versions import Expected
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.table import Insert, Key, Operation, Table
from shared.services import Services
from shared.users.terms import ExemptionDraft
from tests.support.fakes import NEW_YEAR, FixedClock, InMemoryTable
from tests.support.interleaving import Interleaved
from tests.support.ports import fakes

ACME = AccountId("acme")
CONTOSO = TenantId("c0c00000-0000-4000-8000-000000000000")
OLGA = Operator(Actor("olga", "Olga Operator", "Operator"))
SAM = AccountAdministrator(ACME, Actor("sam", "Sam Security", "SecurityManager"))
PROFILE = Profile("Acme", (), None)
WHATEVER_STANDS = Expected(None)
LATE = Key(ACME, "exception:late")


class Slow(Interleaved):
    """The way of one instance to the store: what it writes arrives late."""

    def __init__(self, table: InMemoryTable, chance: random.Random) -> None:
        super().__init__(table)
        self._chance = chance

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        for _ in range(self._chance.randrange(100)):
            await asyncio.sleep(0)
        return await super().write(*operations)


class World:
    """Two instances on one store."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self.clock = FixedClock()
        self.accounts, self.domains = InMemoryTable(), InMemoryTable()
        self.raced, self.duties = Interleaved(self.accounts), InMemoryTable()
        self.one = self._instance(self.raced)
        self.other = self._instance(Slow(self.accounts, chance) if chance else self.raced)

    def _instance(self, accounts: Table) -> Services:
        ports = fakes(clock=self.clock, accounts=accounts, domains=self.domains, duties=self.duties)
        return assemble(ports)

    async def register(self) -> None:
        await self.one.accounts.register.put(OLGA, ACME, PROFILE, None)

    async def connect(self) -> None:
        connection = Connection(status=Status.CONNECTED, tenant_id=CONTOSO, connected_at=self.clock.now())
        await self.accounts.write(Insert(Connection.key(ACME), connection.document()))

    async def close(self) -> None:
        await self.one.connection.disconnection.close(OLGA, ACME, WHATEVER_STANDS)

    async def pass_two_hours(self) -> None:
        for _ in range(12):
            self.clock.advance(timedelta(minutes=10))
            await self.other.upkeep.duties.run()


@pytest.fixture
async def world() -> World:
    world = World()
    await world.register()
    return world


async def quietly(call: Awaitable[object], after: int) -> None:
    """Make a call a little later, whatever comes of it."""
    for _ in range(after):
        await asyncio.sleep(0)
    try:
        await call
    except Refusal:
        return


def fire(instance: Services, number: int) -> list[Awaitable[object]]:
    """What people and administrators do at the same time."""
    address = EmailAddress.parse(f"person{number}@contoso.example")
    identity = VerifiedIdentity(tid=CONTOSO, oid=f"oid-{number}", preferred_username=address.address, acct=0)
    draft = ExemptionDraft.model_validate({"email": address.address, "reason": "on leave"})
    return [
        instance.users.admission.admit(ACME, address, identity, NEW_YEAR),
        instance.connection.consent.start(SAM, None),
        instance.users.exemptions.add(SAM, draft),
    ]


@pytest.mark.parametrize("seed", range(25))
async def test_deleting_under_fire_on_two_instances_leaves_nothing(seed: int) -> None:
    chance = random.Random(seed)
    world = World(chance)
    await world.register()
    await world.connect()
    calls = [call for number in range(8) for each in (world.one, world.other) for call in fire(each, number)]
    shots = [quietly(call, chance.randrange(60)) for call in calls]
    deletions = [quietly(world.close(), chance.randrange(40)) for _ in range(2)]
    await asyncio.gather(*shots, *deletions)
    await quietly(world.close(), 0)
    await world.pass_two_hours()
    assert (len(world.accounts), len(world.domains), len(world.duties)) == (0, 0, 0)


async def test_what_a_late_writer_leaves_is_swept_until_nobody_can_be_writing(world: World) -> None:
    """The writer has read the account before it was closed, and writes after everything was erased."""
    await world.close()
    for minutes in (2, 20, 45):
        await world.one.accounts.journal.commit(ACME, SAM.actor, ConnectionStarted(), Insert(LATE, "{}"))
        families = [row.key.row.partition(":")[0] for row in await world.accounts.under(ACME, "")]
        assert families == ["audit", "exception", "known", "person"]
        world.clock.advance(timedelta(minutes=minutes))
        await world.other.upkeep.duties.run()
        assert len(world.accounts) == 0
    assert len(world.duties) == 0


async def test_domains_that_a_late_integration_has_claimed_are_released(world: World) -> None:
    domain = DomainName("contoso.example")
    await world.close()
    late = TenantDomains(domains=(TenantDomain(name=domain, status=DomainStatus.OURS),))
    claims = world.one.connection.domains.routing.claims
    assert isinstance(claims, DomainClaims)
    await world.accounts.write(Insert(TenantDomains.key(ACME), late.document()))
    await claims.claim(domain, ACME, CONTOSO)
    await world.pass_two_hours()
    assert (len(world.accounts), len(world.domains)) == (0, 0)


async def test_a_closing_that_was_cut_off_is_finished_by_itself(world: World) -> None:
    # By hand: the disturbances repeat the operation, and here nobody does but the duty.
    close = world.close()
    world.raced.before_writing(lambda: _then_crash_at_the_next_write(world))
    with pytest.raises(asyncio.CancelledError):
        await close
    assert len(world.accounts) > 0
    with pytest.raises(NotFound):
        await read_head(world.accounts, ACME)
    await world.pass_two_hours()
    assert (len(world.accounts), len(world.duties)) == (0, 0)


async def _then_crash_at_the_next_write(world: World) -> None:
    async def crash() -> None:
        raise asyncio.CancelledError

    world.raced.before_writing(crash)


async def test_an_account_that_is_registered_again_is_left_alone(world: World) -> None:
    await world.close()
    world.clock.advance(timedelta(seconds=1))
    await world.register()
    rows = len(world.accounts)
    await world.pass_two_hours()
    assert (len(world.accounts), len(world.duties)) == (rows, 0)


async def test_a_closing_that_never_began_leaves_the_account_alone(world: World) -> None:
    # By hand: the disturbances run no duties.
    async def store_goes() -> None:
        world.accounts.available = False

    world.raced.before_writing(store_goes)
    with pytest.raises(Unavailable):
        await world.close()
    world.accounts.available = True
    await world.pass_two_hours()
    assert (await read_head(world.accounts, ACME)).account.record.name == "Acme"
    assert len(world.duties) == 0


async def test_an_account_that_is_registered_while_it_is_swept_keeps_its_rows(world: World) -> None:
    # By hand: the disturbances run no duties.
    await world.close()
    await world.accounts.write(Insert(LATE, "{}"))
    world.raced.before_reading(world.register)
    await world.other.connection.disconnection.sweep(Erasure(account_id=ACME, closed_at=world.clock.now()))
    assert await world.accounts.get(Account.key(ACME)) is not None
    assert await world.accounts.get(LATE) is None

"""Thousands of domains of one tenant: what it costs to claim and to release them, and what comes of races and crashes.

Storage calls are counted, and how many are under way at once; no clock is asked. With `--slow` there are 5,000 domains.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from shared.access.roles import AccountAdministrator, Actor, Operator
from shared.accounts.journal import PREFIX
from shared.accounts.register import Profile
from shared.assembly import assemble
from shared.connection.connection import Connection, Status
from shared.domains.domain_claims import SETTLING_TIME, DomainClaim
from shared.domains.tenant_domains import DomainState, DomainStatus, TenantDomain, TenantDomains
from shared.kernel.names import AccountId, DomainName, EmailAddress, TenantId
from shared.kernel.refusals import Stale, Unavailable
from shared.kernel.versions import Expected
from shared.policies.policy import Mode, Policy, PolicySettings
from shared.ports.organizations import Organization
from shared.ports.table import Insert, Key, Operation, Put, Row
from shared.trail.trail import AuditRecord
from tests.support.fakes import FakeEntra, FixedClock, InMemoryTable
from tests.support.ports import fakes

ACME, BETA = AccountId("acme"), AccountId("beta")
CONTOSO = TenantId("c0c00000-0000-4000-8000-000000000000")
FABRIKAM = TenantId("fab00000-0000-4000-8000-000000000000")
OLGA = Operator(Actor("olga", "Olga Operator", "Operator"))
ANY = Expected(None)
AT_ONCE = 16
FEW = 4 * AT_ONCE


class CrashError(Exception):
    """The process ends here."""


class Watched(InMemoryTable):
    """Counts its calls and how many are under way; something may happen at one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.most_at_once = 0
        self.at: dict[int, Callable[[], Awaitable[object]]] = {}
        self._under_way = 0

    async def get(self, key: Key) -> Row | None:
        return await self._watched("get", lambda: InMemoryTable.get(self, key))

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        return await self._watched("under", lambda: InMemoryTable.under(self, partition, prefix))

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        return await self._watched("write", lambda: InMemoryTable.write(self, *operations))

    def forget(self) -> None:
        self.calls.clear()
        self.most_at_once = 0

    async def _watched[T](self, kind: str, call: Callable[[], Awaitable[T]]) -> T:
        self.calls[kind] += 1
        act = self.at.pop(self.calls.total(), None)
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            if act is not None:
                await act()
            return await call()
        finally:
            self._under_way -= 1


class World:
    """Accounts that are connected, and whose tenants have many domains."""

    def __init__(self, count: int) -> None:
        self.names = [DomainName(f"d{number:05}.a-long-name-of-a-subsidiary.example") for number in range(count)]
        self.clock, self.entra = FixedClock(), FakeEntra()
        self.accounts, self.domains = Watched(), Watched()
        self.services = assemble(
            fakes(clock=self.clock, accounts=self.accounts, domains=self.domains, entra=self.entra)
        )

    async def connected(self, account_id: AccountId, tenant_id: TenantId = CONTOSO) -> None:
        """Register an account and connect it, with no domain yet."""
        await self.services.accounts.register.put(OLGA, account_id, Profile(account_id, (), None), None)
        connection = Connection(status=Status.CONNECTED, tenant_id=tenant_id)
        policy = Policy(settings=PolicySettings(mode=Mode.ON))
        await self.accounts.write(
            Insert(Connection.key(account_id), connection.document()),
            Insert(TenantDomains.key(account_id), TenantDomains().document()),
            Insert(Policy.key(account_id), policy.document()),
        )
        self.verified(tenant_id, *self.names)

    def verified(self, tenant_id: TenantId, *names: DomainName) -> None:
        self.entra.consented.add(tenant_id)
        self.entra.organizations[tenant_id] = Organization(
            tenant_id=tenant_id, display_name="Tenant", verified_domains=names
        )

    async def refresh(self, account_id: AccountId = ACME) -> dict[DomainName, DomainState]:
        return (await self.services.connection.domains.refresh(sam(account_id))).states

    async def listed(self, account_id: AccountId = ACME) -> dict[DomainName, DomainState]:
        return (await self.services.connection.domains.list(sam(account_id))).states

    async def disconnect(self, account_id: AccountId = ACME) -> None:
        await self.services.connection.disconnection.disconnect(sam(account_id), ANY)

    async def close(self, account_id: AccountId = ACME) -> None:
        await self.services.connection.disconnection.close(OLGA, account_id, ANY)

    async def holders(self) -> Counter[AccountId]:
        claims = [await self.domains.get(Key(name, "claim")) for name in self.names]
        return Counter(DomainClaim.read(claim).account_id for claim in claims if claim)

    async def routes(self, name: DomainName) -> AccountId | None:
        """The account at which a person of the domain signs in by SSO."""
        resolution = await self.services.resolution.decide(EmailAddress.parse(f"a@{name}"), None)
        return resolution.account_id if resolution.sso else None

    async def events(self, account_id: AccountId) -> list[AuditRecord]:
        return [AuditRecord.read(row) for row in await self.accounts.under(account_id, PREFIX)]

    def forget(self) -> None:
        self.accounts.forget()
        self.domains.forget()


def sam(account_id: AccountId) -> AccountAdministrator:
    return AccountAdministrator(account_id, Actor("sam", "Sam Security", "SecurityManager"))


@pytest.fixture
def count(size: Callable[[int], int]) -> int:
    return size(5_000)


@pytest.fixture
async def few() -> World:
    few = World(FEW)
    await few.connected(ACME)
    return few


@pytest.fixture
async def world(count: int) -> World:
    world = World(count)
    await world.connected(ACME)
    return world


def heads(world: World) -> tuple[int, int]:
    """How often heads were read, and accounts written. A trail may also look for the persons of its event."""
    return world.accounts.calls["under"], world.accounts.calls["write"]


# -- what it costs -----------------------------------------------------------------------------------------------------


async def test_each_domain_costs_one_write_to_claim_one_read_to_keep_and_two_calls_to_release(
    world: World, count: int
) -> None:
    for act, calls in (
        (world.refresh, {"write": count}),
        (world.refresh, {"get": count}),
        (world.disconnect, {"get": count, "write": count}),
    ):
        world.forget()
        await act()
        assert world.domains.calls == calls
        assert 1 < world.domains.most_at_once <= AT_ONCE
        assert heads(world) == (1, 1)
    assert await world.holders() == {}


async def test_domains_of_another_account_cost_a_read_each_and_their_account_is_read_once(
    world: World, count: int
) -> None:
    await world.refresh()
    world.clock.advance(SETTLING_TIME)
    await world.connected(BETA)
    assert set((await world.refresh(BETA)).values()) == {DomainState.CONFLICT}
    world.forget()
    await world.refresh(BETA)
    assert (world.domains.calls, heads(world)) == ({"get": count}, (2, 1))


async def test_domains_that_go_to_another_account_are_one_event_of_the_one_that_loses_them(
    world: World, count: int
) -> None:
    await world.refresh()
    world.clock.advance(SETTLING_TIME)
    await world.connected(BETA, FABRIKAM)
    world.forget()
    await world.refresh(BETA)
    assert world.domains.most_at_once <= AT_ONCE
    assert world.domains.calls.total() <= 5 * count
    assert heads(world) == (3, 2)
    assert (await world.holders(), set((await world.listed()).values())) == ({BETA: count}, {DomainState.CONFLICT})
    newest = (await world.events(ACME))[0]
    assert (newest.action, newest.details["count"], len(newest.details["domains"])) == ("domains.lost", count, 100)  # type: ignore[arg-type]


async def test_an_event_of_thousands_counts_them_and_names_a_hundred(world: World, count: int) -> None:
    await world.refresh()
    (event,) = [each for each in await world.events(ACME) if each.action == "domains.refreshed"]
    assert event.details["domainCounts"] == {"routed": count}
    assert event.details["domains"] == dict.fromkeys(world.names[:100], "routed")


# -- races and crashes -------------------------------------------------------------------------------------------------


async def test_of_two_accounts_that_claim_the_same_thousands_at_once_each_domain_has_one(few: World) -> None:
    await few.connected(BETA)
    acme, beta = await asyncio.gather(few.refresh(), few.refresh(BETA))
    won = Counter({ACME: [*acme.values()].count(DomainState.ROUTED), BETA: [*beta.values()].count(DomainState.ROUTED)})
    assert await few.holders() == +won
    assert won.total() == FEW
    assert all({acme[name], beta[name]} == {DomainState.ROUTED, DomainState.CONFLICT} for name in few.names)


async def test_two_refreshes_of_one_account_at_once_lose_nothing(few: World) -> None:
    found = await asyncio.gather(few.refresh(), few.refresh(), return_exceptions=True)
    assert [type(each) for each in found].count(Stale) <= 1
    assert (await few.holders(), set((await few.listed()).values())) == ({ACME: FEW}, {DomainState.ROUTED})


@pytest.mark.parametrize("share", [0, 0.5, 1], ids=["at the first call", "half way", "before the list is written"])
async def test_a_crash_routes_nothing_and_is_made_good_by_a_repetition(few: World, share: float) -> None:
    async def crash() -> None:
        raise CrashError

    table, call = (few.domains, 1 + int(FEW * share)) if share < 1 else (few.accounts, 2)
    few.forget()
    table.at[call] = crash
    with pytest.raises(CrashError):
        await few.refresh()
    claimed = (await few.holders())[ACME]
    assert abs(claimed - FEW * share) <= AT_ONCE
    assert await few.listed() == {}
    assert await few.routes(few.names[0]) is None
    assert set((await few.refresh()).values()) == {DomainState.ROUTED}
    assert await few.routes(few.names[0]) == ACME


async def test_what_a_crash_has_claimed_goes_to_the_next_account_that_proves_it(few: World) -> None:
    async def crash() -> None:
        raise CrashError

    few.forget()
    few.accounts.at[2] = crash
    with pytest.raises(CrashError):
        await few.refresh()
    await few.connected(BETA)
    assert set((await few.refresh(BETA)).values()) == {DomainState.CONFLICT}
    few.clock.advance(SETTLING_TIME)
    assert set((await few.refresh(BETA)).values()) == {DomainState.ROUTED}
    assert await few.holders() == {BETA: FEW}


async def test_a_store_that_goes_down_half_way_ends_it_at_once(few: World) -> None:
    async def go_down() -> None:
        few.domains.available = False

    few.forget()
    few.domains.at[FEW // 2] = go_down
    with pytest.raises(Unavailable):
        await few.refresh()
    assert few.domains.calls.total() < FEW // 2 + 2 * AT_ONCE
    few.domains.available = True
    assert set((await few.refresh()).values()) == {DomainState.ROUTED}


async def test_an_account_that_is_erased_while_its_domains_are_claimed_leaves_none_behind(few: World) -> None:
    few.forget()
    few.domains.at[FEW // 2] = few.close
    with pytest.raises(Stale):
        await few.refresh()
    assert (await few.holders(), len(few.accounts)) == ({}, 0)


async def test_an_account_that_leaves_its_tenant_while_its_domains_are_claimed_keeps_none(few: World) -> None:
    few.forget()
    few.domains.at[FEW // 2] = few.disconnect
    with pytest.raises(Stale):
        await few.refresh()
    assert (await few.holders(), await few.listed()) == ({}, {})


async def test_what_cannot_be_released_of_an_erased_account_routes_nothing_and_goes_to_the_next(few: World) -> None:
    async def go_down() -> None:
        few.domains.available = False

    few.forget()
    few.domains.at = {FEW // 2: few.close, FEW + 1: go_down}
    with pytest.raises(Stale):
        await few.refresh()
    few.domains.available = True
    assert (await few.holders(), await few.routes(few.names[0])) == ({ACME: FEW}, None)
    await few.connected(BETA)
    few.clock.advance(SETTLING_TIME)
    assert set((await few.refresh(BETA)).values()) == {DomainState.ROUTED}


async def test_an_account_that_was_overtaken_keeps_the_claims_for_its_next_try(few: World) -> None:
    async def switch_elsewhere() -> None:
        list_now = TenantDomains(domains=(TenantDomain(name=few.names[0], status=DomainStatus.OURS),))
        await few.accounts.write(Put(TenantDomains.key(ACME), list_now.document()))

    few.domains.at[FEW // 2] = switch_elsewhere
    few.domains.calls.clear()
    with pytest.raises(Stale):
        await few.refresh()
    assert await few.holders() == {ACME: FEW}


@pytest.mark.parametrize(("times", "seen"), [(1, DomainState.CONFLICT), (3, DomainState.ROUTED)])
async def test_who_loses_domains_while_their_list_is_changed_is_told_or_sees_it_at_the_next_refresh(
    few: World, times: int, seen: DomainState
) -> None:
    """The claims route, whatever a list says."""
    await few.refresh()
    few.clock.advance(SETTLING_TIME)
    await few.connected(BETA, FABRIKAM)
    row = await few.accounts.get(TenantDomains.key(ACME))
    assert row is not None

    async def change_list() -> None:
        await InMemoryTable.write(few.accounts, Put(row.key, row.document))

    few.forget()
    few.accounts.at = dict.fromkeys((4, 7, 10)[:times], change_list)  # the writes of the loss
    assert set((await few.refresh(BETA)).values()) == {DomainState.ROUTED}
    assert await few.routes(few.names[0]) == BETA
    assert set((await few.listed()).values()) == {seen}
    assert set((await few.refresh()).values()) == {DomainState.CONFLICT}


# -- one domain --------------------------------------------------------------------------------------------------------


async def test_a_domain_whose_holder_releases_it_just_before_it_is_taken_over_is_taken() -> None:
    world = World(1)
    (name,) = world.names
    await world.connected(BETA)
    claims = world.services.connection.domains.routing.claims
    await claims.claim(name, ACME, CONTOSO)
    world.clock.advance(SETTLING_TIME)
    world.forget()
    world.domains.at[4] = lambda: claims.release(name, ACME, world.clock.now())  # the read of the take-over
    assert await world.refresh(BETA) == {name: DomainState.ROUTED}
    assert await world.routes(name) == BETA


async def test_a_domain_that_keeps_changing_hands_is_given_up_after_three_rounds() -> None:
    world = World(1)
    (name,) = world.names
    await world.connected(BETA)
    claims = world.services.connection.domains.routing.claims
    await claims.claim(name, ACME, CONTOSO)
    world.clock.advance(SETTLING_TIME)

    async def change_hands() -> None:
        old = DomainClaim(
            account_id=AccountId(f"ghost{len(world.domains.at)}"), claimed_at=world.clock.now() - timedelta(days=1)
        )
        await InMemoryTable.write(world.domains, Put(Key(name, "claim"), old.document()))

    world.forget()
    world.domains.at = dict.fromkeys(range(1, 100), change_hands)
    assert await world.refresh(BETA) == {name: DomainState.CONFLICT}
    assert world.domains.calls.total() == 3 * 4


async def test_a_claim_that_names_no_tenant_is_told_it_at_the_next_refresh() -> None:
    world = World(1)
    (name,) = world.names
    await world.connected(ACME)
    await world.refresh()
    old = DomainClaim(account_id=ACME, claimed_at=world.clock.now())
    await world.domains.write(Put(Key(name, "claim"), old.document()))
    await world.refresh()
    claim = await world.services.connection.domains.routing.claims.holder(name)
    assert claim is not None
    assert claim.tenant_id == CONTOSO

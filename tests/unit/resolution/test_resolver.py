"""What a resolution reads, what it remembers, and what makes it forget."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import batched
from pathlib import Path
from types import FrameType
from urllib.parse import parse_qsl, urlsplit

import pytest
from azure.functions import HttpRequest

import functions
import shared
from functions.http.responses import Ok, in_json
from functions.resolve import PasswordDocument, SsoDocument, resolve_routes
from shared.accounts.head import Account
from shared.adapters.recent_rows import RecentRows, WatchedTable
from shared.applications.application import Application, ApplicationProfile
from shared.assembly import assemble
from shared.connection.connection import Connection, Status
from shared.domains.domain_claims import DomainClaim
from shared.domains.tenant_domains import DomainStatus, TenantDomain, TenantDomains
from shared.kernel.names import AccountId, ClientId, EmailAddress, TenantId
from shared.kernel.refusals import Invalid, Unavailable
from shared.policies.policy import Mode, Policy, PolicySettings
from shared.ports.table import TRANSACTION_LIMIT, Key, Page, Put, Remove, Row
from shared.resolution.decision import Method
from shared.users.exemption import Exemption
from shared.users.exemption_sets import MOST_ENTRIES, ExceptionsVersion
from shared.users.user_key import UserKey
from tests.support.background import settled
from tests.support.fakes import NEW_YEAR, FixedClock, InMemoryTable, NotedEvents
from tests.support.invocation import Invocation
from tests.support.ports import fakes

MAX_AGE = timedelta(seconds=10)
ACME = AccountId("acme")
TENANT = TenantId("c0c00000-0000-4000-8000-000000000000")
ALICE, BOB, CAROL = (EmailAddress(f"{each}@contoso.example") for each in ("alice", "bob", "carol"))
UNITE, PORTAL = ClientId("unite"), ClientId("portal")
OURS = tuple(str(Path(package.__file__).parent) for package in (functions, shared) if package.__file__)


class CountingTable(InMemoryTable):
    """Says how often it was read, and by how many at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.under_way = 0
        self.most_under_way = 0

    async def get(self, key: Key) -> Row | None:
        return await self._counted(super().get(key))

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        return await self._counted(super().under(partition, prefix))

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        return await self._counted(super().page(partition, prefix, size, continuation))

    async def _counted[T](self, reading: Awaitable[T]) -> T:
        self.reads += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await reading
        finally:
            self.under_way -= 1


@dataclass
class World:
    """One instance of the service, with the account Acme, its domain, and two applications."""

    clock: FixedClock = field(default_factory=FixedClock)
    store: CountingTable = field(default_factory=CountingTable)

    def __post_init__(self) -> None:
        recent = RecentRows(table=self.store, clock=self.clock, max_age=MAX_AGE, most=1_000, most_bytes=1_000_000)
        self.table = WatchedTable(table=self.store, recent=recent)
        tables = dict.fromkeys(("accounts", "domains", "applications"), self.table)
        readers = dict.fromkeys(("recent_accounts", "recent_domains", "recent_applications"), recent)
        self.events = NotedEvents()
        services = assemble(fakes(clock=self.clock, telemetry=self.events, **tables, **readers))
        self.resolver = services.resolution
        self.answer = resolve_routes(services).answer("resolve_email")

    async def resolve(self, email: EmailAddress = ALICE, client_id: ClientId | None = UNITE) -> str:
        """Ask as an application does; the rule that chose the method, as it is reported."""
        await self.answer(question(email, client_id), Invocation())
        return self.events.events[-1].reason or ""

    async def reads_of(self, *resolutions: Awaitable[str]) -> int:
        """How often resolutions read, and what they leave for the background."""
        before = self.store.reads
        await asyncio.gather(*resolutions)
        await settled()
        return self.store.reads - before


def question(email: EmailAddress, client_id: ClientId | None) -> HttpRequest:
    body = json.dumps({"email": email.address, "application": client_id}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    return HttpRequest("POST", "/v1/resolve", headers=headers, body=body)


def account() -> Put:
    stands = Account(account_id=ACME, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
    return Put(stands.key(ACME), stands.document())


def policy(mode: Mode = Mode.ON) -> Put:
    return Put(Policy.key(ACME), Policy(settings=PolicySettings(mode=mode)).document())


def connection(status: Status = Status.CONNECTED) -> Put:
    return Put(Connection.key(ACME), Connection(status=status, tenant_id=TENANT).document())


def domains(*, enabled: bool = True) -> Put:
    verified = TenantDomain(name=ALICE.domain, status=DomainStatus.OURS, enabled=enabled)
    return Put(TenantDomains.key(ACME), TenantDomains(domains=(verified,)).document())


def claim() -> Put:
    stands = DomainClaim(account_id=ACME, tenant_id=TENANT, claimed_at=NEW_YEAR)
    return Put(Key(ALICE.domain, "claim"), stands.document())


def application(client_id: ClientId, *, sso_supported: bool = True) -> Put:
    profile = ApplicationProfile(name=client_id, sso_supported=sso_supported)
    stands = Application(client_id=client_id, profile=profile, created_at=NEW_YEAR, updated_at=NEW_YEAR)
    return Put(Key("application", client_id), stands.document())


def exemption(email: EmailAddress = ALICE, lasting: timedelta | None = None) -> Put:
    stands = Exemption(
        exception_id=UserKey.of(ACME, email),
        email=email.address,
        reason="a reason",
        expires_at=NEW_YEAR + lasting if lasting else None,
        created_at=NEW_YEAR,
        created_by="Sam",
        updated_at=NEW_YEAR,
    )
    return Put(Key(ACME, f"exception:{stands.exception_id}"), stands.document())


STANDING = (account(), policy(), connection(), domains(), claim(), application(UNITE), application(PORTAL))


@pytest.fixture
async def world() -> World:
    world = World()
    for put in STANDING:
        await world.store.write(put)
    return world


async def test_a_resolution_reads_four_times_in_two_rounds(world: World) -> None:
    assert await world.reads_of(world.resolve()) == 4
    assert world.store.most_under_way == 2


async def test_a_resolution_that_was_asked_for_a_moment_ago_reads_nothing(world: World) -> None:
    await world.resolve()
    assert await world.reads_of(*(world.resolve() for _ in range(10))) == 0


async def test_any_user_of_a_known_account_costs_no_read_once_its_list_is_in_memory(world: World) -> None:
    await world.resolve()
    assert await world.reads_of(world.resolve(BOB)) == len(["the row of Bob's exception", "the list"])
    assert await world.reads_of(world.resolve(CAROL), world.resolve(BOB), world.resolve(CAROL, None)) == 0
    assert await world.reads_of(world.resolve(ALICE, PORTAL)) == len(["the application"])


async def test_a_user_of_a_list_that_is_too_long_to_be_held_costs_one_read(world: World) -> None:
    for some in batched(range(MOST_ENTRIES), TRANSACTION_LIMIT, strict=False):
        await world.store.write(*(exemption(EmailAddress(f"somebody-{each}@contoso.example")) for each in some))
    await world.store.write(exemption(BOB), exemption(CAROL))
    for email in (ALICE, BOB):
        await world.reads_of(world.resolve(email))
    assert await world.reads_of(world.resolve(CAROL)) == len(["the row of Carol's exception"])
    assert await world.resolve(CAROL) == "excepted"


async def test_a_herd_for_one_cold_domain_makes_each_read_once(world: World) -> None:
    reads = ["the claim", "the application", "the head", "the row of Alice's exception"]
    assert await world.reads_of(*(world.resolve() for _ in range(64))) == len(reads)


async def test_a_domain_of_nobody_costs_one_read_and_then_none(world: World) -> None:
    nobody = EmailAddress("nora@nobody.example")
    assert await world.reads_of(world.resolve(nobody, None)) == 1
    assert await world.reads_of(world.resolve(nobody, None)) == 0


async def test_a_claim_of_before_tenants_were_named_routes_as_it_did(world: World) -> None:
    await world.store.write(Put(Key(ALICE.domain, "claim"), '{"accountId":"acme","claimedAt":"2025-12-01T00:00:00Z"}'))
    assert await world.resolve() == "sso_applies"


CHANGES: dict[str, tuple[tuple[Put, ...], str]] = {
    "SSO is switched off": ((policy(Mode.OFF),), "sso_off"),
    "the account is disconnected": ((connection(Status.DISCONNECTED),), "not_connected"),
    "the domain is switched off": ((domains(enabled=False),), "domain_not_routed"),
    "the application no longer takes part": ((application(UNITE, sso_supported=False),), "application_incompatible"),
    "the user is excepted": ((exemption(), ExceptionsVersion.new(ACME)), "excepted"),
}


@pytest.mark.parametrize(("change", "then"), CHANGES.values(), ids=CHANGES)
async def test_a_change_through_this_instance_is_in_force_at_once(
    world: World, change: tuple[Put, ...], then: str
) -> None:
    assert [await world.resolve() for _ in range(3)] == ["sso_applies"] * 3
    await world.table.write(*change)
    assert [await world.resolve() for _ in range(3)] == [then] * 3


async def test_a_claim_that_is_released_routes_nobody_from_then_on(world: World) -> None:
    assert await world.resolve() == "sso_applies"
    row = await world.table.get(claim().key)
    assert row is not None
    await world.table.write(Remove(row))
    assert await world.resolve() == "domain_not_routed"


@pytest.mark.parametrize(("change", "then"), CHANGES.values(), ids=CHANGES)
async def test_a_change_through_another_instance_is_in_force_when_what_was_read_before_it_is_ten_seconds_old(
    world: World, change: tuple[Put, ...], then: str
) -> None:
    """Also where the resolution itself is younger, as for the second application."""
    await world.resolve(ALICE, PORTAL)
    for _ in range(3):
        await world.resolve(ALICE, UNITE)
    await settled()
    await world.store.write(*change)
    world.clock.advance(MAX_AGE - timedelta(microseconds=1))
    assert await world.resolve(ALICE, UNITE) == "sso_applies"
    assert await world.resolve(ALICE, None) == "sso_applies"
    world.clock.advance(timedelta(microseconds=1))
    assert await world.resolve(ALICE, UNITE) == then


async def test_an_exception_ends_at_its_moment_and_not_when_it_is_read_again(world: World) -> None:
    await world.table.write(exemption(lasting=timedelta(seconds=3)))
    for email in (BOB, CAROL, ALICE):
        await world.reads_of(world.resolve(email))
    assert await world.reads_of(world.resolve()) == 0
    assert await world.resolve() == "excepted"
    world.clock.advance(timedelta(seconds=3) - timedelta(microseconds=1))
    assert await world.resolve() == "excepted"
    world.clock.advance(timedelta(microseconds=1))
    assert await world.resolve() == "sso_applies"
    assert await world.reads_of(world.resolve()) == 0


async def test_a_row_that_is_older_than_the_account_ends_an_answer_that_came_twice(world: World) -> None:
    await world.resolve()
    world.clock.advance(MAX_AGE / 2)
    for put in (policy(), claim(), application(UNITE)):
        await world.table.write(put)
    assert [await world.resolve() for _ in range(3)] == ["sso_applies"] * 3
    await world.store.write(exemption())
    world.clock.advance(MAX_AGE / 2)
    assert await world.resolve() == "excepted"


async def test_the_document_is_written_as_its_model_writes_it(world: World) -> None:
    answers = [
        await world.answer(question(email, UNITE), Invocation()) for email in (ALICE, EmailAddress("a@b.example"))
    ]
    sso, password = (each.get_body() for each in answers)
    document = SsoDocument.model_validate_json(sso)
    assert (document.method, document.tenant_id) == (Method.SSO, TENANT)
    assert sso.decode() == in_json(document)
    assert password.decode() == in_json(PasswordDocument())
    assert [dict(each.headers) for each in answers] == [dict(Ok(document).headers)] * 2


@pytest.mark.parametrize("local", ["".join(map(chr, range(1, 128))), "jörg+sso & söhne", "漢"])
async def test_the_address_in_the_query_is_the_one_that_was_asked_for(world: World, local: str) -> None:
    address = f"{local}@{ALICE.domain}"
    url = world.resolver.sign_in_url(EmailAddress(address), UNITE)
    assert url.isascii()
    assert dict(parse_qsl(urlsplit(url).query, strict_parsing=True)) == {"client_id": UNITE, "login_hint": address}


async def test_an_unknown_application_is_refused_until_it_is_registered(world: World) -> None:
    for _ in range(2):
        with pytest.raises(Invalid):
            await world.resolver.decide(ALICE, ClientId("new"))
    await world.table.write(application(ClientId("new")))
    assert await world.resolve(ALICE, ClientId("new")) == "sso_applies"


async def test_a_store_that_is_back_is_asked_again(world: World) -> None:
    world.store.available = False
    with pytest.raises(Unavailable):
        await world.resolver.decide(ALICE, UNITE)
    world.store.available = True
    assert await world.resolve() == "sso_applies"


async def calls_of(world: World, email: EmailAddress) -> int:
    """How often one request calls functions of this project. It is counted, since time depends on the machine."""
    request = question(email, UNITE)
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            calls[frame.f_code.co_qualname] += 1

    sys.setprofile(count)
    try:
        response = await world.answer(request, Invocation())
    finally:
        sys.setprofile(None)
    assert b'"method":"sso"' in response.get_body()
    return calls.total()


async def test_a_request_that_reads_nothing_calls_few_functions(world: World) -> None:
    for email in (ALICE, BOB, BOB):
        await world.reads_of(world.resolve(email))
    assert await calls_of(world, BOB) <= 11, "from the cache"
    assert await calls_of(world, CAROL) <= 34, "a user of a known account who was never asked for"
    assert await calls_of(world, CAROL) <= 35, "the second time, the answer is kept"
    assert await calls_of(world, CAROL) <= 11

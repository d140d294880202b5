"""What happens to an integration when others act between its steps, or when it is cut off."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.access.roles import OURSELVES, AccountAdministrator, Actor, Operator
from shared.accounts.head import Account, find_head, read_head
from shared.accounts.journal import Journal
from shared.accounts.register import Profile
from shared.assembly import assemble
from shared.connection.completion import Finished
from shared.connection.connection import Connection, Status
from shared.connection.consent_steps import (
    Connected,
    ConnectState,
    Invitation,
    NotConnected,
    Outcome,
    ToMicrosoft,
    Turn,
    Waiting,
)
from shared.domains.domain_claims import SETTLING_TIME
from shared.domains.tenant_domains import DomainSwitch
from shared.flows.flows import FlowEnded
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.kernel.refusals import Conflict, ConsentRefused, NotFound, Refusal, Stale, Throttled, Unavailable
from shared.kernel.versions import Expected
from shared.ports.entra import Answer, ConsentMissing
from shared.ports.organizations import Organization
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.table import Key, Put
from shared.ports.telemetry import ConnectStep
from shared.trail.trail import ShownActor, ShownRecord
from tests.support.fakes import FakeEntra, FixedClock, InMemoryTable, NotedEvents
from tests.support.interleaving import Interleaved
from tests.support.ports import fakes

CONTOSO = TenantId("c0c00000-0000-4000-8000-000000000000")
FABRIKAM = TenantId("fab00000-0000-4000-8000-000000000000")
DOMAIN, SECOND = DomainName("contoso.example"), DomainName("contoso-mail.example")
ACME, BETA = AccountId("acme"), AccountId("beta")
SAM = Actor("sam", "Sam Security", "SecurityManager")
OPERATOR = Operator(Actor("olga", "Olga Operator", "Operator"))
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
WHATEVER_STANDS = Expected(None)
HALF_AN_HOUR = timedelta(minutes=30)
A_MOMENT = timedelta(microseconds=1)


def administrator(account_id: AccountId) -> AccountAdministrator:
    return AccountAdministrator(account_id, SAM)


@dataclass
class Service:
    """The integration on tables in memory, on which others may act between its steps."""

    clock: FixedClock = field(default_factory=FixedClock)
    accounts_table: InMemoryTable = field(default_factory=InMemoryTable)
    domains_table: InMemoryTable = field(default_factory=InMemoryTable)
    flows_table: InMemoryTable = field(default_factory=InMemoryTable)
    telemetry: NotedEvents = field(default_factory=NotedEvents)

    def __post_init__(self) -> None:
        self.accounts = Interleaved(self.accounts_table)
        self.domains = Interleaved(self.domains_table)
        self.entra = FakeEntra()
        self.verify(CONTOSO, DOMAIN)
        self.verify(FABRIKAM)
        self.entra.consented |= {CONTOSO, FABRIKAM}
        services = assemble(
            fakes(
                clock=self.clock,
                accounts=self.accounts,
                domains=self.domains,
                flows=self.flows_table,
                entra=self.entra,
                telemetry=self.telemetry,
            )
        )
        self.register, self.connected_domains = services.accounts.register, services.connection.domains
        self.claims = services.connection.domains.routing.claims
        self.consent, self.checks = services.connection.consent, services.connection.checks
        self.disconnection = services.connection.disconnection
        self.flows = services.upkeep.flows

    def verify(self, tenant_id: TenantId, *domains: DomainName) -> None:
        """What the tenant has verified at Microsoft, from now on."""
        self.entra.organizations[tenant_id] = Organization(
            tenant_id=tenant_id, display_name=f"Organisation {tenant_id[:3]}", verified_domains=domains
        )

    async def start(self, account_id: AccountId) -> str:
        return (await self.consent.start(administrator(account_id), None)).ticket

    async def open(self, account_id: AccountId, tenant_id: TenantId = CONTOSO) -> tuple[Answer, str]:
        """Walk up to the answer of the consent page; with the secret of the browser."""
        return await self.open_by(await self.start(account_id), tenant_id)

    async def open_by(self, ticket: str, tenant_id: TenantId = CONTOSO) -> tuple[Answer, str]:
        """The same, from a ticket."""
        departure = await self.consent.open(ticket)
        answer = Answer(state=_state(departure.url), admin_consent="True", tenant=tenant_id)
        return answer, departure.binding.secret

    async def prove(self, account_id: AccountId, tenant_id: TenantId = CONTOSO) -> tuple[Answer, str]:
        """Walk up to the answer that finishes it; with the secret of the browser."""
        return await self.prove_by(await self.start(account_id), tenant_id)

    async def prove_by(self, ticket: str, tenant_id: TenantId = CONTOSO) -> tuple[Answer, str]:
        """The same, from a ticket."""
        consent, browser = await self.open_by(ticket, tenant_id)
        to_sign_in = await self.consent.callback(consent, browser)
        assert isinstance(to_sign_in, ToMicrosoft)
        admin = VerifiedIdentity(tid=tenant_id, oid="ada", name="Ada Admin", wids=(GLOBAL_ADMINISTRATOR,))
        code = self.entra.sign_in(to_sign_in.url, admin)
        return Answer(state=_state(to_sign_in.url), code=code), to_sign_in.binding.secret

    async def connect(self, account_id: AccountId, tenant_id: TenantId = CONTOSO) -> Outcome:
        return await self.consent.callback(*await self.prove(account_id, tenant_id))

    async def connection(self, account_id: AccountId) -> Connection:
        return (await self.checks.read(administrator(account_id)))[0]

    async def states(self, account_id: AccountId) -> dict[DomainName, str]:
        found = await self.connected_domains.list(administrator(account_id))
        return {name: state.value for name, state in found.states.items()}

    async def holder(self, name: DomainName = DOMAIN) -> AccountId | None:
        claim = await self.claims.holder(name)
        return claim.account_id if claim else None

    async def recorded(self, account_id: AccountId, action: str) -> list[ShownRecord]:
        """What the audit trail says of this action, the newest first."""
        journal = Journal(table=self.accounts_table, clock=self.clock)
        records, _ = await journal.trail(account_id).page(1_000, None)
        return [record for record in records if record.action == action]

    async def accounts_go_down(self) -> None:
        self.accounts_table.available = False

    async def domains_go_down(self) -> None:
        self.domains_table.available = False


def _state(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


def why(outcome: Outcome | None) -> type[Refusal]:
    """For which reason an integration came to nothing."""
    assert isinstance(outcome, NotConnected), outcome
    return type(outcome.refusal)


@pytest.fixture
async def service() -> Service:
    service = Service()
    for account_id in (ACME, BETA):
        await service.register.put(OPERATOR, account_id, Profile(account_id.title(), (), None), None)
    return service


# -- attempts --------------------------------------------------------------------------------------------------------


async def test_an_invitation_tells_for_whom_it_is_and_opens_as_often_as_needed(service: Service) -> None:
    ticket = await service.start(ACME)
    invitations = [await service.consent.look(ticket) for _ in range(3)]
    assert {(each.account_name, each.started_by) for each in invitations} == {("Acme", "Sam Security")}
    departures = [await service.consent.open(ticket) for _ in range(3)]
    assert len({_state(each.url) for each in departures}) == len({each.binding.secret for each in departures}) == 3
    assert (await service.consent.look(ticket)).account_name == "Acme"


async def test_a_link_that_is_hammered_does_not_fill_the_table(service: Service) -> None:
    ticket = await service.start(ACME)
    presses = [service.consent.open(ticket) for _ in range(120)]
    found = await asyncio.gather(*presses, return_exceptions=True)
    assert [type(each) for each in found].count(Throttled) == 20
    assert len(service.flows_table) == 101
    assert isinstance(await service.consent.look(ticket), Invitation), "it is there, to say so"
    answer, browser = await service.open(BETA)
    for _ in range(10):
        assert isinstance(await service.consent.callback(answer, browser), ToMicrosoft)
    assert why(await service.consent.callback(answer, browser)) is FlowEnded


async def test_who_has_no_name_invites_by_what_the_panel_calls_them(service: Service) -> None:
    nameless = AccountAdministrator(ACME, Actor("panel-user-7", None, "SecurityManager"))
    start = await service.consent.start(nameless, None)
    assert (await service.consent.look(start.ticket)).started_by == "panel-user-7"


async def test_an_attempt_that_was_overtaken_connects_nothing_and_ends_nothing(service: Service) -> None:
    overtaken, newest = await service.prove(ACME), await service.prove(ACME)
    assert why(await service.consent.callback(*overtaken)) is Conflict
    assert (await service.connection(ACME)).status is Status.PENDING
    assert isinstance(await service.consent.callback(*newest), Connected)


async def test_a_finished_attempt_is_over(service: Service) -> None:
    ticket = await service.start(ACME)
    await service.connect(ACME)
    with pytest.raises(Conflict):
        await service.consent.open(ticket)


async def test_disconnecting_cancels_what_is_under_way(service: Service) -> None:
    answer = await service.prove(ACME)
    await service.disconnection.disconnect(administrator(ACME), WHATEVER_STANDS)
    assert (await service.connection(ACME)).status is Status.DISCONNECTED
    assert why(await service.consent.callback(*answer)) is Conflict
    assert (await service.connection(ACME)).status is Status.DISCONNECTED
    assert await service.holder() is None


async def test_disconnecting_cancels_a_renewal_too(service: Service) -> None:
    await service.connect(ACME)
    answer = await service.prove(ACME)
    await service.disconnection.disconnect(administrator(ACME), WHATEVER_STANDS)
    assert why(await service.consent.callback(*answer)) is Conflict
    assert (await service.connection(ACME)).status is Status.DISCONNECTED


async def test_what_was_under_way_for_an_erased_account_does_not_reach_the_next_one_of_its_id(
    service: Service,
) -> None:
    ticket, answer = await service.start(BETA), await service.prove(ACME)
    for account_id in (ACME, BETA):
        await service.disconnection.close(OPERATOR, account_id, WHATEVER_STANDS)
    with pytest.raises(NotFound):
        await service.consent.look(ticket)
    for account_id in (ACME, BETA):
        await service.register.put(OPERATOR, account_id, Profile("Another", (), None), None)
    with pytest.raises(Conflict):
        await service.consent.open(ticket)
    assert why(await service.consent.callback(*answer)) is Conflict
    assert (await service.connection(ACME)).status is Status.DISCONNECTED


async def test_an_attempt_lasts_for_its_ticket_and_both_ways_to_microsoft(service: Service) -> None:
    await service.start(ACME)
    assert (await service.connection(ACME)).pending_until == service.clock.now() + HALF_AN_HOUR
    service.clock.advance(HALF_AN_HOUR - A_MOMENT)
    assert (await service.connection(ACME)).status is Status.PENDING
    service.clock.advance(A_MOMENT)
    lapsed = await service.connection(ACME)
    assert (lapsed.status, lapsed.pending_until) == (Status.DISCONNECTED, None)


# -- cut off, or overtaken -------------------------------------------------------------------------------------------


async def test_a_refusal_reaches_the_person_though_it_cannot_be_written_down(service: Service) -> None:
    consent, browser = await service.open(ACME)
    await service.accounts_go_down()
    declined = Answer(state=consent.state, error="access_denied")
    assert why(await service.consent.callback(declined, browser)) is ConsentRefused


async def test_a_refusal_ends_its_try_and_not_the_attempt(service: Service) -> None:
    consent, browser = await service.open(ACME)
    declined = Answer(state=consent.state, error="access_denied")
    outcomes = await asyncio.gather(*(service.consent.callback(declined, browser) for _ in range(3)))
    assert {why(each) for each in outcomes} <= {ConsentRefused, FlowEnded}
    assert (await service.connection(ACME)).status is Status.PENDING
    (record,) = await service.recorded(ACME, "connection.refused")
    assert (record.actor.subject, record.details["reason"]) == (SAM.subject, "consent-refused")
    assert why(await service.consent.callback(consent, browser)) is FlowEnded


async def test_an_account_that_is_erased_under_an_integration_is_not_written_to(service: Service) -> None:
    answer = await service.prove(ACME)
    await service.disconnection.close(OPERATOR, ACME, WHATEVER_STANDS)
    assert why(await service.consent.callback(*answer)) is NotFound
    assert await find_head(service.accounts_table, ACME) is None
    assert await service.accounts_table.under(ACME, "") == ()


# -- domains that move -----------------------------------------------------------------------------------------------


async def test_what_a_crashed_account_had_claimed_is_another_s_once_it_has_settled(service: Service) -> None:
    await service.claims.claim(DOMAIN, ACME, CONTOSO)
    await service.connect(BETA)
    assert await service.states(BETA) == {DOMAIN: "conflict"}
    service.clock.advance(SETTLING_TIME)
    await service.connected_domains.refresh(administrator(BETA))
    assert await service.states(BETA) == {DOMAIN: "routed"}


async def test_a_domain_is_never_taken_from_another_account_of_its_tenant(service: Service) -> None:
    await service.connect(ACME)
    service.clock.advance(timedelta(days=365))
    await service.connect(BETA)
    assert (await service.states(ACME), await service.states(BETA)) == ({DOMAIN: "routed"}, {DOMAIN: "conflict"})


async def test_a_domain_follows_the_tenant_that_has_verified_it_last(service: Service) -> None:
    await service.connect(ACME)
    service.verify(CONTOSO)
    service.verify(FABRIKAM, DOMAIN)
    service.clock.advance(SETTLING_TIME - A_MOMENT)
    await service.connect(BETA, FABRIKAM)
    assert await service.states(BETA) == {DOMAIN: "conflict"}
    service.clock.advance(A_MOMENT)
    await service.connected_domains.refresh(administrator(BETA))
    assert await service.states(BETA) == {DOMAIN: "routed"}
    assert await service.states(ACME) == {DOMAIN: "conflict"}
    (record,) = await service.recorded(ACME, "domain.lost")
    assert (record.actor, record.details) == (
        ShownActor(OURSELVES.subject, OURSELVES.name, OURSELVES.role, None),
        {"domain": DOMAIN},
    )


WITHOUT_A_TENANT = '{"accountId":"acme","claimedAt":"2026-01-01T00:00:00Z"}'
"""A claim as it was written before claims named the tenant that had proven them."""


@pytest.mark.parametrize(
    ("tenant_id", "then"),
    [
        (CONTOSO, ({DOMAIN: "routed"}, {DOMAIN: "conflict"})),
        (FABRIKAM, ({DOMAIN: "conflict"}, {DOMAIN: "routed"})),
    ],
    ids=["another account of its tenant", "another tenant"],
)
async def test_a_claim_that_names_no_tenant_is_held_by_the_tenant_of_its_account(
    service: Service, tenant_id: TenantId, then: tuple[dict[DomainName, str], ...]
) -> None:
    await service.connect(ACME)
    await service.domains_table.write(Put(Key(DOMAIN, "claim"), WITHOUT_A_TENANT))
    service.verify(tenant_id, DOMAIN)
    service.clock.advance(SETTLING_TIME)
    await service.connect(BETA, tenant_id)
    assert (await service.states(ACME), await service.states(BETA)) == then


async def test_a_refresh_lets_a_claim_name_its_tenant(service: Service) -> None:
    await service.connect(ACME)
    await service.domains_table.write(Put(Key(DOMAIN, "claim"), WITHOUT_A_TENANT))
    await service.connected_domains.refresh(administrator(ACME))
    claim = await service.claims.holder(DOMAIN)
    assert claim is not None
    assert (claim.account_id, claim.tenant_id) == (ACME, CONTOSO)


async def test_only_the_domain_that_moved_is_lost(service: Service) -> None:
    service.verify(CONTOSO, DOMAIN, SECOND)
    await service.connect(ACME)
    service.verify(FABRIKAM, DOMAIN)
    service.clock.advance(SETTLING_TIME)
    await service.connect(BETA, FABRIKAM)
    assert await service.states(ACME) == {DOMAIN: "conflict", SECOND: "routed"}


async def test_a_domain_that_the_vendor_lists_no_more_for_its_holder_is_another_account_s(service: Service) -> None:
    await service.connect(ACME)
    await service.register.put(OPERATOR, ACME, Profile("Acme", (), (SECOND,)), WHATEVER_STANDS)
    service.clock.advance(SETTLING_TIME)
    await service.connect(BETA)
    assert (await service.states(ACME), await service.states(BETA)) == ({DOMAIN: "not_listed"}, {DOMAIN: "routed"})
    await service.register.put(OPERATOR, ACME, Profile("Acme", (), None), WHATEVER_STANDS)
    assert await service.states(ACME) == {DOMAIN: "conflict"}


async def test_a_domain_that_is_let_go_while_it_is_asked_for_is_taken(service: Service) -> None:
    # By hand: without the second claim the domain is nobody's until it is read anew, which the disturbances accept.
    await service.claims.claim(DOMAIN, ACME, CONTOSO)
    service.domains.before_reading(lambda: service.claims.release(DOMAIN, ACME, service.clock.now()))
    await service.connect(BETA)
    assert await service.states(BETA) == {DOMAIN: "routed"}


# -- closing an account ----------------------------------------------------------------------------------------------


async def cut_off_closing(service: Service) -> None:
    """Connect the account, and lose the store of the domains while it is closed."""
    await service.connect(ACME)
    service.domains.before_reading(service.domains_go_down)
    with pytest.raises(Unavailable):
        await service.disconnection.close(OPERATOR, ACME, WHATEVER_STANDS)
    service.domains_table.available = True


async def test_closing_that_was_cut_off_goes_on_where_it_ended_whatever_version_the_caller_has_seen(
    service: Service,
) -> None:
    # By hand: whoever closes an account in the disturbances names no version.
    await cut_off_closing(service)
    await service.disconnection.close(OPERATOR, ACME, Expected(frozenset({"of before"})))
    assert await service.accounts_table.under(ACME, "") == ()
    assert await service.holder() is None
    with pytest.raises(NotFound):
        await service.disconnection.close(OPERATOR, ACME, WHATEVER_STANDS)


async def test_an_account_that_is_being_closed_is_there_for_nobody_else(service: Service) -> None:
    await cut_off_closing(service)
    for call in (
        service.checks.read(administrator(ACME)),
        service.checks.check(administrator(ACME)),
        service.disconnection.disconnect(administrator(ACME), WHATEVER_STANDS),
        service.connected_domains.list(administrator(ACME)),
        service.connected_domains.refresh(administrator(ACME)),
        service.connected_domains.switch(
            administrator(ACME), DOMAIN, WHATEVER_STANDS, lambda _: DomainSwitch(enabled=False)
        ),
        service.consent.start(administrator(ACME), None),
    ):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(Conflict, match="being removed"):
        await service.register.put(OPERATOR, ACME, Profile("Acme", (), None), None)


async def test_the_domains_of_an_account_that_is_being_closed_are_another_s_once_they_have_settled(
    service: Service,
) -> None:
    await cut_off_closing(service)
    service.clock.advance(SETTLING_TIME)
    await service.connect(BETA)
    assert await service.states(BETA) == {DOMAIN: "routed"}
    await service.disconnection.close(OPERATOR, ACME, WHATEVER_STANDS)
    assert await service.holder() == BETA


async def test_an_account_that_changed_since_the_operator_saw_it_is_not_closed(service: Service) -> None:
    with pytest.raises(Stale):
        await service.disconnection.close(OPERATOR, ACME, Expected(frozenset({"of before"})))
    assert (await read_head(service.accounts_table, ACME)).stored(Account).record.name == "Acme"


# -- Microsoft is late, and answers come twice -------------------------------------------------------------------------


async def resumed(service: Service, answer: Answer, browser: str, link: str | None = None) -> Outcome | None:
    """What the link shows to a browser whose try has this state."""
    state = answer.state or ""
    found = link or (await service.flows.look(state, ConnectState, browser)).link
    return await service.consent.resume(found, state, browser)


async def test_a_late_consent_is_asked_for_ever_more_rarely_and_no_sooner_than_its_time(service: Service) -> None:
    service.entra.consented.clear()
    answer, browser = await service.prove(ACME)
    waits = await service.consent.callback(answer, browser)
    waited: list[int] = []
    while isinstance(waits, Waiting):
        waited.append(waits.again_in)
        early = await resumed(service, answer, browser)
        assert isinstance(early, Waiting), "it is not asked before its time"
        service.clock.advance(timedelta(seconds=waits.again_in))
        waits = await resumed(service, answer, browser)
    assert why(waits) is ConsentMissing
    assert waited == [1, 1, 1, 2, 3, 4, 6, 9, 14, 21, 30, 30]
    assert await resumed(service, answer, browser, "x") is None
    assert [event.outcome for event in service.telemetry.events].count(ConnectStep.WAITING) == 1
    assert [record.details["reason"] for record in await service.recorded(ACME, "connection.refused")] == [
        "consent-missing"
    ]


async def test_a_code_that_was_taken_while_the_answer_was_lost_leads_to_another_sign_in(service: Service) -> None:
    answer, browser = await service.prove(ACME)
    service.entra._codes.clear()
    await service.flows.revise(
        answer.state or "",
        ConnectState,
        lambda state: state.model_copy(update={"turn": Turn(by="another", at=service.clock.now())}),
        browser,
    )
    for waits in (await service.consent.callback(answer, browser), await resumed(service, answer, browser)):
        assert isinstance(waits, Waiting), "another fetch has the turn"
    service.clock.advance(timedelta(seconds=30))
    assert isinstance(await service.consent.callback(answer, browser), Waiting)
    service.clock.advance(timedelta(seconds=5))
    departure = await resumed(service, answer, browser)
    assert isinstance(departure, ToMicrosoft)
    assert "prompt" not in parse_qs(urlsplit(departure.url).query), "Microsoft has the session, and need not ask"


async def test_a_fetch_that_died_with_its_turn_is_followed_by_the_link(service: Service) -> None:
    answer, browser = await service.prove(ACME)
    turn = Turn(by="another", at=service.clock.now() - timedelta(minutes=1))
    await service.flows.revise(
        answer.state or "", ConnectState, lambda state: state.model_copy(update={"turn": turn}), browser
    )
    for _ in range(9):  # the consent has begun the first
        assert isinstance(await resumed(service, answer, browser), ToMicrosoft)
    assert why(await resumed(service, answer, browser)) is FlowEnded


@pytest.mark.parametrize(
    ("error", "described", "late"),
    [
        ("consent_required", "AADSTS700016: not here", True),
        ("temporarily_unavailable", "", True),
        ("server_error", "", True),
        ("access_denied", "AADSTS65004: declined", False),
        ("invalid_client", "", False),
    ],
)
async def test_only_a_clear_no_at_the_sign_in_ends_a_try(
    service: Service, error: str, described: str, *, late: bool
) -> None:
    answer, browser = await service.prove(ACME)
    refused = Answer(state=answer.state, error=error, error_description=described)
    outcome = await service.consent.callback(refused, browser)
    assert isinstance(outcome, Waiting if late else NotConnected)
    assert (await service.connection(ACME)).status is Status.PENDING


async def test_the_link_goes_on_for_its_own_browser_and_its_own_try_only(service: Service) -> None:
    fresh, browser = await service.prove(ACME)
    assert await resumed(service, fresh, browser) is None, "nothing has come back yet"
    assert await service.consent.resume("x", "y", browser) is None
    service.entra.consented.clear()
    assert isinstance(await service.consent.callback(fresh, browser), Waiting)
    assert await service.consent.resume("another link", fresh.state or "", browser) is None
    link = (await service.flows.look(fresh.state or "", ConnectState, browser)).link
    assert await service.consent.resume(link, fresh.state or "", "another browser") is None
    await service.start(ACME)
    service.clock.advance(timedelta(seconds=2))
    assert await resumed(service, fresh, browser) is None, "it was started again"


async def test_a_consent_whose_tenant_is_unknown_when_microsoft_is_out_begins_again(service: Service) -> None:
    answer, browser = await service.open(ACME)
    service.entra.available = False
    assert isinstance(await service.consent.callback(answer, browser), Waiting)
    service.clock.advance(timedelta(seconds=5))
    assert isinstance(await resumed(service, answer, browser), Waiting)
    service.entra.available = True
    service.clock.advance(timedelta(seconds=5))
    assert isinstance(await resumed(service, answer, browser), ToMicrosoft)


async def test_of_two_tenants_that_are_written_at_once_the_second_gives_back_what_it_had_claimed(
    service: Service,
) -> None:
    service.verify(FABRIKAM, SECOND)
    ticket = await service.start(ACME)
    contoso, fabrikam = [await service.prove_by(ticket, tenant) for tenant in (CONTOSO, FABRIKAM)]
    service.accounts.before_writing(lambda: service.consent.callback(*fabrikam))
    assert why(await service.consent.callback(*contoso)) is Finished
    assert (await service.connection(ACME)).tenant_id == FABRIKAM
    assert (await service.holder(DOMAIN), await service.holder(SECOND)) == (None, ACME)
    assert await service.recorded(ACME, "connection.refused") == [], "the account is connected, and nobody has said no"


async def test_an_account_that_is_erased_while_it_is_connected_leaves_no_claim(service: Service) -> None:
    answer = await service.prove(ACME)
    service.accounts.before_writing(lambda: service.disconnection.close(OPERATOR, ACME, WHATEVER_STANDS))
    assert why(await service.consent.callback(*answer)) is NotFound
    assert await service.holder() is None


async def test_a_change_beside_it_does_not_stop_a_connection(service: Service) -> None:
    await service.connect(ACME)
    answer = await service.prove(ACME)
    service.accounts.before_writing(lambda: service.checks.check(administrator(ACME)))
    assert isinstance(await service.consent.callback(*answer), Connected)


async def test_a_try_of_the_release_before_knows_no_link_and_ends_as_it_began(service: Service) -> None:
    """Old states have neither a link nor an id of their try, so they are nobody's second time."""
    answer, browser = await service.prove(ACME)
    old = {"link": "", "try_id": ""}
    await service.flows.revise(answer.state or "", ConnectState, lambda state: state.model_copy(update=old), browser)
    outcome = await service.consent.callback(answer, browser)
    assert isinstance(outcome, Connected)
    assert outcome.link == ""


async def test_a_try_is_refused_once(service: Service) -> None:
    refused = ConnectState(expires_at=service.clock.now(), account_id=ACME, attempt_id="a", actor=SAM, refused=True)
    with pytest.raises(FlowEnded):
        refused.stopped(NotFound("No."), service.clock.now(), None)

"""Operations of the product, each with its preparation, in a world whose storage calls can be disturbed."""

from asyncio import Lock
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from shared.access.roles import AccountAdministrator, Actor, Operator, PortalHost, PortalVisitor
from shared.accounts.head import read_head
from shared.accounts.register import Profile
from shared.applications.application import ApplicationProfile, AuthMethod
from shared.assembly import assemble
from shared.connection.connection import Connection, ConnectionSettings, Status
from shared.connection.consent_steps import ToMicrosoft
from shared.domains.tenant_domains import DomainStatus, DomainSwitch, TenantDomain, TenantDomains
from shared.flows.flows import name_of
from shared.kernel.names import AccountId, ClientId, DomainName, EmailAddress, TenantId
from shared.kernel.refusals import NotFound
from shared.kernel.versions import Expected
from shared.policies.policy import Mode, PolicySettings
from shared.ports.entra import Answer
from shared.ports.organizations import Organization
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.table import Put, Row
from shared.users.link import Link, link_key
from shared.users.links import Chosen
from shared.users.terms import ExemptionDraft, ExemptionTerms
from shared.users.user_key import UserKey
from tests.support.disturbances import Disturbed, Script
from tests.support.fakes import NEW_YEAR, FakeEntra, FixedClock, InMemoryTable
from tests.support.ports import fakes

CONTOSO = TenantId("c0c00000-0000-4000-8000-000000000000")
FABRIKAM = TenantId("fab00000-0000-4000-8000-000000000000")
DOMAIN, SECOND = DomainName("contoso.example"), DomainName("contoso-mail.example")
ACME, UNITE = AccountId("acme"), ClientId("unite")
OPERATOR = Operator(Actor("olga", "Olga Operator", "Operator"))
SAM = AccountAdministrator(ACME, Actor("sam", "Sam Security", "SecurityManager"))
HOST = PortalHost(ACME, SAM.actor)
ANY = Expected(None)
ALICE = EmailAddress.parse("alice@contoso.example")
BOB = EmailAddress.parse("bob@contoso.example")
ALICE_THERE = VerifiedIdentity(tid=CONTOSO, oid="alice", preferred_username=ALICE.address, acct=0)
BOB_THERE = ALICE_THERE.model_copy(update={"oid": "bob"})
ADA = VerifiedIdentity(tid=CONTOSO, oid="ada", name="Ada", wids=("62e90394-69f5-4237-9190-012177145e10",))
UNITES = ApplicationProfile(name="Unite", sso_supported=True, token_endpoint_auth_method=AuthMethod.CLIENT_SECRET_BASIC)


def tenant_contoso(*domains: DomainName) -> Organization:
    return Organization(tenant_id=CONTOSO, display_name="Contoso", verified_domains=domains)


def entra_of_contoso() -> FakeEntra:
    """Entra with one tenant, which has consented."""
    entra = FakeEntra(tenant_contoso(DOMAIN))
    entra.consented.add(CONTOSO)
    return entra


def empty_tables(kind: type[InMemoryTable] = InMemoryTable) -> dict[str, InMemoryTable]:
    return {name: kind() for name in ("accounts", "domains", "applications", "flows", "duties")}


def twin[T](thing: T) -> T:
    """A copy of something that keeps values, and collections of values."""
    copied = copy(thing)
    vars(copied).update({name: copy(value) for name, value in vars(thing).items()})
    return copied


@dataclass
class World:
    """The product on tables that a script may disturb."""

    script: Script = field(default_factory=Script)
    clock: FixedClock = field(default_factory=FixedClock)
    entra: FakeEntra = field(default_factory=entra_of_contoso)
    tables: dict[str, InMemoryTable] = field(default_factory=empty_tables)
    answer: tuple[Answer, str] | None = None
    ticket: str = ""

    def __post_init__(self) -> None:
        given: dict[str, Any] = {name: Disturbed(table, self.script) for name, table in self.tables.items()}
        given["duties"] = self.tables["duties"]
        services = assemble(fakes(clock=self.clock, entra=self.entra, **given))
        self.register, self.journal = services.accounts.register, services.accounts.journal
        self.applications = services.applications
        self.consent, self.checks = services.connection.consent, services.connection.checks
        self.disconnection, self.setup = services.connection.disconnection, services.connection.setup
        self.domains, self.policies = services.connection.domains, services.policies
        self.exemptions, self.links = services.users.exemptions, services.users.links
        self.portal = services.portal
        self.admission, self.people = services.users.admission, services.users.people
        self.resolution = services.resolution
        self.erasure, self.duties = services.privacy.erasure, services.upkeep.duties
        self.begin = services.privacy.begin
        self.rewriting, self.retention = services.privacy.rewriting, services.privacy.retention

    def copy(self) -> Self:
        """Another world in which the same has happened, undisturbed from now on."""
        told = {each.name: copy(getattr(self, each.name)) for each in fields(self)}
        tables = {name: twin(table) for name, table in self.tables.items()}
        twins = {id(table): tables[name] for name, table in self.tables.items()}
        script = Script(written=[(twins[id(table)], operations) for table, operations in self.script.written])
        told |= {"script": script, "clock": twin(self.clock), "entra": twin(self.entra), "tables": tables}
        return type(self)(**told)

    def verify(self, *domains: DomainName) -> None:
        """Set the domains that Contoso has verified at Microsoft."""
        self.entra.organizations[CONTOSO] = tenant_contoso(*domains)

    async def rows(self) -> tuple[Row, ...]:
        """Every row of the account."""
        return await self.tables["accounts"].under(ACME, "")

    async def seen(self) -> dict[str, object]:
        """The visible state, without values that differ in every run."""
        return {
            "account": await _or_nothing(self._account()),
            "exceptions": await _or_nothing(self._exceptions()),
            "links": await _or_nothing(self._links()),
            "portal": len(await _or_nothing(self.portal.sessions.list(SAM)) or ()),
            "applications": [each.profile.name for each in await self.applications.all(OPERATOR)],
        }

    async def trail(self) -> list[str]:
        """The actions on record, of the account if it is there, and of the application."""
        pages = self.journal.page(SAM, 100, None), self.applications.page(OPERATOR, UNITE, 100, None)
        found = [await _or_nothing(page) for page in pages]
        return sorted(record.action for records, _ in filter(None, found) for record in records)

    async def routes_only_what_it_holds(self) -> bool:
        """Whether the account holds the claim to each domain that routes to it."""
        try:
            states = (await self.domains.list(SAM)).states
        except NotFound:
            return True
        holders = [
            await self.domains.routing.claims.holder(name) for name, state in states.items() if state.value == "routed"
        ]
        return all(holder is not None and holder.account_id == ACME for holder in holders)

    async def _account(self) -> object:
        connection = (await self.checks.read(SAM))[0]
        under_way = connection.attempt is not None
        domains = {name: state.value for name, state in (await self.domains.list(SAM)).states.items()}
        mode = (await self.policies.read(SAM)).record.settings.mode
        return (await self.register.read(OPERATOR, ACME)).record.name, connection.status, under_way, domains, mode

    async def _exceptions(self) -> object:
        return [(each.email, each.reason) for each in (await self.exemptions.page(SAM, 100, None))[0]]

    async def _links(self) -> object:
        links, _ = await self.links.page(SAM, 100, None)
        connection, _ = await self.checks.read(SAM)
        return [(each.email, each.oid, each.subject) for each in links], connection.keep_people


async def _or_nothing[T](found: Awaitable[T]) -> T | None:
    try:
        return await found
    except NotFound:
        return None


# -- what comes before, and what is done -----------------------------------------------------------------------------


async def nothing(_: World) -> None:
    """An empty store."""


async def registered(world: World) -> None:
    await world.register.put(OPERATOR, ACME, Profile("Acme", (), None), None)


async def invited(world: World) -> None:
    await registered(world)
    world.ticket = (await world.consent.start(SAM, None)).ticket


async def offered(world: World) -> None:
    await registered(world)
    await offer(world)


async def offer(world: World) -> object:
    started = await world.consent.start(SAM, None, None, timedelta(days=7))
    world.ticket = started.ticket
    return started


async def consented_by_a_link(world: World) -> None:
    await offered(world)
    await at_microsoft(world)
    await sign_in(world)


async def revoke_links(world: World) -> None:
    for each in await world.setup.list(SAM):
        await world.setup.revoke(SAM, each.link_id)


async def opened(world: World) -> None:
    await invited(world)
    await at_microsoft(world)


async def at_microsoft(world: World) -> None:
    departure = await world.consent.open(world.ticket)
    answer = Answer(state=state_of(departure.url), admin_consent="True", tenant=CONTOSO)
    world.answer = answer, departure.binding.secret


async def consented(world: World) -> None:
    await opened(world)
    await sign_in(world)


async def sign_in(world: World) -> None:
    departure = await callback(world)
    assert isinstance(departure, ToMicrosoft), departure
    code = world.entra.sign_in(departure.url, ADA)
    world.answer = Answer(state=state_of(departure.url), code=code), departure.binding.secret


async def connected(world: World) -> None:
    await consented(world)
    await callback(world)
    world.verify(SECOND)


async def consented_anew(world: World) -> None:
    await connected(world)
    world.ticket = (await world.consent.start(SAM, None)).ticket
    await at_microsoft(world)
    await sign_in(world)


async def excepted(world: World) -> None:
    await registered(world)
    await except_alice(world)


async def excepted_for_an_hour(world: World) -> None:
    await registered(world)
    hour = timedelta(hours=1)
    for_an_hour = {"email": ALICE.address, "reason": "On leave", "expires_at": world.clock.now() + hour}
    await world.exemptions.add(SAM, ExemptionDraft.model_validate(for_an_hour))
    world.clock.advance(hour)


async def linked(world: World) -> None:
    await connected(world)
    await admit_alice(world)


async def inhabited(world: World) -> None:
    await connected(world)
    await except_alice(world)
    await admit_alice(world)


async def with_application(world: World) -> None:
    await world.applications.put(OPERATOR, UNITE, UNITES, None)


async def invited_to_the_portal(world: World) -> None:
    await registered(world)
    await invite_to_the_portal(world)


async def invite_to_the_portal(world: World) -> object:
    link = await world.portal.entry.invite(HOST, None, "SecurityManager")
    world.ticket = link.ticket
    return link


async def begin_in_the_portal(world: World) -> object:
    return await world.portal.entry.begin(world.ticket, "what only Sam's browser knows")


async def in_the_portal(world: World) -> None:
    await invited_to_the_portal(world)
    await begin_in_the_portal(world)


async def revoke_in_the_portal(world: World) -> None:
    for each in await world.portal.sessions.list(SAM):
        await world.portal.sessions.revoke(SAM, each.session_id)


async def sign_out_of_the_portal(world: World) -> None:
    for each in await world.portal.sessions.list(SAM):
        await world.portal.sessions.sign_out(PortalVisitor(ACME, SAM.actor, each.session_id, each.expires_at))


async def callback(world: World) -> object:
    if world.answer is None:
        raise NotFound("Nobody has been at Microsoft yet.")
    return await world.consent.callback(*world.answer)


async def late(world: World) -> None:
    """Microsoft did not know of the consent when the administrator came back, and knows it now."""
    await consented(world)
    world.entra.consented.discard(CONTOSO)
    await callback(world)
    world.entra.consented.add(CONTOSO)
    world.clock.advance(timedelta(seconds=1))


async def resume(world: World) -> object:
    if world.answer is None:
        raise NotFound("Nobody has been at Microsoft yet.")
    answer, browser = world.answer
    found = await world.consent.resume(name_of(world.ticket), answer.state or "", browser)
    return found or await world.consent.look(world.ticket)


async def decline(world: World) -> object:
    assert world.answer is not None
    answer, browser = world.answer
    return await world.consent.callback(Answer(state=answer.state, error="access_denied"), browser)


async def except_alice(world: World) -> object:
    return await world.exemptions.add(SAM, ExemptionDraft(email=ALICE.address, reason="Kiosk"))


async def admit_alice(world: World) -> object:
    return await admit(world, ALICE_THERE)


async def admit(world: World, identity: VerifiedIdentity) -> object:
    return await world.admission.admit(ACME, ALICE, identity, world.clock.now())


async def moved(world: World) -> None:
    """Alice has signed in at Contoso before the account was connected to Fabrikam, which has her domain now."""
    await linked(world)
    await world.disconnection.disconnect(SAM, ANY)
    world.entra.organizations[FABRIKAM] = Organization(
        tenant_id=FABRIKAM, display_name="Fabrikam", verified_domains=(DOMAIN,)
    )
    world.clock.advance(timedelta(hours=1))
    connection = Connection(status=Status.CONNECTED, tenant_id=FABRIKAM, connected_at=world.clock.now())
    world.clock.advance(timedelta(hours=1))
    head = await read_head(world.tables["accounts"], ACME)
    domains = TenantDomains(domains=(TenantDomain(name=DOMAIN, status=DomainStatus.OURS),))
    await world.domains.routing.claims.claim(DOMAIN, ACME, FABRIKAM)
    changes = head.stored(Connection).rewrite(connection), head.stored(TenantDomains).rewrite(domains)
    await world.tables["accounts"].write(*changes)


async def kept(world: World) -> None:
    """Bob has signed in at Contoso, too, and stays to be kept."""
    await moved(world)
    link = Link(
        link_id=UserKey.of(ACME, BOB), email=BOB.address, tid=CONTOSO, oid="bob", linked_at=NEW_YEAR, sub="bob's sub"
    )
    await world.tables["accounts"].write(Put(link_key(ACME, link.link_id), link.document()))
    await keep_people(world)


async def keep_people(world: World) -> object:
    return await world.people.change(SAM, ANY, lambda _: ConnectionSettings(keep_people=True))


async def keep_people_no_more(world: World) -> object:
    return await world.people.change(SAM, ANY, lambda _: ConnectionSettings(keep_people=False))


async def admit_alice_there(world: World) -> object:
    return await admit(world, ALICE_THERE.model_copy(update={"tid": FABRIKAM, "oid": "alice there"}))


def state_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


type Step = Callable[[World], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """An operation and its preparation."""

    before: Step
    act: Step
    spends: bool = False
    """It uses up a flow, so that after a failure a person starts again instead of repeating it."""
    given_up: Step | None = None
    """The step that ends the integration by a refusal: its result is acceptable, too."""
    persists: bool = False
    """It names no version of what it changes, so whoever is overtaken reads again and never hears `Stale`."""
    until_released: bool = False
    """Its caller repeats it until each domain claim is released. Elsewhere a claim that stays stops nobody."""


OF_THE_ACCOUNT: dict[str, Case] = {
    "register": Case(nothing, registered, persists=True),
    "rename": Case(registered, lambda world: world.register.put(OPERATOR, ACME, Profile("Acme Inc", (), None), ANY)),
    "close": Case(inhabited, lambda world: world.disconnection.close(OPERATOR, ACME, ANY), until_released=True),
    "start": Case(registered, lambda world: world.consent.start(SAM, None), persists=True),
    "open": Case(invited, lambda world: world.consent.open(world.ticket), spends=True),
    "consent": Case(opened, callback, spends=True, given_up=decline),
    "reconnect": Case(consented_anew, callback, spends=True, given_up=decline),
    "connect": Case(consented, callback, spends=True, given_up=decline),
    "resume": Case(late, resume, spends=True, given_up=decline),
    "disconnect": Case(connected, lambda world: world.disconnection.disconnect(SAM, ANY)),
    "check": Case(connected, lambda world: world.checks.check(SAM)),
    "refresh": Case(connected, lambda world: world.domains.refresh(SAM)),
    "switch": Case(
        connected, lambda world: world.domains.switch(SAM, DOMAIN, ANY, lambda _: DomainSwitch(enabled=False))
    ),
    "policy": Case(
        registered,
        lambda world: world.policies.change(SAM, ANY, lambda old: old.model_copy(update={"mode": Mode.ON})),
    ),
    "reset policy": Case(registered, lambda world: world.policies.change(SAM, ANY, lambda _: PolicySettings())),
    "except": Case(registered, except_alice, persists=True),
    "except again": Case(excepted_for_an_hour, except_alice, persists=True),
    "import": Case(
        registered,
        lambda world: world.exemptions.put_many(SAM, {2: ExemptionDraft(email=ALICE.address, reason="Kiosk")}, Lock()),
    ),
    "change exception": Case(
        excepted,
        lambda world: world.exemptions.change(
            SAM, UserKey.of(ACME, ALICE), ANY, lambda _: ExemptionTerms(reason="Shared kiosk")
        ),
    ),
    "remove exception": Case(excepted, lambda world: world.exemptions.remove(SAM, UserKey.of(ACME, ALICE), ANY)),
    "link": Case(connected, admit_alice, persists=True),
    "replace link": Case(moved, admit_alice_there, persists=True),
    "keep person": Case(kept, admit_alice_there, persists=True),
    "keep people": Case(moved, keep_people),
    "keep people no more": Case(kept, keep_people_no_more),
    "release links": Case(linked, lambda world: world.links.release_many(SAM, Chosen(), None), persists=True),
    "release link": Case(linked, lambda world: world.links.release(SAM, UserKey.of(ACME, ALICE))),
    "erase": Case(inhabited, lambda world: world.erasure.erase(SAM, ALICE, None), persists=True),
}
OF_SETUP_LINKS: dict[str, Case] = {
    "offer": Case(registered, offer, persists=True),
    "open an offer": Case(offered, lambda world: world.consent.open(world.ticket), spends=True),
    "connect by an offer": Case(consented_by_a_link, callback, spends=True, given_up=decline),
    "revoke offers": Case(offered, revoke_links, persists=True),
}
"""What is done to setup links, which only some other operations may meet."""
MEET_SETUP_LINKS = ("close", "start", "connect", "disconnect", "check", "erase")
OF_THE_PORTAL: dict[str, Case] = {
    "invite to the portal": Case(registered, invite_to_the_portal, persists=True),
    "begin in the portal": Case(invited_to_the_portal, begin_in_the_portal, persists=True),
    "sign out of the portal": Case(in_the_portal, sign_out_of_the_portal, persists=True),
    "revoke in the portal": Case(in_the_portal, revoke_in_the_portal, persists=True),
}
"""What is done in the portal, which only the end of the account may meet besides."""
OVERTAKING: dict[str, Step] = {
    "register and except": excepted,
    "link of another": lambda world: admit(world, BOB_THERE),
}
"""What may come in between, besides."""
OF_AN_APPLICATION: dict[str, Case] = {
    "application": Case(nothing, with_application, persists=True),
    "change application": Case(
        with_application,
        lambda world: world.applications.put(OPERATOR, UNITE, UNITES.model_copy(update={"name": "Unite 2"}), ANY),
    ),
    "secret": Case(with_application, lambda world: world.applications.renew_secret(OPERATOR, UNITE, ANY)),
    "remove application": Case(with_application, lambda world: world.applications.remove(OPERATOR, UNITE, ANY)),
}

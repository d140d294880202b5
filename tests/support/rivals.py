"""Two accounts that compete for one domain: each operation of one, with those of the other that may come in between."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product

from shared.access.roles import AccountAdministrator
from shared.accounts.register import Profile
from shared.connection.connection import Status
from shared.connection.consent_steps import ToMicrosoft
from shared.domains.domain_claims import SETTLING_TIME
from shared.kernel.names import AccountId, DomainName, TenantId
from shared.kernel.refusals import NotFound
from shared.policies.policy import Mode
from shared.ports.entra import Answer
from shared.ports.organizations import Organization
from tests.support.operations import ACME, ADA, ALICE, ANY, CONTOSO, DOMAIN, OPERATOR, SAM, SECOND, World, state_of

BETA = AccountId("beta")
FABRIKAM = TenantId("fab00000-0000-4000-8000-000000000000")
A_MOMENT = timedelta(seconds=1)


@dataclass
class Rivalry(World):
    """A world with two accounts. What is seen is what both of them see, and what resolve answers for the domain."""

    tenants: dict[AccountId, TenantId] = field(default_factory=dict)
    answers: dict[AccountId, tuple[Answer, str]] = field(default_factory=dict)
    """What Microsoft has answered to each account's last proof, until it is used."""

    async def seen(self) -> dict[str, object]:
        return {ACME: await self._domains(ACME), BETA: await self._domains(BETA), "resolved": await self.resolved()}

    async def resolved(self) -> AccountId | None:
        """The account for which a person of the domain signs in by SSO; None if they do not."""
        resolution = await self.resolution.decide(ALICE, None)
        return resolution.account_id if resolution.sso else None

    async def listed(self) -> set[AccountId]:
        """The accounts that see the domain route to them."""
        return {each for each in (ACME, BETA) if (DOMAIN, "routed") in await self._states(each)}

    def verified_by(self, tenant_id: TenantId, *domains: DomainName) -> None:
        """Set the domains that a tenant has verified at Microsoft."""
        self.entra.organizations[tenant_id] = Organization(
            tenant_id=tenant_id, display_name="Tenant", verified_domains=domains
        )

    async def _domains(self, account_id: AccountId) -> object:
        try:
            status = (await self.checks.read(manager(account_id)))[0].status
        except NotFound:
            return None
        return status is Status.CONNECTED, await self._states(account_id)

    async def _states(self, account_id: AccountId) -> set[tuple[DomainName, str]]:
        try:
            states = (await self.domains.list(manager(account_id))).states
        except NotFound:
            return set()
        return {(name, state.value) for name, state in states.items()}


type RivalStep = Callable[[Rivalry], Awaitable[object]]
type Moves = dict[str, RivalStep]


def manager(account_id: AccountId) -> AccountAdministrator:
    """The Security Manager of the account."""
    return AccountAdministrator(account_id, SAM.actor)


# -- what an account does --------------------------------------------------------------------------------------------


async def prove(world: Rivalry, account_id: AccountId, tenant_id: TenantId) -> None:
    """Everything of an integration but its last step."""
    ticket = (await world.consent.start(manager(account_id), None)).ticket
    departure = await world.consent.open(ticket)
    answer = Answer(state=state_of(departure.url), admin_consent="True", tenant=tenant_id)
    following = await world.consent.callback(answer, departure.binding.secret)
    assert isinstance(following, ToMicrosoft), following
    code = world.entra.sign_in(following.url, ADA.model_copy(update={"tid": tenant_id}))
    world.tenants[account_id] = tenant_id
    world.answers[account_id] = Answer(state=state_of(following.url), code=code), following.binding.secret


def connect(account_id: AccountId) -> RivalStep:
    """The last step of an integration; all of its steps once its proof is used."""

    async def act(world: Rivalry) -> object:
        if account_id not in world.answers:
            world.clock.advance(A_MOMENT)
            await prove(world, account_id, world.tenants[account_id])
        return await world.consent.callback(*world.answers.pop(account_id))

    return act


def refresh(account_id: AccountId) -> RivalStep:
    return lambda world: world.domains.refresh(manager(account_id))


def disconnect(account_id: AccountId) -> RivalStep:
    return lambda world: world.disconnection.disconnect(manager(account_id), ANY)


def delete(account_id: AccountId) -> RivalStep:
    return lambda world: world.disconnection.close(OPERATOR, account_id, ANY)


# -- how they come to compete ----------------------------------------------------------------------------------------


async def two_accounts(world: Rivalry) -> None:
    """Both are registered, and want SSO."""
    world.verified_by(FABRIKAM)
    world.entra.consented.add(FABRIKAM)
    for account_id in (ACME, BETA):
        await world.register.put(OPERATOR, account_id, Profile(account_id, (), None), None)
        await world.policies.change(manager(account_id), ANY, lambda old: old.model_copy(update={"mode": Mode.ON}))


async def of_one_tenant(world: Rivalry) -> None:
    """The domain is Acme's, and its tenant connects Beta, too."""
    await two_accounts(world)
    await prove(world, ACME, CONTOSO)
    await connect(ACME)(world)
    world.clock.advance(SETTLING_TIME)
    await prove(world, BETA, CONTOSO)


async def of_two_tenants(world: Rivalry) -> None:
    """Acme's tenant had the domain, and Beta's has verified it since."""
    await of_one_tenant(world)
    world.verified_by(CONTOSO, SECOND)
    world.verified_by(FABRIKAM, DOMAIN)
    await prove(world, BETA, FABRIKAM)


async def of_two_tenants_connected(world: Rivalry) -> None:
    """The same, and Beta has been connected for long."""
    await two_accounts(world)
    await prove(world, BETA, FABRIKAM)
    await connect(BETA)(world)
    await prove(world, ACME, CONTOSO)
    await connect(ACME)(world)
    world.clock.advance(SETTLING_TIME)
    world.verified_by(CONTOSO, SECOND)
    world.verified_by(FABRIKAM, DOMAIN)


async def abandoned(world: Rivalry) -> None:
    """Acme has claimed the domain, and a crash has kept it from connecting; both have proven it now."""
    await two_accounts(world)
    await world.domains.routing.claims.claim(DOMAIN, ACME, CONTOSO)
    world.clock.advance(SETTLING_TIME)
    for account_id in (ACME, BETA):
        await prove(world, account_id, CONTOSO)


@dataclass(frozen=True)
class Contest:
    """An operation, another account's that may come in between, and what comes before."""

    before: RivalStep
    act: RivalStep
    rival: RivalStep
    acme_keeps_it: bool = False
    """Neither takes the domain from Acme, which has it, or lets Acme leave."""
    may_be_stale: bool = False
    """The rival changes the list of the account that acts, which has to read it again."""


def _contests() -> dict[str, Contest]:
    leave: Moves = {"disconnect": disconnect(ACME), "delete": delete(ACME)}
    acme, beta = {"refresh": refresh(ACME), **leave}, {"connect": connect(BETA), "delete": delete(BETA)}
    stages: dict[str, tuple[RivalStep, Moves, Moves]] = {
        "one tenant": (of_one_tenant, acme, beta),
        "two tenants": (of_two_tenants, acme, beta),
        "two tenants, connected": (
            of_two_tenants_connected,
            acme,
            {"refresh": refresh(BETA), "disconnect": disconnect(BETA), "delete": delete(BETA)},
        ),
        "abandoned": (abandoned, {"connect": connect(ACME), "delete": delete(ACME)}, {"connect": connect(BETA)}),
    }
    contests = {}
    for stage, (before, ones, others) in stages.items():
        for (one, act), (other, rival) in product(ones.items(), others.items()):
            keeps, loses = stage == "one tenant" and one == "refresh", stage.startswith("two tenants")
            contests[f"{stage}: {one} of acme overtaken by {other} of beta"] = Contest(before, act, rival, keeps, loses)
            contests[f"{stage}: {other} of beta overtaken by {one} of acme"] = Contest(before, rival, act, keeps)
    for name, act in leave.items():
        contests[f"{name} of acme overtaken by its own connect"] = Contest(
            of_one_tenant, act, connect(ACME), may_be_stale=True
        )
    return contests


CONTESTS = _contests()
ALONE = {name.split(" overtaken")[0]: contest for name, contest in CONTESTS.items()}
"""Each operation once, of all the contests in which it may be overtaken."""

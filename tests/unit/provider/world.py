"""The provider on ports that are kept in memory, with one application and one person."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.access.roles import AccountAdministrator, Actor, Operator
from shared.accounts.head import Account
from shared.adapters.recent_rows import RecentRows, WatchedTable
from shared.applications.application import Application, ApplicationProfile
from shared.assembly import assemble
from shared.connection.connection import Connection, Status
from shared.domains.tenant_domains import DomainStatus, TenantDomain, TenantDomains
from shared.flows.beside import handle_beside
from shared.kernel.names import AccountId, ClientId, DomainName, EmailAddress, TenantId
from shared.kernel.versions import Expected
from shared.policies.policy import Mode, Policy, PolicySettings
from shared.ports.organizations import Organization
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.signing_keys import SigningKeys
from shared.ports.table import Put, Table
from shared.provider.client_authentication import ClientAuthentication
from shared.provider.codes import SealedCode
from shared.provider.issuer import Code, Person, challenge_of
from shared.provider.parameters import Parameters
from shared.provider.token import TokenResponse
from shared.users.link import Link
from tests.support.disturbances import Disturbed, Script
from tests.support.fakes import NEW_YEAR, Doorbells, FakeEntra, FixedClock, InMemoryTable, NotedEvents
from tests.support.interleaving import Interleaved
from tests.support.ports import ISSUER, fakes, signing_keys

TOKEN_ENDPOINT = f"{ISSUER}/oauth2/token"
UNITE, OTHER = ClientId("unite"), ClientId("other")
CALLBACK = "https://unite.example/callback"
VERIFIER = "0123456789-abcdefghijklmnopqrstuvwxyz._~ABC"
ACME = AccountId("acme")
CONTOSO = TenantId("c0c00000-0000-4000-8000-000000000000")
FABRIKAM = TenantId("fab00000-0000-4000-8000-000000000000")
ALICE = EmailAddress.parse("alice@contoso.example")
STALENESS = timedelta(seconds=10)
SESSION = "5e5510" + "0" * 58
ALICE_OID, BOB_OID = "oid-of-alice", "oid-of-bob"
OLGA = Operator(Actor("olga", "Olga Operator", "Operator"))
SAM = AccountAdministrator(ACME, Actor("sam", "Sam Security", "SecurityManager"))
WHATEVER_STANDS = Expected(None)


def profile(**changes: Any) -> ApplicationProfile:
    return ApplicationProfile(**{"name": "Unite", "redirect_uris": (CALLBACK,), "sso_supported": True} | changes)


def application(client_id: ClientId = UNITE, **changes: Any) -> Application:
    return Application(client_id=client_id, profile=profile(**changes), created_at=NEW_YEAR, updated_at=NEW_YEAR)


def identity(**claims: Any) -> VerifiedIdentity:
    """Alice, a member of Contoso, whose user principal name is what she types; `claims` change that."""
    alice = {"tid": CONTOSO, "oid": ALICE_OID, "name": "Alice", "preferred_username": ALICE.address, "acct": 0}
    return VerifiedIdentity.model_validate(alice | claims)


def person(**changes: Any) -> Person:
    told: dict[str, Any] = {"sub": "subject", "email": ALICE.address, "name": "Alice", "sid": SESSION}
    ids = {"account_id": ACME, "tid": CONTOSO, "oid": ALICE_OID, "auth_time": NEW_YEAR}
    return Person(**told | ids | changes)


def code(expires_at: datetime, **changes: Any) -> Code:
    asked: dict[str, Any] = {"client_id": UNITE, "redirect_uri": CALLBACK, "code_challenge": challenge_of(VERIFIER)}
    wishes = {"nonce": "n-1", "scope": ("openid", "email", "profile"), "person": person()}
    return Code(**{"expires_at": expires_at} | asked | wishes | changes)


@dataclass
class Provider:
    """The product, of which these tests look at the provider; others may act on the tables between two of its steps."""

    clock: FixedClock = field(default_factory=FixedClock)
    applications: InMemoryTable = field(default_factory=InMemoryTable)
    domains_table: InMemoryTable = field(default_factory=InMemoryTable)
    flows_table: InMemoryTable = field(default_factory=InMemoryTable)
    duties_table: InMemoryTable = field(default_factory=InMemoryTable)
    accounts_table: InMemoryTable = field(default_factory=InMemoryTable)
    entra: FakeEntra = field(default_factory=FakeEntra)
    doorbells: Doorbells = field(default_factory=Doorbells)
    telemetry: NotedEvents = field(default_factory=NotedEvents)
    script: Script = field(default_factory=Script)
    """May disturb any storage call."""
    remembers: bool = False
    """Whether it remembers rows for ten seconds, as an instance does."""
    signing_keys: SigningKeys = field(default_factory=signing_keys)

    def __post_init__(self) -> None:
        self.flows_raced, self.accounts_raced = Interleaved(self.flows_table), Interleaved(self.accounts_table)
        tables = {"accounts": self.accounts_raced, "domains": self.domains_table, "applications": self.applications}
        read: dict[str, Any] = {name: Disturbed(table, self.script) for name, table in tables.items()}
        if self.remembers:
            bounds = {"max_age": STALENESS, "most": 1_000, "most_bytes": 1_000_000}
            recent = {name: RecentRows(table=table, clock=self.clock, **bounds) for name, table in read.items()}
            read = {name: WatchedTable(table=table, recent=recent[name]) for name, table in read.items()}
            read |= {f"recent_{name}": each for name, each in recent.items()}
        self.services = assemble(
            fakes(
                **read,
                clock=self.clock,
                signing_keys=self.signing_keys,
                flows=Disturbed(self.flows_raced, self.script),
                duties=Disturbed(self.duties_table, self.script),
                entra=self.entra,
                notices=self.doorbells,
                telemetry=self.telemetry,
            )
        )
        self.register, self.journal = self.services.applications, self.services.accounts.journal
        self.flows, self.links = self.services.upkeep.flows, self.services.users.links
        self.admission, self.people = self.services.users.admission, self.services.users.people
        parts = self.services.provider
        self.sign_in, self.clients, self.userinfo, self.end_session = (
            parts.sign_in,
            parts.clients,
            parts.userinfo,
            parts.end_session,
        )
        self.sessions, self.issuer, self.tokens = parts.end_session.sessions, parts.token.issuer, parts.tokens
        self.codes = parts.token.codes

    def clients_on(self, flows: Table) -> ClientAuthentication:
        """The clients, whose assertions are remembered in this table."""
        return replace(self.clients, flows=flows)

    async def add(self, client_id: ClientId = UNITE, **changes: Any) -> None:
        """Register an application, or change it."""
        await self.register.put(OLGA, client_id, profile(**changes), None)

    async def add_account(self, account_id: AccountId = ACME) -> None:
        """An account that is connected to Contoso."""
        account = Account(account_id=account_id, name="Acme", created_at=NEW_YEAR, updated_at=NEW_YEAR)
        await self.accounts_table.write(Put(Account.key(account_id), account.document()))
        await self._connect(account_id, CONTOSO, ("contoso.example", "contoso-mail.example"))

    async def connect(self, tenant_id: TenantId, *routed: str, **more: Any) -> None:
        """Connect Acme to a tenant, a second after whatever was done, with these domains, or the usual ones."""
        self.clock.advance(timedelta(seconds=1))
        await self._connect(ACME, tenant_id, routed or ("contoso.example", "contoso-mail.example"), **more)
        self.clock.advance(timedelta(seconds=1))

    async def _connect(self, account_id: AccountId, tenant_id: TenantId, names: tuple[str, ...], **more: Any) -> None:
        domains = tuple(TenantDomain(name=DomainName(name), status=DomainStatus.OURS) for name in names)
        made = {"status": Status.CONNECTED, "tenant_id": tenant_id, "connected_at": self.clock.now()}
        await self.accounts_table.write(
            Put(Connection.key(account_id), Connection(**made | more).document()),
            Put(TenantDomains.key(account_id), TenantDomains(domains=domains).document()),
        )

    async def admit(self, account_id: AccountId, email: EmailAddress, identity: VerifiedIdentity) -> Link:
        """The link by which somebody signs in who has just been sent to Microsoft."""
        return (await self.admission.admit(account_id, email, identity, self.clock.now())).link

    async def switch_on(self) -> None:
        """Acme is connected to Contoso and has SSO on for everybody of Alice's domain."""
        self.entra.organizations[CONTOSO] = Organization(
            tenant_id=CONTOSO, display_name="Contoso", verified_domains=(ALICE.domain,)
        )
        self.entra.consented.add(CONTOSO)
        await self.services.connection.domains.routing.claims.claim(ALICE.domain, ACME, CONTOSO)
        await self.add_account()
        await self.set_policy(Mode.ON)

    async def set_policy(self, mode: Mode) -> None:
        policy = Policy(settings=PolicySettings(mode=mode))
        await self.accounts_table.write(Put(Policy.key(ACME), policy.document()))

    async def redeem(self, parameters: Parameters, authorization: str | None = None) -> TokenResponse:
        """Redeem a code, as the token endpoint does it: first the client proves who it is."""
        client = await self.clients.authenticate(authorization, parameters)
        return await self.services.provider.grant(client, parameters)

    async def issue(self, **changes: Any) -> str:
        """An authorization code, as Alice's sign-in leaves it behind, without the session."""
        if await self.accounts_table.get(Account.key(ACME)) is None:
            await self.switch_on()
            await self.admit(ACME, ALICE, identity())
        issued = code(self.flows.expiry(Code), **changes)
        partition, _ = self.sessions.beginning(issued.person, issued.client_id, None)
        handle = handle_beside(partition)
        return await self.flows.issue(SealedCode.of(issued, handle), handle)

    async def begin_session(self, person: Person, client_id: ClientId, logout_hint: str | None) -> None:
        """A session, as a sign-in begins it, without the code."""
        _, writes = self.sessions.beginning(person, client_id, logout_hint)
        if writes:
            await self.flows_table.write(*writes)


def sent(**parameters: str | tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    """Parameters as they arrive; None leaves one out."""
    return {
        name: value if isinstance(value, tuple) else (value,) for name, value in parameters.items() if value is not None
    }

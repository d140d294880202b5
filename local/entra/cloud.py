"""Everything local Entra remembers between two requests.

The current directory, consents, browser sessions, authorization codes, signing keys and the hostile modes. The
endpoints read and change it; it knows no HTTP. It lives on one event loop, so nothing here locks.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from local.entra.clock import utc_now
from local.entra.directory import Directory, Tenant, User
from local.entra.hostile import Hostile, LateConsent
from local.entra.keys import SigningKeys
from local.entra.refusals import aadsts

ANY_TENANT = frozenset({"organizations", "common"})
"""Paths that leave the tenant to the person who signs in."""


@dataclass(frozen=True)
class Addresses:
    """Base URLs without a trailing slash: the browser's pages, the back channel (Graph too) and the service."""

    http: str
    https: str
    service: str

    def issuer(self, tenant_id: str) -> str:
        """The `iss` of a tenant's v2.0 tokens."""
        return f"{self.https}/{tenant_id}/v2.0"

    @property
    def control_panel(self) -> str:
        """The control panel's issuer."""
        return f"{self.http}/control-panel"


@dataclass(frozen=True)
class Session:
    """A browser that somebody is signed in with; `tenant_id` and `sign_in_name` are those of home.

    `began_at` is when they gave their password; going on without being asked does not change it.
    """

    tenant_id: str
    sign_in_name: str
    began_at: datetime
    sid: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(frozen=True)
class Consent:
    """The service principal of the application in one tenant: what it was granted."""

    delegated: frozenset[str]
    application: frozenset[str]
    given_at: datetime | None = None
    """None at home, where nobody has consented."""


@dataclass
class AuthorizationCode:
    """The data of an authorization code; it is redeemed once."""

    path_tenant: str
    tenant_id: str
    oid: str
    sid: str
    auth_time: datetime
    redirect_uri: str
    code_challenge: str
    nonce: str
    scopes: frozenset[str]
    expires_at: datetime
    redeemed: bool = False


class Cloud:
    """The state of local Entra, and the questions all endpoints ask of it."""

    clock: Callable[[], datetime]
    """What says the time. A test that moves the service's clock moves this one along, as the world has one time."""

    def __init__(self, pristine: Directory, addresses: Addresses) -> None:
        """Start from a directory as it was read, with fresh keys and nothing granted."""
        self.addresses = addresses
        self.clock = utc_now
        self.keys = SigningKeys()
        self.control_panel_keys = SigningKeys()
        self.csrf_key = secrets.token_bytes(32)
        self.closing = asyncio.Event()
        self._pristine = pristine
        self.reset()

    def reset(self) -> None:
        """Back to the directory file: no consent, session, code or hostile mode. The keys stay, for they are cached."""
        self.directory = self._pristine
        self.hostile = Hostile()
        self.consents: dict[str, Consent] = {}
        self.sessions: dict[str, Session] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.changes: list[tuple[str, str]] = []

    async def pause(self, seconds: float) -> None:
        """Keep a client waiting, but not the end of the server."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.closing.wait()

    def now(self) -> datetime:
        """The time by Entra's clock."""
        return self.clock() + timedelta(seconds=self.hostile.clock_offset)

    @property
    def redirect_uris(self) -> frozenset[str]:
        """The registered redirect URIs."""
        return frozenset(self.addresses.service + path for path in self.directory.application.redirect_paths)

    def tenant_at(self, path_tenant: str) -> Tenant | None:
        """The tenant that the first segment of a path names; None where it leaves that to the person.

        Raises:
            Refusal: AADSTS90002, there is no such tenant.

        """
        if path_tenant in ANY_TENANT:
            return None
        tenant = self.directory.tenant(path_tenant)
        if tenant is None:
            raise aadsts(90002, tenant=path_tenant)
        return tenant

    def tenant(self, tenant_id: str) -> Tenant:
        """The tenant with that id, which some earlier answer named.

        Raises:
            Refusal: AADSTS90002, it is gone.

        """
        found = self.directory.tenant(tenant_id)
        if found is None:
            raise aadsts(90002, tenant=tenant_id)
        return found

    def granted(self, tenant_id: str) -> Consent | None:
        """What the application was granted in a tenant; None where it has no service principal.

        At home it has one without any consent, since the registration was made there.
        """
        at_home = tenant_id == self.directory.application.home_tenant
        return self.consents.get(tenant_id, Consent(frozenset(), frozenset()) if at_home else None)

    def grant(self, tenant_id: str, delegated: Iterable[str], application: Iterable[str]) -> None:
        """Record an administrator's consent, in place of any earlier one."""
        self.consents[tenant_id] = Consent(frozenset(delegated), frozenset(application), self.now())

    def late(self, tenant_id: str, where: str) -> LateConsent | None:
        """How this part of Entra answers because it has not learned of a tenant's consent yet."""
        late, consent = self.hostile.consent_late, self.consents.get(tenant_id)
        if late is None or late.where != where or consent is None or consent.given_at is None:
            return None
        return late if self.now() < consent.given_at + timedelta(seconds=late.seconds) else None

    def change(self, tenant: Tenant, oids: Iterable[str] = ()) -> None:
        """Replace a tenant, and note which user objects changed for Graph's delta.

        Raises:
            ValueError: another tenant has that domain or user name.

        """
        self.directory = self.directory.with_tenant(tenant)
        self.changes += [(tenant.tenant_id, oid) for oid in oids]

    def rename(self, tenant: Tenant, oid: str, name: str) -> None:
        """Give a member another user principal name. They stay signed in: a session is a person's, not a name's.

        Raises:
            ValueError: see `Directory.renamed`.
        """
        user = tenant.user(oid)
        self.directory = self.directory.renamed(tenant, oid, name)
        self.changes.append((tenant.tenant_id, oid))
        for cookie, session in self.sessions.items():
            if user is not None and session.sign_in_name == user.sign_in_name:
                self.sessions[cookie] = replace(session, sign_in_name=name)

    def person(self, session: Session) -> tuple[Tenant, User] | None:
        """The signed-in person's home tenant and account, unless deleted since."""
        return self.directory.home_of(session.sign_in_name)

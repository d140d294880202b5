"""The ports kept in memory, for tests without I/O.

Each keeps the whole promise of its port, concurrency and limits included: it passes the same contract suite as the real
thing (`tests/contract`). Each lets go of the event loop where the real one waits for the network, so that races show.
`available = False` makes one answer `Unavailable`, as a dead server does.
"""

import asyncio
import base64
import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from shared.kernel.names import ClientId, DomainName, TenantId
from shared.kernel.refusals import Invalid, NotAuthenticated, ProofFailed, TooLarge, Unavailable
from shared.ports.access_tokens import VerifiedAccess
from shared.ports.entra import ConsentMissing, ProviderRefused
from shared.ports.organizations import Organization
from shared.ports.sign_in import SignInRequest, VerifiedIdentity
from shared.ports.table import (
    TRANSACTION_LIMIT,
    Insert,
    Key,
    Lease,
    Operation,
    Page,
    Put,
    Remove,
    Replace,
    Row,
    RowChanged,
    RowExists,
    RowReader,
)
from shared.ports.telemetry import Event

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = NEW_YEAR) -> None:
        self.at = at
        self.passed = timedelta()

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> timedelta:
        return self.passed

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by
        self.passed += by

    def jump(self, by: timedelta) -> None:
        """Set the clock. No time passes."""
        self.at += by


class NotedEvents:
    """Records events for tests."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def note(self, event: Event) -> None:
        self.events.append(event)


class _Answering:
    """Something that responds after a moment, or not at all."""

    def __init__(self) -> None:
        self.available = True

    async def _pause(self) -> None:
        await asyncio.sleep(0)

    async def _travel(self) -> None:
        await self._pause()
        if not self.available:
            raise Unavailable("It does not answer. Try again in a few seconds.")


@dataclass(frozen=True, slots=True)
class _Shelved:
    row: Row
    expires_at: datetime | None


_FORBIDDEN = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
"""What no part of a key may hold."""


class InMemoryTable(_Answering):
    """A table in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[Key, _Shelved] = {}
        self._versions = 0

    def __len__(self) -> int:
        return len(self._rows)

    async def get(self, key: Key) -> Row | None:
        _check_key(key)
        await self._travel()
        shelved = self._rows.get(key)
        await self._pause()
        return shelved.row if shelved else None

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        await self._travel()
        rows = self._family(partition, prefix)
        await self._pause()
        return rows

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        first = _opened(continuation)
        await self._travel()
        rows = tuple(row for row in self._family(partition, prefix) if row.key.row >= first)
        await self._pause()
        return Page(rows[:size], _closed(rows[size].key.row) if len(rows) > size else None)

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        _check_transaction(operations)
        await self._travel()
        for operation in operations:
            self._allow(operation)
        for operation in operations:
            self._perform(operation)
        written = [self._rows.get(operation.key) for operation in operations]
        await self._pause()
        return tuple(each.row.etag if each else "" for each in written)

    async def expired(self, now: datetime, first: str = "") -> AsyncIterator[Row]:
        await self._travel()
        for key, shelved in tuple(self._rows.items()):
            if key.partition >= first and shelved.expires_at is not None and shelved.expires_at < now:
                yield shelved.row

    async def partitions_before(self, partition: str) -> AsyncIterator[Row]:
        await self._travel()
        for key in sorted(self._rows, key=lambda key: (key.partition, key.row)):
            if key.partition < partition and key in self._rows:
                yield self._rows[key].row

    def _family(self, partition: str, prefix: str) -> tuple[Row, ...]:
        keys = [key for key in self._rows if key.partition == partition and key.row.startswith(prefix)]
        return tuple(self._rows[key].row for key in sorted(keys, key=lambda key: key.row))

    def _allow(self, operation: Operation) -> None:
        standing = self._rows.get(operation.key)
        match operation:
            case Insert(key) if standing is not None:
                raise RowExists(key)
            case Replace(row) | Remove(row) if standing is None or standing.row.etag != row.etag:
                raise RowChanged

    def _perform(self, operation: Operation) -> None:
        self._versions += 1
        match operation:
            case Insert(key, document, expires_at) | Put(key, document, expires_at):
                self._rows[key] = _Shelved(Row(key, document, str(self._versions)), expires_at)
            case Replace(row, document):
                self._rows[row.key] = _Shelved(Row(row.key, document, str(self._versions)), None)
            case Remove(row):
                del self._rows[row.key]


class PromptTable(InMemoryTable):
    """One that answers at once, for tests in which one acts at a time: letting go of the event loop takes longest."""

    async def _pause(self) -> None:
        """Go on."""


class Unremembered:
    """A table as a reader that caches nothing: every lease ends at once."""

    def __init__(self, table: RowReader) -> None:
        self.get = self.anew = table.get
        self.under = table.under

    def noting(self, leases: list[Lease]) -> "Unremembered":
        leases.append(Lease(timedelta(), ended=True))
        return self

    def begin(self, key: Key) -> None:
        """What is read now could not be kept until it is asked for."""


def _check_key(key: Key) -> None:
    for part in (key.partition, key.row):
        if not 1 <= len(part.encode()) <= 255 or _FORBIDDEN.search(part):
            raise ValueError("A store would refuse this key.")


def _check_transaction(operations: tuple[Operation, ...]) -> None:
    keys = [operation.key for operation in operations]
    for key in keys:
        _check_key(key)
    one_partition, no_row_twice = len({key.partition for key in keys}) == 1, len({*keys}) == len(keys)
    if len(keys) > TRANSACTION_LIMIT or not one_partition or not no_row_twice:
        raise ValueError("A store would refuse this transaction.")
    documents = [operation.document for operation in operations if not isinstance(operation, Remove)]
    too_long = any(len(document.encode("utf-16-le")) > 800_000 for document in documents)
    if too_long or sum(len(json.dumps(document)) for document in documents) > 900_000:
        raise TooLarge("This is too large to store. Shorten it.")


def _closed(first: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"first": first}).encode()).decode()


def _opened(continuation: str | None) -> str:
    if continuation is None:
        return ""
    try:
        return str(json.loads(base64.b64decode(continuation, altchars=b"-_", validate=True))["first"])
    except (ValueError, KeyError, TypeError):
        raise Invalid("This service did not issue this continuationToken. Start again without one.") from None


@dataclass(frozen=True, slots=True)
class _Code:
    tenant_id: TenantId
    redirect_uri: str
    challenge: str
    nonce: str
    identity: VerifiedIdentity


class FakeEntra(_Answering):
    """Entra with the given organisations; `consented` are those that have consented to the service."""

    def __init__(self, *organizations: Organization) -> None:
        super().__init__()
        self.organizations = {organization.tenant_id: organization for organization in organizations}
        self.consented: set[TenantId] = set()
        self.credential_holds = True
        self._codes: dict[str, _Code] = {}

    def admin_consent_url(self, redirect_uri: str, state: str, tenant_id: TenantId | None = None) -> str:
        query = urlencode({"client_id": "fake", "redirect_uri": redirect_uri, "state": state})
        return f"https://entra.example/{tenant_id or 'organizations'}/v2.0/adminconsent?{query}"

    async def find_tenant(self, name: TenantId | DomainName) -> TenantId | None:
        await self._travel()
        found = (each for each in self.organizations.values() if name in {each.tenant_id, *each.verified_domains})
        return next((each.tenant_id for each in found), None)

    async def begin_sign_in(
        self, tenant_id: TenantId, redirect_uri: str, state: str, *, prompt: str | None, login_hint: str | None = None
    ) -> SignInRequest:
        await self._travel()
        self._must_exist(tenant_id)
        verifier, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        query = {"redirect_uri": redirect_uri, "state": state, "nonce": nonce, "code_challenge": _challenge(verifier)}
        wishes = {name: wish for name, wish in (("prompt", prompt), ("login_hint", login_hint)) if wish is not None}
        url = f"https://entra.example/{tenant_id}/oauth2/v2.0/authorize?{urlencode(query | wishes)}"
        return SignInRequest(url, verifier, nonce)

    def sign_out_url(self, post_logout_redirect_uri: str, logout_hint: str | None) -> str:
        query = {"post_logout_redirect_uri": post_logout_redirect_uri}
        hint = {} if logout_hint is None else {"logout_hint": logout_hint}
        return f"https://entra.example/organizations/oauth2/v2.0/logout?{urlencode(query | hint)}"

    def sign_in(self, url: str, identity: VerifiedIdentity) -> str:
        """What a browser does at `url`: this person signs in, and the code comes back."""
        address = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        tenant_id = TenantId(address.path.split("/")[1])
        code = secrets.token_urlsafe(16)
        self._codes[code] = _Code(tenant_id, query["redirect_uri"], query["code_challenge"], query["nonce"], identity)
        return code

    async def finish_sign_in(
        self, tenant_id: TenantId, redirect_uri: str, code: str, code_verifier: str, nonce: str
    ) -> VerifiedIdentity:
        await self._travel()
        known = self._codes.pop(code, None)
        if known is None:
            raise ProviderRefused("invalid_grant", 54005, self.explain("invalid_grant", "AADSTS54005"))
        asked = (known.tenant_id, known.redirect_uri, known.challenge)
        if asked != (tenant_id, redirect_uri, _challenge(code_verifier)):
            raise ProviderRefused("invalid_grant", None, self.explain("invalid_grant", ""))
        if known.nonce != nonce or known.identity.tid != tenant_id:
            raise ProofFailed("Microsoft's answer belongs to another sign-in. Start again.")
        return known.identity

    async def read_organization(self, tenant_id: TenantId) -> Organization:
        await self._travel()
        self._must_exist(tenant_id)
        if tenant_id not in self.consented:
            raise ConsentMissing("unauthorized_client", 700016, self.explain("unauthorized_client", "AADSTS700016"))
        return self.organizations[tenant_id]

    async def probe_credential(self, tenant_id: TenantId) -> None:
        await self._travel()
        if not self.credential_holds or tenant_id not in self.organizations:
            raise Unavailable("Entra does not believe that this is the service. See the log.")

    async def probe(self) -> None:
        await self._travel()

    def explain(self, error: str, description: str) -> str:
        return f"Microsoft refused ({error}). Ask an administrator of your organisation at Microsoft."

    def explain_consent(self, error: str, description: str) -> str:
        return f"Consent: {self.explain(error, description)}"

    def reason(self, error: str, description: str) -> str:
        known = re.match(r"AADSTS(54005|65004|700016)\b", description)
        return known[0] if known else "unknown"

    def _must_exist(self, tenant_id: TenantId) -> None:
        if tenant_id not in self.organizations:
            raise ConsentMissing("invalid_tenant", 90002, self.explain("invalid_tenant", "AADSTS90002"))


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class FakeAccessTokens(_Answering):
    """Accepts the tokens that it has issued itself, until they expire."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__()
        self._clock = clock
        self._issued: dict[str, tuple[VerifiedAccess, datetime]] = {}

    def issue(self, access: VerifiedAccess, lifetime: timedelta = timedelta(hours=1)) -> str:
        token = secrets.token_urlsafe(16)
        self._issued[token] = access, self._clock.now() + lifetime
        return token

    async def verify(self, unverified_token: str) -> VerifiedAccess:
        await self._travel()
        access, until = self._issued.get(unverified_token, (None, self._clock.now()))
        if access is None or until <= self._clock.now():
            raise NotAuthenticated("The bearer token was not issued by the control panel for this service.")
        return access

    async def probe(self) -> None:
        await self._travel()


class Doorbells:
    """Records the notices posted to applications; those in `deaf` do not respond, and `broken` is raised."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Mapping[str, str]]] = []
        self.deaf: set[str] = set()
        self.broken: Exception | None = None

    async def post(self, client_id: ClientId, url: str, form: Mapping[str, str]) -> None:
        await asyncio.sleep(0)
        if url in self.deaf:
            raise Unavailable("The application does not answer.")
        if self.broken is not None:
            raise self.broken
        self.heard.append((url, form))

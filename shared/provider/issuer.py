"""The tokens that we issue: ID tokens, access tokens and logout tokens, and the code that is exchanged for them."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from pydantic import JsonValue

from shared.flows.flows import Flow
from shared.kernel.encoding import base64url
from shared.kernel.names import AccountId, ClientId, TenantId
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.tokens import Tokens

ID_TOKEN = "JWT"  # noqa: S105 - a type of token, not a token
ACCESS_TOKEN = "at+jwt"  # noqa: S105 - a type, too (RFC 9068, section 2.1)
LOGOUT_TOKEN = "logout+jwt"  # noqa: S105 - a type, too (OpenID Connect Back-Channel Logout 1.0, section 2.4)

TOKEN_LIFETIME = timedelta(minutes=10)
"""How long tokens are valid. Whoever needs new ones later has a refresh token (`shared.provider.families`)."""

_BACKDATED = timedelta(seconds=10)
"""By how much `iat` is dated back: many libraries allow no tolerance, and clocks are some seconds behind."""

PROFILE_CLAIMS = ("name", "given_name", "family_name", "preferred_username")
"""The claims of the scope `profile`, which are fields of a person (OpenID Connect Core, section 5.4)."""


class Person(Record):
    """The person who signed in, as applications know them: `sub` is the same in all applications, for ever.

    `email` and `preferred_username` are addresses that their sign-in vouches for, at a domain that routes to the
    account; None without one. `sid` is a hash of Microsoft's session id, so that a sign-out finds the session.
    `auth_time` is when they signed in there, which may be long ago; `acr` and `amr` how; None or empty if Microsoft's
    ID token lacks it.
    `session_expires_at` is when an application has to end its session; None leaves that to the application.
    """

    sub: str
    email: str | None
    name: str | None
    account_id: AccountId
    tid: TenantId
    oid: str
    sid: str | None
    auth_time: datetime | None = None
    preferred_username: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    session_expires_at: datetime | None = None

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses that tokens contain."""
        return frozenset(each for each in (self.email, self.preferred_username) if each is not None)


class Code(Flow):
    """An authorization code: who signed in, and what it is bound to (RFC 6749, section 4.1.3; RFC 7636).

    `typed` is the address by which they signed in, which tokens contain only if the sign-in vouches for it; None in
    codes from before it was kept.
    """

    kind: ClassVar[str] = "code"
    lifetime: ClassVar[timedelta] = timedelta(seconds=60)

    client_id: ClientId
    redirect_uri: str
    code_challenge: str | None
    nonce: str | None
    scope: tuple[str, ...]
    person: Person
    typed: str | None = None

    @property
    def issued_at(self) -> datetime:
        """When the sign-in was completed."""
        return self.expires_at - self.lifetime


class Grant(Protocol):
    """What tokens are made of: a code, or a refresh token. Names are those of `Code`."""

    @property
    def client_id(self) -> ClientId:
        """The client for which they are."""
        ...

    @property
    def nonce(self) -> str | None:
        """The nonce of the authorization request; None for tokens that are renewed."""
        ...

    @property
    def scope(self) -> tuple[str, ...]:
        """What the client may know."""
        ...

    @property
    def person(self) -> Person:
        """The person who signed in."""
        ...

    @property
    def typed(self) -> str | None:
        """The address by which they signed in."""
        ...

    @property
    def issued_at(self) -> datetime:
        """When the sign-in was completed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Makes the tokens of this service."""

    issuer: str
    """The `iss` of all tokens, which is the public URL."""
    tokens: Tokens
    """Signs them."""
    clock: Clock
    """The time."""

    async def id_token(self, grant: Grant, access_token: str) -> str:
        """An ID token: who signed in, for one application (OpenID Connect Core, section 2)."""
        person = grant.person
        halved = hashlib.sha256(access_token.encode()).digest()[:16]
        claims: dict[str, JsonValue] = {
            **self._common(grant.client_id, person.sub),
            **claims_of(person, grant.scope),
            "auth_time": _seconds(person.auth_time),
            "acr": person.acr,
            "amr": [*person.amr] or None,
            "session_expiry": _seconds(person.session_expires_at),
            "at_hash": base64url(halved),
            "nonce": grant.nonce,
            "sid": person.sid,
            "account_id": person.account_id,
            "tid": person.tid,
            "oid": person.oid,
        }
        return await self.tokens.sign(ID_TOKEN, _present(claims))

    async def access_token(self, grant: Grant, token_id: str | None = None) -> str:
        """An access token for userinfo, which contains what userinfo returns (RFC 9068).

        Args:
            grant: what it is made of.
            token_id: its `jti`; a random one if it is None.
        """
        claims = {
            **self._common(self.issuer, grant.person.sub),
            **claims_of(grant.person, grant.scope),
            "client_id": grant.client_id,
            "scope": " ".join(grant.scope),
            "jti": token_id or secrets.token_urlsafe(16),
        }
        return await self.tokens.sign(ACCESS_TOKEN, _present(claims))

    async def logout_token(self, client_id: ClientId, sub: str, sid: str) -> str:
        """A logout token: the session has ended (OpenID Connect Back-Channel Logout 1.0, section 2.4)."""
        claims: dict[str, JsonValue] = {
            **self._common(client_id, sub),
            "sid": sid,
            "jti": secrets.token_urlsafe(16),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        return await self.tokens.sign(LOGOUT_TOKEN, claims)

    def _common(self, audience: str, sub: str) -> dict[str, JsonValue]:
        now = self.clock.now()
        return {
            "iss": self.issuer,
            "aud": str(audience),
            "sub": sub,
            "iat": int((now - _BACKDATED).timestamp()),
            "exp": int((now + TOKEN_LIFETIME).timestamp()),
        }


def claims_of(person: Person, scope: tuple[str, ...]) -> dict[str, JsonValue]:
    """The claims that the scopes request (OpenID Connect Core, section 5.4). An address is verified, or left out."""
    claims: dict[str, JsonValue] = {}
    if "email" in scope and person.email is not None:
        claims |= {"email": person.email, "email_verified": True}
    if "profile" in scope:
        claims |= {name: getattr(person, name) for name in PROFILE_CLAIMS}
    return claims


def challenge_of(code_verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64url(hashlib.sha256(code_verifier.encode()).digest())


def _seconds(time: datetime | None) -> int | None:
    """A time as tokens have it (RFC 7519, section 2)."""
    return None if time is None else int(time.timestamp())


def _present(claims: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in claims.items() if value is not None}

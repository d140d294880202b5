"""An application: one of the vendor's apps, an OAuth 2.0 client of ours."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    StringConstraints,
    field_validator,
    model_validator,
)

from shared.kernel.addresses import https_address, is_private_use, origin_of, redirect_uri
from shared.kernel.names import ClientId, Product, unpasted
from shared.ports.record import Record
from shared.ports.table import Key, RowReader
from shared.trail.events import Event

MOST_SUPERSEDED = 2
"""Secrets that stay valid beside the newest. Each costs a slow hash when a secret is wrong."""

PARTITION = "application"
"""Of every application's row."""

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})  # of a JWK (RFC 7518, section 6)

Title = Annotated[str, BeforeValidator(unpasted), StringConstraints(min_length=1, max_length=200)]
WebAddress = Annotated[
    str, BeforeValidator(unpasted), StringConstraints(max_length=2_000), AfterValidator(https_address)
]
RedirectUri = Annotated[
    str, BeforeValidator(unpasted), StringConstraints(max_length=2_000), AfterValidator(redirect_uri)
]
RedirectUris = Annotated[tuple[RedirectUri, ...], Field(max_length=20)]


class AuthMethod(StrEnum):
    """How a client proves who it is, as RFC 7591, section 2, names it. `none` is a public client, with PKCE alone."""

    NONE = "none"
    CLIENT_SECRET_BASIC = "client_secret_basic"  # noqa: S105 - the name of a method
    CLIENT_SECRET_POST = "client_secret_post"  # noqa: S105 - as above
    PRIVATE_KEY_JWT = "private_key_jwt"


class CodeBinding(StrEnum):
    """What binds a code to the browser that asked for it (RFC 9700, sections 2.1.1 and 4.5.3).

    `pkce` demands PKCE; `pkce_or_nonce` PKCE, or a `nonce`, which the client compares with the one in the ID token;
    `none` neither, for libraries that know no better: whoever steals a code can then sign in as its owner.
    """

    PKCE = "pkce"
    PKCE_OR_NONCE = "pkce_or_nonce"
    NONE = "none"


class AssertionAudience(StrEnum):
    """What a client's assertion names as its audience: this service's issuer alone, or the token endpoint, too.

    An assertion for an endpoint can be one that was asked for by another server, which the client takes for ours
    (draft-ietf-oauth-rfc7523bis); many libraries send nothing else.
    """

    ISSUER = "issuer"
    TOKEN_ENDPOINT = "token_endpoint"  # noqa: S105 - the name of an endpoint


BY_SECRET = frozenset({AuthMethod.CLIENT_SECRET_BASIC, AuthMethod.CLIENT_SECRET_POST})
"""The methods of clients that have a secret."""


class ApplicationProfile(Record):
    """The fields of an application that an operator sets.

    `redirect_uris` are matched as `shared.kernel.addresses` says, `post_logout_redirect_uris` exactly;
    `requires_product` names a product without which SSO does not work in it; `password_sign_in_uri` receives people who
    stay on the vendor's password; `jwks` are the public keys (RFC 7517) of a client that authenticates by
    `private_key_jwt`; `code_binding` is None for applications that were registered before there was a choice, which
    means PKCE; `refresh_tokens` allows it to ask for `offline_access`; with
    `require_pushed_authorization_requests` (RFC 9126, section 6) none is taken from a browser. `assertion_audience` is
    None for clients without keys, and for those that were registered before there was a choice. `initiate_login_uri`
    begins a sign-in for whoever comes from a tile or a link elsewhere.
    """

    name: Title
    redirect_uris: RedirectUris = ()
    sso_supported: bool
    requires_product: Product | None = None
    password_sign_in_uri: WebAddress | None = None
    token_endpoint_auth_method: AuthMethod = AuthMethod.NONE
    jwks: dict[str, JsonValue] | None = None
    assertion_audience: AssertionAudience | None = None
    code_binding: CodeBinding | None = None
    refresh_tokens: bool = False
    require_pushed_authorization_requests: bool = False
    post_logout_redirect_uris: RedirectUris = ()
    backchannel_logout_uri: WebAddress | None = None
    initiate_login_uri: WebAddress | None = None

    @model_validator(mode="after")
    def _keys_where_they_are_needed(self) -> Self:
        if (self.token_endpoint_auth_method is AuthMethod.PRIVATE_KEY_JWT) != (self.jwks is not None):
            raise ValueError(
                "'jwks' is required with tokenEndpointAuthMethod 'private_key_jwt' and not allowed with any other."
            )
        return self

    @model_validator(mode="after")
    def _bound_where_nothing_else_proves_the_client(self) -> Self:
        if self.token_endpoint_auth_method is AuthMethod.NONE and self.binding is not CodeBinding.PKCE:
            raise ValueError("'codeBinding' must be 'pkce' with tokenEndpointAuthMethod 'none': only PKCE protects it.")
        return self

    @model_validator(mode="after")
    def _audience_of_assertions(self) -> Self:
        if self.assertion_audience is not None and self.token_endpoint_auth_method is not AuthMethod.PRIVATE_KEY_JWT:
            raise ValueError("'assertionAudience' is allowed only with tokenEndpointAuthMethod 'private_key_jwt'.")
        return self

    @model_validator(mode="after")
    def _own_schemes_where_the_client_is_native(self) -> Self:
        addresses = (*self.redirect_uris, *self.post_logout_redirect_uris)
        if self.token_endpoint_auth_method is not AuthMethod.NONE and any(map(is_private_use, addresses)):
            raise ValueError("Only tokenEndpointAuthMethod 'none' allows a scheme of one's own: native applications.")
        return self

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins whose scripts may call the token endpoint for it: of a public client's own redirect URIs."""
        public = self.token_endpoint_auth_method is AuthMethod.NONE
        found = [origin_of(uri) for uri in self.redirect_uris if public]
        return tuple(dict.fromkeys(origin for origin in found if origin is not None))

    @property
    def binding(self) -> CodeBinding:
        """What binds its codes to a browser."""
        return self.code_binding or CodeBinding.PKCE

    @property
    def audience(self) -> AssertionAudience:
        """What its assertions name as their audience."""
        return self.assertion_audience or AssertionAudience.TOKEN_ENDPOINT

    def completed_by(self, before: "ApplicationProfile | None") -> "ApplicationProfile":
        """The profile with what was left out: as it was before, or for a new application the default."""
        return self.model_copy(
            update={
                "code_binding": self.code_binding or self._binding_after(before),
                "assertion_audience": self.assertion_audience or self._audience_after(before),
            }
        )

    def _binding_after(self, before: "ApplicationProfile | None") -> CodeBinding | None:
        if self.token_endpoint_auth_method is AuthMethod.NONE:
            return None
        return CodeBinding.PKCE_OR_NONCE if before is None else before.code_binding

    def _audience_after(self, before: "ApplicationProfile | None") -> AssertionAudience | None:
        if self.token_endpoint_auth_method is not AuthMethod.PRIVATE_KEY_JWT:
            return None
        if before is None or before.token_endpoint_auth_method is not AuthMethod.PRIVATE_KEY_JWT:
            return AssertionAudience.ISSUER
        return before.assertion_audience

    @field_validator("jwks")
    @classmethod
    def _public_keys(cls, jwks: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        keys = [] if jwks is None else jwks.get("keys")
        if not isinstance(keys, list) or not all(isinstance(key, dict) and _PRIVATE.isdisjoint(key) for key in keys):
            raise ValueError("It must be a JWK Set of public keys. Never send private keys.")
        return jwks


class SupersededSecret(Record):
    """The hash of a client secret that was renewed, and when it stops working."""

    secret: str
    until: datetime


class Application(Record):
    """One of the vendor's applications. `secret` is the stored hash of its client secret, never the secret itself.

    `superseded` are the secrets before it, the newest first, so that a deployment has time to change, and a new secret
    that nobody has seen, because the response was lost, locks nobody out.
    """

    client_id: ClientId
    profile: ApplicationProfile
    secret: str | None = None
    superseded: tuple[SupersededSecret, ...] = ()
    created_at: datetime
    updated_at: datetime

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """The stored hashes of the secrets that are valid at this time, the newest first."""
        current = () if self.secret is None else (self.secret,)
        return (*current, *(each.secret for each in self.superseded if now < each.until))

    def renewed(self, secret: str, overlap: timedelta, now: datetime) -> "Application":
        """The application with a new secret (its stored hash), and the one before for an overlap; 0 ends all others."""
        before = () if self.secret is None else (SupersededSecret(secret=self.secret, until=now + overlap),)
        valid = [each for each in (*before, *self.superseded) if overlap and now < each.until]
        update = {"secret": secret, "superseded": tuple(valid[:MOST_SUPERSEDED]), "updated_at": now}
        return self.model_copy(update=update)

    def serves(self, products: tuple[Product, ...]) -> bool:
        """Whether SSO works in this application for an account that has these products."""
        required = self.profile.requires_product
        return self.profile.sso_supported and (required is None or required in products)


class ApplicationRegistered(Event):
    """An operator has registered the application."""

    action = "application.registered"

    profile: ApplicationProfile


class ApplicationChanged(Event):
    """An operator has changed the application's entry in the register."""

    action = "application.changed"

    before: ApplicationProfile
    after: ApplicationProfile


class ApplicationSecretRenewed(Event):
    """The application has a new client secret. The one before ends at once, or after an overlap."""

    action = "application.secret_renewed"


class ApplicationRemoved(Event):
    """An operator has removed the application. Its trail is kept."""

    action = "application.removed"


async def find_application(reader: RowReader, client_id: ClientId) -> Application | None:
    """The application: one point read."""
    row = await reader.get(application_key(client_id))
    return Application.read(row) if row else None


def application_key(client_id: ClientId) -> Key:
    """The key of an application's row."""
    return Key(PARTITION, client_id)

"""Client authentication: which application calls, and how it proves that (RFC 6749, section 2.3; RFC 7523).

A client must use the method that it is registered with, so that nobody can downgrade it to a weaker one. The two ways
to send a secret are equally strong and stand for each other, since libraries differ in which they try.
"""

import base64
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from urllib.parse import unquote_plus

from shared.applications.application import BY_SECRET, Application, AssertionAudience, AuthMethod, find_application
from shared.applications.secrets import SecretChecks
from shared.flows.expiry import minute_of, partition_of
from shared.flows.flows import digest
from shared.flows.inserted import insert_once
from shared.kernel.documents import Foreign
from shared.kernel.encoding import from_base64url
from shared.kernel.names import ClientId
from shared.kernel.refusals import NotAuthenticated
from shared.ports.table import Insert, Key, RowExists, RowReader, Table
from shared.ports.tokens import Tokens
from shared.provider.errors import InvalidClientError, invalid_request
from shared.provider.parameters import LONGEST_TOKEN, Parameters, one

_log = logging.getLogger(__name__)

_ROW = "assertion"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CLOCKS_DIFFER_BY = timedelta(minutes=1)
"""More than the leeway with which assertions are verified, so that no assertion outlives the record of its use."""


@dataclass(frozen=True, slots=True)
class UnverifiedCredentials:
    """The client that a request names, and its proof. Nothing of it is verified."""

    client_id: ClientId
    method: AuthMethod
    proof: str


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that authenticated by its registered method. A public client has none, and PKCE protects its code.

    Only `ClientAuthentication` makes one. A part that must know its caller takes it in the signature.
    """

    application: Application

    @property
    def client_id(self) -> ClientId:
        """Its id."""
        return self.application.client_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAuthentication:
    """Authenticates clients."""

    applications: RowReader
    """The registered clients; may be some seconds old."""
    flows: Table
    """Stores used assertions."""
    tokens: Tokens
    """Verifies assertions."""
    audiences: tuple[str, ...]
    """The audiences that an assertion may name: the issuer, and then the endpoints for clients registered so."""
    secrets: SecretChecks
    """Verifies client secrets."""

    async def authenticate(self, authorization: str | None, parameters: Parameters) -> AuthenticatedClient:
        """Authenticate the calling client.

        Args:
            authorization: the Authorization header.
            parameters: the parameters of the body.

        Raises:
            InvalidClientError: the client is unknown, or its proof is invalid, or not of the registered method.
            OAuthError: a parameter is malformed, or the client authenticates in two ways.
            Throttled: too many secrets are being checked.
        """
        credentials = read_credentials(authorization, parameters)
        application = await find_application(self.applications, credentials.client_id)
        if application is None:
            raise _refused(credentials, "unknown")
        if not _stands_for(credentials.method, application.profile.token_endpoint_auth_method):
            raise _refused(credentials, "method")
        if not await self._is_proven(application, credentials):
            raise _refused(credentials, "proof")
        return AuthenticatedClient(application)

    async def _is_proven(self, application: Application, credentials: UnverifiedCredentials) -> bool:
        match credentials.method:
            case AuthMethod.NONE:
                return True
            case AuthMethod.CLIENT_SECRET_BASIC | AuthMethod.CLIENT_SECRET_POST:
                kept = application.secrets(self.secrets.clock.now())
                return await self.secrets.verify(credentials.client_id, credentials.proof, *kept)
            case _:
                return await self._is_valid(application, credentials.proof)

    async def _is_valid(self, application: Application, unverified_assertion: str) -> bool:
        """Whether an assertion is valid (RFC 7523, section 3), once: its `jti` is stored until it expires.

        It is stored by its expiry, too: what an assertion says of that is part of what the client has signed.
        """
        profile = application.profile
        audiences = self.audiences[:1] if profile.audience is AssertionAudience.ISSUER else self.audiences
        try:
            assertion = await self.tokens.verify_assertion(
                unverified_assertion, application.client_id, json.dumps(profile.jwks), audiences
            )
        except NotAuthenticated:
            return False
        name = digest(f"{application.client_id} {assertion.jti}")
        expires_at = datetime.fromtimestamp(assertion.exp, UTC) + _CLOCKS_DIFFER_BY
        key = Key(partition_of(minute_of(expires_at), name), f"{_ROW}:{name}")
        receipt = json.dumps({"receipt": token_urlsafe(16)})
        if await self.flows.get(Key(name, _ROW)) is not None:
            return False  # used before this release was deployed
        try:
            await insert_once(self.flows, Insert(key, receipt))
        except RowExists:
            return False
        return True


def _stands_for(used: AuthMethod, registered: AuthMethod) -> bool:
    return used is registered or {used, registered} <= BY_SECRET


def _refused(credentials: UnverifiedCredentials, cause: str) -> InvalidClientError:
    """The same words to the caller whatever the cause, which operators find in the log."""
    _log.warning(
        "client.refused application=%s cause=%s method=%s", credentials.client_id, cause, credentials.method.value
    )
    return _invalid_client(in_header=credentials.method is AuthMethod.CLIENT_SECRET_BASIC)


def read_credentials(authorization: str | None, parameters: Parameters) -> UnverifiedCredentials:
    """The client that a request names, and its proof.

    Raises:
        InvalidClientError: no client is named, or the credentials cannot be read.
        OAuthError: the client authenticates in two ways.
    """
    secret, assertion = one(parameters, "client_secret"), one(parameters, "client_assertion", LONGEST_TOKEN)
    ways = [way for way in (authorization, secret, assertion) if way is not None]
    if len(ways) > 1:
        raise invalid_request("The client uses more than one authentication method. Use one.")
    named = one(parameters, "client_id")
    if authorization is not None:
        client_id, proof = _basic(authorization)
        if named not in {None, client_id}:
            raise invalid_request("client_id differs from the one in the Authorization header.")
        return UnverifiedCredentials(_client_id(client_id, in_header=True), AuthMethod.CLIENT_SECRET_BASIC, proof)
    if secret is not None:
        return UnverifiedCredentials(_client_id(named), AuthMethod.CLIENT_SECRET_POST, secret)
    if assertion is not None:
        if one(parameters, "client_assertion_type") != _ASSERTION_TYPE:
            raise invalid_request(f"client_assertion_type must be {_ASSERTION_TYPE}.")
        return UnverifiedCredentials(_client_id(named or _subject(assertion)), AuthMethod.PRIVATE_KEY_JWT, assertion)
    return UnverifiedCredentials(_client_id(named), AuthMethod.NONE, "")


def _basic(authorization: str) -> tuple[str, str]:
    """Id and secret from HTTP Basic, each of them form-encoded (RFC 6749, section 2.3.1)."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        raise _invalid_client(in_header=True) from None
    name, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise _invalid_client(in_header=True)
    return unquote_plus(name), unquote_plus(secret)


class _Subject(Foreign):
    """The subject of an assertion."""

    sub: str


def _subject(unverified_assertion: str) -> str:
    """The client that an assertion names, beside which client_id is optional (RFC 7521, section 4.2)."""
    payload = unverified_assertion.partition(".")[2].partition(".")[0]
    try:
        return _Subject.model_validate_json(from_base64url(payload)).sub
    except ValueError:
        raise _invalid_client(in_header=False) from None


def _client_id(text: str | None, *, in_header: bool = False) -> ClientId:
    try:
        return ClientId.exact(text or "")
    except ValueError:
        raise _invalid_client(in_header=in_header) from None


def _invalid_client(*, in_header: bool) -> InvalidClientError:
    """One error for every case, but a new instance each time: an exception keeps the frames in which it was raised."""
    return InvalidClientError("The client is unknown, or its credentials are invalid.", in_header=in_header)

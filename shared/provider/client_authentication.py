"""Which application calls the token endpoint, and how it proves that (RFC 6749, section 2.3; RFC 7523).

A client uses the one method that it is registered with and no other, so that nobody can talk us down to a weaker one.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from urllib.parse import unquote_plus

from shared.applications.register import Application, AuthMethod, find_application
from shared.applications.secrets import SecretChecks
from shared.flows.flows import digest
from shared.kernel.documents import Foreign
from shared.kernel.encoding import from_base64url
from shared.kernel.names import ClientId
from shared.kernel.refusals import NotAuthenticated
from shared.ports.table import Insert, Key, RowExists, RowReader, Table
from shared.ports.tokens import Tokens
from shared.provider.authorization_request import LONGEST_TOKEN, Parameters, one
from shared.provider.errors import InvalidClientError, invalid_request

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CLOCKS_DIFFER_BY = timedelta(minutes=1)
"""More than the leeway of who verifies assertions, so that none is good for longer than it is remembered."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a client says it is, and with what proof. Nothing of it is checked."""

    client_id: ClientId
    method: AuthMethod
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """Finds and authenticates clients."""

    applications: RowReader
    """Where they are registered; may be some seconds old."""
    flows: Table
    """Remembers used assertions."""
    tokens: Tokens
    """Verifies assertions."""
    audiences: tuple[str, ...]
    """What an assertion may name as its audience: issuer and token endpoint."""
    secrets: SecretChecks
    """Verifies client secrets."""

    async def find(self, client_id: ClientId) -> Application | None:
        """The application of this id."""
        return await find_application(self.applications, client_id)

    async def authenticate(self, authorization: str | None, parameters: Parameters) -> Application:
        """The application that calls.

        Args:
            authorization: the Authorization header.
            parameters: of the body.

        Raises:
            InvalidClientError: unknown, or its proof is not good, or not of the registered method.
            OAuthError: it says nothing, or says it in two ways.
            Throttled: too many secrets are being checked.
        """
        claim = read_claim(authorization, parameters)
        application = await self.find(claim.client_id)
        if application is None or application.profile.token_endpoint_auth_method is not claim.method:
            raise _stranger()
        if not await self._proven(application, claim):
            raise _stranger()
        return application

    async def _proven(self, application: Application, claim: Claim) -> bool:
        match claim.method:
            case AuthMethod.NONE:
                return True
            case AuthMethod.CLIENT_SECRET_BASIC | AuthMethod.CLIENT_SECRET_POST:
                kept = application.secret
                return kept is not None and await self.secrets.verify(claim.client_id, claim.proof, kept)
            case _:
                return await self._assertion_holds(application, claim.proof)

    async def _assertion_holds(self, application: Application, unverified_assertion: str) -> bool:
        """An assertion is good once: its `jti` is written down until it expires.

        What is written is the receipt: if its answer was lost and the SDK repeated it, the row that is there is ours.
        """
        try:
            assertion = await self.tokens.verify_assertion(
                unverified_assertion, application.client_id, json.dumps(application.profile.jwks), self.audiences
            )
        except NotAuthenticated:
            return False
        key = Key(digest(f"{application.client_id} {assertion.jti}"), "assertion")
        expires_at = datetime.fromtimestamp(assertion.exp, UTC) + _CLOCKS_DIFFER_BY
        receipt = json.dumps({"receipt": token_urlsafe(16)})
        try:
            await self.flows.write(Insert(key, receipt, expires_at=expires_at))
        except RowExists:
            row = await self.flows.get(key)
            return row is not None and row.document == receipt
        return True


def read_claim(authorization: str | None, parameters: Parameters) -> Claim:
    """Who the client says it is.

    Raises:
        InvalidClientError: it does not say so in a way that can be read.
        OAuthError: it says so in two ways.
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
        return Claim(_client_id(client_id), AuthMethod.CLIENT_SECRET_BASIC, proof)
    if secret is not None:
        return Claim(_client_id(named), AuthMethod.CLIENT_SECRET_POST, secret)
    if assertion is not None:
        if one(parameters, "client_assertion_type") != _ASSERTION_TYPE:
            raise invalid_request(f"client_assertion_type must be {_ASSERTION_TYPE}.")
        return Claim(_client_id(named or _subject(assertion)), AuthMethod.PRIVATE_KEY_JWT, assertion)
    return Claim(_client_id(named), AuthMethod.NONE, "")


def _basic(authorization: str) -> tuple[str, str]:
    """Id and secret of HTTP Basic, each form-encoded before (RFC 6749, section 2.3.1)."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        raise _stranger() from None
    name, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise _stranger()
    return unquote_plus(name), unquote_plus(secret)


class _Subject(Foreign):
    """Whom an assertion speaks of."""

    sub: str


def _subject(unverified_assertion: str) -> str:
    """Who the client is by its own assertion, beside which client_id is optional (RFC 7521, section 4.2)."""
    payload = unverified_assertion.partition(".")[2].partition(".")[0]
    try:
        return _Subject.model_validate_json(from_base64url(payload)).sub
    except ValueError:
        raise _stranger() from None


def _client_id(text: str | None) -> ClientId:
    try:
        return ClientId(text or "")
    except ValueError:
        raise _stranger() from None


def _stranger() -> InvalidClientError:
    """Says the same in every case. Made anew each time: an exception keeps the frames of whoever raised it."""
    return InvalidClientError("The client is unknown, or its credentials are invalid.")

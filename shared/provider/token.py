"""An application trades a code for tokens, once; and tells who an access token speaks of."""

import hmac
import re
from dataclasses import dataclass

from pydantic import JsonValue

from shared.applications.register import Application
from shared.flows.flows import Flows
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import FlowSpent
from shared.ports.telemetry import Event, EventName, SignInStep, Telemetry
from shared.ports.tokens import Tokens
from shared.provider.authorization_request import Parameters, one
from shared.provider.client_authentication import Clients
from shared.provider.errors import OAuthError, invalid_grant, invalid_request
from shared.provider.issuer import ACCESS_TOKEN, TOKEN_LIFETIME, Code, Issuer, challenge_of

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_TOLD = ("sub", "email", "email_verified", "name")


@dataclass(frozen=True, slots=True)
class Granted:
    """The answer of the token endpoint (RFC 6749, section 5.1); `expires_in` in seconds."""

    access_token: str
    id_token: str
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """The token endpoint and userinfo."""

    clients: Clients
    """Authenticates the application."""
    flows: Flows
    """Keeps the codes."""
    issuer: Issuer
    """Makes the tokens."""
    tokens: Tokens
    """Verifies access tokens."""
    telemetry: Telemetry
    """Where redeemed codes are reported."""

    async def redeem(self, authorization: str | None, parameters: Parameters) -> Granted:
        """Trade a code.

        Args:
            authorization: the Authorization header.
            parameters: of the body.

        Raises:
            InvalidClientError: the client is not who it says it is.
            OAuthError: the code is not good, or not good for this client, address or verifier.
            Throttled: too many client secrets are being checked.
        """
        application = await self.clients.authenticate(authorization, parameters)
        if one(parameters, "grant_type") != "authorization_code":
            raise OAuthError("unsupported_grant_type", "Only grant_type=authorization_code is supported.")
        handle = one(parameters, "code")
        if handle is None:
            raise invalid_request("'code' is missing.")
        code = await self._take(handle)
        _must_be_theirs(code, application, parameters)
        access_token = await self.issuer.access_token(code)
        id_token = await self.issuer.id_token(code, access_token)
        email = EmailAddress(code.person.email)
        step = SignInStep.REDEEMED
        self.telemetry.note(Event(EventName.SIGN_IN, step, None, code.person.account_id, application.client_id, email))
        return Granted(
            access_token=access_token,
            id_token=id_token,
            expires_in=int(TOKEN_LIFETIME.total_seconds()),
            scope=" ".join(code.scope),
        )

    async def told(self, unverified_access_token: str) -> dict[str, JsonValue]:
        """What userinfo tells (OpenID Connect Core, section 5.3).

        Raises:
            NotAuthenticated: the token is not an access token of ours, or has expired.
        """
        verified = await self.tokens.verify(unverified_access_token, ACCESS_TOKEN, self.issuer.issuer)
        return {name: verified.claims[name] for name in _TOLD if name in verified.claims}

    async def _take(self, handle: str) -> Code:
        try:
            return await self.flows.redeem(handle, Code)
        except FlowSpent:
            raise invalid_grant("The code is unknown, was already used, or has expired.") from None


def _must_be_theirs(code: Code, application: Application, parameters: Parameters) -> None:
    """Client, address and verifier are those of the request (RFC 6749, section 4.1.3; RFC 7636, section 4.6).

    The code is spent by now: who shows it with something wrong does not get a second try.
    """
    verifier = one(parameters, "code_verifier") or ""
    if code.client_id != application.client_id:
        raise invalid_grant("The code was issued to another client.")
    if one(parameters, "redirect_uri") != code.redirect_uri:
        raise invalid_grant("redirect_uri differs from the one in the authorization request.")
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(challenge_of(verifier), code.code_challenge):
        raise invalid_grant("code_verifier does not match the code_challenge of the authorization request.")

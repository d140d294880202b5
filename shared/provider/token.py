"""The token endpoint: an authenticated client redeems a code for tokens, once (RFC 6749, section 4.1.3)."""

import hmac
import re
from dataclasses import dataclass

from shared.accounts.head import existed_at
from shared.flows.flows import Flows
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import FlowSpent
from shared.ports.table import RowReader
from shared.ports.telemetry import Event, EventName, SignInStep, Telemetry
from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.errors import OAuthError, invalid_grant, invalid_request
from shared.provider.issuer import TOKEN_LIFETIME, Code, Issuer, challenge_of
from shared.provider.parameters import Parameters, one

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A token response (RFC 6749, section 5.1); `expires_in` is in seconds."""

    access_token: str
    id_token: str
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoint:
    """Redeems codes."""

    flows: Flows
    """Stores the codes."""
    accounts: RowReader
    """The accounts' table as it is now: a code must not outlive its account."""
    issuer: Issuer
    """Makes the tokens."""
    telemetry: Telemetry
    """Reports redeemed codes to operators."""

    async def redeem(self, client: AuthenticatedClient, parameters: Parameters) -> TokenResponse:
        """Redeem a code.

        Args:
            client: the client that redeems it.
            parameters: the parameters of the body.

        Raises:
            OAuthError: the code is invalid, or was not issued for this client, address or verifier.
        """
        if one(parameters, "grant_type") != "authorization_code":
            raise OAuthError("unsupported_grant_type", "Only grant_type=authorization_code is supported.")
        handle = one(parameters, "code")
        if handle is None:
            raise invalid_request("'code' is missing.")
        code = await self._take(handle)
        _prove_bound(code, client, parameters)
        if not await existed_at(self.accounts, code.person.account_id, code.expires_at - Code.lifetime):
            raise invalid_grant("The account that the code was issued for no longer exists.")
        access_token = await self.issuer.access_token(code)
        id_token = await self.issuer.id_token(code, access_token)
        email = EmailAddress(code.person.email) if code.person.email else None
        step = SignInStep.REDEEMED
        self.telemetry.note(Event(EventName.SIGN_IN, step, None, code.person.account_id, client.client_id, email))
        return TokenResponse(
            access_token=access_token,
            id_token=id_token,
            expires_in=int(TOKEN_LIFETIME.total_seconds()),
            scope=" ".join(code.scope),
        )

    async def _take(self, handle: str) -> Code:
        try:
            return await self.flows.redeem(handle, Code)
        except FlowSpent:
            raise invalid_grant("The code is unknown, was already used, or has expired.") from None


def _prove_bound(code: Code, client: AuthenticatedClient, parameters: Parameters) -> None:
    """Prove that client, address and verifier are those of the request (RFC 6749, 4.1.3; RFC 7636, 4.6).

    The code is already used up: there is no second try.

    Raises:
        OAuthError: one of them differs.
    """
    verifier = one(parameters, "code_verifier") or ""
    if code.client_id != client.client_id:
        raise invalid_grant("The code was issued to another client.")
    if one(parameters, "redirect_uri") != code.redirect_uri:
        raise invalid_grant("redirect_uri differs from the one in the authorization request.")
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(challenge_of(verifier), code.code_challenge):
        raise invalid_grant("code_verifier does not match the code_challenge of the authorization request.")

"""The token endpoint for codes: an authenticated client redeems one for tokens, once (RFC 6749, section 4.1.3).

The code is taken last. What fails before that leaves it good, such as Key Vault, and the client may redeem it again. Of
several clients' calls at once, all of which may have signed tokens, only the one that takes the code hands its out. An
instance redeems each code for one call after the other, so that one that is shown a hundred times does not use up the
vault's signatures. A code that is shown again ends the refresh tokens that it has bought.
"""

import asyncio
import hmac
import re
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from shared.applications.application import CodeBinding
from shared.flows.flows import name_of
from shared.kernel.names import EmailAddress
from shared.ports.telemetry import Event, EventName, SignInStep, Telemetry
from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.codes import Codes, HeldCode
from shared.provider.errors import OAuthError, invalid_grant, invalid_request
from shared.provider.families import Families
from shared.provider.issuer import TOKEN_LIFETIME, Code, Issuer, challenge_of
from shared.provider.parameters import Parameters, one
from shared.provider.reused_codes import ReusedCodes
from shared.provider.scopes import OFFLINE_ACCESS
from shared.provider.standing import Standing

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A token response (RFC 6749, section 5.1)."""

    access_token: str
    id_token: str
    granted: tuple[str, ...]
    refresh_token: str | None = None

    @property
    def expires_in(self) -> int:
        """How long the tokens are valid, in seconds."""
        return int(TOKEN_LIFETIME.total_seconds())

    @property
    def scope(self) -> str:
        """What the client may know, and whether it may renew the tokens."""
        return " ".join(each for each in self.granted if each != OFFLINE_ACCESS or self.refresh_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoint:
    """Redeems codes."""

    codes: Codes
    """The codes."""
    standing: Standing
    """Proves that the sign-in still stands."""
    families: Families
    """Refresh tokens, for clients that have asked for them and may."""
    issuer: Issuer
    """Makes the tokens."""
    telemetry: Telemetry
    """Reports redeemed codes to operators."""
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(init=False, repr=False, default_factory=WeakValueDictionary)

    async def redeem(self, client: AuthenticatedClient, parameters: Parameters) -> TokenResponse:
        """Redeem a code.

        Args:
            client: the client that redeems it.
            parameters: the parameters of the body.

        Raises:
            OAuthError: the code is invalid, or was not issued for this client, address or verifier, or the sign-in no
                longer stands.
            Unavailable: the store or the signing keys do not respond. The code is good still, unless the store's
                response was lost as it was taken.
        """
        if one(parameters, "grant_type") != "authorization_code":
            raise OAuthError("unsupported_grant_type", "grant_type must be authorization_code or refresh_token.")
        handle = one(parameters, "code")
        if handle is None:
            raise invalid_request("'code' is missing.")
        async with self._turns.setdefault(name_of(handle), asyncio.Lock()):
            code, response = await self._exchange(handle, client, parameters)
        email = EmailAddress(code.person.email) if code.person.email else None
        step = SignInStep.REDEEMED
        self.telemetry.note(Event(EventName.SIGN_IN, step, None, code.person.account_id, client.client_id, email))
        return response

    async def _exchange(
        self, handle: str, client: AuthenticatedClient, parameters: Parameters
    ) -> tuple[Code, TokenResponse]:
        held = await self.codes.find(handle)
        code = held.code
        await self._prove_bound(held, client, parameters)
        await self.standing.prove(code)
        access_token = await self.issuer.access_token(code, ReusedCodes.token_id(handle))
        id_token = await self.issuer.id_token(code, access_token)
        renewable = OFFLINE_ACCESS in code.scope and client.application.profile.refresh_tokens
        refresh_token = await self._begin_family(held) if renewable else None
        await self.codes.take(held)
        return code, TokenResponse(access_token, id_token, code.scope, refresh_token)

    async def _begin_family(self, held: HeldCode) -> str:
        """The first refresh token. If no family may begin, the code is used up; if it already was, its tokens end.

        Raises:
            OAuthError: the family has ended, or the person has signed out.
        """
        try:
            return (await self.families.begin(held.code, held.handle)).text
        except OAuthError:
            await self.codes.take(held)
            raise

    async def _prove_bound(self, held: HeldCode, client: AuthenticatedClient, parameters: Parameters) -> None:
        """Prove that the code was issued for this request. If not, it is used up: there is no second try.

        Raises:
            OAuthError: it was not.
        """
        try:
            _must_be_bound(held.code, client, parameters)
        except OAuthError:
            await self.codes.take(held)
            raise


def _must_be_bound(code: Code, client: AuthenticatedClient, parameters: Parameters) -> None:
    """Compare client, address and verifier with those of the request (RFC 6749, 4.1.3; RFC 7636, 4.6).

    Raises:
        OAuthError: one of them differs.
    """
    verifier = one(parameters, "code_verifier")
    if code.client_id != client.client_id:
        raise invalid_grant("The code was issued to another client.")
    if one(parameters, "redirect_uri") != code.redirect_uri:
        raise invalid_grant("redirect_uri differs from the one in the authorization request.")
    if code.code_challenge is None:
        if verifier is not None:  # somebody has taken the challenge out of the request (RFC 9700, section 4.8.2)
            raise invalid_grant("code_verifier was sent, and the authorization request had no code_challenge.")
        if client.application.profile.binding is CodeBinding.PKCE:  # since the code was issued
            raise invalid_grant("PKCE is required, and the authorization request had no code_challenge.")
    elif not _VERIFIER.fullmatch(verifier or "") or not hmac.compare_digest(
        challenge_of(verifier or ""), code.code_challenge
    ):
        raise invalid_grant("code_verifier does not match the code_challenge of the authorization request.")

"""The token endpoint for refresh tokens: a client renews the tokens of a sign-in (RFC 6749, section 6; RFC 9700, 4.14).

A token is used last: what fails before that leaves it good. The decision is taken again at each use, and a sign-in that
no longer stands has no more tokens, whatever changes afterwards.
"""

from dataclasses import dataclass

from shared.kernel.names import EmailAddress
from shared.ports.telemetry import Event, EventName, SignInStep, Telemetry
from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.errors import OAuthError, invalid_grant, invalid_request
from shared.provider.families import Families
from shared.provider.family import Family, HeldFamily
from shared.provider.issuer import Issuer
from shared.provider.parameters import Parameters, one
from shared.provider.refresh_token import RefreshToken
from shared.provider.renewal_pace import RenewalPace
from shared.provider.scopes import SCOPES
from shared.provider.standing import Standing
from shared.provider.token import TokenResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshEndpoint:
    """Renews tokens."""

    families: Families
    """The refresh tokens."""
    pace: RenewalPace
    """How often each family may renew."""
    standing: Standing
    """Proves that the sign-in still stands."""
    issuer: Issuer
    """Makes the tokens."""
    telemetry: Telemetry
    """Reports renewed tokens to operators."""

    async def redeem(self, client: AuthenticatedClient, parameters: Parameters) -> TokenResponse:
        """Use a refresh token: new tokens, and the next refresh token.

        Args:
            client: the client that uses it.
            parameters: the parameters of the body.

        Raises:
            OAuthError: the client may not, or the token is not good, or asks for more than was granted, or the sign-in
                no longer stands.
            Throttled: it is renewed too often. The token can be shown again.
            Unavailable: the store or the signing keys do not respond. The token can be shown again.
        """
        if not client.application.profile.refresh_tokens:
            raise OAuthError("unauthorized_client", "This application is not registered with refreshTokens.")
        shown = one(parameters, "refresh_token")
        if shown is None:
            raise invalid_request("'refresh_token' is missing.")
        try:
            token = RefreshToken.parse(shown)
        except ValueError:
            raise invalid_grant("This is no refresh token.") from None
        held = await self.families.find(token, client.client_id)
        granted = _granted(held.family, parameters)
        spent_until = self.pace.renew(held.row.key.row, held.family.spent_until)
        await self._prove_standing(client, held)
        access_token = await self.issuer.access_token(granted)
        id_token = await self.issuer.id_token(granted, access_token)
        following = await self.families.use(held, token, spent_until)
        person = granted.person
        email = EmailAddress(person.email) if person.email else None
        step = SignInStep.REFRESHED
        self.telemetry.note(Event(EventName.SIGN_IN, step, None, person.account_id, client.client_id, email))
        return TokenResponse(access_token, id_token, granted.scope, following.text)

    async def _prove_standing(self, client: AuthenticatedClient, held: HeldFamily) -> None:
        """Prove that the sign-in still stands, and was to this client. If not, there is no second try.

        Raises:
            OAuthError: it does not.
        """
        try:
            if client.application.created_at > held.family.issued_at:
                raise invalid_grant("The application was registered again since the user signed in.")
            await self.standing.prove(held.family, renews=True)
        except OAuthError:
            await self.families.end(held.row)
            raise


def _granted(family: Family, parameters: Parameters) -> Family:
    """The family with the scopes that are asked for now, which must be among the granted ones (RFC 6749, section 6).

    Scopes that we do not know are ignored, as in authorization requests.

    Raises:
        OAuthError: there is one more.
    """
    asked = {*(one(parameters, "scope") or "").split()}
    if not asked & {*SCOPES} <= {*family.scope}:
        raise OAuthError("invalid_scope", "scope asks for more than the user's sign-in has granted.")
    narrowed = tuple(scope for scope in family.scope if scope in asked)
    return family.model_copy(update={"scope": narrowed}) if narrowed else family

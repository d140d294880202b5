"""The facade of the package: each endpoint, with the part that responds."""

from dataclasses import dataclass

from shared.ports.tokens import Tokens
from shared.provider.client_authentication import AuthenticatedClient, ClientAuthentication
from shared.provider.end_session import EndSession
from shared.provider.login_initiation import LoginInitiation
from shared.provider.parameters import Parameters, one
from shared.provider.pushed_requests import PushedRequests
from shared.provider.refresh import RefreshEndpoint
from shared.provider.revocation import Revocation
from shared.provider.sign_in import SignIn
from shared.provider.token import TokenEndpoint, TokenResponse
from shared.provider.userinfo import Userinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdProvider:
    """The OpenID provider towards the vendor's applications."""

    sign_in: SignIn
    """The authorization endpoint, and the callback to which Entra sends a person back."""
    initiation: LoginInitiation
    """Lets a tile or a link elsewhere start a sign-in."""
    clients: ClientAuthentication
    """Authenticates the clients that call the endpoints for servers."""
    pushed: PushedRequests
    """The endpoint for pushed authorization requests."""
    token: TokenEndpoint
    """The token endpoint for codes."""
    refresh: RefreshEndpoint
    """The token endpoint for refresh tokens."""
    revocation: Revocation
    """The revocation endpoint."""
    userinfo: Userinfo
    """The userinfo endpoint."""
    end_session: EndSession
    """The end-session endpoint, and the logout that Entra begins."""
    tokens: Tokens
    """Has the key set with which others verify our tokens."""

    async def grant(self, client: AuthenticatedClient, parameters: Parameters) -> TokenResponse:
        """Respond to a token request: a code for tokens, or a refresh token for new ones.

        Raises:
            OAuthError: the request is refused.
            Unavailable: the store or the signing keys do not respond.
        """
        endpoint = self.refresh if one(parameters, "grant_type") == "refresh_token" else self.token
        return await endpoint.redeem(client, parameters)

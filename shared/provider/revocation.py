"""The revocation endpoint: an application ends the tokens that it no longer needs (RFC 7009)."""

from dataclasses import dataclass

from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.errors import invalid_request
from shared.provider.families import Families
from shared.provider.parameters import LONGEST_TOKEN, Parameters, one
from shared.provider.refresh_token import RefreshToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Ends the family of a refresh token."""

    families: Families
    """The refresh tokens."""

    async def revoke(self, client: AuthenticatedClient, parameters: Parameters) -> None:
        """End the family of the token, whichever of its tokens it is.

        Nothing is an error that leaves the client without the token (section 2.2). Access tokens are among it: they
        are looked up nowhere, and end by themselves ten minutes after they were made.

        Raises:
            OAuthError: there is no token, or it is another client's.
            Unavailable: the store does not respond.
        """
        text = one(parameters, "token", LONGEST_TOKEN)
        if text is None:
            raise invalid_request("'token' is missing.")
        try:
            token = RefreshToken.parse(text)
        except ValueError:
            return
        await self.families.revoke(token, client.client_id)

"""The userinfo endpoint: claims about the access token's user (OpenID Connect Core, section 5.3)."""

from dataclasses import dataclass

from pydantic import JsonValue

from shared.ports.tokens import Tokens
from shared.provider.issuer import ACCESS_TOKEN, PROFILE_CLAIMS
from shared.provider.reused_codes import ReusedCodes

_CLAIMS = ("sub", "email", "email_verified", *PROFILE_CLAIMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Userinfo:
    """Reads access tokens, which contain what userinfo returns; only whether one was ended is looked up."""

    tokens: Tokens
    """Verifies access tokens."""
    issuer: str
    """The audience of our access tokens."""
    reused: ReusedCodes
    """Codes that were shown again, whose tokens have ended."""

    async def claims(self, unverified_access_token: str) -> dict[str, JsonValue]:
        """The claims that the token's scopes allow.

        Raises:
            NotAuthenticated: the token is not an access token of ours, has expired, or was ended.
            Unavailable: the store or the signing keys do not respond.
        """
        verified = await self.tokens.verify(unverified_access_token, ACCESS_TOKEN, self.issuer)
        await self.reused.must_not_have_made(verified.claims.get("jti"))
        return {name: verified.claims[name] for name in _CLAIMS if name in verified.claims}

"""Bearer tokens of the control panel's issuer (RFC 6750, RFC 9068)."""

from typing import Protocol

from shared.kernel.documents import Foreign


class VerifiedAccess(Foreign):
    """The claims of an access token whose signature, issuer, audience and times have been checked.

    Only an `AccessTokens` makes one.
    """

    sub: str
    name: str | None = None
    roles: tuple[str, ...] = ()
    account_id: str | None = None


class AccessTokens(Protocol):
    """Verifies access tokens."""

    async def verify(self, unverified_token: str) -> VerifiedAccess:
        """The claims, if every check passes.

        Raises:
            NotAuthenticated: a check fails.
            Unavailable: the issuer's keys cannot be read.
        """
        ...

    async def probe(self) -> None:
        """Read the issuer's keys.

        Raises:
            Unavailable: they cannot be read.
        """
        ...

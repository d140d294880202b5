"""Bearer tokens of the control panel's issuer (RFC 6750, RFC 9068), and sessions of the portal in their place."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import AfterValidator, StringConstraints

from shared.kernel.documents import Foreign, Readable
from shared.kernel.names import AccountId


def _printable(text: str) -> str:
    """It is written to the log, where a line break would make it look like two lines."""
    if not text.isprintable():
        message = "It must be printable."
        raise ValueError(message)
    return text


class VerifiedAccess(Foreign):
    """The claims of an access token whose signature, issuer, audience and times have been checked.

    `sub` has at most 255 characters, as OpenID Connect Core, section 2, has it. A malformed `name` counts as missing.

    Only an `AccessTokens` or a `PortalAccess` makes one.
    """

    sub: Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_printable)]
    name: Readable = None
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


@dataclass(frozen=True, slots=True)
class VerifiedSession:
    """A session that may be used: what its person may do in the account, its id, and when it ends at the latest."""

    access: VerifiedAccess
    session_id: str
    expires_at: datetime


class PortalAccess(Protocol):
    """Verifies sessions of the portal."""

    async def verify(self, account_id: AccountId, unverified_secret: str) -> VerifiedSession:
        """The session of this account whose secret a browser has sent. Its use puts off that it ends for being idle.

        That the browser's own page has sent it is checked before: this does not know.

        Raises:
            NotAuthenticated: there is none, or it has ended.
            Unavailable: the store does not respond.
        """
        ...

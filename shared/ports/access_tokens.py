"""Bearer tokens of the control panel's issuer (RFC 6750, RFC 9068)."""

from typing import Annotated, Protocol

from pydantic import AfterValidator, StringConstraints

from shared.kernel.documents import Foreign, Readable


def _printable(text: str) -> str:
    """It is written to the log, where a line break would make it look like two lines."""
    if not text.isprintable():
        message = "It must be printable."
        raise ValueError(message)
    return text


class VerifiedAccess(Foreign):
    """The claims of an access token whose signature, issuer, audience and times have been checked.

    `sub` has at most 255 characters, as OpenID Connect Core, section 2, has it. A malformed `name` counts as missing.

    Only an `AccessTokens` makes one.
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

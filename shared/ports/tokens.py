"""Tokens that this service issues and is shown, as JOSE has them (RFC 7515, 7517, 7519)."""

from collections.abc import Mapping
from typing import Annotated, Protocol

from pydantic import JsonValue, StringConstraints

from shared.kernel.documents import Foreign
from shared.kernel.names import ClientId


class VerifiedToken(Foreign):
    """Claims of a token of ours whose signature, issuer, audience and times have been checked.

    Only a `Tokens` makes one. What a kind of token holds beside these is in `claims`.
    """

    sub: str
    aud: str
    claims: dict[str, JsonValue]


class VerifiedAssertion(Foreign):
    """A client assertion (RFC 7523, section 3) that has been checked, but for its `jti` having been used before."""

    jti: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    exp: float


class Tokens(Protocol):
    """Signs and verifies tokens. Every method may raise `Unavailable` when the key store does not answer."""

    async def jwks(self) -> dict[str, JsonValue]:
        """The key set by which others verify our tokens (RFC 7517, section 5)."""
        ...

    async def sign(self, typ: str, claims: Mapping[str, JsonValue]) -> str:
        """A token of this `typ` (RFC 8725, section 3.11) with these claims; issuer and times are the caller's."""
        ...

    async def verify(
        self, unverified_token: str, typ: str, audience: str | None, *, expired: bool = False
    ) -> VerifiedToken:
        """The claims of a token of ours, of this very type and for this audience.

        Args:
            unverified_token: as it was shown.
            typ: the type it must have, so that one kind cannot pass for another.
            audience: its `aud`; None if the caller decides by what the token says, as for an `id_token_hint`.
            expired: whether one that has expired will do, as an `id_token_hint` may have.

        Raises:
            NotAuthenticated: a check does not hold.
        """
        ...

    async def verify_assertion(
        self, unverified_assertion: str, client_id: ClientId, jwks: str, audiences: tuple[str, ...]
    ) -> VerifiedAssertion:
        """The claims of a client's assertion, signed by one of the client's own keys and meant for us.

        Args:
            unverified_assertion: the `client_assertion` parameter.
            client_id: which must be its issuer and subject.
            jwks: the client's key set, as it was registered.
            audiences: any of which it may name.

        Raises:
            NotAuthenticated: a check does not hold.
        """
        ...

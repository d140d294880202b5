"""Tokens that this service issues and receives, in JOSE's formats (RFC 7515, 7517, 7519)."""

from collections.abc import Mapping
from typing import Annotated, Protocol

from pydantic import JsonValue, StringConstraints

from shared.kernel.documents import Foreign
from shared.kernel.names import ClientId


class VerifiedToken(Foreign):
    """Claims of a token of ours whose signature, issuer, audience and times have been checked.

    Only a `Tokens` makes one. `claims` has the other claims of each kind of token.
    """

    sub: str
    aud: str
    claims: dict[str, JsonValue]


class VerifiedAssertion(Foreign):
    """A client assertion (RFC 7523, section 3) that has passed every check, except that its `jti` is new."""

    jti: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    exp: float


class Tokens(Protocol):
    """Signs and verifies tokens. Every method may raise `Unavailable` when the key store does not respond."""

    async def jwks(self) -> dict[str, JsonValue]:
        """The key set by which others verify our tokens (RFC 7517, section 5)."""
        ...

    async def sign(self, typ: str, claims: Mapping[str, JsonValue]) -> str:
        """A token of this `typ` (RFC 8725, section 3.11) with these claims; issuer and times are the caller's."""
        ...

    async def verify(
        self, unverified_token: str, typ: str, audience: str | None, *, expired: bool = False
    ) -> VerifiedToken:
        """The claims of a token of ours, of exactly this type and for this audience.

        Args:
            unverified_token: the token as it was sent.
            typ: the type it must have, so that one kind cannot pass for another.
            audience: its `aud`; None if the caller checks the audience itself, as for an `id_token_hint`.
            expired: whether an expired token is accepted, as for an `id_token_hint`.

        Raises:
            NotAuthenticated: a check fails.
        """
        ...

    async def verify_assertion(
        self, unverified_assertion: str, client_id: ClientId, jwks: str, audiences: tuple[str, ...]
    ) -> VerifiedAssertion:
        """The claims of a client's assertion, signed by one of the client's own keys and meant for us.

        Args:
            unverified_assertion: the `client_assertion` parameter.
            client_id: its issuer and subject must be this client.
            jwks: the client's key set, as it was registered.
            audiences: the assertion must name one of these; if there is one alone, as its only one, in one text.

        Raises:
            NotAuthenticated: a check fails.
        """
        ...

"""Codes that were shown a second time: the access token that was made of one ends (RFC 6749, section 4.1.2).

An access token is self-contained, and what ends it is a row that userinfo looks for. Its name is the token's `jti`,
which follows from the code: nothing is stored of a code that is shown once, and a token does not tell its code.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from pydantic import JsonValue

from shared.flows.flows import Flow, Flows, key_of
from shared.flows.once import following
from shared.kernel.refusals import NotAuthenticated
from shared.provider.issuer import TOKEN_LIFETIME


class ReusedCode(Flow):
    """A code was shown a second time. The row has no more to say."""

    kind: ClassVar[str] = "reused-code"
    lifetime: ClassVar[timedelta] = TOKEN_LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class ReusedCodes:
    """Notes codes that were shown again, and asks for them."""

    flows: Flows
    """Store them."""

    @staticmethod
    def token_id(handle: str) -> str:
        """The `jti` of the access token of the code with this handle."""
        return following(handle, ReusedCode)

    async def note(self, handle: str) -> None:
        """End the access token of this code. Safe to repeat.

        Raises:
            Unavailable: the store does not respond.
        """
        await self.flows.put(ReusedCode(expires_at=self.flows.expiry(ReusedCode)), self.token_id(handle))

    async def must_not_have_made(self, token_id: JsonValue) -> None:
        """Refuse an access token whose code was shown again. The token's signature must have been verified before.

        Raises:
            NotAuthenticated: it was.
            Unavailable: the store does not respond.
        """
        if await self.flows.table.get(key_of(str(token_id), ReusedCode.kind)) is not None:
            raise NotAuthenticated("The code of this access token was shown a second time, which has ended the token.")

"""Authorization codes: each is issued in one write with its session, and its row tells nobody whom it is about.

    issued ──find, take──> taken ──shown again──> its tokens end
       └──60 seconds──> expired

The row is beside those of the session, in the partition of their day, so one transaction writes all of them. So it lies
there for a day or two. What it says is sealed by a key that follows from the code, of which the store has only a hash:
nobody can read it but who shows the code.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from shared.flows.beside import handle_beside, is_beside
from shared.flows.flows import Flow, FlowEnded, Flows, Held, handle_in
from shared.kernel.ciphers import deciphered, enciphered
from shared.kernel.refusals import FlowSpent
from shared.provider.errors import OAuthError, invalid_grant
from shared.provider.families import Families
from shared.provider.issuer import Code
from shared.provider.reused_codes import ReusedCodes
from shared.provider.scopes import OFFLINE_ACCESS
from shared.provider.sessions import Sessions

_PURPOSE = "what an authorization code says"


class SealedCode(Flow):
    """The row of a code. Whoever shows the code can open it."""

    kind: ClassVar[str] = "sealed-code"
    lifetime: ClassVar[timedelta] = Code.lifetime
    is_copied: ClassVar[bool] = True

    sealed: str

    @classmethod
    def of(cls, code: Code, handle: str) -> "SealedCode":
        """Seal a code that is about to be issued."""
        return cls(expires_at=code.expires_at, sealed=enciphered(handle, _PURPOSE, code.document()))

    def opened(self, handle: str) -> Code:
        """Open it with the handle by which it was found.

        Raises:
            FlowSpent: somebody has changed it in the store.
        """
        try:
            return Code.model_validate_json(deciphered(handle_in(handle), _PURPOSE, self.sealed))
        except ValueError as fault:
            raise FlowSpent("It cannot be opened.") from fault


@dataclass(frozen=True, slots=True)
class HeldCode:
    """A code that was found, and that nobody had taken."""

    code: Code
    handle: str
    held: Held[Flow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The codes of every client."""

    flows: Flows
    """Store them."""
    sessions: Sessions
    """Begin with them."""
    families: Families
    """Refresh tokens, which end with a code that is shown again."""
    reused: ReusedCodes
    """Access tokens, which end with it, too."""

    async def issue(self, code: Code, logout_hint: str | None) -> str:
        """Begin the person's session in the application, and issue the code to it: both or neither.

        Args:
            code: what it is to say.
            logout_hint: with it Entra need not ask who signs out.

        Raises:
            Unavailable: the store does not respond.
        """
        partition, session = self.sessions.beginning(code.person, code.client_id, logout_hint)
        handle = handle_beside(partition)
        return await self.flows.issue(SealedCode.of(code, handle), handle, *session)

    async def find(self, handle: str) -> HeldCode:
        """Find a code that a client shows. If it was taken before, its tokens end.

        Raises:
            OAuthError: it is unknown, was taken, or has expired.
            Unavailable: the store does not respond.
        """
        try:
            return await self._find(handle)
        except FlowSpent:
            raise _spent() from None

    async def _find(self, handle: str) -> HeldCode:
        kind = SealedCode if is_beside(handle) else Code  # a plain one is of the release before
        try:
            held: Held[Flow] = await self.flows.hold(handle, kind)
        except FlowEnded as ended:
            if ended.flow.taken_by is not None:
                await self._end_tokens(_read(ended.flow, handle), handle)
            raise
        return HeldCode(_read(held.flow, handle), handle, held)

    async def take(self, held: HeldCode) -> None:
        """Take a code. Of any number of callers who have found it, exactly one succeeds; for the others its tokens end.

        Raises:
            OAuthError: another caller has taken it.
            Unavailable: see `Flows.take`.
        """
        try:
            await self.flows.take(held.held)
        except FlowSpent:
            await self._end_tokens(held.code, held.handle)
            raise _spent() from None

    async def _end_tokens(self, code: Code, handle: str) -> None:
        """End the tokens of a code that was shown again (RFC 6749, section 4.1.2)."""
        await self.reused.note(handle)
        if OFFLINE_ACCESS in code.scope:
            await self.families.end_of(code, handle)


def _read(flow: Flow, handle: str) -> Code:
    return flow.opened(handle) if isinstance(flow, SealedCode) else Code.model_validate(flow)


def _spent() -> OAuthError:
    return invalid_grant("The code is unknown, was already used, or has expired.")

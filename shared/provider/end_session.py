"""Signing out: asked for by an application, or by Entra; either way the other applications hear of it.

leave         an application sends the person (RP-Initiated Logout 1.0); they go on to Entra
returned      Entra sends them back; they go on to the application
ended_at      Entra tells of the end of a session, by its `sid`, in a frame of its sign-out page
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from shared.flows.flows import Flow, Flows
from shared.kernel.names import ClientId
from shared.kernel.refusals import FlowSpent, Malformed, NotAuthenticated, Unavailable
from shared.ports.notices import Notices
from shared.ports.sign_in import SignIn
from shared.ports.tokens import Tokens
from shared.provider.authorization_request import LONGEST_TOKEN, Parameters, client_id_of, one, with_query
from shared.provider.client_authentication import Clients
from shared.provider.errors import OAuthError
from shared.provider.issuer import ID_TOKEN, Issuer
from shared.provider.sessions import Session, Sessions

_log = logging.getLogger(__name__)


class SignOutState(Flow):
    """Where a person goes once Entra has signed them out."""

    kind: ClassVar[str] = "sign-out-state"
    lifetime: ClassVar[timedelta] = timedelta(minutes=15)

    url: str | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """What an application asked: who leaves, by its own ID token, and where they shall go."""

    sid: str | None
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOut:
    """See the module."""

    clients: Clients
    """The applications."""
    sessions: Sessions
    """Who is signed in where."""
    flows: Flows
    """States."""
    provider: SignIn
    """Entra."""
    tokens: Tokens
    """Verifies ID tokens of ours."""
    issuer: Issuer
    """Makes logout tokens."""
    notices: Notices
    """Reaches the applications."""

    async def leave(self, parameters: Parameters) -> str:
        """End the session that the ID token names, tell the applications, and say where the browser goes: to Entra.

        Raises:
            Malformed: the request cannot be read, or wants to return to an address that is not registered.
        """
        leaving = await self._read(parameters)
        ended = await self._end(leaving.sid) if leaving.sid is not None else ()
        state = await self.flows.issue(SignOutState(expires_at=self.flows.expiry(SignOutState), url=leaving.url))
        hint = next((session.logout_hint for session in ended), None)
        return self.provider.sign_out_url(f"{self.issuer.issuer}/signed-out", state, hint)

    async def returned(self, state: str | None) -> str | None:
        """Where the browser goes now that Entra has signed the person out; None if nobody said where."""
        try:
            return (await self.flows.redeem(state or "", SignOutState)).url
        except FlowSpent:
            return None

    async def ended_at_entra(self, entra_sid: str) -> None:
        """Take Entra's word that a session is over. Who does not know its `sid` cannot end it."""
        await self._end(self.sessions.name_of(entra_sid))

    async def _read(self, parameters: Parameters) -> Leaving:
        try:
            hint = one(parameters, "id_token_hint", LONGEST_TOKEN)
            url, state = one(parameters, "post_logout_redirect_uri"), one(parameters, "state")
            client_id = client_id_of(parameters) if one(parameters, "client_id") else None
        except OAuthError as refusal:
            raise Malformed(refusal.detail) from None
        sid = None
        if hint is not None:
            client_id, sid = await self._hinted(hint, client_id)
        if url is None:
            return Leaving(sid, None)
        application = await self.clients.find(client_id) if client_id is not None else None
        if application is None or url not in application.profile.post_logout_redirect_uris:
            raise Malformed(
                "The application asked to return to an address that is not registered for it "
                "(post_logout_redirect_uri). Its developers must fix this."
            )
        return Leaving(sid, with_query(url, state=state))

    async def _hinted(self, unverified_id_token: str, client_id: ClientId | None) -> tuple[ClientId, str | None]:
        """Whose ID token it is, and of which session. One that has expired will do (RP-Initiated Logout, section 4)."""
        try:
            verified = await self.tokens.verify(unverified_id_token, ID_TOKEN, client_id, expired=True)
        except NotAuthenticated:
            raise Malformed("id_token_hint is not an ID token that this service has issued to this client.") from None
        sid = verified.claims.get("sid")
        return ClientId(verified.aud), sid if isinstance(sid, str) else None

    async def _end(self, sid: str) -> tuple[Session, ...]:
        """Take the session out, and tell every application that wants to hear of it."""
        ended = await self.sessions.end(sid)
        await asyncio.gather(*(self._tell(session, sid) for session in ended))
        return ended

    async def _tell(self, session: Session, sid: str) -> None:
        """Back-Channel Logout 1.0, section 2.5. An application that does not answer does not hold up the others."""
        try:
            application = await self.clients.find(session.client_id)
            if application is None or application.profile.backchannel_logout_uri is None:
                return
            token = await self.issuer.logout_token(session.client_id, session.sub, sid)
            await self.notices.post(application.profile.backchannel_logout_uri, {"logout_token": token})
        except Unavailable:
            _log.warning("back-channel logout not heard application=%s", session.client_id)

"""The end-session endpoint: a session ends, and every application of it is notified.

begin           an application sends the person (RP-Initiated Logout 1.0), who goes on to Entra
complete        Entra sends them back, and they go on to the application
front_channel   Entra ends a session, by its `sid`, in a frame of its own sign-out page
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.applications.application import find_application
from shared.flows.flows import Flow, Flows
from shared.kernel.names import AccountId, ClientId
from shared.kernel.refusals import FlowSpent, Malformed, NotAuthenticated
from shared.ports.sign_in import EntraSignIn
from shared.ports.table import RowReader
from shared.ports.tokens import Tokens
from shared.provider.authorization_request import client_id_of
from shared.provider.errors import OAuthError
from shared.provider.issuer import ID_TOKEN, Issuer
from shared.provider.logout_notices import LogoutNotices
from shared.provider.parameters import LONGEST_TOKEN, Parameters, one, with_query
from shared.provider.sessions import Session, Sessions


class SignOutState(Flow):
    """The data behind our `state`: where a person goes after Entra has signed them out."""

    kind: ClassVar[str] = "sign-out-state"
    lifetime: ClassVar[timedelta] = timedelta(minutes=15)

    url: str | None


@dataclass(frozen=True, slots=True)
class EndSessionRequest:
    """The session to end, by the client's own ID token, and where the person goes then."""

    sid: str | None
    post_logout_redirect_uri: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    """Ends sessions."""

    applications: RowReader
    """The registered clients; may be some seconds old."""
    sessions: Sessions
    """Store who is signed in to which application."""
    flows: Flows
    """Stores the state while a person is at Entra."""
    provider: EntraSignIn
    """Entra."""
    tokens: Tokens
    """Verifies ID tokens of ours."""
    issuer: Issuer
    """Has this service's URL, to which people return."""
    notices: LogoutNotices
    """Notifies the applications."""

    async def begin(self, parameters: Parameters) -> str:
        """End the session that the ID token names, notify its applications, and return the URL of Entra's sign-out.

        Raises:
            Malformed: the request cannot be read, or its return address is not registered.
        """
        request = await self._read(parameters)
        ended = await self._end(request.sid) if request.sid is not None else ()
        state = await self.flows.issue(
            SignOutState(expires_at=self.flows.expiry(SignOutState), url=request.post_logout_redirect_uri)
        )
        hint = next((session.logout_hint for session in ended), None)
        return self.provider.sign_out_url(f"{self.issuer.issuer}/signed-out", state, hint)

    async def complete(self, state: str | None) -> str | None:
        """The URL to which the browser goes on after Entra's sign-out; None if the application named none."""
        try:
            return (await self.flows.redeem(state or "", SignOutState)).url
        except FlowSpent:
            return None

    async def front_channel(self, entra_sid: str) -> None:
        """End a session that Entra has ended (Front-Channel Logout 1.0). Only Entra knows its `sid`."""
        await self._end(self.sessions.name_of(entra_sid))

    async def end_all_of(self, account_id: AccountId, sub: str, begun_before: datetime | None = None) -> int:
        """End the sessions that a person has in an account, and return how many applications they were signed in to.

        Args:
            account_id: the account. The person's sessions in another one stay.
            sub: the person.
            begun_before: end only those that began before this time.
        """

        def is_meant(session: Session) -> bool:
            in_time = begun_before is None or session.began_at is None or session.began_at < begun_before
            return (session.account_id, session.sub) == (account_id, sub) and in_time

        names = await self.sessions.of_person(account_id, sub)
        return sum([len(await self._end(sid, is_meant)) for sid in names])

    async def _read(self, parameters: Parameters) -> EndSessionRequest:
        try:
            hint = one(parameters, "id_token_hint", LONGEST_TOKEN)
            url, state = one(parameters, "post_logout_redirect_uri"), one(parameters, "state")
            client_id = client_id_of(parameters) if one(parameters, "client_id") else None
        except OAuthError as refusal:
            raise Malformed(refusal.detail) from None
        sid = None
        if hint is not None:
            client_id, sid = await self._verify_hint(hint, client_id)
        if url is None:
            return EndSessionRequest(sid, None)
        application = await find_application(self.applications, client_id) if client_id is not None else None
        if application is None or url not in application.profile.post_logout_redirect_uris:
            raise Malformed(
                "The application asked to return to an address that is not registered for it "
                "(post_logout_redirect_uri). Its developers must fix this."
            )
        return EndSessionRequest(sid, with_query(url, state=state))

    async def _verify_hint(self, unverified_id_token: str, client_id: ClientId | None) -> tuple[ClientId, str | None]:
        """The client and the session of an ID token, which may have expired (RP-Initiated Logout, section 4)."""
        try:
            verified = await self.tokens.verify(unverified_id_token, ID_TOKEN, client_id, expired=True)
        except NotAuthenticated:
            raise Malformed("id_token_hint is not an ID token that this service has issued to this client.") from None
        sid = verified.claims.get("sid")
        return ClientId(verified.aud), sid if isinstance(sid, str) else None

    async def _end(self, sid: str, is_meant: Callable[[Session], bool] = lambda _: True) -> tuple[Session, ...]:
        """Remove the session, and notify every application of it that has a back-channel logout URI.

        Of concurrent calls, only one notifies each application at once. All of them have planned the notice, so the
        application may be notified again a minute or two later, unless the person has signed in to it again by then.
        """
        rows = tuple(row for row in await self.sessions.find(sid) if is_meant(Session.read(row)))
        planned = await self.notices.plan(sid, tuple(map(Session.read, rows)))
        ended = await self.sessions.end(rows)
        by_this_call = {session.client_id for session in ended}
        await self.notices.send({notice: key for notice, key in planned.items() if notice.client_id in by_this_call})
        return ended

"""The end-session endpoint: a session ends, and every application of it is notified.

begin           an application sends the person (RP-Initiated Logout 1.0), who goes on to Entra
complete        Entra sends them back, and they go on to the application
front_channel   Entra ends a session, by its `sid`, in a frame of its own sign-out page

Nothing is stored while a person is at Entra: their browser keeps the way back, which names a registered address.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from shared.applications.application import find_application
from shared.flows.flows import digest
from shared.kernel.names import AccountId, ClientId
from shared.kernel.refusals import Malformed, NotAuthenticated
from shared.ports.sign_in import EntraSignIn
from shared.ports.table import RowReader
from shared.ports.tokens import Tokens
from shared.provider.families import Families
from shared.provider.family import Family, SessionOfFamily
from shared.provider.issuer import ID_TOKEN, Issuer
from shared.provider.logout_notices import LogoutNotices
from shared.provider.parameters import LONGEST_TOKEN, Parameters, one, with_query
from shared.provider.requesting_client import client_id_of
from shared.provider.sessions import Session, Sessions

_LONGEST_STATE = 4_096
"""Bytes of a `state` that a browser is asked to keep in its cookies."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where a person goes after Entra's sign-out.

    It has the hash of an address, so that it can only ever lead to one that is registered when they return.
    """

    client_id: ClientId
    address_digest: str
    state: str | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a browser has kept.

        Raises:
            ValueError: it is not the text of a way back.
        """
        client_id, address_digest, *state = text.split(" ", 2)
        return cls(ClientId.exact(client_id), address_digest, state[0] if state else None)

    @property
    def text(self) -> str:
        """What a browser keeps."""
        return " ".join(filter(None, (self.client_id, self.address_digest, self.state)))


@dataclass(frozen=True, slots=True)
class ToEntra:
    """Send the person to Entra's sign-out; their browser keeps the way back, if there is one."""

    url: str
    way_back: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """Ask the person whether to sign out (RP-Initiated Logout 1.0, section 2).

    `kept` are the parameters that their answer repeats. `fault` is why they will not return to the application.
    """

    application_name: str | None
    kept: Mapping[str, str]
    fault: str | None


@dataclass(frozen=True, slots=True)
class _EndSessionRequest:
    proven: bool = False
    """Whether an ID token of ours proves that an application may ask."""
    sid: str | None = None
    without_sid: tuple[ClientId, AccountId, str] | None = None
    """Client, account and `sub` of an ID token that names no session, since Entra's did not."""
    application_name: str | None = None
    way_back: WayBack | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    """Ends sessions."""

    applications: RowReader
    """The registered clients; may be some seconds old."""
    sessions: Sessions
    """Store who is signed in to which application."""
    families: Families
    """The refresh tokens, which end with the session."""
    provider: EntraSignIn
    """Entra."""
    tokens: Tokens
    """Verifies ID tokens of ours."""
    issuer: Issuer
    """Has this service's URL, to which people return."""
    notices: LogoutNotices
    """Notifies the applications."""

    async def begin(self, parameters: Parameters, *, confirmed: bool) -> ToEntra | Question:
        """End the session that the ID token names, notify its applications, and send the person to Entra's sign-out.

        Without an ID token of ours, or with anything wrong in the request, the person is asked first.

        Args:
            parameters: the parameters as they were sent.
            confirmed: whether the person has answered yes.
        """
        try:
            request = await self._read(parameters)
        except Malformed as fault:
            request = _EndSessionRequest(fault=fault.detail)
        if not request.proven and not confirmed:
            return Question(request.application_name, request.kept, request.fault)
        leaving = request.way_back.client_id if request.way_back else None
        ended = await self._end(request.sid, last=leaving) if request.sid is not None else ()
        if request.without_sid is not None:
            await self.families.end_without_session(*request.without_sid)
        hint = next((session.logout_hint for session in ended), None)
        url = self.provider.sign_out_url(f"{self.issuer.issuer}/signed-out", hint)
        return ToEntra(url, request.way_back.text if request.way_back else None)

    async def complete(self, way_back: str | None) -> str | None:
        """The URL to which the browser goes on after Entra's sign-out; None if there is none.

        Args:
            way_back: what the browser has kept, which is not trusted: the address is looked up anew.
        """
        try:
            kept = WayBack.parse(way_back or "")
        except ValueError:
            return None
        application = await find_application(self.applications, kept.client_id)
        registered = application.profile.post_logout_redirect_uris if application else ()
        address = next((each for each in registered if digest(each) == kept.address_digest), None)
        return with_query(address, state=kept.state) if address else None

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

        names, families = await asyncio.gather(
            self.sessions.of_person(account_id, sub), self.families.of_person(account_id, sub)
        )
        renewed = [family.person.sid for family in map(Family.read, families) if family.person.sid is not None]
        ended = sum([len(await self._end(sid, is_meant)) for sid in {*names, *renewed}])
        for row in families:
            family = Family.read(row)
            if family.person.sid is None and (begun_before is None or family.issued_at < begun_before):
                await self.families.end(row)
        return ended

    async def _read(self, parameters: Parameters) -> _EndSessionRequest:
        """Read and verify a request.

        Raises:
            Malformed: a parameter is malformed, or the return address is not registered for the application.
        """
        hint = one(parameters, "id_token_hint", LONGEST_TOKEN)
        address, state = one(parameters, "post_logout_redirect_uri"), one(parameters, "state")
        client_id = client_id_of(parameters) if one(parameters, "client_id") else None
        sid = without_sid = None
        if hint is not None:
            client_id, sid, without_sid = await self._verify_hint(hint, client_id)
        if address is not None and client_id is None:
            raise Malformed(
                "You cannot return to the application from here, because it did not say which one it is: with "
                "post_logout_redirect_uri it must send id_token_hint or client_id. Its developers must fix this."
            )
        application = await find_application(self.applications, client_id) if client_id is not None else None
        way_back = None
        if client_id is not None and address is not None:
            if application is None or address not in application.profile.post_logout_redirect_uris:
                raise Malformed(
                    "The application asked to return to an address that is not registered for it "
                    "(post_logout_redirect_uri). Its developers must fix this."
                )
            if len((state or "").encode()) > _LONGEST_STATE:
                raise Malformed(f"'state' is longer than {_LONGEST_STATE} bytes.")
            way_back = WayBack(client_id=client_id, address_digest=digest(address), state=state)
        return _EndSessionRequest(
            proven=hint is not None,
            sid=sid,
            without_sid=without_sid,
            application_name=application.profile.name if application else None,
            way_back=way_back,
            kept=_kept(parameters),
        )

    async def _verify_hint(
        self, unverified_id_token: str, client_id: ClientId | None
    ) -> tuple[ClientId, str | None, tuple[ClientId, AccountId, str] | None]:
        """The client and the session of an ID token, which may have expired (RP-Initiated Logout, section 4)."""
        try:
            verified = await self.tokens.verify(unverified_id_token, ID_TOKEN, client_id, expired=True)
        except NotAuthenticated:
            raise Malformed("id_token_hint is not an ID token that this service has issued to this client.") from None
        asks, sid = ClientId(verified.aud), verified.claims.get("sid")
        if isinstance(sid, str):
            return asks, sid, None
        return asks, None, (asks, AccountId(str(verified.claims["account_id"])), verified.sub)

    async def _end(
        self, sid: str, is_meant: Callable[[Session], bool] = lambda _: True, last: ClientId | None = None
    ) -> tuple[Session, ...]:
        """End the session and its refresh tokens, and notify its applications that have a back-channel logout URI.

        An application that renews its tokens is among them when its row in the session has expired, too.
        Of concurrent calls, only one notifies each application at once. All of them have planned the notice, so the
        application may be notified again a minute or two later, unless the person has signed in to it again by then.
        So is the application `last`, to which the person returns: some know nothing of a person who comes back from a
        sign-out that a notice has overtaken.
        """
        rows = tuple(row for row in await self.sessions.find(sid) if is_meant(Session.read(row)))
        latest = {session.client_id: session for session in map(Session.read, rows)}
        planned = await self.notices.plan(sid, tuple(latest.values()))
        ended = await self.sessions.end(rows)
        named = [row for row in await self.families.of_session(sid) if is_meant(SessionOfFamily.read(row))]
        renewed = {each.client_id: each for each in map(SessionOfFamily.read, named) if each.client_id not in latest}
        more = await self.notices.plan(sid, tuple(renewed.values()))
        for row in named:
            await self.families.end_named(row)
        by_this_call = ({session.client_id for session in ended} | renewed.keys()) - {last}
        due = {notice: key for notice, key in {**planned, **more}.items() if notice.client_id in by_this_call}
        await self.notices.send(due)
        return (*ended, *renewed.values())


def _kept(parameters: Parameters) -> dict[str, str]:
    """What the answer to the question repeats."""
    names = ("client_id", "post_logout_redirect_uri", "state")
    return {name: value for name in names if (value := one(parameters, name)) is not None}

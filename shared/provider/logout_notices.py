"""Notices of sign-out (OpenID Connect Back-Channel Logout 1.0): sent at once, and again until they are heard.

Each notice is planned as a duty before the session is removed, so that a crash loses none; then it is sent, and its
duty withdrawn if the application heard it. The person waits for a moment only: sending goes on without them.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from shared.applications.register import find_application
from shared.duties.duties import Duties, Task
from shared.duties.kinds import Backoff, Kind, Outcome
from shared.kernel.names import ClientId
from shared.kernel.refusals import Unavailable
from shared.ports.notices import Notices
from shared.ports.table import Key, RowReader
from shared.provider.issuer import Issuer
from shared.provider.sessions import Session

_log = logging.getLogger(__name__)

_WITH_THE_PERSON = 0.5
"""Seconds for which the person's browser waits for the applications: most have heard by then."""

_FIRST_RETRY = timedelta(minutes=1)


class LogoutNotice(Task):
    """A session of one person in one application is over, and the application must be notified."""

    kind: ClassVar[str] = "logout-notice"

    client_id: ClientId
    sub: str
    sid: str

    @property
    def name(self) -> str:
        """One per session and application."""
        return f"{self.sid}:{self.client_id}"

    @property
    def lane(self) -> str:
        """The application, which may hang."""
        return f"{self.kind}:{self.client_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNotices:
    """Notifies applications that a session is over."""

    applications: RowReader
    """Where back-channel logout URIs are registered; may be some seconds old."""
    issuer: Issuer
    """Makes logout tokens: a new one for each attempt, since they expire."""
    notices: Notices
    """Reaches the applications."""
    duties: Duties
    """Keeps what was not heard."""
    _under_way: set[asyncio.Task[None]] = field(init=False, repr=False, default_factory=set)

    async def plan(self, sid: str, sessions: tuple[Session, ...]) -> Mapping[LogoutNotice, Key]:
        """Keep a notice for every application of the session that has a back-channel logout URI."""
        notices = [LogoutNotice(client_id=session.client_id, sub=session.sub, sid=sid) for session in sessions]
        wanted = [notice for notice in notices if await self._uri(notice.client_id) is not None]
        return dict(zip(wanted, await self.duties.plan(_FIRST_RETRY, *wanted), strict=True))

    async def send(self, planned: Mapping[LogoutNotice, Key]) -> None:
        """Send them all at once, and wait for a moment. Those that are not heard by then go on by themselves."""
        tasks = {asyncio.create_task(self._send(notice, key)) for notice, key in planned.items()}
        for task in tasks:
            self._under_way.add(task)  # the event loop itself keeps no task alive
            task.add_done_callback(self._under_way.discard)
        if tasks:
            await asyncio.wait(tasks, timeout=_WITH_THE_PERSON)

    async def notify(self, notice: LogoutNotice) -> Outcome:
        """Send one notice. Safe to repeat: a session that is over is over.

        Raises:
            Unavailable: it was not heard.
        """
        uri = await self._uri(notice.client_id)
        if uri is not None:
            token = await self.issuer.logout_token(notice.client_id, notice.sub, notice.sid)
            await self.notices.post(notice.client_id, uri, {"logout_token": token})
        return Outcome.DONE

    def kind(self) -> Kind[LogoutNotice]:
        """How what was not heard is tried again: for a day, as long as sessions are known."""
        return Kind(
            task=LogoutNotice,
            handle=self.notify,
            patience=timedelta(seconds=15),
            backoff=Backoff(first=timedelta(minutes=2), longest=timedelta(hours=1)),
            end=timedelta(hours=24),
        )

    async def _send(self, notice: LogoutNotice, key: Key) -> None:
        try:
            await self.notify(notice)
            await self.duties.withdraw(key)
        except Unavailable:
            _log.warning("back-channel logout not heard application=%s", notice.client_id)

    async def _uri(self, client_id: ClientId) -> str | None:
        application = await find_application(self.applications, client_id)
        return application.profile.backchannel_logout_uri if application else None

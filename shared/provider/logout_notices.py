"""Notices of sign-out (OpenID Connect Back-Channel Logout 1.0): sent at once, and repeated until delivered.

Each notice is planned as a duty before the session is removed, so that a crash loses none; then it is sent, and its
duty withdrawn if it was delivered. The person waits for a moment only: sending continues in the background.

Entra's session can outlive a sign-out here, so the person may sign in again under the same `sid`. A late notice would
end the new session, so the duty drops a notice whose session has begun again.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from shared.applications.application import find_application
from shared.duties.duties import Duties, Task
from shared.duties.kinds import Backoff, Kind, Outcome
from shared.kernel.failures import log_failure
from shared.kernel.names import ClientId
from shared.kernel.refusals import Unavailable
from shared.ports.notices import Notices
from shared.ports.table import Key, RowReader
from shared.provider.issuer import Issuer
from shared.provider.sessions import Session, Sessions

_log = logging.getLogger(__name__)

_WITH_THE_PERSON = 0.5
"""Seconds for which the person's browser waits for the applications: most notices are delivered by then."""

_FIRST_RETRY = timedelta(minutes=1)


class LogoutNotice(Task):
    """A session of one person in one application is over, and the application must be notified."""

    kind: ClassVar[str] = "logout-notice"

    client_id: ClientId
    sub: str
    sid: str
    began_at: datetime | None = None
    """When that session began, as its row says."""

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
    """The registered back-channel logout URIs; may be some seconds old."""
    sessions: Sessions
    """The sessions as they are now."""
    issuer: Issuer
    """Makes logout tokens: a new one for each attempt, since they expire."""
    notices: Notices
    """Sends notices to applications."""
    duties: Duties
    """Plans notices, until they are delivered."""
    _under_way: set[asyncio.Task[None]] = field(init=False, repr=False, default_factory=set)

    async def plan(self, sid: str, sessions: tuple[Session, ...]) -> Mapping[LogoutNotice, Key]:
        """Plan a notice for every application of the session that has a back-channel logout URI."""
        notices = [
            LogoutNotice(client_id=session.client_id, sub=session.sub, sid=sid, began_at=session.began_at)
            for session in sessions
        ]
        wanted = [notice for notice in notices if await self._uri(notice.client_id) is not None]
        return dict(zip(wanted, await self.duties.plan(_FIRST_RETRY, *wanted), strict=True))

    async def send(self, planned: Mapping[LogoutNotice, Key]) -> None:
        """Send all of them concurrently, and wait for a moment. The others continue in the background."""
        tasks = {asyncio.create_task(self._send(notice, key)) for notice, key in planned.items()}
        for task in tasks:
            self._under_way.add(task)  # the event loop itself keeps no task alive
            task.add_done_callback(self._under_way.discard)
        if tasks:
            await asyncio.wait(tasks, timeout=_WITH_THE_PERSON)

    async def notify(self, notice: LogoutNotice) -> Outcome:
        """Send a late notice, unless the person has signed in to the application again since.

        A session that still exists, and began when the notice says, is one whose removal was cut short by a crash: its
        application is notified.

        Raises:
            Unavailable: it was not delivered.
        """
        session = await self.sessions.current(notice.sid, notice.client_id)
        if session is None or session.began_at == notice.began_at:
            await self._post(notice)
        return Outcome.DONE

    def kind(self) -> Kind[LogoutNotice]:
        """The kind of duty that sends undelivered notices again: for a day, as long as sessions are stored."""
        return Kind(
            task=LogoutNotice,
            handle=self.notify,
            patience=timedelta(seconds=15),
            backoff=Backoff(first=timedelta(minutes=2), longest=timedelta(hours=1)),
            end=timedelta(hours=24),
        )

    async def _send(self, notice: LogoutNotice, key: Key) -> None:
        try:
            await self._post(notice)
            await self.duties.withdraw(key)
        except Unavailable:
            _log.warning("back-channel logout not heard application=%s", notice.client_id)
        except Exception as error:  # noqa: BLE001 - nobody waits for this task; its duty tries again
            log_failure(_log, f"back-channel logout application={notice.client_id}", error)

    async def _post(self, notice: LogoutNotice) -> None:
        uri = await self._uri(notice.client_id)
        if uri is not None:
            token = await self.issuer.logout_token(notice.client_id, notice.sub, notice.sid)
            await self.notices.post(notice.client_id, uri, {"logout_token": token})

    async def _uri(self, client_id: ClientId) -> str | None:
        application = await find_application(self.applications, client_id)
        return application.profile.backchannel_logout_uri if application else None

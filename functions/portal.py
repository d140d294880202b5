"""The portal, as the control panel sees it, and as its own page asks for its session."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, StringConstraints, model_validator

from functions.http.cookies import portal_cookies, with_cookies
from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import OptionalBody, Path, Request
from functions.http.portal_requests import cookie_of, csrf_token, unverified_secret
from functions.http.responses import Created, NoContent, Ok
from shared.access.roles import (
    SECURITY_MANAGER,
    SECURITY_READER,
    AccountAdministrator,
    AccountReader,
    PortalHost,
    PortalVisitor,
)
from shared.kernel.documents import Asked
from shared.kernel.names import unpasted
from shared.portal.session import PortalSession, PortalSessionId
from shared.services import Services
from shared.trail.events import Person

_PORTAL = "/v1/accounts/{accountId}/portal"

type _Text = Annotated[str, BeforeValidator(unpasted), StringConstraints(min_length=1, max_length=255)]


class PortalRole(StrEnum):
    """What a visitor of the portal may do: change, or only see."""

    SECURITY_MANAGER = SECURITY_MANAGER
    SECURITY_READER = SECURITY_READER


class PortalActor(Asked):
    """The person who will act in the portal: their `sub` and name in the control panel, as the audit trail has them."""

    subject: _Text
    name: _Text | None = None

    @model_validator(mode="after")
    def _printable(self) -> Self:
        if not f"{self.subject}{self.name or ''}".isprintable():
            raise ValueError("Each must be printable.")
        return self


class PortalBody(Asked):
    """For whom the portal opens. An Operator names the `actor`; a Security Manager opens it for themselves."""

    actor: PortalActor | None = None
    role: PortalRole = PortalRole.SECURITY_MANAGER

    @property
    def named(self) -> Person | None:
        """Return the actor."""
        return None if self.actor is None else Person(subject=self.actor.subject, name=self.actor.name)


class PortalDocument(Document):
    """A link to the portal: send the person's browser to `portalUrl` before `expiresAt`. It begins one session."""

    portal_url: str
    expires_at: Moment


class PortalSessionDocument(Document):
    """A session in the portal: whose it is, in which role, since when, and until when at the latest."""

    session_id: str
    subject: str
    name: str | None
    role: str
    began_at: Moment
    last_used_at: Moment
    expires_at: Moment


class PortalSessionsDocument(Document):
    """The sessions in the portal that may be used, the newest first."""

    items: tuple[PortalSessionDocument, ...]


class OwnSessionDocument(Document):
    """The visitor's own session, for the portal's page: `csrfToken` goes with each of its requests."""

    csrf_token: str
    name: str
    role: str
    expires_at: Moment


def portal_routes(services: Services) -> Routes:
    """The endpoints for the portal."""
    routes = Routes("portal", services.edge)
    portal, prefix = services.portal, services.edge.cookie_prefix
    cookies = portal_cookies(prefix)

    @routes.post(_PORTAL)
    async def open_portal(host: PortalHost, asked: OptionalBody[PortalBody]) -> Created[PortalDocument]:
        """Make a link to hosted pages with the panel, for one person."""
        link = await portal.entry.invite(host, asked.named, asked.role)
        portal_url = f"{services.edge.public_url}/portal?ticket={link.ticket}"
        return Created(PortalDocument(portal_url=portal_url, expires_at=link.expires_at))

    @routes.get(_PORTAL + "/sessions")
    async def list_portal_sessions(reader: AccountReader) -> Ok[PortalSessionsDocument]:
        """List the sessions in the portal."""
        return Ok(_sessions(await portal.sessions.list(reader)))

    @routes.delete(_PORTAL + "/sessions/{sessionId}")
    async def revoke_portal_session(
        administrator: AccountAdministrator, session_id: Path[PortalSessionId]
    ) -> NoContent:
        """End somebody's session in the portal."""
        await portal.sessions.revoke(administrator, session_id)
        return NoContent()

    @routes.get("/portal/{accountId}/session")
    async def get_own_portal_session(visitor: PortalVisitor, req: Request) -> Ok[OwnSessionDocument]:
        """Read the session of the portal's page that asks."""
        return Ok(_own(visitor, unverified_secret(req, prefix) or ""))

    @routes.delete("/portal/{accountId}/session")
    async def sign_out_of_portal(visitor: PortalVisitor) -> NoContent:
        """Sign out of the portal."""
        await portal.sessions.sign_out(visitor)
        return with_cookies(NoContent(), cookies.forget(cookie_of(visitor.account_id)))

    return routes


def _sessions(sessions: tuple[PortalSession, ...]) -> PortalSessionsDocument:
    return PortalSessionsDocument(
        items=tuple(
            PortalSessionDocument(
                session_id=each.session_id,
                subject=each.actor.subject,
                name=each.actor.name,
                role=each.actor.role,
                began_at=each.began_at,
                last_used_at=each.last_used_at,
                expires_at=each.expires_at,
            )
            for each in sessions
        )
    )


def _own(visitor: PortalVisitor, secret: str) -> OwnSessionDocument:
    return OwnSessionDocument(
        csrf_token=csrf_token(secret),
        name=visitor.actor.name or visitor.actor.subject,
        role=visitor.actor.role,
        expires_at=visitor.expires_at,
    )

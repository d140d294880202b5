"""The connection of an account, as the control panel sees it: start, read, check, disconnect; and its setup links."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import IfMatch, MergePatch, OptionalBody, Path
from functions.http.responses import Created, NoContent, Ok
from shared.access.roles import AccountAdministrator, AccountReader
from shared.connection.connection import Connection, ConnectionSettings, Status
from shared.connection.setup_links import LONGEST, SHORTEST, LinkState, SetupLink, SetupLinkId, connection_at
from shared.kernel.documents import Asked
from shared.services import Services

_CONNECTION = "/v1/accounts/{accountId}/connection"
_LINKS = _CONNECTION + "/links"

_MINUTE = timedelta(minutes=1)


class StartBody(Asked):
    """How an integration is to go.

    `returnUrl` is the address to which the browser returns; SSO_RETURN_URLS must allow it. `tenant` is the tenant that
    consents, by its id or a verified domain, for an administrator who is a guest in it. With `lifetimeMinutes` it is a
    setup link, which is listed, and valid beside others.
    """

    return_url: str | None = None
    tenant: str | None = None
    lifetime_minutes: Annotated[int, Field(ge=SHORTEST // _MINUTE, le=LONGEST // _MINUTE)] | None = None

    @property
    def lifetime(self) -> timedelta | None:
        """Return the lifetime of a setup link."""
        return None if self.lifetime_minutes is None else timedelta(minutes=self.lifetime_minutes)


class StartDocument(Document):
    """A started integration: open `startUrl` in an administrator's browser, before `expiresAt`, as often as needed.

    `startUrl` is not shown again. `linkId` names a setup link in the list.
    """

    start_url: str
    expires_at: Moment
    link_id: str | None


class ActorDocument(Document):
    """The person who did something."""

    subject: str
    name: str | None
    role: str


class LinkRefusalDocument(Document):
    """Why a try by a setup link was refused: `reason` as in the `type` of a problem, `detail` a sentence."""

    reason: str
    detail: str


class SetupLinkDocument(Document):
    """A setup link, and what has become of it. `isOpen`: it can still be opened.

    `openedAt` is when its page was first shown, which a mail scanner may have done; `pressedAt` when somebody last went
    on to Microsoft. `signedInBy` is the name of who signed in there last, as far as it is known; `refusal` that of the
    last try that was refused.
    """

    link_id: str
    state: LinkState
    is_open: bool
    created_at: Moment
    created_by: ActorDocument
    expires_at: Moment
    tenant: str | None
    opened_at: Moment | None
    pressed_at: Moment | None
    presses: int
    signed_in_by: str | None
    refused_at: Moment | None
    refusal: LinkRefusalDocument | None
    connected_at: Moment | None
    revoked_at: Moment | None
    revoked_by: ActorDocument | None


class SetupLinksDocument(Document):
    """The setup links of an account, the newest first. Those that are over are listed for 30 days."""

    items: tuple[SetupLinkDocument, ...]


class CheckDocument(Document):
    """The result of the last probe of the tenant."""

    at: Moment
    outcome: str
    detail: str


class ServicePrincipalDocument(Document):
    """This service in the tenant: its object id there and its client id, which links to its pages in Entra need."""

    object_id: str
    app_id: str


class ConnectionDocument(Document):
    """The connection of an account.

    `keepPeople`: an address of an earlier tenant means the same person in this one. Off again once nobody is left.
    """

    status: Status
    tenant_id: str | None
    tenant_name: str | None
    service_principal: ServicePrincipalDocument | None
    connected_by: ActorDocument | None
    connected_at: Moment | None
    pending_until: Moment | None
    last_check: CheckDocument | None
    keep_people: bool


def connection_routes(services: Services) -> Routes:
    """The endpoints for an account's connection."""
    routes = Routes("connection", services.edge)

    @routes.post(_CONNECTION)
    async def start_connection(
        administrator: AccountAdministrator, asked: OptionalBody[StartBody]
    ) -> Created[StartDocument]:
        """Start Azure Integration."""
        start = await services.connection.consent.start(administrator, asked.return_url, asked.tenant, asked.lifetime)
        start_url = f"{services.edge.public_url}/v1/connect?ticket={start.ticket}"
        return Created(StartDocument(start_url=start_url, expires_at=start.expires_at, link_id=start.link_id))

    @routes.get(_LINKS)
    async def list_setup_links(reader: AccountReader) -> Ok[SetupLinksDocument]:
        """List the setup links, and what has become of each."""
        links = await services.connection.setup.list(reader)
        return Ok(_links(links, services.edge.clock.now()))

    @routes.delete(_LINKS + "/{linkId}")
    async def revoke_setup_link(administrator: AccountAdministrator, link_id: Path[SetupLinkId]) -> NoContent:
        """Revoke a setup link, with the tries that it has begun. One that is over stays as it is."""
        await services.connection.setup.revoke(administrator, link_id)
        return NoContent()

    @routes.get(_CONNECTION)
    async def get_connection(reader: AccountReader) -> Ok[ConnectionDocument]:
        """Read the connection."""
        return _versioned(*await services.connection.checks.read(reader))

    @routes.patch(_CONNECTION)
    async def patch_connection(
        administrator: AccountAdministrator, change: MergePatch[ConnectionSettings], expected: IfMatch
    ) -> Ok[ConnectionDocument]:
        """Say whether the people of an earlier tenant stay the same to the applications."""
        head = await services.users.people.change(administrator, expected, change)
        return _versioned(connection_at(head, services.edge.clock.now()), head.stored(Connection).version)

    @routes.post(_CONNECTION + "/check")
    async def check_connection(administrator: AccountAdministrator) -> Ok[ConnectionDocument]:
        """Probe the tenant now."""
        return _versioned(*await services.connection.checks.check(administrator))

    @routes.delete(_CONNECTION)
    async def delete_connection(administrator: AccountAdministrator, expected: IfMatch) -> NoContent:
        """Disconnect: users fall back to the password; policy and exceptions are kept."""
        await services.connection.disconnection.disconnect(administrator, expected)
        return NoContent()

    return routes


def _versioned(connection: Connection, version: str) -> Ok[ConnectionDocument]:
    return Ok(ConnectionDocument.model_validate(connection), version=version)


def _links(links: tuple[SetupLink, ...], now: datetime) -> SetupLinksDocument:
    return SetupLinksDocument(items=tuple(_link(each, now) for each in links))


def _link(link: SetupLink, now: datetime) -> SetupLinkDocument:
    refusal = link.refusal
    return SetupLinkDocument(
        link_id=link.link_id,
        state=link.state(now),
        is_open=link.is_open(now),
        created_at=link.created_at,
        created_by=ActorDocument.model_validate(link.created_by),
        expires_at=link.expires_at,
        tenant=link.tenant,
        opened_at=link.opened_at,
        pressed_at=link.pressed_at,
        presses=link.presses,
        signed_in_by=link.signed_in.name if link.signed_in else None,
        refused_at=refusal.at if refusal else None,
        refusal=LinkRefusalDocument.model_validate(refusal) if refusal else None,
        connected_at=link.connected_at,
        revoked_at=link.revoked_at,
        revoked_by=ActorDocument.model_validate(link.revoked_by) if link.revoked_by else None,
    )

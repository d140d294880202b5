"""The connection of an account, as the control panel sees it: start, read, check, disconnect."""

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import IfMatch, MergePatch, OptionalBody
from functions.http.responses import Created, NoContent, Ok
from shared.access.roles import AccountAdministrator, AccountReader
from shared.connection.connection import Connection, ConnectionSettings, Status
from shared.kernel.documents import Asked
from shared.services import Services

_CONNECTION = "/v1/accounts/{accountId}/connection"


class StartBody(Asked):
    """How an integration is to go.

    `returnUrl` is the address to which the browser returns; SSO_RETURN_URLS must allow it. `tenant` is the tenant that
    consents, by its id or a verified domain, for an administrator who is a guest in it.
    """

    return_url: str | None = None
    tenant: str | None = None


class StartDocument(Document):
    """A started integration: open `startUrl` in an administrator's browser, before `expiresAt`, as often as needed."""

    start_url: str
    expires_at: Moment


class ActorDocument(Document):
    """The person who did something."""

    subject: str
    name: str | None
    role: str


class CheckDocument(Document):
    """The result of the last probe of the tenant."""

    at: Moment
    outcome: str
    detail: str


class ConnectionDocument(Document):
    """The connection of an account.

    `keepPeople`: an address of an earlier tenant means the same person in this one. Off again once nobody is left.
    """

    status: Status
    tenant_id: str | None
    tenant_name: str | None
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
        start = await services.connection.consent.start(administrator, asked.return_url, asked.tenant)
        start_url = f"{services.edge.public_url}/v1/connect?ticket={start.ticket}"
        return Created(StartDocument(start_url=start_url, expires_at=start.expires_at))

    @routes.get(_CONNECTION)
    async def get_connection(reader: AccountReader) -> Ok[ConnectionDocument]:
        """Read the connection."""
        return _versioned(*await services.connection.checks.read(reader))

    @routes.patch(_CONNECTION)
    async def patch_connection(
        administrator: AccountAdministrator, change: MergePatch[ConnectionSettings], expected: IfMatch
    ) -> Ok[ConnectionDocument]:
        """Say whether the people of an earlier tenant stay the same to the applications."""
        stored = await services.users.people.change(administrator, expected, change)
        return _versioned(stored.record.as_of(services.edge.clock.now()), stored.version)

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

"""The connection of an account, as the control panel sees it: start, look, check, undo."""

from azure.functions import HttpRequest, HttpResponse

from functions.edge.answers import document, no_content
from functions.edge.callers import Callers
from functions.edge.models import Document, Moment
from functions.edge.requests import JSON, if_match, optional_json_body
from functions.edge.routing import Routes
from shared.assembly import Services
from shared.connection.connection import Connection, Status
from shared.kernel.documents import Asked

_CONNECTION = "/v1/accounts/{accountId}/connection"


class StartBody(Asked):
    """Where the browser shall return to once the integration is over; it must be allowed by SSO_RETURN_URLS."""

    return_url: str | None = None


class StartDocument(Document):
    """A started integration: open `startUrl` in the Security Manager's browser, once, before `expiresAt`."""

    start_url: str
    expires_at: Moment


class ActorDocument(Document):
    """Who did something."""

    subject: str
    name: str | None
    role: str


class CheckDocument(Document):
    """What the last probe of the tenant found."""

    at: Moment
    outcome: str
    detail: str


class ConnectionDocument(Document):
    """The connection of an account."""

    status: Status
    tenant_id: str | None
    tenant_name: str | None
    connected_by: ActorDocument | None
    connected_at: Moment | None
    pending_until: Moment | None
    last_check: CheckDocument | None


def connection_routes(services: Services) -> Routes:
    """The calls on an account's connection."""
    routes = Routes("connection", services.edge.telemetry)
    callers = Callers(services.edge.access_tokens)

    @routes.add("POST", _CONNECTION, takes={JSON: StartBody}, body_optional=True, gives={201: StartDocument})
    async def start_connection(req: HttpRequest) -> HttpResponse:
        """Start Azure Integration."""
        administrator = await callers.administrator(req)
        return_url = optional_json_body(req, StartBody).return_url
        start = await services.connection.consent.start(administrator, return_url)
        start_url = f"{services.edge.public_url}/v1/connect?ticket={start.ticket}"
        return document(StartDocument(start_url=start_url, expires_at=start.expires_at), status=201)

    @routes.add("GET", _CONNECTION, gives={200: ConnectionDocument})
    async def get_connection(req: HttpRequest) -> HttpResponse:
        """Look at the connection."""
        administrator = await callers.administrator(req)
        return _told(*await services.connection.checks.read(administrator))

    @routes.add("POST", _CONNECTION + "/check", gives={200: ConnectionDocument})
    async def check_connection(req: HttpRequest) -> HttpResponse:
        """Probe the tenant now."""
        administrator = await callers.administrator(req)
        return _told(*await services.connection.checks.check(administrator))

    @routes.add("DELETE", _CONNECTION, gives={204: None}, if_match="required")
    async def delete_connection(req: HttpRequest) -> HttpResponse:
        """Disconnect: users fall back to the password; policy and exceptions are kept."""
        administrator = await callers.administrator(req)
        await services.connection.disconnection.disconnect(administrator, if_match(req))
        return no_content()

    return routes


def _told(connection: Connection, version: str) -> HttpResponse:
    return document(ConnectionDocument.model_validate(connection), version=version)

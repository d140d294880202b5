"""Applications: the vendor's operators register its apps here."""

from azure.functions import HttpRequest, HttpResponse
from pydantic import ConfigDict, JsonValue

from functions.edge.answers import document, no_content, put_document
from functions.edge.callers import Callers
from functions.edge.models import Document, Moment
from functions.edge.requests import JSON, client_id, if_match, json_body, optional_if_match
from functions.edge.routing import Routes
from shared.applications.register import Application, ApplicationProfile, AuthMethod
from shared.assembly import Services
from shared.kernel.names import ClientId

_APPLICATION = "/v1/applications/{clientId}"


class ApplicationBody(ApplicationProfile):
    """What is asked: the profile, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class ApplicationDocument(Document):
    """An application."""

    client_id: ClientId
    name: str
    redirect_uris: tuple[str, ...]
    sso_supported: bool
    requires_product: str | None
    password_sign_in_uri: str | None
    token_endpoint_auth_method: AuthMethod
    jwks: dict[str, JsonValue] | None
    post_logout_redirect_uris: tuple[str, ...]
    backchannel_logout_uri: str | None
    has_secret: bool
    created_at: Moment
    updated_at: Moment


class SecretDocument(Document):
    """A client secret. It is not shown again: only its hash is kept."""

    client_secret: str


class ApplicationsDocument(Document):
    """All applications."""

    items: tuple[ApplicationDocument, ...]


_REGISTERED = {200: ApplicationDocument, 201: ApplicationDocument}


def application_routes(services: Services) -> Routes:
    """The calls on applications."""
    routes = Routes("applications", services.edge.telemetry)
    callers = Callers(services.edge.access_tokens)

    @routes.add("PUT", _APPLICATION, takes={JSON: ApplicationBody}, gives=_REGISTERED, if_match="optional")
    async def put_application(req: HttpRequest) -> HttpResponse:
        """Register an application, or change what is said of it."""
        operator = await callers.operator(req)
        profile = json_body(req, ApplicationBody)
        stored, created = await services.applications.put(operator, client_id(req), profile, optional_if_match(req))
        return put_document(_told(stored.record), stored.version, created=created)

    @routes.add("GET", _APPLICATION, gives={200: ApplicationDocument})
    async def get_application(req: HttpRequest) -> HttpResponse:
        """Read an application."""
        await callers.operator(req)
        stored = await services.applications.read(client_id(req))
        return document(_told(stored.record), version=stored.version)

    @routes.add("GET", "/v1/applications", gives={200: ApplicationsDocument})
    async def list_applications(req: HttpRequest) -> HttpResponse:
        """List all applications."""
        await callers.operator(req)
        applications = await services.applications.all()
        return document(ApplicationsDocument(items=tuple(map(_told, applications))))

    @routes.add("DELETE", _APPLICATION, gives={204: None}, if_match="required")
    async def delete_application(req: HttpRequest) -> HttpResponse:
        """Remove an application."""
        operator = await callers.operator(req)
        await services.applications.remove(operator, client_id(req), if_match(req))
        return no_content()

    @routes.add("POST", _APPLICATION + "/secret", gives={201: SecretDocument}, if_match="required")
    async def renew_application_secret(req: HttpRequest) -> HttpResponse:
        """Give an application a new client secret, shown this once."""
        operator = await callers.operator(req)
        secret = await services.applications.renew_secret(operator, client_id(req), if_match(req))
        return document(SecretDocument(client_secret=secret), status=201)

    return routes


def _told(application: Application) -> ApplicationDocument:
    return ApplicationDocument(
        client_id=application.client_id,
        has_secret=application.secret is not None,
        created_at=application.created_at,
        updated_at=application.updated_at,
        **application.profile.model_dump(),
    )

"""Applications: the vendor's operators register its apps here."""

from typing import Annotated

from azure.functions import HttpRequest, HttpResponse
from pydantic import AfterValidator, Field, StringConstraints

from functions.edge.addresses import https_address
from functions.edge.answers import document, no_content, put_document
from functions.edge.callers import Callers
from functions.edge.models import Document, Moment
from functions.edge.requests import JSON, client_id, if_match, json_body, optional_if_match
from functions.edge.routing import Routes
from shared.applications.register import ApplicationProfile
from shared.kernel.documents import Asked
from shared.kernel.names import ClientId, Product
from shared.wiring import Services

_APPLICATION = "/v1/applications/{clientId}"

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
WebAddress = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(https_address)]


class ApplicationBody(Asked):
    """What is said of an application."""

    name: Title
    redirect_uris: Annotated[tuple[WebAddress, ...], Field(max_length=20)] = ()
    sso_supported: bool
    requires_product: Product | None = None
    password_sign_in_uri: WebAddress | None = None

    def profile(self) -> ApplicationProfile:
        """The same in the product's words."""
        return ApplicationProfile(
            self.name,
            self.redirect_uris,
            self.sso_supported,
            self.requires_product,
            self.password_sign_in_uri,
        )


class ApplicationDocument(Document):
    """An application."""

    client_id: ClientId
    name: str
    redirect_uris: tuple[str, ...]
    sso_supported: bool
    requires_product: str | None
    password_sign_in_uri: str | None
    created_at: Moment
    updated_at: Moment


class ApplicationsDocument(Document):
    """All applications."""

    items: tuple[ApplicationDocument, ...]


_REGISTERED = {200: ApplicationDocument, 201: ApplicationDocument}


def application_routes(services: Services) -> Routes:
    """The calls on applications."""
    routes = Routes("applications")
    callers = Callers(services.access_tokens)

    @routes.add("PUT", _APPLICATION, takes={JSON: ApplicationBody}, gives=_REGISTERED, if_match="optional")
    async def put_application(req: HttpRequest) -> HttpResponse:
        """Register an application, or change what is said of it."""
        operator = await callers.operator(req)
        profile = json_body(req, ApplicationBody).profile()
        stored, created = await services.applications.put(operator, client_id(req), profile, optional_if_match(req))
        return put_document(ApplicationDocument.model_validate(stored.record), stored.version, created=created)

    @routes.add("GET", _APPLICATION, gives={200: ApplicationDocument})
    async def get_application(req: HttpRequest) -> HttpResponse:
        """Read an application."""
        await callers.operator(req)
        stored = await services.applications.read(client_id(req))
        return document(ApplicationDocument.model_validate(stored.record), version=stored.version)

    @routes.add("GET", "/v1/applications", gives={200: ApplicationsDocument})
    async def list_applications(req: HttpRequest) -> HttpResponse:
        """List all applications."""
        await callers.operator(req)
        applications = await services.applications.all()
        return document(ApplicationsDocument(items=tuple(map(ApplicationDocument.model_validate, applications))))

    @routes.add("DELETE", _APPLICATION, gives={204: None}, if_match="required")
    async def delete_application(req: HttpRequest) -> HttpResponse:
        """Remove an application."""
        operator = await callers.operator(req)
        await services.applications.remove(operator, client_id(req), if_match(req))
        return no_content()

    return routes

"""Resolve: an application asks how a person signs in. Every sign-in of every application calls it."""

import functools

from pydantic import RootModel

from functions.http.endpoint import Routes
from functions.http.models import Document
from functions.http.parameters import RepeatedBody
from functions.http.responses import Ok, Rendered, in_json
from functions.http.roles import KeyHolder
from shared.kernel.documents import Asked
from shared.kernel.names import ClientId, EmailAddress
from shared.resolution.decision import Method
from shared.resolution.resolver import Resolution
from shared.services import Services


class ResolveBody(Asked):
    """The email of the person who signs in, and the application."""

    email: EmailAddress
    application: ClientId | None = None


class PasswordDocument(Document):
    """Ask for the vendor's password, as before. There is no reason, which would reveal who is known here."""

    method: Method = Method.PASSWORD


class SsoDocument(PasswordDocument):
    """Send the person to `signInUrl`. `tenantId` and `authority` are for applications that use MSAL themselves."""

    tenant_id: str
    authority: str
    sign_in_url: str


class ResolveDocument(RootModel[SsoDocument | PasswordDocument], defer_build=True):
    """The resolution: `sso` with the address, or `password`."""


def resolve_routes(services: Services) -> Routes:
    """The one endpoint for resolution."""
    routes, resolution = Routes("resolve", services.edge), services.resolution

    @routes.post("/v1/resolve")
    async def resolve_email(_: KeyHolder, asked: RepeatedBody[ResolveBody]) -> Ok[ResolveDocument]:
        """Resolve how a person signs in."""
        return _response(await resolution.resolve(asked.email, asked.application))

    return routes


@functools.lru_cache(2_000)
def _response(resolution: Resolution) -> Ok[ResolveDocument]:
    """The response, made once, since a resolution always has the same one. Whoever sends it adds nothing to it."""
    if resolution.sso is None:
        return Ok(Rendered(in_json(PasswordDocument())))
    document = SsoDocument(
        method=Method.SSO,
        tenant_id=resolution.sso.tenant_id,
        authority=resolution.sso.authority,
        sign_in_url=resolution.sso.sign_in_url,
    )
    return Ok(Rendered(in_json(document)))

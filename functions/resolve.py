"""Resolve: an application asks how a person signs in. It is called at every sign-in of every application."""

import functools

from azure.functions import HttpRequest, HttpResponse
from pydantic import RootModel

from functions.edge.answers import in_json, written
from functions.edge.models import Document
from functions.edge.requests import JSON, json_body
from functions.edge.routing import Caller, Routes
from shared.assembly import Services
from shared.kernel.documents import Asked
from shared.kernel.names import ClientId, EmailAddress
from shared.resolution.decision import Method
from shared.resolution.resolver import Resolution


class ResolveBody(Asked):
    """Who wants to sign in, and in which application."""

    email: EmailAddress
    application: ClientId | None = None


class PasswordDocument(Document):
    """Ask for the vendor's password, as ever. Why is not told: it would tell who is known here."""

    method: Method = Method.PASSWORD


class SsoDocument(PasswordDocument):
    """Send the person to `signInUrl`; `tenantId` and `authority` are for an application that uses MSAL itself."""

    tenant_id: str
    authority: str
    sign_in_url: str


class ResolveDocument(RootModel[SsoDocument | PasswordDocument], defer_build=True):
    """The answer: `sso` and where, or `password`."""


def resolve_routes(services: Services) -> Routes:
    """The one call of applications."""
    routes = Routes("resolve", services.edge.telemetry)

    @routes.add(
        "POST", "/v1/resolve", caller=Caller.APPLICATION, takes={JSON: ResolveBody}, gives={200: ResolveDocument}
    )
    async def resolve_email(req: HttpRequest) -> HttpResponse:
        """How does this person sign in?"""
        asked = json_body(req, ResolveBody)
        return written(_told(await services.resolution.resolve(asked.email, asked.application)))

    return routes


@functools.lru_cache(10_000)
def _told(resolution: Resolution) -> str:
    """The answer in JSON. One resolution is told the same way for ever, so it is rendered once."""
    if resolution.sso is None:
        return in_json(PasswordDocument())
    return in_json(
        SsoDocument(
            method=Method.SSO,
            tenant_id=resolution.sso.tenant_id,
            authority=resolution.sso.authority,
            sign_in_url=resolution.sso.sign_in_url,
        )
    )

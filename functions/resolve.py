"""Resolve: an application asks how a person signs in. It is called at every sign-in of every application."""

import functools

from pydantic import RootModel

from functions.http.endpoint import Routes
from functions.http.models import Document
from functions.http.parameters import Body
from functions.http.responses import Ok, Rendered, in_json
from functions.http.roles import KeyHolder
from shared.edge_ports import EdgePorts
from shared.kernel.documents import Asked
from shared.kernel.names import ClientId, EmailAddress
from shared.resolution.decision import Method
from shared.resolution.resolver import Resolution, Resolver


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


def resolve_routes(resolution: Resolver, edge: EdgePorts) -> Routes:
    """The one call of applications."""
    routes = Routes("resolve", edge)

    @routes.post("/v1/resolve")
    async def resolve_email(_: KeyHolder, asked: Body[ResolveBody]) -> Ok[ResolveDocument]:
        """How does this person sign in?"""
        return Ok(_rendered(await resolution.resolve(asked.email, asked.application)))

    return routes


@functools.lru_cache(10_000)
def _rendered(resolution: Resolution) -> Rendered[ResolveDocument]:
    """The response in JSON. A resolution never renders differently, so it is rendered once."""
    if resolution.sso is None:
        return Rendered(in_json(PasswordDocument()))
    return Rendered(
        in_json(
            SsoDocument(
                method=Method.SSO,
                tenant_id=resolution.sso.tenant_id,
                authority=resolution.sso.authority,
                sign_in_url=resolution.sso.sign_in_url,
            )
        )
    )

"""OpenID Connect discovery and JWKS of each tenant.

It publishes exactly what the other endpoints support. The browser's endpoints are on the http address, the back
channel's on https, because MSAL accepts only https authorities.
"""

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.entra.cloud import Cloud
from local.entra.permissions import OPENID
from local.entra.refusals import Refusal

TEMPLATE = "{tenantid}"
"""Stands literally in the issuer of `organizations` and `common`."""


def routes(cloud: Cloud) -> list[Route]:
    """Discovery and keys."""
    return [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", partial(configuration, cloud)),
        Route("/{tenant}/discovery/v2.0/keys", partial(keys, cloud)),
    ]


async def configuration(cloud: Cloud, request: Request) -> Response:
    """The metadata of a tenant, named by id, verified domain, `organizations` or `common`."""
    path_tenant: str = request.path_params["tenant"]
    if (fault := await _fault(cloud)) is not None:
        return fault
    try:
        tenant = cloud.tenant_at(path_tenant)
    except Refusal as refusal:
        return JSONResponse(refusal.as_json(), refusal.status)
    segment = tenant.tenant_id if tenant else path_tenant
    addresses = cloud.addresses
    return JSONResponse(
        {
            "issuer": addresses.issuer(tenant.tenant_id if tenant else TEMPLATE),
            "authorization_endpoint": f"{addresses.http}/{segment}/oauth2/v2.0/authorize",
            "token_endpoint": f"{addresses.https}/{segment}/oauth2/v2.0/token",
            "jwks_uri": f"{addresses.https}/{segment}/discovery/v2.0/keys",
            "end_session_endpoint": f"{addresses.http}/{segment}/oauth2/v2.0/logout",
            "frontchannel_logout_supported": True,
            "http_logout_supported": True,
            "request_uri_parameter_supported": False,
            "response_modes_supported": ["query", "form_post"],
            "response_types_supported": ["code"],
            "scopes_supported": sorted(OPENID),
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "client_secret_basic",
                "private_key_jwt",
            ],
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "email",
            ],
            "cloud_instance_name": "localhost",
            "msgraph_host": addresses.https.removeprefix("https://"),
        },
    )


async def keys(cloud: Cloud, request: Request) -> Response:
    """The published keys, each with the issuer it signs for."""
    if (fault := await _fault(cloud)) is not None:
        return fault
    try:
        tenant = cloud.tenant_at(request.path_params["tenant"])
    except Refusal as refusal:
        return JSONResponse(refusal.as_json(), refusal.status)
    issuer = cloud.addresses.issuer(tenant.tenant_id if tenant else TEMPLATE)
    return JSONResponse({"keys": [key.jwk() | {"issuer": issuer} for key in cloud.keys.published]})


async def _fault(cloud: Cloud) -> Response | None:
    await cloud.pause(cloud.hostile.discovery_delay)
    return Response(status_code=cloud.hostile.discovery_status) if cloud.hostile.discovery_status else None

"""The token endpoint that Azure gives a Function app for its managed identity.

The app finds it by `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`. It issues tokens of the one identity in the directory,
for any resource; as an assertion, `token_endpoint` accepts only the exchange audience. Source:
https://learn.microsoft.com/en-us/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import hmac
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.entra.cloud import Cloud

EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
"""What an assertion for Entra itself is made out to."""
LIFETIME = 24 * 3600
"""Seconds; managed identity tokens live a day."""


def routes(cloud: Cloud) -> list[Route]:
    """The endpoint, on a path of its own."""
    return [Route("/msi/token", partial(identity_token, cloud))]


async def identity_token(cloud: Cloud, request: Request) -> Response:
    """A token of the managed identity for the `resource` in the query."""
    identity = cloud.directory.managed_identity
    header = request.headers.get("x-identity-header", "")
    if not hmac.compare_digest(header.encode(), identity.identity_header.encode()):
        return JSONResponse({"statusCode": 401, "message": "X-IDENTITY-HEADER is missing or wrong."}, 401)
    resource = request.query_params.get("resource")
    if not resource or not request.query_params.get("api-version"):
        return JSONResponse({"statusCode": 400, "message": "resource and api-version are required."}, 400)
    if request.query_params.get("client_id", identity.client_id) != identity.client_id:
        return JSONResponse(
            {"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found."}, 400
        )
    now = int(cloud.now().timestamp())
    claims = {
        "aud": resource,
        "iss": cloud.addresses.issuer(identity.tenant_id),
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "oid": identity.principal_id,
        "sub": identity.principal_id,
        "tid": identity.tenant_id,
    }
    return JSONResponse(
        {
            "access_token": cloud.keys.sign(claims),
            "client_id": identity.client_id,
            "expires_on": str(now + LIFETIME),
            "resource": resource,
            "token_type": "Bearer",
        },
    )

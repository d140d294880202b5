"""The vendor's control panel, as far as the service sees it.

An issuer of its own with discovery, keys and a token endpoint by password grant. It has nothing to do with Entra but
the process it runs in. `control` issues its forgeries.
"""

import hmac
import uuid
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.entra import parameters
from local.entra.cloud import Cloud
from local.entra.directory import Person
from local.entra.refusals import Refusal

LIFETIME = 3600
"""Seconds."""


def routes(cloud: Cloud) -> list[Route]:
    """The issuer's three addresses."""
    return [
        Route("/control-panel/.well-known/openid-configuration", partial(configuration, cloud)),
        Route("/control-panel/jwks", partial(jwks, cloud)),
        Route("/control-panel/token", partial(token, cloud), methods=["POST"]),
    ]


async def configuration(cloud: Cloud, _: Request) -> Response:
    """OpenID Connect discovery."""
    issuer = cloud.addresses.control_panel
    return JSONResponse(
        {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/jwks",
            "token_endpoint": f"{issuer}/token",
            "grant_types_supported": ["password"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        },
    )


async def jwks(cloud: Cloud, _: Request) -> Response:
    """The published keys."""
    return JSONResponse({"keys": [key.jwk() for key in cloud.control_panel_keys.published]})


async def token(cloud: Cloud, request: Request) -> Response:
    """An access token for `grant_type=password`, `username` and `password`."""
    try:
        form = await parameters.form(request)
    except Refusal as refusal:
        return _refuse("invalid_request", refusal.sentence)
    if form.get("grant_type") != "password":
        return _refuse("unsupported_grant_type", "Only grant_type=password is known here.")
    person = cloud.directory.control_panel.person(form.get("username", ""))
    if person is None or not hmac.compare_digest(person.password.encode(), form.get("password", "").encode()):
        return _refuse("invalid_grant", "Wrong user name or password.")
    return JSONResponse(
        {
            "access_token": cloud.control_panel_keys.sign(claims_of(cloud, person)),
            "token_type": "Bearer",
            "expires_in": LIFETIME,
        },
        headers={"Cache-Control": "no-store"},
    )


def claims_of(cloud: Cloud, person: Person) -> dict[str, Any]:
    """What a person's access token says."""
    now = int(cloud.now().timestamp())
    claims: dict[str, Any] = {
        "iss": cloud.addresses.control_panel,
        "aud": cloud.directory.control_panel.audience,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "jti": str(uuid.uuid4()),
        "sub": person.subject,
        "name": person.name,
        "roles": list(person.roles),
    }
    return claims | ({"account_id": person.account_id} if person.account_id is not None else {})


def _refuse(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, 400, {"Cache-Control": "no-store"})

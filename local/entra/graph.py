"""The corner of Microsoft Graph v1.0 that the service needs: `/organization`, `/me` and `/users/delta`.

It checks each token's signature, audience, lifetime and permissions, and errs in Graph's own JSON. Sources:
https://learn.microsoft.com/en-us/graph/api/organization-list and
https://learn.microsoft.com/en-us/graph/delta-query-users
"""

import base64
import json
import uuid
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.entra.cloud import Cloud
from local.entra.directory import Tenant, User
from local.entra.refusals import Refusal

DELTA_TOKEN_LIFETIME = timedelta(days=7)
PAGE_SIZE = 100

type Claims = dict[str, Any]
type Answer = Callable[[Cloud, Request, Claims], dict[str, Any]]


class GraphError(Exception):
    """A refusal in Graph's words: its status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep the three."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def routes(cloud: Cloud) -> list[Route]:
    """Each call of Graph."""
    return [
        Route("/v1.0/organization", _guarded(cloud, organization)),
        Route("/v1.0/me", _guarded(cloud, me)),
        Route("/v1.0/users/delta", _guarded(cloud, users_delta)),
    ]


def organization(cloud: Cloud, request: Request, claims: Claims) -> dict[str, Any]:
    """The tenant of the token, with its verified domains."""
    _needs(
        claims,
        roles={"Organization.Read.All", "Directory.Read.All"},
        scopes={"User.Read", "Organization.Read.All"},
    )
    tenant = _tenant(cloud, claims)
    if (late := cloud.late(tenant.tenant_id, "graph")) is not None:
        raise GraphError(late.status or 403, "Authorization_RequestDenied", "The identity of the caller is unknown.")
    full = {
        "id": cloud.hostile.graph_tenant or tenant.tenant_id,
        "displayName": tenant.name,
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": domain.is_default,
                "isInitial": domain.is_initial,
                "name": domain.name,
                "type": "Managed",
            }
            for domain in tenant.domains
        ],
    }
    selected = request.query_params.get("$select", ",".join(full)).split(",")
    context = f"{cloud.addresses.https}/v1.0/$metadata#organization"
    return {"@odata.context": context, "value": [{name: full[name] for name in selected if name in full}]}


def me(cloud: Cloud, _: Request, claims: Claims) -> dict[str, Any]:
    """The signed-in person."""
    if "scp" not in claims:
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    _needs(claims, scopes={"User.Read"})
    user = _tenant(cloud, claims).user(claims["oid"])
    if user is None:
        raise GraphError(404, "Request_ResourceNotFound", "Resource does not exist.")
    return {"@odata.context": f"{cloud.addresses.https}/v1.0/$metadata#users/$entity"} | _user(user)


def users_delta(cloud: Cloud, request: Request, claims: Claims) -> dict[str, Any]:
    """Users that changed since the delta token (all, without one), a page at a time; deletions come as `@removed`.

    `$top` sets the page size.
    """
    _needs(claims, roles={"User.Read.All", "Directory.Read.All"}, scopes={"User.Read.All"})
    tenant = _tenant(cloud, claims)
    marker = _delta_marker(cloud, request, tenant)
    changed = [oid for tid, oid in cloud.changes[marker["since"] : marker["until"]] if tid == tenant.tenant_id]
    everybody = [user.oid for user in tenant.users]
    oids = list(dict.fromkeys(changed if marker["since"] is not None else everybody))
    start, size = marker["skip"], int(request.query_params.get("$top", PAGE_SIZE))
    users = [_user_or_removal(tenant, oid) for oid in oids[start : start + size]]
    base = f"{cloud.addresses.https}/v1.0/users/delta"
    answer: dict[str, Any] = {
        "@odata.context": f"{cloud.addresses.https}/v1.0/$metadata#users(delta)",
        "value": users,
    }
    if start + size < len(oids):
        return answer | {
            "@odata.nextLink": f"{base}?$top={size}&$skiptoken={_opaque(marker | {'skip': start + size})}",
        }
    done = {
        "since": marker["until"],
        "until": None,
        "skip": 0,
        "at": cloud.now().timestamp(),
        "of": tenant.tenant_id,
    }
    return answer | {"@odata.deltaLink": f"{base}?$deltatoken={_opaque(done)}"}


def _guarded(cloud: Cloud, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    return partial(_answer, cloud, answer)


async def _answer(cloud: Cloud, answer: Answer, request: Request) -> Response:
    await cloud.pause(cloud.hostile.graph_delay)
    request_id = str(uuid.uuid4())
    headers = {"request-id": request_id}
    try:
        return JSONResponse(answer(cloud, request, _claims(cloud, request)), headers=headers)
    except GraphError as fault:
        if fault.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = (
                f'Bearer realm="", authorization_uri="{cloud.addresses.https}/common/oauth2/v2.0/authorize"'
            )
        if fault.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            headers["Retry-After"] = "1"
        inner = {
            "date": f"{cloud.now():%Y-%m-%dT%H:%M:%S}",
            "request-id": request_id,
            "client-request-id": request.headers.get("client-request-id", request_id),
        }
        error = {"code": fault.code, "message": fault.message, "innerError": inner}
        return JSONResponse({"error": error}, fault.status, headers)


def _claims(cloud: Cloud, request: Request) -> Claims:
    if cloud.hostile.graph_status is not None:
        raise GraphError(cloud.hostile.graph_status, "UnknownError", "Out of order.")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise GraphError(401, "InvalidAuthenticationToken", "Access token is empty.")
    try:
        claims = cloud.keys.verified(token, audience=cloud.addresses.https, now=cloud.now().timestamp())
    except jwt.InvalidTokenError as fault:
        raise GraphError(401, "InvalidAuthenticationToken", str(fault)) from None
    if claims["iss"] != cloud.addresses.issuer(claims.get("tid", "")):
        raise GraphError(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid issuer.")
    return claims


def _needs(claims: Claims, *, roles: AbstractSet[str] = frozenset(), scopes: AbstractSet[str] = frozenset()) -> None:
    held = scopes & set(claims.get("scp", "").split()) | roles & set(claims.get("roles", ()))
    if not held:
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _tenant(cloud: Cloud, claims: Claims) -> Tenant:
    try:
        return cloud.tenant(claims["tid"])
    except Refusal as refusal:
        raise GraphError(404, "Request_ResourceNotFound", refusal.sentence) from None


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.oid,
        "displayName": user.display_name,
        "mail": user.mail,
        "userPrincipalName": user.user_principal_name,
        "userType": "Guest" if user.is_guest else "Member",
        "accountEnabled": user.enabled,
    }


def _user_or_removal(tenant: Tenant, oid: str) -> dict[str, Any]:
    user = tenant.user(oid)
    return {"id": oid, "@removed": {"reason": "changed"}} if user is None else _user(user)


def _delta_marker(cloud: Cloud, request: Request, tenant: Tenant) -> dict[str, Any]:
    token = request.query_params.get("$deltatoken") or request.query_params.get("$skiptoken")
    until = len(cloud.changes)
    if token is None:
        return {
            "since": None,
            "until": until,
            "skip": 0,
            "at": cloud.now().timestamp(),
            "of": tenant.tenant_id,
        }
    try:
        marker: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token))
        fresh = cloud.now().timestamp() - marker["at"] < DELTA_TOKEN_LIFETIME.total_seconds()
        mine = marker["of"] == tenant.tenant_id
    except (ValueError, KeyError, TypeError):
        raise GraphError(400, "BadRequest", "The delta token is malformed.") from None
    if not (fresh and mine):
        raise GraphError(410, "SyncStateNotFound", "The sync state generation is not found; start over.")
    return marker | {"until": until if marker["until"] is None else marker["until"]}


def _opaque(marker: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(marker).encode()).decode()

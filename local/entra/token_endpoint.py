"""The token endpoint: authorization codes and client credentials into tokens.

The client proves itself by secret or by the assertion of a managed identity. It owns every check of that trade;
`tokens` writes the claims. There are no refresh tokens, because the registration asks for no `offline_access`. Sources:
https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow and
https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow, RFC 6749, 7523 and 7636
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_plus

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.entra import parameters
from local.entra.cloud import AuthorizationCode, Cloud
from local.entra.managed_identity import EXCHANGE_AUDIENCE
from local.entra.parameters import required
from local.entra.permissions import asked
from local.entra.refusals import Refusal, aadsts
from local.entra.tokens import access_token_of_application, access_token_of_person, id_token

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RETRY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Answers that say when to come back."""
EXPIRES_IN = 3599
"""Seconds, as Entra tends to say."""


def routes(cloud: Cloud) -> list[Route]:
    """The token endpoint of each tenant."""
    return [Route("/{tenant}/oauth2/v2.0/token", partial(token, cloud), methods=["POST"])]


async def token(cloud: Cloud, request: Request) -> Response:
    """Trade a grant for tokens."""
    await cloud.pause(cloud.hostile.token_delay)
    path_tenant: str = request.path_params["tenant"]
    try:
        if cloud.hostile.token_status is not None:
            raise _out_of_order(cloud.hostile.token_status)
        form = await parameters.form(request)
        cloud.tenant_at(path_tenant)
        _authenticate(cloud, request, form, path_tenant)
        match required(form, "grant_type"):
            case "authorization_code":
                answer = _redeem(cloud, form, path_tenant)
            case "client_credentials":
                answer = _client_credentials(cloud, form, path_tenant)
            case other:
                raise aadsts(70003, grant_type=other)
    except Refusal as refusal:
        body = refusal.as_json(request.headers.get("client-request-id"))
        wait = {"Retry-After": "1"} if refusal.status in RETRY else {}
        return JSONResponse(body, refusal.status, {"Cache-Control": "no-store", **wait})
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _out_of_order(status: int) -> Refusal:
    refusal = aadsts(90033)
    refusal.status = HTTPStatus(status)
    return refusal


def _authenticate(cloud: Cloud, request: Request, form: Mapping[str, str], path_tenant: str) -> None:
    application = cloud.directory.application
    client_id, secret = _basic(request) or (required(form, "client_id"), form.get("client_secret"))
    if client_id.lower() != application.client_id:
        raise aadsts(700016, client_id=client_id, tenant=path_tenant)
    if secret is not None:
        if not hmac.compare_digest(secret.encode(), application.client_secret.encode()):
            raise aadsts(7000215, client_id=client_id)
    elif "client_assertion" in form:
        _check_assertion(cloud, form)
    else:
        raise aadsts(7000218)


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise aadsts(9002313, reason="The Authorization header is malformed.") from None
    # RFC 6749 section 2.3.1: both are form-encoded first.
    return unquote_plus(client_id), unquote_plus(secret)


def _check_assertion(cloud: Cloud, form: Mapping[str, str]) -> None:
    if form.get("client_assertion_type") != JWT_BEARER:
        raise aadsts(900144, parameter="client_assertion_type")
    identity = cloud.directory.managed_identity
    unverified_assertion = form["client_assertion"]
    try:
        shown: dict[str, Any] = jwt.decode(unverified_assertion, options={"verify_signature": False})
        trusted = cloud.addresses.issuer(identity.tenant_id)
        for number, claim, value in (
            (700211, "iss", trusted),
            (700212, "aud", EXCHANGE_AUDIENCE),
            (700213, "sub", identity.principal_id),
        ):
            if shown.get(claim) != value:
                raise aadsts(number, value=str(shown.get(claim)))
        cloud.keys.verified(unverified_assertion, audience=EXCHANGE_AUDIENCE, now=cloud.now().timestamp())
    except jwt.InvalidTokenError as fault:
        raise aadsts(700027, reason=str(fault)) from None


def _redeem(cloud: Cloud, form: Mapping[str, str], path_tenant: str) -> dict[str, object]:
    code = cloud.codes.get(required(form, "code"))
    redirect_uri = required(form, "redirect_uri")
    verifier = required(form, "code_verifier")
    if code is None:
        raise aadsts(9002313, reason="The authorization code is unknown.")
    if code.redeemed:
        raise aadsts(54005)
    if cloud.now() >= code.expires_at:
        raise aadsts(70008)
    if not _same_tenant(cloud, code, path_tenant):
        raise aadsts(700005)
    if redirect_uri != code.redirect_uri:
        raise aadsts(500112, redirect_uri=redirect_uri, expected=code.redirect_uri)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(challenge, code.code_challenge):
        raise aadsts(501481)
    _must_know(cloud, code.tenant_id, "code")
    code.redeemed = True
    return _tokens(cloud, form, code)


def _must_know(cloud: Cloud, tenant_id: str, where: str) -> None:
    late = cloud.late(tenant_id, where)
    if late is None:
        return
    if late.status is not None:
        raise _out_of_order(late.status)
    application = cloud.directory.application
    raise aadsts(late.aadsts, client_id=application.client_id, name=application.name, tenant=tenant_id)


def _same_tenant(cloud: Cloud, code: AuthorizationCode, path_tenant: str) -> bool:
    tenant = cloud.tenant_at(path_tenant)
    return path_tenant == code.path_tenant if tenant is None else tenant.tenant_id == code.tenant_id


def _tokens(cloud: Cloud, form: Mapping[str, str], code: AuthorizationCode) -> dict[str, object]:
    tenant = cloud.tenant(code.tenant_id)
    user = tenant.user(code.oid)
    if user is None or not user.enabled:
        raise aadsts(50057)
    answer: dict[str, object] = {
        "token_type": "Bearer",
        "scope": " ".join(sorted(code.scopes)),
        "expires_in": EXPIRES_IN,
        "ext_expires_in": EXPIRES_IN,
        "access_token": access_token_of_person(cloud, code, tenant, user),
        "id_token": id_token(cloud, code, tenant, user),
    }
    if form.get("client_info") == "1":
        # Undocumented, but MSAL asks for it and names its accounts by it.
        info = json.dumps({"uid": user.oid, "utid": tenant.tenant_id}).encode()
        answer["client_info"] = base64.urlsafe_b64encode(info).rstrip(b"=").decode()
    return answer


def _client_credentials(cloud: Cloud, form: Mapping[str, str], path_tenant: str) -> dict[str, object]:
    application = cloud.directory.application
    scope = required(form, "scope")
    tenant = cloud.tenant_at(path_tenant)
    if tenant is None:
        raise aadsts(50059)
    if len(scope.split()) != 1 or not scope.endswith("/.default"):
        raise aadsts(1002012, scope=scope)
    asked(scope, graph=cloud.addresses.https, application=application)
    _must_know(cloud, tenant.tenant_id, "app_token")
    if cloud.granted(tenant.tenant_id) is None:
        raise aadsts(700016, client_id=application.client_id, tenant=tenant.name)
    return {
        "token_type": "Bearer",
        "expires_in": EXPIRES_IN,
        "ext_expires_in": EXPIRES_IN,
        "access_token": access_token_of_application(cloud, tenant),
    }

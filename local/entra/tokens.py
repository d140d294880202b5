"""The claims of what local Entra issues.

ID tokens, and Graph access tokens for a person and for the application. It decides nothing about who may have one;
`token_endpoint` does. Sources: https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference and
https://learn.microsoft.com/en-us/entra/identity-platform/optional-claims-reference
"""

import base64
import hashlib
import secrets
import uuid
from typing import Any

from local.entra.cloud import AuthorizationCode, Cloud
from local.entra.directory import Tenant, User
from local.entra.forgery import sign
from local.entra.permissions import OPENID

LIFETIME = 3900
"""Seconds between `iat` and `exp`."""
BACKDATED = 300
"""Seconds by which Entra backdates `iat` and `nbf`, for clocks that are behind."""


def id_token(cloud: Cloud, code: AuthorizationCode, tenant: Tenant, user: User) -> str:
    """The ID token that a code buys, honest unless a hostile mode says otherwise."""
    application = cloud.directory.application
    claims = _times(cloud) | {
        "aud": application.client_id,
        "iss": cloud.addresses.issuer(tenant.tenant_id),
        "nonce": code.nonce,
        "sub": pairwise_subject(application.client_id, user.oid),
        "rh": f"1.{secrets.token_urlsafe(24)}.",
        "uti": secrets.token_urlsafe(16),
        "ver": "2.0",
    }
    if "profile" in code.scopes:
        claims |= {
            "name": user.display_name,
            "oid": user.oid,
            "preferred_username": user.sign_in_name,
            "tid": tenant.tenant_id,
        }
    if application.group_membership_claims in {"DirectoryRole", "All"} and user.role_template_ids:
        claims["wids"] = user.role_template_ids
    claims |= _optional_claims(cloud, code, tenant, user)
    claims |= cloud.hostile.id_token
    present = {name: value for name, value in claims.items() if value is not None}
    return sign(cloud.keys, present, cloud.hostile.id_token_signature)


def access_token_of_person(cloud: Cloud, code: AuthorizationCode, tenant: Tenant, user: User) -> str:
    """A Graph access token with the delegated permissions in `scp`."""
    return cloud.keys.sign(
        _for_graph(cloud, tenant)
        | {
            "name": user.display_name,
            "oid": user.oid,
            "scp": " ".join(sorted(code.scopes - {"offline_access"})),
            "sub": pairwise_subject(cloud.addresses.https, user.oid),
            "upn": user.user_principal_name,
        },
    )


def access_token_of_application(cloud: Cloud, tenant: Tenant) -> str:
    """A Graph access token with the application permissions in `roles`; the claim is absent where there are none."""
    consent = cloud.granted(tenant.tenant_id)
    service_principal = str(uuid.uuid5(uuid.UUID(tenant.tenant_id), cloud.directory.application.client_id))
    claims = _for_graph(cloud, tenant) | {"idtyp": "app", "oid": service_principal, "sub": service_principal}
    return cloud.keys.sign(claims | ({"roles": sorted(consent.application)} if consent and consent.application else {}))


def login_hint(sign_in_name: str) -> str:
    """The opaque `login_hint` claim, which comes back as `login_hint` or `logout_hint`."""
    return f"O.{base64.urlsafe_b64encode(sign_in_name.encode()).decode()}"


def hinted_name(hint: str) -> str:
    """The sign-in name behind a hint, whether opaque or plain."""
    if not hint.startswith("O."):
        return hint
    try:
        return base64.urlsafe_b64decode(hint.removeprefix("O.")).decode()
    except ValueError:
        return hint


def pairwise_subject(client: str, oid: str) -> str:
    """A `sub` that differs from client to client, OpenID Connect Core section 8.1."""
    digest = hashlib.sha256(f"{client}/{oid}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _times(cloud: Cloud) -> dict[str, Any]:
    issued = int(cloud.now().timestamp()) - BACKDATED
    return {"iat": issued, "nbf": issued, "exp": issued + LIFETIME}


def _for_graph(cloud: Cloud, tenant: Tenant) -> dict[str, Any]:
    return _times(cloud) | {
        "aud": cloud.addresses.https,
        "appid": cloud.directory.application.client_id,
        "iss": cloud.addresses.issuer(tenant.tenant_id),
        "tid": tenant.tenant_id,
        "uti": secrets.token_urlsafe(16),
    }


def _optional_claims(cloud: Cloud, code: AuthorizationCode, tenant: Tenant, user: User) -> dict[str, Any]:
    application = cloud.directory.application
    available: dict[str, Any] = {
        "acct": int(user.is_guest),
        "auth_time": int(code.auth_time.timestamp()) + cloud.hostile.auth_time_offset,
        "login_hint": login_hint(user.sign_in_name),
        "sid": code.sid,
    }
    if user.auth_contexts:
        available["acrs"] = list(user.auth_contexts)
    if "profile" in code.scopes:
        names = {"given_name": user.given_name, "family_name": user.surname}
        available |= {name: value for name, value in names.items() if value is not None}
    if user.mail is not None:
        verified = tenant.verifies(user.mail) if user.email_verified is None else user.email_verified
        if verified or not application.remove_unverified_email_claim:
            available |= {"email": user.mail, "xms_edov": verified}
    asked = application.optional_claims | (code.scopes & OPENID & {"email"})
    claims = {name: value for name, value in available.items() if name in asked}
    if user.home_account is not None and (home := cloud.directory.home_of(user.home_account)) is not None:
        claims["idp"] = cloud.addresses.issuer(home[0].tenant_id)
    return claims

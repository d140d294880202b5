"""The control API under `/_local/`, mounted only on demand.

It shows the state, switches hostile modes, rolls keys over, changes tenants and issues forged control panel tokens.
Tests and demos are its only users. It changes `cloud` and answers JSON; the effects are the other modules'.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.entra.cloud import Cloud
from local.entra.control_panel import claims_of
from local.entra.directory import Domain, Tenant, User
from local.entra.forgery import Forgery, sign
from local.entra.hostile import Hostile
from local.entra.refusals import Refusal

type Handler = Callable[[Cloud, Request, Any], Response]


class Grant(BaseModel):
    """What to grant in place of all that is registered."""

    model_config = ConfigDict(extra="forbid")

    delegated: frozenset[str] | None = None
    application: frozenset[str] | None = None


class NewName(BaseModel):
    """The user principal name that somebody has from now on."""

    model_config = ConfigDict(extra="forbid")

    user_principal_name: str


class PanelToken(BaseModel):
    """Which control panel token to make: whose, with which claims set (null removes) and how it is signed."""

    model_config = ConfigDict(extra="forbid")

    username: str = "sam"
    claims: dict[str, Any] = Field(default_factory=dict)
    signature: Forgery | None = None


def routes(cloud: Cloud) -> list[Route]:
    """Every control call."""

    def route(path: str, handler: Handler, method: str) -> Route:
        return Route(f"/_local{path}", _controlled(cloud, handler), methods=[method])

    return [
        route("/state", state, "GET"),
        route("/reset", reset, "POST"),
        route("/hostile", set_hostile, "PUT"),
        route("/hostile", clear_hostile, "DELETE"),
        route("/keys/rollover", roll_over_keys, "POST"),
        route("/control-panel/keys/rollover", roll_over_panel_keys, "POST"),
        route("/control-panel/token", panel_token, "POST"),
        route("/consents/{tid}/grant", grant_consent, "POST"),
        route("/consents/{tid}/revoke", revoke_consent, "POST"),
        route("/tenants/{tid}/domains", set_domains, "PUT"),
        route("/tenants/{tid}/users/{oid}", change_user, "PUT"),
        route("/tenants/{tid}/users/{oid}", remove_user, "DELETE"),
        route("/tenants/{tid}/users/{oid}/rename", rename_user, "POST"),
    ]


def state(cloud: Cloud, _: Request, __: object) -> Response:
    """The whole state, without keys; passwords included, for they are in the directory file anyway."""
    return JSONResponse(
        {
            "application": cloud.directory.application.model_dump(mode="json")
            | {"redirect_uris": sorted(cloud.redirect_uris)},
            "tenants": [tenant.model_dump(mode="json") for tenant in cloud.directory.tenants],
            "consents": {
                tenant_id: {
                    "delegated": sorted(consent.delegated),
                    "application": sorted(consent.application),
                }
                for tenant_id, consent in cloud.consents.items()
            },
            "sessions": len(cloud.sessions),
            "keys": [key.kid for key in cloud.keys.published],
            "hostile": cloud.hostile.model_dump(mode="json", exclude_defaults=True),
        },
    )


def reset(cloud: Cloud, _: Request, __: object) -> Response:
    """Back to the directory file."""
    cloud.reset()
    return Response(status_code=204)


def set_hostile(cloud: Cloud, _: Request, document: object) -> Response:
    """Replace the hostile modes."""
    cloud.hostile = Hostile.model_validate(document)
    return JSONResponse(cloud.hostile.model_dump(mode="json", exclude_defaults=True))


def clear_hostile(cloud: Cloud, _: Request, __: object) -> Response:
    """Switch all hostile modes off."""
    cloud.hostile = Hostile()
    return Response(status_code=204)


def roll_over_keys(cloud: Cloud, _: Request, __: object) -> Response:
    """Sign with Entra's next key."""
    cloud.keys.roll_over()
    return JSONResponse({"kid": cloud.keys.current.kid})


def roll_over_panel_keys(cloud: Cloud, _: Request, __: object) -> Response:
    """Sign with the control panel's next key."""
    cloud.control_panel_keys.roll_over()
    return JSONResponse({"kid": cloud.control_panel_keys.current.kid})


def panel_token(cloud: Cloud, _: Request, document: object) -> Response:
    """A control panel token, forged as asked."""
    wanted = PanelToken.model_validate(document)
    person = cloud.directory.control_panel.person(wanted.username)
    if person is None:
        return JSONResponse({"detail": f"nobody is called {wanted.username}"}, 404)
    claims = {name: value for name, value in (claims_of(cloud, person) | wanted.claims).items() if value is not None}
    return JSONResponse({"access_token": sign(cloud.control_panel_keys, claims, wanted.signature)})


def grant_consent(cloud: Cloud, request: Request, document: object) -> Response:
    """Consent as if an administrator had accepted: all that is registered, or what the body names."""
    tenant, grant = _tenant(cloud, request), Grant.model_validate(document)
    application = cloud.directory.application
    delegated = application.delegated_permissions if grant.delegated is None else grant.delegated
    roles = application.application_permissions if grant.application is None else grant.application
    cloud.grant(tenant.tenant_id, delegated, roles)
    return Response(status_code=204)


def revoke_consent(cloud: Cloud, request: Request, _: object) -> Response:
    """Remove the application from a tenant, as its administrator may at any time."""
    cloud.consents.pop(_tenant(cloud, request).tenant_id, None)
    return Response(status_code=204)


def set_domains(cloud: Cloud, request: Request, document: object) -> Response:
    """Replace a tenant's verified domains by a list of names; the first becomes the default, the initial one stays."""
    tenant = _tenant(cloud, request)
    initial = next(domain for domain in tenant.domains if domain.is_initial)
    names = [name for name in _names(document) if name != initial.name]
    domains = [Domain(name=name, is_default=index == 0) for index, name in enumerate(names)]
    domains.append(Domain(name=initial.name, is_initial=True, is_default=not names))
    cloud.change(_with(tenant, domains=domains))
    return Response(status_code=204)


def change_user(cloud: Cloud, request: Request, document: object) -> Response:
    """Override keys of one user, or add a user whose `oid` is new; keys are those of the directory file."""
    tenant, oid = _tenant(cloud, request), request.path_params["oid"]
    before = tenant.user(oid)
    known = before.model_dump() if before else {}
    changed = User.model_validate(known | (document if isinstance(document, dict) else {}) | {"oid": oid})
    users = [changed if user.oid == oid else user for user in tenant.users] + ([] if before else [changed])
    cloud.change(_with(tenant, users=users), [oid])
    return JSONResponse(changed.model_dump(mode="json"))


def rename_user(cloud: Cloud, request: Request, document: object) -> Response:
    """Give a member another user principal name; whoever is signed in stays so."""
    name = NewName.model_validate(document).user_principal_name
    cloud.rename(_tenant(cloud, request), request.path_params["oid"], name)
    return Response(status_code=204)


def remove_user(cloud: Cloud, request: Request, _: object) -> Response:
    """Delete a user object."""
    tenant, oid = _tenant(cloud, request), request.path_params["oid"]
    cloud.change(_with(tenant, users=[user for user in tenant.users if user.oid != oid]), [oid])
    return Response(status_code=204)


def _controlled(cloud: Cloud, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    return partial(_answer, cloud, handler)


async def _answer(cloud: Cloud, handler: Handler, request: Request) -> Response:
    try:
        document = await request.json() if await request.body() else {}
        return handler(cloud, request, document)
    except ValidationError as fault:
        errors = [{"field": ".".join(map(str, one["loc"])), "detail": one["msg"]} for one in fault.errors()]
        return JSONResponse({"detail": "invalid", "errors": errors}, 422)
    except ValueError as fault:
        return JSONResponse({"detail": str(fault)}, 400)
    except Refusal as refusal:
        return JSONResponse({"detail": refusal.sentence}, 404)


def _tenant(cloud: Cloud, request: Request) -> Tenant:
    return cloud.tenant(request.path_params["tid"])


def _names(document: object) -> list[str]:
    if not isinstance(document, list) or not all(isinstance(name, str) and name for name in document):
        message = "the body must be a list of domain names"
        raise ValueError(message)
    return [name.lower() for name in document]


def _with(tenant: Tenant, **changes: list[Any]) -> Tenant:
    plain = {name: [item.model_dump() for item in items] for name, items in changes.items()}
    return Tenant.model_validate(tenant.model_dump() | plain)

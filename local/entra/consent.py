"""The admin consent endpoint: an administrator accepts, once for the organization, what the application asks for.

It owns who may accept, what is recorded, and the quirks of the answer (`admin_consent=True` beside `error`). Source:
https://learn.microsoft.com/en-us/entra/identity-platform/v2-admin-consent
"""

from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.entra import pages, parameters
from local.entra.answers import Recipient, recipient
from local.entra.cloud import Cloud
from local.entra.directory import CONSENT_TO_ANYTHING, CONSENT_TO_DELEGATED, Tenant, User
from local.entra.permissions import asked
from local.entra.refusals import Refusal, aadsts
from local.entra.sign_in import Visit, person_or_page, user_in

BUTTONS = frozenset({"accept", "cancel", "return"})


@dataclass(frozen=True)
class Wanted:
    """The permissions that a consent would grant."""

    scope: str
    delegated: tuple[str, ...]
    application: tuple[str, ...]


def routes(cloud: Cloud) -> list[Route]:
    """Admin consent; its forms post to the same address."""
    return [Route("/{tenant}/v2.0/adminconsent", partial(admin_consent, cloud), methods=["GET", "POST"])]


async def admin_consent(cloud: Cloud, request: Request) -> Response:
    """Sign in, show what is asked for, and answer the application."""
    path_tenant: str = request.path_params["tenant"]
    try:
        tenant = cloud.tenant_at(path_tenant)
        query = parameters.query(request)
        answer_to = recipient(cloud, query, path_tenant)
        visit = await Visit.of(cloud, request)
    except Refusal as refusal:
        return pages.refused(refusal)
    try:
        wanted = _wanted(cloud, parameters.required(query, "scope"))
        parameters.required(query, "state")
    except Refusal as refusal:
        return _refuse(cloud, answer_to, refusal)

    session = person_or_page(visit, buttons=BUTTONS)
    if isinstance(session, Response):
        return visit.finish(session)
    try:
        tenant, user = user_in(cloud, session, tenant)
    except Refusal as refusal:
        return visit.finish(pages.refused(refusal, visit.page_form, [pages.Button("other", "Use another account")]))
    return visit.finish(_decide(visit, answer_to, wanted, tenant, user))


def may_consent(user: User, wanted: Wanted) -> bool:
    """Whether a role of the user covers what is wanted."""
    needed = CONSENT_TO_ANYTHING if wanted.application else CONSENT_TO_DELEGATED
    return not needed.isdisjoint(user.roles)


def _decide(visit: Visit, answer_to: Recipient, wanted: Wanted, tenant: Tenant, user: User) -> Response:
    cloud = visit.cloud
    name = cloud.directory.application.name
    needs_administrator = aadsts(90094, tenant=tenant.name, name=name)
    permitted = may_consent(user, wanted) or cloud.hostile.consent_anyone
    match visit.action:
        case "return":
            return _refuse(cloud, answer_to, needs_administrator)
        case "cancel":
            return _refuse(cloud, answer_to, aadsts(65004))
        case _ if not permitted:
            buttons = [
                pages.Button("other", "Use another account"),
                pages.Button("return", "Return to the application without granting consent", second=True),
            ]
            return pages.refused(needs_administrator, visit.page_form, buttons)
        case "accept":
            return _accept(cloud, answer_to, wanted, tenant)
        case _:
            return pages.consent(
                visit.page_form,
                application=name,
                person=user.sign_in_name,
                tenant=tenant.name,
                permissions={"For each user": wanted.delegated, "With nobody signed in": wanted.application},
            )


def _accept(cloud: Cloud, answer_to: Recipient, wanted: Wanted, tenant: Tenant) -> Response:
    hostile = cloud.hostile
    if hostile.consent_error is not None:
        return _refuse(cloud, answer_to, replace(aadsts(65004), error=hostile.consent_error))
    withheld = hostile.consent_without
    cloud.grant(tenant.tenant_id, set(wanted.delegated) - withheld, set(wanted.application) - withheld)
    return answer_to.send(
        admin_consent="True",
        tenant=hostile.consent_tenant or tenant.tenant_id,
        scope=wanted.scope,
        state=_state(cloud, answer_to),
    )


def _refuse(cloud: Cloud, answer_to: Recipient, refusal: Refusal) -> Response:
    # Entra says admin_consent=True even here: only the absence of `error` means success.
    return answer_to.refuse(refusal, admin_consent="True", state=_state(cloud, answer_to))


def _state(cloud: Cloud, answer_to: Recipient) -> str:
    state = answer_to.state if cloud.hostile.consent_state is None else cloud.hostile.consent_state
    return state + cloud.hostile.consent_state_suffix


def _wanted(cloud: Cloud, scope: str) -> Wanted:
    application = cloud.directory.application
    want = asked(scope, graph=cloud.addresses.https, application=application)
    if want.everything:
        return Wanted(scope, application.delegated_permissions, application.application_permissions)
    return Wanted(scope, tuple(sorted(want.named)), ())

"""The authorize endpoint: a person signs in and the application gets a code.

It owns the required parameters, and the conditions under which a signed-in person gets a code: membership of the
tenant, and consent. It is stricter than Entra in one point: every client must send PKCE with S256, a nonce and a state.
Source: https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.entra import pages, parameters
from local.entra.answers import Recipient, recipient
from local.entra.cloud import AuthorizationCode, Cloud
from local.entra.directory import Tenant
from local.entra.permissions import asked
from local.entra.refusals import Refusal, aadsts
from local.entra.sign_in import Visit, person_or_page, user_in

CODE_LIFETIME = timedelta(minutes=10)
BUTTONS = frozenset({"return"})
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request that is complete and well formed."""

    scope: str
    nonce: str
    code_challenge: str
    prompt: str
    login_hint: str

    @property
    def silent(self) -> bool:
        """Whether no page may be shown."""
        return self.prompt == "none"


def routes(cloud: Cloud) -> list[Route]:
    """Authorize; its forms post to the same address."""
    return [Route("/{tenant}/oauth2/v2.0/authorize", partial(authorize, cloud), methods=["GET", "POST"])]


async def authorize(cloud: Cloud, request: Request) -> Response:
    """Sign a person in and send a code."""
    path_tenant: str = request.path_params["tenant"]
    try:
        tenant = cloud.tenant_at(path_tenant)
        query = parameters.query(request)
        answer_to = recipient(cloud, query, path_tenant)
        visit = await Visit.of(cloud, request)
    except Refusal as refusal:
        return pages.refused(refusal)
    try:
        wanted = _read(query)
        asked(wanted.scope, graph=cloud.addresses.https, application=cloud.directory.application)
    except Refusal as refusal:
        return answer_to.refuse(refusal)
    return visit.finish(_sign_in(visit, answer_to, wanted, tenant))


def _sign_in(visit: Visit, answer_to: Recipient, wanted: AuthorizationRequest, path_tenant: Tenant | None) -> Response:
    ignored = visit.cloud.hostile.ignore_prompt_login and wanted.prompt == "login"
    prompt = "" if wanted.silent or ignored else wanted.prompt
    session = person_or_page(visit, prompt=prompt, hint=wanted.login_hint, buttons=BUTTONS)
    if isinstance(session, Response):
        return answer_to.refuse(aadsts(50058)) if wanted.silent else session
    try:
        tenant, user = user_in(visit.cloud, session, path_tenant)
    except Refusal as refusal:
        if wanted.silent:
            return answer_to.refuse(replace(refusal, error="interaction_required"))
        return pages.refused(refusal, visit.page_form, [pages.Button("other", "Use another account")])
    if (late := visit.cloud.late(tenant.tenant_id, "authorize")) is not None:
        application = visit.cloud.directory.application
        said = {"client_id": application.client_id, "name": application.name, "tenant": tenant.name}
        return answer_to.refuse(aadsts(late.aadsts, **said))
    scopes = _granted(visit.cloud, tenant.tenant_id, wanted.scope)
    if scopes is None or visit.action == "return":
        return _unconsented(visit, answer_to, tenant.name, silent=wanted.silent)
    code = AuthorizationCode(
        path_tenant=visit.request.path_params["tenant"],
        tenant_id=tenant.tenant_id,
        oid=user.oid,
        sid=session.sid,
        auth_time=session.began_at,
        redirect_uri=answer_to.redirect_uri,
        code_challenge=wanted.code_challenge,
        nonce=wanted.nonce,
        scopes=scopes,
        expires_at=visit.cloud.now() + CODE_LIFETIME,
    )
    return _issue(visit.cloud, answer_to, code)


def _read(query: Mapping[str, str]) -> AuthorizationRequest:
    response_type = parameters.required(query, "response_type")
    if response_type != "code":
        raise aadsts(700054, response_type=response_type)
    if query.get("response_mode", "query") not in {"query", "form_post"}:
        raise aadsts(90023, reason=f"response_mode '{query['response_mode']}' is not supported for a code here.")
    scope = parameters.required(query, "scope")
    parameters.required(query, "state")
    if "openid" not in scope.split():
        raise aadsts(90023, reason="this application signs people in, so 'scope' must contain 'openid'.")
    nonce = parameters.required(query, "nonce")
    if query.get("code_challenge_method") != "S256":
        raise aadsts(9002325, reason="'code_challenge_method' must be S256.")
    challenge = query.get("code_challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        raise aadsts(9002325, reason="'code_challenge' must be 43 base64url characters.")
    prompt, hint = query.get("prompt", ""), query.get("login_hint", "")
    if prompt not in {"", "login", "none", "select_account"}:
        raise aadsts(90023, reason=f"unsupported 'prompt' value '{prompt}'.")
    if prompt == "select_account" and hint:
        raise aadsts(90023, reason="'login_hint' can't be used with 'prompt=select_account'.")
    return AuthorizationRequest(scope, nonce, challenge, prompt, hint)


def _granted(cloud: Cloud, tenant_id: str, scope: str) -> frozenset[str] | None:
    """The delegated permissions that the code will carry; None where one that is asked for was not granted."""
    consent = cloud.granted(tenant_id)
    want = asked(scope, graph=cloud.addresses.https, application=cloud.directory.application)
    if consent is None or not want.named <= consent.delegated:
        return None
    return consent.delegated if want.everything else want.named


def _unconsented(visit: Visit, answer_to: Recipient, tenant: str, *, silent: bool) -> Response:
    application = visit.cloud.directory.application
    if silent:
        return answer_to.refuse(aadsts(65001, client_id=application.client_id, name=application.name))
    refusal = aadsts(90094, tenant=tenant, name=application.name)
    if visit.action == "return":
        return answer_to.refuse(refusal)
    buttons = [
        pages.Button("other", "Use another account"),
        pages.Button("return", "Return to the application without granting consent", second=True),
    ]
    return pages.refused(refusal, visit.page_form, buttons)


def _issue(cloud: Cloud, answer_to: Recipient, code: AuthorizationCode) -> Response:
    if (fault := cloud.hostile.authorize_error) is not None:
        refusal = Refusal(fault.aadsts, fault.error, fault.sentence)
        return pages.refused(refusal) if fault.stranded else answer_to.refuse(refusal)
    handle = f"1.{secrets.token_urlsafe(96)}"
    cloud.codes[handle] = code
    state = answer_to.state + cloud.hostile.authorize_state_suffix
    return answer_to.send(code=handle, state=state, session_state=code.sid)

"""Authorization responses: where the browser goes, and what application, person and telemetry get.

The grammar is that of RFC 6749, section 4.1.2, OpenID Connect Core, sections 3.1.2.5 and 3.1.2.6, and RFC 9207. The
steps decide; this module words the response. It does one thing more: if Microsoft's refusal may mean that the consent
was revoked, it probes the tenant.
"""

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.connection.checks import ConnectionChecks
from shared.flows.flows import Binding, FlowEnded, ForeignFlow
from shared.kernel.addresses import LONGEST_ADDRESS
from shared.kernel.names import AccountId
from shared.kernel.refusals import Refusal, Unavailable
from shared.ports.entra import ProviderRefused
from shared.ports.telemetry import Event, EventName, SignInStep, Telemetry
from shared.provider.authorization import Authorization, SignInState
from shared.provider.authorization_request import AuthorizationRequest, Prompt, ResponseMode
from shared.provider.errors import (
    SSO_DOES_NOT_APPLY,
    SSO_DOES_NOT_APPLY_PATH,
    OAuthError,
    RefusedAtEntra,
    RequestError,
)
from shared.provider.expected_person import AnotherPerson
from shared.provider.parameters import with_fragment, with_query
from shared.provider.reauthentication import AuthTimeMissing, SignInTooOld
from shared.users.link import SignInRefused, SsoSwitchedOff

_log = logging.getLogger(__name__)

_INTERACTION_ERRORS = frozenset(
    {"login_required", "interaction_required", "consent_required", "account_selection_required"}
)
"""Entra's errors after `prompt=none`; the client asked for it and can handle them."""

_CONSENT_ERRORS = frozenset(
    {"unauthorized_client", "invalid_client", "consent_required", "access_denied", "invalid_tenant"}
)
"""Entra's errors without a consent, or a tenant. Anybody can forge them, so they only start a probe."""


@dataclass(frozen=True, slots=True)
class RedirectToEntra:
    """The browser goes to Microsoft to sign in, bound to the flow that handles the response."""

    url: str
    binding: Binding


@dataclass(frozen=True, slots=True)
class RedirectToApplication:
    """The browser goes to the application: with a code, with an OAuth error, or to its password page."""

    url: str


@dataclass(frozen=True, slots=True)
class PostToApplication:
    """The browser posts a form to the application: with a code, or with an OAuth error (Form Post Response Mode)."""

    url: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EmailForm:
    """The person is asked for their address; the form adds it to the parameters that repeat the request."""

    application_name: str
    request: AuthorizationRequest
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """The sign-in failed: the reason, and links to retry or to go back to the application.

    `again` is the pushed request by which to retry; `pushed_requests` makes the link.
    """

    refusal: Refusal
    again_url: str | None
    application_url: str | None
    again: AuthorizationRequest | None = None


type ClientResponse = RedirectToApplication | PostToApplication


@dataclass(frozen=True, slots=True)
class Remembering:
    """A response, with which the browser keeps a note of who is signed in, or with None forgets it."""

    response: "AuthorizationResponse"
    note: str | None


type AuthorizationResponse = RedirectToEntra | ClientResponse | EmailForm | ErrorPage | Remembering


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """Makes the responses of every step."""

    checks: ConnectionChecks
    """Probes a tenant that seems to have revoked its consent."""
    telemetry: Telemetry
    """Reports each step to operators."""
    issuer: str
    """This service's issuer, which responses contain as `iss` (RFC 9207)."""

    def to_client(self, request: AuthorizationRequest | RequestError, **answer: str) -> ClientResponse:
        """A response to the client in the mode that it asked for, with its `state` and our `iss` (RFC 9207)."""
        told = self._told(request, answer)
        if request.response_mode == ResponseMode.FORM_POST:
            return PostToApplication(request.redirect_uri, told)
        return RedirectToApplication(_address(request, told))

    def _told(self, request: AuthorizationRequest | RequestError, answer: Mapping[str, str]) -> dict[str, str]:
        return {**answer, **({"state": request.state} if request.state else {}), "iss": self.issuer}

    def request_error(self, error: RequestError) -> ClientResponse:
        """The error response to a request that the client must fix (RFC 6749, section 4.1.2.1)."""
        self.telemetry.note(Event(EventName.SIGN_IN, SignInStep.REFUSED, error.reason, application=error.client_id))
        return self.to_client(error, error=error.error, error_description=error.detail)

    def returned(self, request: AuthorizationRequest, error: OAuthError) -> ClientResponse:
        """The error response of a request that needs a page, and allows none."""
        self.report(SignInStep.REFUSED, Authorization(request), error.reason)
        return self.to_client(request, error=error.error, error_description=error.detail)

    def sso_does_not_apply(self, request: AuthorizationRequest) -> ClientResponse:
        """The error response for a person who signs in by password, which is no refusal."""
        return self.to_client(request, **self._sso_does_not_apply(request))

    def _sso_does_not_apply(self, request: AuthorizationRequest) -> dict[str, str]:
        return {
            "error": "login_required" if request.prompt is Prompt.NONE else SSO_DOES_NOT_APPLY,
            "error_description": "SSO does not apply to this user: sign them in with the vendor's password.",
            "error_uri": self.issuer + SSO_DOES_NOT_APPLY_PATH,
        }

    async def refused_at_entra(
        self, authorization: Authorization, account_id: AccountId, refusal: ProviderRefused | RefusedAtEntra
    ) -> ClientResponse | ErrorPage:
        """The response to an error from Entra. A browser can forge it, so a probe of ours decides about the consent."""
        request = authorization.request
        if refusal.error in _INTERACTION_ERRORS and request.prompt is Prompt.NONE:
            self.report(SignInStep.REFUSED, authorization, refusal.error)
            detail = "Microsoft must interact with the user."
            return self.to_client(request, error=refusal.error, error_description=detail)
        if refusal.error in _CONSENT_ERRORS:
            with contextlib.suppress(Unavailable):  # the person must see what was refused, whatever else fails
                await self.checks.probe(account_id)
        return self.refused(authorization, refusal)

    def refused(self, authorization: Authorization, refusal: Refusal) -> ClientResponse | ErrorPage:
        """An error page; or, with `prompt=none`, an error response (OpenID Connect Core, section 3.1.2.1)."""
        request = authorization.request
        self.report(SignInStep.REFUSED, authorization, refusal.reason)
        # Choosing another account needs no new login: a login that the client did not ask for would have to be proven.
        again = request.model_copy(update={"prompt": Prompt.LOGIN if request.asks_for_login else Prompt.SELECT_ACCOUNT})
        silent = request.prompt is Prompt.NONE
        error = "interaction_required" if silent else "access_denied"
        if isinstance(refusal, AnotherPerson) or (silent and isinstance(refusal, SignInTooOld | AuthTimeMissing)):
            error = "login_required"
        if isinstance(refusal, Unavailable):
            _log.warning("sign-in unavailable: %s cause=%s", refusal.detail, type(refusal.__cause__).__name__)
            error, again = "temporarily_unavailable", request
        if isinstance(refusal, FlowEnded):
            again = request
        told = {"error": error, "error_description": refusal.title}
        if isinstance(refusal, SsoSwitchedOff):
            told = self._sso_does_not_apply(request)
        if silent:
            return self.to_client(request, **told)
        hopeless = authorization.demanded or (isinstance(refusal, SignInRefused) and not refusal.again)
        back = _address(request, self._told(request, told))
        if again.pushed:
            return ErrorPage(refusal, None, back, None if hopeless else again)
        again_url = self.authorize_url(again)
        return ErrorPage(refusal, None if hopeless or len(again_url) > LONGEST_ADDRESS else again_url, back)

    def authorize_url(self, request: AuthorizationRequest) -> str:
        """The address that repeats a request."""
        return with_query(f"{self.issuer}/oauth2/authorize", **request.parameters())

    def of_another_browser(self, refusal: ForeignFlow) -> ErrorPage:
        """An error page for a browser that has only seen the state: it learns which application, and nothing else."""
        state = SignInState.model_validate(refusal.flow)
        self.report(SignInStep.REFUSED, state.authorization, refusal.reason)
        application = urlsplit(state.request.redirect_uri)
        home = application._replace(path="/", query="", fragment="").geturl()
        return ErrorPage(refusal, None, home if application.scheme == "https" else None)

    def report(self, step: SignInStep, authorization: Authorization, reason: str | None = None) -> None:
        """Report how far the sign-in got."""
        client_id, email = authorization.request.client_id, authorization.email
        self.telemetry.note(Event(EventName.SIGN_IN, step, reason, authorization.account_id, client_id, email))


def _address(request: AuthorizationRequest | RequestError, told: Mapping[str, str]) -> str:
    """The redirect URI with a response. A link cannot post, so what leads back from a page is in the query then."""
    add = with_fragment if request.response_mode == ResponseMode.FRAGMENT else with_query
    return add(request.redirect_uri, **told)

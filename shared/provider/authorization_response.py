"""What a visit comes to, said to whom it concerns: the application, the person, and telemetry.

The grammar is that of the authorization response (RFC 6749, section 4.1.2; OpenID Connect Core, sections 3.1.2.5 and
3.1.2.6; RFC 9207). Who sets out is refused in the same words as who comes back. What comes next is not decided here,
but for one question: what Microsoft refuses may mean that nobody consents any more, and then the tenant is probed.
"""

import contextlib
import logging
from dataclasses import dataclass

from shared.connection.checks import ConnectionChecks
from shared.kernel.names import AccountId, ClientId
from shared.kernel.refusals import Refusal, Unavailable
from shared.ports.telemetry import Event, EventName, SignInStep, Telemetry
from shared.provider.authorization import Explained, Outcome, ToApplication, Visit
from shared.provider.authorization_request import Prompt, with_query
from shared.provider.errors import OAuthError
from shared.provider.reauthentication import AuthTimeMissing, SignInTooOld
from shared.users.links import SignInRefused

_log = logging.getLogger(__name__)

_SILENT = frozenset({"login_required", "interaction_required", "consent_required", "account_selection_required"})
"""What Entra says to `prompt=none`; the client asked for it and can deal with it."""

_NOBODY_CONSENTED = frozenset(
    {"unauthorized_client", "invalid_client", "consent_required", "access_denied", "invalid_tenant"}
)
"""What Entra says where no consent stands, or no tenant any more. It may mean something else, so it is only asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """See the module."""

    checks: ConnectionChecks
    """Probes a tenant that seems to have revoked its consent."""
    telemetry: Telemetry
    """Where each step is told."""
    issuer: str
    """Of this service, which responses carry (RFC 9207)."""

    def back(self, redirect_uri: str, state: str | None, **answer: str) -> ToApplication:
        """An answer to the application: with its state, and who answers (RFC 9207)."""
        return ToApplication(with_query(redirect_uri, **answer, state=state, iss=self.issuer))

    def request_refused(
        self, client_id: ClientId, redirect_uri: str, state: str | None, refusal: OAuthError
    ) -> ToApplication:
        """An error response (RFC 6749, section 4.1.2.1): the request is the client's to mend."""
        self.telemetry.note(Event(EventName.SIGN_IN, SignInStep.REFUSED, refusal.reason, application=client_id))
        return self.back(redirect_uri, state, error=refusal.error, error_description=refusal.detail)

    async def refused_by_entra(
        self, visit: Visit, account_id: AccountId, error: str, refusal: Refusal, reason: str
    ) -> Outcome:
        """What Entra refused. A browser may have brought this, so nothing is believed: a probe of ours decides."""
        request = visit.request
        if error in _SILENT and request.prompt is Prompt.NONE:
            self.note(SignInStep.REFUSED, visit, error)
            detail = "Microsoft must interact with the user."
            return self.back(request.redirect_uri, request.state, error=error, error_description=detail)
        if error in _NOBODY_CONSENTED:
            with contextlib.suppress(Unavailable):  # what was refused must reach the person, whatever else fails
                await self.checks.probe(account_id)
        return self.explained(visit, refusal, reason)

    def explained(self, visit: Visit, refusal: Refusal, reason: str) -> Outcome:
        """A page that explains; or back to a client that wants no page (OpenID Connect Core, section 3.1.2.1)."""
        request = visit.request
        self.note(SignInStep.REFUSED, visit, reason)
        # Another account is chosen, not proven anew: a login that nobody asked for would have to be proven.
        again = request.model_copy(update={"prompt": Prompt.LOGIN if request.asks_for_login else Prompt.SELECT_ACCOUNT})
        silent = request.prompt is Prompt.NONE
        error = "interaction_required" if silent else "access_denied"
        if silent and isinstance(refusal, SignInTooOld | AuthTimeMissing):
            error = "login_required"
        if isinstance(refusal, Unavailable):
            _log.warning("sign-in unavailable: %s cause=%s", refusal.detail, type(refusal.__cause__).__name__)
            error, again = "temporarily_unavailable", request
        back = self.back(request.redirect_uri, request.state, error=error, error_description=refusal.title)
        if silent:
            return back
        hopeless = isinstance(refusal, SignInRefused) and not refusal.again
        again_url = None if hopeless else with_query(f"{self.issuer}/oauth2/authorize", **again.parameters())
        return Explained(refusal, again_url, back.url)

    def note(self, step: SignInStep, visit: Visit, reason: str | None = None) -> None:
        """Tell operators how far the visit got."""
        client_id = visit.request.client_id
        self.telemetry.note(Event(EventName.SIGN_IN, step, reason, visit.account_id, client_id, visit.email))

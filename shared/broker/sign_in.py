"""A person's way from an application to their tenant and back.

The storage calls of a whole sign-in, with what was asked a moment ago remembered:

    authorize   1  the state is written
    complete    5  the state is read and removed, the link is read, the session and the code are written
    redeem      2  the code is read and removed

A first sign-in reads the account's head and writes the link, in one transaction with its audit record. Who must sign in
anew, because it was longer ago than `max_age`, goes to Microsoft twice: three calls more.
"""

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.applications.register import Application
from shared.broker.clients import Clients
from shared.broker.issuing import Code, Person, subject_of
from shared.broker.links import Links, SignInRefused
from shared.broker.oauth_errors import OAuthError
from shared.broker.recent_sign_in import AuthTimeMissing, SignInTooOld, prove_recent
from shared.broker.requests import (
    AuthorizationRequest,
    Parameters,
    Prompt,
    client_id_of,
    read_request,
    redirect_uri_of,
    state_of,
    with_query,
)
from shared.broker.sessions import Sessions
from shared.connection.lifecycle import Lifecycle
from shared.connection.proof import Answer
from shared.flows.flows import Binding, Flow, Flows, digest
from shared.kernel.names import AccountId, EmailAddress, TenantId
from shared.kernel.refusals import FlowSpent, Malformed, Refusal, Unavailable
from shared.ports.clock import Clock
from shared.ports.identity_provider import IdentityProvider, ProviderRefused, VerifiedIdentity
from shared.ports.telemetry import Event, EventName, SignInStep, Telemetry
from shared.resolution.resolver import Resolver, Sso

_log = logging.getLogger(__name__)


class SsoSwitchedOff(SignInRefused):
    """SSO applied when the person left for Microsoft, and does not any more."""

    slug = "sso-switched-off"
    title = "Sign-in with Microsoft was switched off"
    again = False


class SignInState(Flow):
    """What our `state` stands for while a person is at Microsoft."""

    kind: ClassVar[str] = "sign-in-state"
    lifetime: ClassVar[timedelta] = timedelta(minutes=15)
    start: ClassVar[str] = "Go back to the application and sign in again."

    request: AuthorizationRequest
    email: str
    account_id: AccountId
    tenant_id: TenantId
    code_verifier: str
    nonce: str

    @property
    def begun_at(self) -> datetime:
        """When the person was sent to Microsoft."""
        return self.expires_at - self.lifetime

    @property
    def visit(self) -> "Visit":
        """Who comes back; the address was parsed before it was kept."""
        return Visit(self.request, EmailAddress(self.email), self.account_id)


@dataclass(frozen=True, slots=True)
class Visit:
    """What is asked, and as much as is known of the person for whom."""

    request: AuthorizationRequest
    email: EmailAddress | None = None
    account_id: AccountId | None = None


@dataclass(frozen=True, slots=True)
class ToMicrosoft:
    """The browser goes to sign in, bound to the flow that takes the answer."""

    url: str
    binding: Binding


@dataclass(frozen=True, slots=True)
class ToApplication:
    """The browser goes to the application: with a code, with an OAuth error, or to its password page."""

    url: str


@dataclass(frozen=True, slots=True)
class AskForEmail:
    """The person is asked for their address; `parameters` ask for the same again with it."""

    application_name: str
    parameters: Mapping[str, str]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """The sign-in came to nothing: why, and where the person may go from here, or once what is out answers again."""

    refusal: Refusal
    again_url: str | None
    application_url: str


type Outcome = ToMicrosoft | ToApplication | AskForEmail | Explained

_SILENT = frozenset({"login_required", "interaction_required", "consent_required", "account_selection_required"})
"""What Entra says to `prompt=none`; the client asked for it and can deal with it."""

_NOBODY_CONSENTED = frozenset(
    {"unauthorized_client", "invalid_client", "consent_required", "access_denied", "invalid_tenant"}
)
"""What Entra says where no consent stands, or no tenant any more. It may mean something else, so it is only asked."""


class SignIn:
    """See the module.

    Args:
        clients: who asks.
        resolver: how a person signs in.
        flows: states and codes.
        links: who may sign in as whom.
        sessions: who is signed in where.
        lifecycle: probes a tenant that seems to have revoked its consent.
        provider: Entra.
        clock: the time.
        telemetry: where each step is told.
        issuer: of this service, which answers carry (RFC 9207).
    """

    def __init__(
        self,
        clients: Clients,
        resolver: Resolver,
        flows: Flows,
        links: Links,
        sessions: Sessions,
        lifecycle: Lifecycle,
        provider: IdentityProvider,
        clock: Clock,
        telemetry: Telemetry,
        issuer: str,
    ) -> None:
        self._clients = clients
        self._resolver = resolver
        self._flows = flows
        self._links = links
        self._sessions = sessions
        self._lifecycle = lifecycle
        self._provider = provider
        self._clock = clock
        self._telemetry = telemetry
        self._issuer = issuer
        self._redirect_uri = f"{issuer}/signin/callback"

    async def authorize(self, parameters: Parameters) -> Outcome:
        """Take an authorization request.

        Args:
            parameters: as they were sent.

        Raises:
            Malformed: client or redirect URI are not known; nothing may be sent anywhere.
            Unavailable: the store does not say who asks; likewise.
        """
        application, redirect_uri = await self._answerable(parameters)
        try:
            request = read_request(parameters, application, redirect_uri)
            return await self._begun(request, application)
        except OAuthError as refusal:
            client_id = application.client_id
            self._telemetry.note(Event(EventName.SIGN_IN, SignInStep.REFUSED, refusal.reason, application=client_id))
            state = state_of(parameters)
            return self._back(redirect_uri, state, error=refusal.error, error_description=refusal.detail)

    async def complete(self, answer: Answer, browser: str | None) -> Outcome:
        """Take what the browser brings from Microsoft.

        Args:
            answer: the query of the request; nothing of it is proven.
            browser: the secret that the browser brings for this state.

        Raises:
            FlowSpent: the state is unknown, used, expired or another browser's. Nothing is known of the request then.
            Malformed: the application was removed meanwhile, or the address to which the answer would go.
        """
        if answer.state is None:
            raise FlowSpent(f"Microsoft's answer carries no state. {SignInState.start}")
        state = await self._flows.redeem(answer.state, SignInState, browser)
        asked = state.request
        self._note(SignInStep.RETURNED, state.visit)
        application, _ = await self._answerable(
            {"client_id": (asked.client_id,), "redirect_uri": (asked.redirect_uri,)}
        )
        try:
            if answer.error is not None:
                told = SignInRefused(self._provider.explain(answer.error, answer.error_description))
                reason = self._provider.reason(answer.error, answer.error_description)
                return await self._refused_by_entra(state.visit, state.account_id, answer.error, told, reason)
            identity = await self._identify(state, answer)
            if self._must_sign_in_anew(state, identity):
                return await self._begin(asked.model_copy(update={"prompt": Prompt.LOGIN}), application)
            return await self._signed_in(state, identity)
        except ProviderRefused as refusal:
            return await self._refused_by_entra(state.visit, state.account_id, refusal.error, refusal, refusal.reason)
        except Refusal as refusal:
            return self._explained(state.visit, refusal, refusal.reason)

    async def _answerable(self, parameters: Parameters) -> tuple[Application, str]:
        """The client and its redirect URI.

        Raises:
            Malformed: they are not known to belong together; nothing may be sent anywhere.
        """
        application = await self._clients.find(client_id_of(parameters))
        if application is None:
            raise Malformed("The application is not registered here (client_id). Its developers must mend this.")
        return application, redirect_uri_of(parameters, application)

    async def _begun(self, request: AuthorizationRequest, application: Application) -> Outcome:
        """Where the person goes; or why they go nowhere, in every way that is not the client's to mend."""
        try:
            return await self._begin(request, application)
        except OAuthError:
            raise
        except Refusal as refusal:
            return self._explained(Visit(request), refusal, refusal.reason)

    async def _begin(self, request: AuthorizationRequest, application: Application) -> Outcome:
        silent = request.prompt is Prompt.NONE
        if silent and request.asks_for_login:
            raise OAuthError("login_required", "max_age=0 can only be kept by asking the person to sign in.")
        try:
            email = EmailAddress.parse(request.login_hint or "")
        except ValueError as fault:
            if silent:
                raise OAuthError("login_required", "Nobody was named by login_hint, and nobody may be asked.") from None
            self._note(SignInStep.ASKED, Visit(request), "not_an_address" if request.login_hint else None)
            return AskForEmail(
                application.profile.name, request.parameters(), str(fault) if request.login_hint else None
            )
        resolution = await self._resolver.decide(email, request.client_id)
        if resolution.sso is None or resolution.account_id is None:
            self._note(SignInStep.PASSWORD, Visit(request, email, resolution.account_id), resolution.because)
            return self._to_password(request, application, email, silent=silent)
        return await self._to_entra(request, email, resolution.account_id, resolution.sso)

    def _to_password(
        self, request: AuthorizationRequest, application: Application, email: EmailAddress, *, silent: bool
    ) -> ToApplication:
        """To the application's own password page, with what it needs to go on; or back with an error."""
        if silent or application.profile.password_sign_in_uri is None:
            error = "login_required" if silent else "access_denied"
            told = "SSO does not apply to this person: sign them in with the vendor's password."
            return self._back(request.redirect_uri, request.state, error=error, error_description=told)
        return ToApplication(
            with_query(application.profile.password_sign_in_uri, login_hint=email.address, state=request.state)
        )

    async def _to_entra(
        self, request: AuthorizationRequest, email: EmailAddress, account_id: AccountId, sso: Sso
    ) -> Outcome:
        handle = self._flows.new_handle()
        prompt = Prompt.LOGIN if request.asks_for_login else request.prompt
        hint = None if prompt is Prompt.SELECT_ACCOUNT else email.address
        try:
            entra = await self._provider.begin_sign_in(
                sso.tenant_id, self._redirect_uri, handle, prompt=prompt, login_hint=hint
            )
        except ProviderRefused as refusal:
            visit = Visit(request, email, account_id)
            return await self._refused_by_entra(visit, account_id, refusal.error, refusal, refusal.reason)
        binding = self._flows.bind(handle, SignInState)
        state = SignInState(
            expires_at=self._flows.expiry(SignInState),
            browser_digest=digest(binding.secret),
            request=request,
            email=email.address,
            account_id=account_id,
            tenant_id=sso.tenant_id,
            code_verifier=entra.code_verifier,
            nonce=entra.nonce,
        )
        await self._flows.issue(state, handle)
        self._note(SignInStep.STARTED, state.visit)
        return ToMicrosoft(entra.url, binding)

    async def _identify(self, state: SignInState, answer: Answer) -> VerifiedIdentity:
        if answer.code is None:
            raise Malformed("Microsoft's answer carries neither a code nor an error. Sign in again.")
        return await self._provider.finish_sign_in(
            state.tenant_id, self._redirect_uri, answer.code, state.code_verifier, state.nonce
        )

    def _must_sign_in_anew(self, state: SignInState, identity: VerifiedIdentity) -> bool:
        """Whether the sign-in is older than `max_age`, and Microsoft was not told yet to ask; see docs/decisions/0017.

        Raises:
            SignInRefused: it is not shown to be as recent as it must be, and asking has not helped, or is not allowed.
        """
        asked = state.request
        try:
            prove_recent(asked, identity.auth_time, begun_at=state.begun_at, now=self._clock.now())
        except SignInTooOld:
            if asked.asks_for_login or asked.prompt is Prompt.NONE:
                raise
            return True
        return False

    async def _signed_in(self, state: SignInState, identity: VerifiedIdentity) -> ToApplication:
        """Decide once more, tie the person, and let the application have a code."""
        request, email = state.request, EmailAddress.parse(state.email)
        resolution = await self._resolver.decide(email, request.client_id)
        still = resolution.sso is not None and resolution.sso.tenant_id == identity.tid
        if not still or resolution.account_id != state.account_id:
            raise SsoSwitchedOff(
                "Your company has switched sign-in with Microsoft off, for you or for this application, "
                "while you were signing in. Go back to the application and use its password."
            )
        link = await self._links.admit(state.account_id, email, identity)
        person = Person(
            sub=subject_of(link.tid, link.oid),
            email=link.email,
            name=identity.name,
            account_id=state.account_id,
            tid=link.tid,
            oid=link.oid,
            sid=self._sessions.name_of(identity.sid) if identity.sid else None,
            auth_time=identity.auth_time,
        )
        await self._sessions.begin(person, request.client_id, identity.login_hint)
        code = Code(
            expires_at=self._flows.expiry(Code),
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
            scope=request.scope,
            person=person,
        )
        handle = await self._flows.issue(code)
        self._note(SignInStep.COMPLETED, state.visit)
        return self._back(request.redirect_uri, request.state, code=handle)

    async def _refused_by_entra(
        self, visit: Visit, account_id: AccountId, error: str, refusal: Refusal, reason: str
    ) -> Outcome:
        """What Entra refused. A browser may have brought this, so nothing is believed: a probe of ours decides."""
        request = visit.request
        if error in _SILENT and request.prompt is Prompt.NONE:
            self._note(SignInStep.REFUSED, visit, error)
            detail = "Microsoft has to ask the person something."
            return self._back(request.redirect_uri, request.state, error=error, error_description=detail)
        if error in _NOBODY_CONSENTED:
            with contextlib.suppress(Unavailable):  # what was refused must reach the person, whatever else fails
                await self._lifecycle.probe(account_id)
        return self._explained(visit, refusal, reason)

    def _explained(self, visit: Visit, refusal: Refusal, reason: str) -> Outcome:
        """A page that explains; or back to a client that wants no page (OpenID Connect Core, section 3.1.2.1)."""
        request = visit.request
        self._note(SignInStep.REFUSED, visit, reason)
        # Another account is chosen, not proven anew: a login that nobody asked for would have to be proven.
        again = request.model_copy(update={"prompt": Prompt.LOGIN if request.asks_for_login else Prompt.SELECT_ACCOUNT})
        silent = request.prompt is Prompt.NONE
        error = "interaction_required" if silent else "access_denied"
        if silent and isinstance(refusal, SignInTooOld | AuthTimeMissing):
            error = "login_required"
        if isinstance(refusal, Unavailable):
            _log.warning("sign-in unavailable: %s cause=%s", refusal.detail, type(refusal.__cause__).__name__)
            error, again = "temporarily_unavailable", request
        back = self._back(request.redirect_uri, request.state, error=error, error_description=refusal.title)
        if silent:
            return back
        hopeless = isinstance(refusal, SignInRefused) and not refusal.again
        again_url = None if hopeless else with_query(f"{self._issuer}/oauth2/authorize", **again.parameters())
        return Explained(refusal, again_url, back.url)

    def _back(self, redirect_uri: str, state: str | None, **answer: str) -> ToApplication:
        """An answer to the application: with its state, and who answers (RFC 9207)."""
        return ToApplication(with_query(redirect_uri, **answer, state=state, iss=self._issuer))

    def _note(self, step: SignInStep, visit: Visit, reason: str | None = None) -> None:
        client_id = visit.request.client_id
        self._telemetry.note(Event(EventName.SIGN_IN, step, reason, visit.account_id, client_id, visit.email))

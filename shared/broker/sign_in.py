"""A person's way from an application to their tenant and back.

The storage calls of a whole sign-in, with what was asked a moment ago remembered:

    authorize   1  the state is written
    complete    5  the state is read and removed, the link is read, the session and the code are written
    redeem      2  the code is read and removed

A first sign-in reads the account's head and writes the link, in one transaction with its audit record.
"""

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from shared.applications.register import Application
from shared.broker.clients import Clients
from shared.broker.issuing import Code, Person, subject_of
from shared.broker.links import Links, SignInRefused
from shared.broker.oauth_errors import OAuthError
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
        await self._answerable({"client_id": (asked.client_id,), "redirect_uri": (asked.redirect_uri,)})
        try:
            if answer.error is not None:
                told = self._provider.explain(answer.error, answer.error_description)
                return await self._refused_by_entra(asked, state.account_id, answer.error, SignInRefused(told))
            return await self._signed_in(state, await self._identify(state, answer))
        except ProviderRefused as refusal:
            return await self._refused_by_entra(asked, state.account_id, refusal.error, refusal)
        except Refusal as refusal:
            return self._explained(asked, refusal)

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
            return self._explained(request, refusal)

    async def _begin(self, request: AuthorizationRequest, application: Application) -> Outcome:
        silent = request.prompt is Prompt.NONE
        if silent and request.max_age is not None:
            raise OAuthError("login_required", "max_age can only be kept by asking the person to sign in.")
        try:
            email = EmailAddress.parse(request.login_hint or "")
        except ValueError as fault:
            if silent:
                raise OAuthError("login_required", "Nobody was named by login_hint, and nobody may be asked.") from None
            return AskForEmail(
                application.profile.name, request.parameters(), str(fault) if request.login_hint else None
            )
        resolution = await self._resolver.resolve(email, request.client_id)
        if resolution.sso is None or resolution.account_id is None:
            return self._to_password(request, application, email, silent=silent)
        return await self._to_entra(request, email, resolution.account_id, resolution.sso)

    def _to_password(
        self, request: AuthorizationRequest, application: Application, email: EmailAddress, *, silent: bool
    ) -> ToApplication:
        """To the application's own password page, with what it needs to go on; or back with an error."""
        if silent or application.profile.password_sign_in_uri is None:
            error = "login_required" if silent else "access_denied"
            raise OAuthError(error, "SSO does not apply to this person: sign them in with the vendor's password.")
        return ToApplication(
            with_query(application.profile.password_sign_in_uri, login_hint=email.address, state=request.state)
        )

    async def _to_entra(
        self, request: AuthorizationRequest, email: EmailAddress, account_id: AccountId, sso: Sso
    ) -> Outcome:
        handle = self._flows.new_handle()
        # Entra does not say when a person last signed in, so a limit to that is kept by asking them.
        prompt = request.prompt if request.max_age is None else Prompt.LOGIN
        hint = None if prompt is Prompt.SELECT_ACCOUNT else email.address
        try:
            entra = await self._provider.begin_sign_in(
                sso.tenant_id, self._redirect_uri, handle, prompt=prompt, login_hint=hint
            )
        except ProviderRefused as refusal:
            return await self._refused_by_entra(request, account_id, refusal.error, refusal)
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
        return ToMicrosoft(entra.url, binding)

    async def _identify(self, state: SignInState, answer: Answer) -> VerifiedIdentity:
        if answer.code is None:
            raise Malformed("Microsoft's answer carries neither a code nor an error. Sign in again.")
        return await self._provider.finish_sign_in(
            state.tenant_id, self._redirect_uri, answer.code, state.code_verifier, state.nonce
        )

    async def _signed_in(self, state: SignInState, identity: VerifiedIdentity) -> ToApplication:
        """Decide once more, tie the person, and let the application have a code."""
        request, email = state.request, EmailAddress.parse(state.email)
        resolution = await self._resolver.resolve(email, request.client_id)
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
            signed_in_at=self._clock.now(),
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
        return self._back(request.redirect_uri, request.state, code=await self._flows.issue(code))

    async def _refused_by_entra(
        self, request: AuthorizationRequest, account_id: AccountId, error: str, refusal: Refusal
    ) -> Outcome:
        """What Entra refused. A browser may have brought this, so nothing is believed: a probe of ours decides."""
        if error in _SILENT and request.prompt is Prompt.NONE:
            detail = "Microsoft has to ask the person something."
            return self._back(request.redirect_uri, request.state, error=error, error_description=detail)
        if error in _NOBODY_CONSENTED:
            with contextlib.suppress(Unavailable):  # what was refused must reach the person, whatever else fails
                await self._lifecycle.probe(account_id)
        return self._explained(request, refusal)

    def _explained(self, request: AuthorizationRequest, refusal: Refusal) -> Outcome:
        """A page that explains; or back to a client that wants no page (OpenID Connect Core, section 3.1.2.1)."""
        silent, again = request.prompt is Prompt.NONE, request.model_copy(update={"prompt": Prompt.LOGIN})
        error = "interaction_required" if silent else "access_denied"
        if isinstance(refusal, Unavailable):
            _log.warning("sign-in unavailable: %s cause=%s", refusal.detail, type(refusal.__cause__).__name__)
            error, again = "temporarily_unavailable", request
        back = self._back(request.redirect_uri, request.state, error=error, error_description=refusal.title)
        if silent:
            return back
        hopeless = isinstance(refusal, SignInRefused) and not refusal.again
        again_url = with_query(f"{self._issuer}/oauth2/authorize", **again.parameters())
        return Explained(refusal, None if hopeless else again_url, back.url)

    def _back(self, redirect_uri: str, state: str | None, **answer: str) -> ToApplication:
        """An answer to the application: with its state, and who answers (RFC 9207)."""
        return ToApplication(with_query(redirect_uri, **answer, state=state, iss=self._issuer))

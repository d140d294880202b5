"""A person sets out: an application has sent them, and they go to their tenant, or to the application's password page.

Who they are is not known yet, only which address is typed; where that leads is for `shared.resolution` to say. A
request that cannot be answered safely is not answered: client and redirect URI come first, everything else after.
"""

from dataclasses import dataclass

from shared.applications.register import Application
from shared.flows.flows import Flows, digest
from shared.kernel.names import AccountId, EmailAddress
from shared.kernel.refusals import Malformed, Refusal
from shared.ports.entra import ProviderRefused
from shared.ports.sign_in import SignIn
from shared.ports.telemetry import SignInStep
from shared.provider.authorization import AskForEmail, Outcome, SignInState, ToApplication, ToMicrosoft, Visit
from shared.provider.authorization_request import (
    AuthorizationRequest,
    Parameters,
    Prompt,
    client_id_of,
    read_request,
    redirect_uri_of,
    state_of,
    with_query,
)
from shared.provider.authorization_response import Responses
from shared.provider.client_authentication import Clients
from shared.provider.errors import OAuthError
from shared.resolution.resolver import Resolver, Sso


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingOut:
    """See the module."""

    clients: Clients
    """Who asks."""
    resolver: Resolver
    """How a person signs in."""
    flows: Flows
    """States."""
    provider: SignIn
    """Entra."""
    responses: Responses
    """What the application or the person is told."""
    redirect_uri: str
    """Where Microsoft returns to, as the app registration has it."""

    async def authorize(self, parameters: Parameters) -> Outcome:
        """Take an authorization request.

        Args:
            parameters: as they were sent.

        Raises:
            Malformed: client or redirect URI are not known; nothing may be sent anywhere.
            Unavailable: the store does not say who asks; likewise.
        """
        application, redirect_uri = await self.answerable(parameters)
        try:
            request = read_request(parameters, application, redirect_uri)
            return await self._begun(request, application)
        except OAuthError as refusal:
            return self.responses.request_refused(application.client_id, redirect_uri, state_of(parameters), refusal)

    async def answerable(self, parameters: Parameters) -> tuple[Application, str]:
        """The client and its redirect URI.

        Raises:
            Malformed: they are not known to belong together; nothing may be sent anywhere.
        """
        application = await self.clients.find(client_id_of(parameters))
        if application is None:
            raise Malformed("The client_id of the application is not registered. Its developers must fix this.")
        return application, redirect_uri_of(parameters, application)

    async def _begun(self, request: AuthorizationRequest, application: Application) -> Outcome:
        """Where the person goes; or why they go nowhere, in every way that is not the client's to mend."""
        try:
            return await self.begin(request, application)
        except OAuthError:
            raise
        except Refusal as refusal:
            return self.responses.explained(Visit(request), refusal, refusal.reason)

    async def begin(self, request: AuthorizationRequest, application: Application) -> Outcome:
        """Send the person to their tenant, or to whatever else signs them in.

        Raises:
            OAuthError: nobody may be asked, and somebody would have to be; the client must mend it.
            Refusal: it comes to nothing for the person.
        """
        silent = request.prompt is Prompt.NONE
        if silent and request.asks_for_login:
            raise OAuthError(
                "login_required", "max_age=0 requires the user to sign in, which prompt=none does not allow."
            )
        try:
            email = EmailAddress.parse(request.login_hint or "")
        except ValueError as fault:
            if silent:
                raise OAuthError(
                    "login_required", "login_hint names no user, and prompt=none does not allow asking for one."
                ) from None
            self.responses.note(SignInStep.ASKED, Visit(request), "not_an_address" if request.login_hint else None)
            return AskForEmail(
                application.profile.name, request.parameters(), str(fault) if request.login_hint else None
            )
        resolution = await self.resolver.decide(email, request.client_id)
        if resolution.sso is None or resolution.account_id is None:
            self.responses.note(SignInStep.PASSWORD, Visit(request, email, resolution.account_id), resolution.because)
            return self._to_password(request, application, email, silent=silent)
        return await self._to_entra(request, email, resolution.account_id, resolution.sso)

    def _to_password(
        self, request: AuthorizationRequest, application: Application, email: EmailAddress, *, silent: bool
    ) -> ToApplication:
        """To the application's own password page, with what it needs to go on; or back with an error."""
        if silent or application.profile.password_sign_in_uri is None:
            error = "login_required" if silent else "access_denied"
            told = "SSO does not apply to this user: sign them in with the vendor's password."
            return self.responses.back(request.redirect_uri, request.state, error=error, error_description=told)
        return ToApplication(
            with_query(application.profile.password_sign_in_uri, login_hint=email.address, state=request.state)
        )

    async def _to_entra(
        self, request: AuthorizationRequest, email: EmailAddress, account_id: AccountId, sso: Sso
    ) -> Outcome:
        handle = self.flows.new_handle()
        prompt = Prompt.LOGIN if request.asks_for_login else request.prompt
        hint = None if prompt is Prompt.SELECT_ACCOUNT else email.address
        try:
            entra = await self.provider.begin_sign_in(
                sso.tenant_id, self.redirect_uri, handle, prompt=prompt, login_hint=hint
            )
        except ProviderRefused as refusal:
            visit = Visit(request, email, account_id)
            return await self.responses.refused_by_entra(visit, account_id, refusal.error, refusal, refusal.reason)
        binding = self.flows.bind(handle, SignInState)
        state = SignInState(
            expires_at=self.flows.expiry(SignInState),
            browser_digest=digest(binding.secret),
            request=request,
            email=email.address,
            account_id=account_id,
            tenant_id=sso.tenant_id,
            code_verifier=entra.code_verifier,
            nonce=entra.nonce,
        )
        await self.flows.issue(state, handle)
        self.responses.note(SignInStep.STARTED, state.visit)
        return ToMicrosoft(entra.url, binding)

"""The authorize step: an application sends a person, who goes to their tenant, or to its password page.

Their identity is not known yet, only the address that was typed; `shared.resolution` decides where it leads.
"""

from dataclasses import dataclass

from shared.applications.application import Application
from shared.flows.flows import Flows, digest
from shared.flows.once import following, issue_once
from shared.kernel.names import EmailAddress
from shared.ports.entra import ProviderRefused
from shared.ports.sign_in import EntraSignIn
from shared.ports.telemetry import SignInStep
from shared.provider.authorization import Authorization, SignInState
from shared.provider.authorization_request import AuthorizationRequest, Prompt
from shared.provider.authorization_response import (
    AuthorizationResponse,
    ClientResponse,
    EmailForm,
    RedirectToApplication,
    RedirectToEntra,
    Responses,
)
from shared.provider.parameters import with_query
from shared.resolution.resolver import Resolver


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeStep:
    """Begins a sign-in."""

    resolver: Resolver
    """Resolves how a person signs in."""
    flows: Flows
    """Stores the state."""
    provider: EntraSignIn
    """Entra."""
    responses: Responses
    """Makes the responses."""
    redirect_uri: str
    """The address to which Microsoft returns, as in the app registration."""

    async def begin(
        self, request: AuthorizationRequest, application: Application, *, repeats: bool = False
    ) -> AuthorizationResponse:
        """Send the person to their tenant, to the password page, or to a form that asks for their address.

        Args:
            request: the request, checked.
            application: the client that sent it.
            repeats: whether it begins again because Microsoft's answer came twice, which happens once.

        Raises:
            FlowSpent: the request was pushed, and has begun a sign-in.
            Refusal: the person cannot sign in, for a reason that the client cannot fix.
        """
        try:
            email = EmailAddress.parse(request.login_hint or "")
        except ValueError as fault:
            return self._email_form(request, application, str(fault))
        resolution = await self.resolver.decide(email, request.client_id)
        authorization = Authorization(request, email, resolution.account_id)
        if resolution.sso is None or resolution.account_id is None:
            self.responses.report(SignInStep.PASSWORD, authorization, resolution.because)
            return self._password_page(request, application, email)
        handle = following(request.handle, SignInState) if request.handle else self.flows.new_handle(SignInState)
        prompt = Prompt.LOGIN if request.asks_for_login else request.prompt
        hint = None if prompt is Prompt.SELECT_ACCOUNT else email.address
        try:
            entra = await self.provider.begin_sign_in(
                resolution.sso.tenant_id, self.redirect_uri, handle, prompt=prompt, login_hint=hint
            )
        except ProviderRefused as refusal:
            return await self.responses.refused_at_entra(authorization, resolution.account_id, refusal)
        binding = self.flows.bind(handle, SignInState)
        state = SignInState(
            expires_at=self.flows.expiry(SignInState),
            browser_digest=digest(binding.secret),
            request=request,
            email=email.address,
            account_id=resolution.account_id,
            tenant_id=resolution.sso.tenant_id,
            code_verifier=entra.code_verifier,
            nonce=entra.nonce,
            repeats=repeats,
        )
        await (issue_once(self.flows, state, handle) if request.handle else self.flows.issue(state, handle))
        self.responses.report(SignInStep.STARTED, authorization)
        return RedirectToEntra(entra.url, binding)

    def _email_form(self, request: AuthorizationRequest, application: Application, fault: str) -> EmailForm:
        """Ask the person for their address: the request has none, or the hint is not an address."""
        unreadable = request.login_hint is not None
        self.responses.report(SignInStep.ASKED, Authorization(request), "not_an_address" if unreadable else None)
        return EmailForm(application.profile.name, request, fault if unreadable else None)

    def _password_page(
        self, request: AuthorizationRequest, application: Application, email: EmailAddress
    ) -> ClientResponse:
        """Redirect to the application's own password page, with what it needs to go on; or back with an error."""
        silent = request.prompt is Prompt.NONE
        if silent or application.profile.password_sign_in_uri is None:
            error = "login_required" if silent else "access_denied"
            detail = "SSO does not apply to this user: sign them in with the vendor's password."
            return self.responses.to_client(request, error=error, error_description=detail)
        return RedirectToApplication(
            with_query(application.profile.password_sign_in_uri, login_hint=email.address, state=request.state)
        )

"""The authorize step: an application sends a person, who goes to their tenant, or to its password page.

Their identity is not known yet, only the address that was typed, or that of the person who is expected;
`shared.resolution` decides where it leads.
"""

from dataclasses import dataclass

from shared.applications.application import Application
from shared.flows.flows import Flows, digest
from shared.flows.once import following
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
    Remembering,
    Responses,
)
from shared.provider.errors import OAuthError
from shared.provider.expected_person import ExpectedPerson
from shared.provider.parameters import with_query
from shared.resolution.decision import OF_THE_APPLICATION
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
        self,
        request: AuthorizationRequest,
        application: Application,
        expected: ExpectedPerson | None = None,
        *,
        repeats: bool = False,
    ) -> AuthorizationResponse:
        """Send the person to their tenant, to the password page, or to a form that asks for their address.

        Args:
            request: the request, checked.
            application: the client that sent it.
            expected: who is expected to sign in. An address in the request goes before theirs.
            repeats: whether it begins again because Microsoft's answer came twice, which happens once.

        Raises:
            FlowSpent: the request was pushed, and has begun a sign-in.
            Refusal: the person cannot sign in, for a reason that the client cannot fix.
        """
        typed = request.login_hint is not None
        try:
            email = (None if typed or expected is None else expected.address) or EmailAddress.parse(
                request.login_hint or ""
            )
        except ValueError as fault:
            return self._ask(request, application, str(fault))
        resolution = await self.resolver.decide(email, request.client_id)
        authorization = Authorization(request, email, resolution.account_id, expected is not None and expected.demanded)
        if resolution.sso is None or resolution.account_id is None:
            self.responses.report(SignInStep.PASSWORD, authorization, resolution.because)
            if typed or request.prompt is Prompt.NONE:
                return self._password_page(request, application, email)
            if expected is not None and expected.demanded and request.id_token_hint is None:
                return self.responses.sso_does_not_apply(request)  # a form could not repeat whom the hint demands
            return self._ask_anew(request, application, forget=resolution.because not in OF_THE_APPLICATION)
        handle = following(request.handle, SignInState) if request.handle else self.flows.new_handle(SignInState)
        prompt = Prompt.LOGIN if request.asks_for_login else request.prompt
        known_as = expected.entra_hint if expected and not typed else None
        hint = None if prompt is Prompt.SELECT_ACCOUNT else known_as or email.address
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
            request=request.model_copy(update={"id_token_hint": None}),
            expected=expected,
            email=email.address,
            account_id=resolution.account_id,
            tenant_id=resolution.sso.tenant_id,
            code_verifier=entra.code_verifier,
            nonce=entra.nonce,
            repeats=repeats,
        )
        await self.flows.issue(state, handle)
        self.responses.report(SignInStep.STARTED, authorization)
        return RedirectToEntra(entra.url, binding)

    def _ask(self, request: AuthorizationRequest, application: Application, fault: str) -> EmailForm | ClientResponse:
        """Ask the person for their address: nobody is expected, or the hint is not an address."""
        if request.prompt is Prompt.NONE:
            detail = "No user is named or remembered, and prompt=none does not allow asking who it is."
            return self.responses.returned(request, OAuthError("login_required", detail))
        unreadable = request.login_hint is not None
        self.responses.report(SignInStep.ASKED, Authorization(request), "not_an_address" if unreadable else None)
        return EmailForm(application.profile.name, request, fault if unreadable else None)

    def _ask_anew(
        self, request: AuthorizationRequest, application: Application, *, forget: bool
    ) -> EmailForm | Remembering:
        """Ask for the address, since SSO does not apply to whom we expected: an application must not learn who it is.

        The browser forgets them, unless SSO only does not apply to this application.
        """
        form = EmailForm(application.profile.name, request, None)
        return Remembering(form, None) if forget else form

    def _password_page(
        self, request: AuthorizationRequest, application: Application, email: EmailAddress
    ) -> ClientResponse:
        """Redirect to the application's own password page, with what it needs to go on; or back with an error."""
        if request.prompt is Prompt.NONE or application.profile.password_sign_in_uri is None:
            return self.responses.sso_does_not_apply(request)
        return RedirectToApplication(
            with_query(application.profile.password_sign_in_uri, login_hint=email.address, state=request.state)
        )

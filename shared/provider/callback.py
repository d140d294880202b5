"""A person comes back from Microsoft: who they are is proven and linked, and the application gets a code.

Nothing that the browser brings is believed. Between the two ends the account may have switched SSO off, so it is
decided upon once more. Who must sign in anew, because it was longer ago than `max_age`, sets out again.
"""

from dataclasses import dataclass

from shared.flows.flows import Flows
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import FlowSpent, Malformed, Refusal
from shared.ports.clock import Clock
from shared.ports.entra import Answer, ProviderRefused
from shared.ports.sign_in import SignIn, VerifiedIdentity
from shared.ports.telemetry import SignInStep
from shared.provider.authorization import Outcome, SignInState, ToApplication
from shared.provider.authorization_request import Prompt
from shared.provider.authorization_response import Responses
from shared.provider.authorize import SettingOut
from shared.provider.issuer import Code, Person, subject_of
from shared.provider.reauthentication import SignInTooOld, prove_recent
from shared.provider.sessions import Sessions
from shared.resolution.resolver import Resolver
from shared.users.links import Links, SignInRefused


class SsoSwitchedOff(SignInRefused):
    """SSO applied when the person left for Microsoft, and does not any more."""

    slug = "sso-switched-off"
    title = "Sign-in with Microsoft was switched off"
    again = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingBack:
    """See the module."""

    setting_out: SettingOut
    """Where they came from, and go again to sign in anew."""
    resolver: Resolver
    """How a person signs in."""
    flows: Flows
    """States and codes."""
    links: Links
    """Who may sign in as whom."""
    sessions: Sessions
    """Who is signed in where."""
    provider: SignIn
    """Entra."""
    responses: Responses
    """What the application or the person is told."""
    clock: Clock
    """The time."""

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
        state = await self.flows.redeem(answer.state, SignInState, browser)
        asked = state.request
        self.responses.note(SignInStep.RETURNED, state.visit)
        application, _ = await self.setting_out.answerable(
            {"client_id": (asked.client_id,), "redirect_uri": (asked.redirect_uri,)}
        )
        try:
            if answer.error is not None:
                told = SignInRefused(self.provider.explain(answer.error, answer.error_description))
                reason = self.provider.reason(answer.error, answer.error_description)
                return await self.responses.refused_by_entra(state.visit, state.account_id, answer.error, told, reason)
            identity = await self._identify(state, answer)
            if self._must_sign_in_anew(state, identity):
                return await self.setting_out.begin(asked.model_copy(update={"prompt": Prompt.LOGIN}), application)
            return await self._signed_in(state, identity)
        except ProviderRefused as refusal:
            return await self.responses.refused_by_entra(
                state.visit, state.account_id, refusal.error, refusal, refusal.reason
            )
        except Refusal as refusal:
            return self.responses.explained(state.visit, refusal, refusal.reason)

    async def _identify(self, state: SignInState, answer: Answer) -> VerifiedIdentity:
        if answer.code is None:
            raise Malformed("Microsoft's answer carries neither a code nor an error. Sign in again.")
        return await self.provider.finish_sign_in(
            state.tenant_id, self.setting_out.redirect_uri, answer.code, state.code_verifier, state.nonce
        )

    def _must_sign_in_anew(self, state: SignInState, identity: VerifiedIdentity) -> bool:
        """Whether the sign-in is older than `max_age`, and Microsoft was not told yet to ask; see docs/decisions/0017.

        Raises:
            SignInRefused: it is not shown to be as recent as it must be, and asking has not helped, or is not allowed.
        """
        asked = state.request
        try:
            prove_recent(asked, identity.auth_time, begun_at=state.begun_at, now=self.clock.now())
        except SignInTooOld:
            if asked.asks_for_login or asked.prompt is Prompt.NONE:
                raise
            return True
        return False

    async def _signed_in(self, state: SignInState, identity: VerifiedIdentity) -> ToApplication:
        """Decide once more, tie the person, and let the application have a code."""
        request, email = state.request, EmailAddress.parse(state.email)
        resolution = await self.resolver.decide(email, request.client_id)
        still = resolution.sso is not None and resolution.sso.tenant_id == identity.tid
        if not still or resolution.account_id != state.account_id:
            raise SsoSwitchedOff(
                "Your company has switched off sign-in with Microsoft, for you or for this application, "
                "while you were signing in. Go back to the application and sign in with your password there."
            )
        link = await self.links.admit(state.account_id, email, identity)
        person = Person(
            sub=subject_of(link.tid, link.oid),
            email=link.email,
            name=identity.name,
            account_id=state.account_id,
            tid=link.tid,
            oid=link.oid,
            sid=self.sessions.name_of(identity.sid) if identity.sid else None,
            auth_time=identity.auth_time,
        )
        await self.sessions.begin(person, request.client_id, identity.login_hint)
        code = Code(
            expires_at=self.flows.expiry(Code),
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
            scope=request.scope,
            person=person,
        )
        handle = await self.flows.issue(code)
        self.responses.note(SignInStep.COMPLETED, state.visit)
        return self.responses.back(request.redirect_uri, request.state, code=handle)

"""The callback step: Microsoft sends a person back, their identity is proven and linked, and the client gets a code.

Nothing that the browser sends is trusted. The account may have switched SSO off since the sign-in began, so this step
resolves once more. If the sign-in is older than `max_age`, the step asks for a new one.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.flows.flows import Flows
from shared.kernel.ahead import Ahead
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import FlowSpent, Malformed
from shared.ports.clock import Clock
from shared.ports.entra import Answer
from shared.ports.sign_in import EntraSignIn, VerifiedIdentity
from shared.ports.telemetry import SignInStep
from shared.provider.assurance import acr_of
from shared.provider.authorization import SignInState
from shared.provider.authorization_request import AuthorizationRequest, Prompt
from shared.provider.authorization_response import Remembering, Responses
from shared.provider.codes import Codes
from shared.provider.errors import RefusedAtEntra
from shared.provider.expected_person import AnotherPerson, ExpectedPeople, ExpectedPerson
from shared.provider.issuer import Code, Person
from shared.provider.reauthentication import SignInTooOld, prove_recent
from shared.provider.sessions import Sessions
from shared.resolution.decision import NOT_ROUTED
from shared.resolution.resolver import Resolution, Resolver
from shared.users.admission import Admission, Seen
from shared.users.link import SWITCHED_OFF, SsoSwitchedOff

_ANOTHER = (
    "The application asked for a certain person, and you have signed in at Microsoft as somebody else. "
    "Go back to the application and sign in there anew."
)


@dataclass(frozen=True, slots=True)
class BeginAgain:
    """Begin again, with this request and for this person: they signed in too long ago, or are somebody else."""

    request: AuthorizationRequest
    expected: ExpectedPerson | None


@dataclass(frozen=True, slots=True)
class Returned:
    """A sign-in whose person is back, and what their admission depends on, which is being read meanwhile."""

    state: SignInState
    seen: Ahead[tuple[Resolution, Seen]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStep:
    """Completes a sign-in."""

    resolver: Resolver
    """Resolves how a person signs in."""
    flows: Flows
    """Stores states."""
    admission: Admission
    """Decides who may sign in as whom."""
    codes: Codes
    """Issues codes, and begins sessions with them."""
    people: ExpectedPeople
    """Writes the note of who has signed in."""
    provider: EntraSignIn
    """Entra."""
    responses: Responses
    """Makes the responses."""
    clock: Clock
    """The time."""
    redirect_uri: str
    """The address to which Microsoft returned, as in the app registration."""

    async def redeem(self, answer: Answer, browser: str | None) -> Returned:
        """Find the sign-in to which the response belongs, and count the response: `answers` is 1 for the first.

        Account and link are read as soon as the sign-in is found, beside the writing and the request to Microsoft.

        Raises:
            FlowEnded: there were enough responses before, or it is too late.
            ForeignFlow: the state is another browser's.
            FlowSpent: the state is unknown. Nothing is known of the request then.
        """
        if answer.state is None:
            raise FlowSpent(f"Microsoft's answer carries no state. {SignInState.start}")
        now = self.clock.now()
        begun: list[Ahead[tuple[Resolution, Seen]]] = []

        def answered(state: SignInState) -> SignInState:
            counted = state.answered(now)
            if not begun:
                begun.append(Ahead(self._look(state)))
            return counted

        try:
            state = await self.flows.revise(answer.state, SignInState, answered, browser)
        except BaseException:
            for each in begun:
                each.drop()
            raise
        if state.answers == 1:
            self.responses.report(SignInStep.RETURNED, state.authorization)
        return Returned(state, begun[0])

    async def _look(self, state: SignInState) -> tuple[Resolution, Seen]:
        """What the admission of the person depends on, whoever has signed in: by one round of the store."""
        typed = EmailAddress.parse(state.email)
        resolution, seen, _ = await asyncio.gather(
            self.resolver.decide(typed, state.request.client_id),
            self.admission.look(state.account_id, typed),
            self.resolver.read_ahead(typed, state.account_id),
        )
        return resolution, seen

    async def complete(self, returned: Returned, answer: Answer) -> Remembering | BeginAgain:
        """Prove who signed in, and give the application a code, and the browser a note.

        Raises:
            ProviderRefused, RefusedAtEntra: Entra refused the sign-in.
            Refusal: the person is not admitted.
        """
        state = returned.state
        identity = await self._identify(state, answer)
        if self._is_somebody_else(state, identity):
            return BeginAgain(state.request, None)
        if self._is_too_old(state, identity):
            return BeginAgain(state.request.model_copy(update={"prompt": Prompt.LOGIN}), state.expected)
        person = await self._admit(state, identity, *await returned.seen.result())
        handle = await self.codes.issue(self._code(state, person), identity.login_hint)
        self.responses.report(SignInStep.COMPLETED, state.authorization)
        note = self.people.note_of(identity, EmailAddress(state.email))
        return Remembering(self.responses.to_client(state.request, code=handle), note)

    async def _identify(self, state: SignInState, answer: Answer) -> VerifiedIdentity:
        if answer.error is not None:
            reason = self.provider.reason(answer.error, answer.error_description)
            raise RefusedAtEntra(answer.error, reason, self.provider.explain(answer.error, answer.error_description))
        if answer.code is None:
            raise Malformed("Microsoft's answer carries neither a code nor an error. Sign in again.")
        return await self.provider.finish_sign_in(
            state.tenant_id, self.redirect_uri, answer.code, state.code_verifier, state.nonce
        )

    def _is_somebody_else(self, state: SignInState, identity: VerifiedIdentity) -> bool:
        """Whether somebody else came back than the browser remembers, who may be asked for their address.

        Whoever an `id_token_hint` demands may have moved to another tenant with their account, and be the same person.

        Raises:
            AnotherPerson: they may not be asked.
        """
        expected = state.expected
        if expected is None or expected.is_of(identity) or (expected.demanded and expected.tid != identity.tid):
            return False
        if expected.demanded or state.request.prompt is Prompt.NONE:
            raise AnotherPerson(_ANOTHER)
        return True

    def _is_too_old(self, state: SignInState, identity: VerifiedIdentity) -> bool:
        """Whether the sign-in is older than `max_age`, and a new one may be asked for; see docs/decisions/0017.

        Raises:
            SignInRefused: it is not proven to be recent enough, and asking again has not helped, or is not allowed.
        """
        request = state.request
        try:
            prove_recent(request, identity.auth_time, begun_at=state.begun_at, now=self.clock.now())
        except SignInTooOld:
            if request.asks_for_login or request.prompt is Prompt.NONE:
                raise
            return True
        return False

    async def _admit(
        self, state: SignInState, identity: VerifiedIdentity, resolution: Resolution, seen: Seen
    ) -> Person:
        """Hold the person against what was resolved once more, and link them.

        Raises:
            SignInRefused: SSO no longer applies, or the identity is not this person's.
        """
        typed = EmailAddress.parse(state.email)
        if not _applies(resolution, state, identity):
            raise SsoSwitchedOff(SWITCHED_OFF)
        admitted = await self.admission.admit(state.account_id, typed, identity, state.begun_at, seen)
        if state.expected is not None and state.expected.sub not in {None, admitted.link.subject}:
            raise AnotherPerson(_ANOTHER)
        email = admitted.email
        if email is not None and email != typed:
            email = await self._also_decided(email, state, identity)
        username = admitted.username
        if username is not None and username not in {typed, email}:
            applies = _applies(await self.resolver.decide(username, state.request.client_id), state, identity)
            username = username if applies else None
        username = username or email
        return Person(
            sub=admitted.link.subject,
            email=email.address if email else None,
            preferred_username=username.address if username else None,
            name=identity.name,
            given_name=identity.given_name,
            family_name=identity.family_name,
            account_id=state.account_id,
            tid=identity.tid,
            oid=identity.oid,
            sid=Sessions.name_of(identity.sid) if identity.sid else None,
            auth_time=identity.auth_time,
            acr=acr_of(identity.acrs, state.request.acr_values),
            amr=identity.amr,
            session_expires_at=self._end_of_session(admitted.session_hours),
        )

    def _end_of_session(self, hours: int | None) -> datetime | None:
        return None if hours is None else self.clock.now() + timedelta(hours=hours)

    async def _also_decided(
        self, email: EmailAddress, state: SignInState, identity: VerifiedIdentity
    ) -> EmailAddress | None:
        """Take the decision for the address that tokens would contain, too, where it is not the typed one.

        Returns None if it does not route to the account: then tokens contain no address.

        Raises:
            SsoSwitchedOff: the account has switched SSO off for that address.
        """
        resolution = await self.resolver.decide(email, state.request.client_id)
        if resolution.account_id != state.account_id or resolution.because == NOT_ROUTED:
            return None
        if not _applies(resolution, state, identity):
            raise SsoSwitchedOff(
                f"Your address is {email.address} now, and sign-in with Microsoft is switched off for it. "
                "Go back to the application and sign in with your password there."
            )
        return email

    def _code(self, state: SignInState, person: Person) -> Code:
        request = state.request
        return Code(
            expires_at=self.flows.expiry(Code),
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
            scope=request.scope,
            person=person,
            typed=EmailAddress.parse(state.email).address,
        )


def _applies(resolution: Resolution, state: SignInState, identity: VerifiedIdentity) -> bool:
    """Whether SSO applies, at the tenant and for the account at which the sign-in began."""
    sso = resolution.sso
    return sso is not None and sso.tenant_id == identity.tid and resolution.account_id == state.account_id

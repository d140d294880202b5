"""The steps of one browser's try to connect: consented, signed in, and signed in again where Microsoft was late."""

from dataclasses import dataclass

from shared.connection.completion import Completion, must_count
from shared.connection.connection import Consenter
from shared.connection.consent_steps import ConnectState, Fetch, Outcome, ProofLeg, ToMicrosoft
from shared.connection.proof import claimed_tenant, prove_administrator, refused_consent, refused_sign_in
from shared.flows.flows import Flows, digest
from shared.kernel.names import TenantId
from shared.kernel.refusals import ConsentRefused, ProofFailed
from shared.ports.clock import Clock
from shared.ports.consent import Consent
from shared.ports.entra import Answer
from shared.ports.sign_in import EntraSignIn
from shared.ports.telemetry import ConnectStep, Event, EventName, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Takes one browser from its consent to the connection. `consent` decides what a refusal means."""

    flows: Flows
    """The states."""
    consent: Consent
    """Explains refusals of a consent."""
    sign_in: EntraSignIn
    """Verifies who has consented."""
    completion: Completion
    """Writes the connection."""
    clock: Clock
    """The time."""
    telemetry: Telemetry
    """Reports each step to operators."""
    redirect_uri: str
    """The address to which Microsoft returns, as in the app registration."""

    async def consented(self, _: Fetch, state: ConnectState, answer: Answer) -> Outcome:
        """Send the browser of a consent to the sign-in that proves it.

        Raises:
            ConsentRefused: the person, or Microsoft, refused.
            Unavailable: Microsoft could not answer.
            ProofFailed: it is another tenant than the one that the link names, or none.
            Conflict: the attempt does not count.
        """
        if answer.error is not None:
            raise refused_consent(answer.error, self.consent.explain_consent(answer.error, answer.error_description))
        tenant_id = claimed_tenant(answer)
        if state.tenant_id not in {None, tenant_id}:
            raise ProofFailed("You consented for another organisation than the one that the link names. Start again.")
        head, made = await self.completion.found(state)
        if made is not None:
            return made
        must_count(head, state.attempt_id, self.clock.now())
        departure = await self._begin_sign_in(state, tenant_id, prompt="select_account")
        self.telemetry.note(Event(EventName.CONNECT, ConnectStep.CONSENTED, account_id=state.account_id))
        return departure

    async def _begin_sign_in(self, state: ConnectState, tenant_id: TenantId, prompt: str | None) -> ToMicrosoft:
        handle = self.flows.new_handle(ConnectState)
        request = await self.sign_in.begin_sign_in(tenant_id, self.redirect_uri, handle, prompt=prompt)
        binding = self.flows.bind(handle, ConnectState)
        leg = {
            "expires_at": self.flows.expiry(ConnectState),
            "browser_digest": digest(binding.secret),
            "proof": ProofLeg(tenant_id=tenant_id, code_verifier=request.code_verifier, nonce=request.nonce),
            "turn": None,
            "asks_at": None,
        }
        await self.flows.issue(state.model_copy(update=leg), handle)
        return ToMicrosoft(request.url, binding)

    async def sign_in_again(self, fetch: Fetch, tenant_id: TenantId) -> ToMicrosoft:
        """Send the browser to Microsoft once more, which did not take the code. It has the session, and need not ask.

        Raises:
            FlowEnded: too many sign-ins were begun.
        """
        state = await self.flows.revise(fetch.handle, ConnectState, ConnectState.signing_in, fetch.browser)
        return await self._begin_sign_in(state, tenant_id, prompt=None)

    async def signed_in(self, fetch: Fetch, state: ConnectState, answer: Answer) -> Outcome:
        """Verify who has signed in, once, then connect. Another fetch of the same answer waits for that.

        Raises:
            Refusal: see `proof`, and `Completion.connect`.
        """
        leg, proven = state.proof, state.proven
        if leg is None or (proven is None and (state.turn is None or state.turn.by != fetch.by)):
            return state.waiting(self.clock.now())
        if proven is None:
            proven = await self._prove(leg, answer)
            kept = {"proven": proven, "turn": None}
            state = await self.flows.revise(
                fetch.handle, ConnectState, lambda state: state.model_copy(update=kept), fetch.browser
            )
        return await self.completion.connect(state, leg.tenant_id, proven)

    async def _prove(self, leg: ProofLeg, answer: Answer) -> Consenter:
        if answer.error is not None:
            said = answer.error, answer.error_description
            raise refused_sign_in(answer.error, self.sign_in.reason(*said), self.consent.explain_consent(*said))
        if answer.code is None:
            raise ConsentRefused("Microsoft did not report a sign-in. Start again from the control panel.")
        identity = await self.sign_in.finish_sign_in(
            leg.tenant_id, self.redirect_uri, answer.code, leg.code_verifier, leg.nonce
        )
        prove_administrator(identity, leg.tenant_id)
        return Consenter(oid=identity.oid, name=identity.name)

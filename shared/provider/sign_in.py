"""A sign-in, from the authorization request to the authorization response: which step comes next.

    authorize   an application sends a person      begin
    callback    Entra sends the person back        complete; or begin again, if the sign-in is too old, if it is
                                                   somebody else than the browser remembers, or if the browser brings
                                                   the same answer a second time

The steps never call one another: each returns its result, and only this module decides what follows. It also turns a
step's refusal into a response, once it is known where that may go.
"""

from dataclasses import dataclass

from shared.applications.application import Application
from shared.flows.flows import FlowEnded, ForeignFlow
from shared.kernel.refusals import FlowSpent, Refusal
from shared.ports.entra import Answer, ProviderRefused
from shared.ports.table import RowReader
from shared.provider.authorization import Authorization, SignInState
from shared.provider.authorization_request import Prompt, read_request
from shared.provider.authorization_response import (
    AuthorizationResponse,
    RedirectToEntra,
    Remembering,
    Responses,
)
from shared.provider.authorize import AuthorizeStep
from shared.provider.callback import BeginAgain, CallbackStep, Returned
from shared.provider.errors import OAuthError, RefusedAtEntra, RequestError
from shared.provider.expected_person import ExpectedPeople, ExpectedPerson, FromBrowser
from shared.provider.parameters import Parameters
from shared.provider.pushed_requests import PushedRequests, is_pushed
from shared.provider.requesting_client import find_client
from shared.users.link import SsoSwitchedOff

_NOTHING = FromBrowser()
_FRAMED = OAuthError("login_required", "A browser sends no cookies with a frame of another site: redirect the user.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The authorization endpoint, and the callback to which Entra responds."""

    applications: RowReader
    """The registered clients; may be some seconds old."""
    authorize_step: AuthorizeStep
    """Begins a sign-in."""
    callback_step: CallbackStep
    """Completes it."""
    people: ExpectedPeople
    """Knows who is expected where nobody has typed an address."""
    pushed: PushedRequests
    """Knows the requests that were pushed, and keeps those that are repeated."""
    responses: Responses
    """Makes the responses."""

    async def authorize(self, parameters: Parameters, browser: FromBrowser = _NOTHING) -> AuthorizationResponse:
        """Respond to an authorization request.

        Args:
            parameters: the parameters as they were sent.
            browser: what the browser has brought beside them.

        Raises:
            Malformed: client and redirect URI are not known to belong together; nothing may be sent anywhere.
            FlowSpent: the pushed request is unknown, expired or used; nothing may be sent anywhere, either.
            Unavailable: the store cannot find the client, so nothing may be sent anywhere, either.
        """
        try:
            if is_pushed(parameters.get("request_uri", ())):
                request, application = await self.pushed.open(parameters)
            else:
                request, application = await read_request(self.applications, parameters)
        except RequestError as error:
            return self.responses.request_error(error)
        if request.prompt is Prompt.NONE and browser.in_foreign_frame:
            return self.responses.returned(request, _FRAMED)
        try:
            expected = None if request.names_its_person else await self.people.expected_by(request, browser.note)
            response = await self.authorize_step.begin(request, application, expected)
        except FlowSpent:
            raise
        except OAuthError as error:
            return self.responses.returned(request, error)
        except Refusal as refusal:
            return await self.pushed.kept(self.responses.refused(Authorization(request), refusal))
        response = await self.pushed.kept(response)
        if request.asks_who_it_is:
            return Remembering(response, None) if browser.note else response
        return response if request.prompt is Prompt.NONE else self._asked(response, expected, browser)

    def _asked(
        self, response: AuthorizationResponse, expected: ExpectedPerson | None, browser: FromBrowser
    ) -> AuthorizationResponse:
        """Note in the browser that it is sent to Microsoft because of its note."""
        because_of_it = expected is not None and not expected.demanded and isinstance(response, RedirectToEntra)
        return Remembering(response, self.people.asked(browser.note)) if because_of_it else response

    async def callback(self, answer: Answer, browser: str | None) -> AuthorizationResponse:
        """Handle Microsoft's response, which the browser brings.

        Args:
            answer: the query of the request; nothing in it is verified.
            browser: the secret that the browser sent for this state.

        Raises:
            FlowSpent: the state is unknown. Nothing is known of the request then.
            Malformed: the application was removed meanwhile, or its redirect URI.
            Unavailable: the store does not respond, so nothing may be sent anywhere.
        """
        try:
            returned = await self.callback_step.redeem(answer, browser)
        except FlowEnded as ended:
            over = SignInState.model_validate(ended.flow)
            await self._client_of(over)
            return await self.pushed.kept(self.responses.refused(over.authorization, ended))
        except ForeignFlow as foreign:
            return self.responses.of_another_browser(foreign)
        try:
            return await self.pushed.kept(await self._go_on(returned, answer))
        finally:
            returned.seen.drop()

    async def _go_on(self, returned: Returned, answer: Answer) -> AuthorizationResponse:
        state = returned.state
        application = await self._client_of(state)
        try:
            if state.answers > 1:
                return await self.authorize_step.begin(state.request, application, state.expected, repeats=True)
            match await self.callback_step.complete(returned, answer):
                case BeginAgain(request, expected):
                    again = await self.authorize_step.begin(request, application, expected, repeats=state.repeats)
                    return Remembering(again, None) if expected != state.expected else again
                case response:
                    return response
        except (ProviderRefused, RefusedAtEntra) as refusal:
            return await self.responses.refused_at_entra(state.authorization, state.account_id, refusal)
        except SsoSwitchedOff as refusal:
            return Remembering(self.responses.refused(state.authorization, refusal), None)
        except Refusal as refusal:
            return self.responses.refused(state.authorization, refusal)

    async def _client_of(self, state: SignInState) -> Application:
        """The client to which the sign-in leads.

        Raises:
            Malformed: it was removed meanwhile, or its redirect URI.
        """
        asked = state.request
        named = {"client_id": (asked.client_id,), "redirect_uri": (asked.redirect_uri,)}
        return (await find_client(self.applications, named))[0]

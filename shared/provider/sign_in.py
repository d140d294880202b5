"""A sign-in, from the authorization request to the authorization response: which step comes next.

    authorize   an application sends a person      begin
    callback    Entra sends the person back        complete; or begin again, if the sign-in is too old

The steps never call one another: each returns its result, and only this module decides what follows. It also turns a
step's refusal into a response, once it is known where that may go.
"""

from dataclasses import dataclass

from shared.kernel.refusals import Refusal
from shared.ports.entra import Answer, ProviderRefused
from shared.ports.table import RowReader
from shared.provider.authorization import Authorization
from shared.provider.authorization_request import find_client, read_request
from shared.provider.authorization_response import AuthorizationResponse, Responses
from shared.provider.authorize import AuthorizeStep
from shared.provider.callback import BeginAgain, CallbackStep
from shared.provider.errors import RefusedAtEntra, RequestError
from shared.provider.parameters import Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The authorization endpoint, and the callback to which Entra responds."""

    applications: RowReader
    """The registered clients; may be some seconds old."""
    authorize_step: AuthorizeStep
    """Begins a sign-in."""
    callback_step: CallbackStep
    """Completes it."""
    responses: Responses
    """Makes the responses."""

    async def authorize(self, parameters: Parameters) -> AuthorizationResponse:
        """Respond to an authorization request.

        Args:
            parameters: the parameters as they were sent.

        Raises:
            Malformed: client and redirect URI are not known to belong together; nothing may be sent anywhere.
            Unavailable: the store cannot find the client, so nothing may be sent anywhere, either.
        """
        try:
            request, application = await read_request(self.applications, parameters)
        except RequestError as error:
            return self.responses.request_error(error)
        try:
            return await self.authorize_step.begin(request, application)
        except Refusal as refusal:
            return self.responses.refused(Authorization(request), refusal)

    async def callback(self, answer: Answer, browser: str | None) -> AuthorizationResponse:
        """Handle Microsoft's response, which the browser brings.

        Args:
            answer: the query of the request; nothing in it is verified.
            browser: the secret that the browser sent for this state.

        Raises:
            FlowSpent: the state is unknown, used, expired or another browser's. Nothing is known of the request then.
            Malformed: the application was removed meanwhile, or its redirect URI.
            Unavailable: the store does not respond, so nothing may be sent anywhere.
        """
        state = await self.callback_step.redeem(answer, browser)
        asked = state.request
        application, _ = await find_client(
            self.applications, {"client_id": (asked.client_id,), "redirect_uri": (asked.redirect_uri,)}
        )
        try:
            match await self.callback_step.complete(state, answer):
                case BeginAgain(request):
                    return await self.authorize_step.begin(request, application)
                case response:
                    return response
        except (ProviderRefused, RefusedAtEntra) as refusal:
            return await self.responses.refused_at_entra(state.authorization, state.account_id, refusal)
        except Refusal as refusal:
            return self.responses.refused(state.authorization, refusal)

"""Pushed authorization requests (RFC 9126): the client sends its request to us, and the browser carries a name of it.

So nobody at the browser can change what was asked, such as `prompt` and `max_age`, or read it.

    pushed ──open──> begun                  a sign-in, by one write that succeeds once, whoever opens it how often
      │        └───> asked ──open──> begun  the page that asks for the address: the person may take their time
      └──its time is over──> expired

A pushed request may be opened again until it has begun a sign-in or expired: pages are reloaded, and fetched twice.
A sign-in that was refused may be tried again; that is a new name for the same request.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from shared.applications.application import Application
from shared.flows.flows import Flow, Flows, handle_in, spent
from shared.flows.once import following
from shared.kernel.refusals import FlowSpent, Unavailable
from shared.ports.table import RowReader
from shared.provider.authorization import SignInState
from shared.provider.authorization_request import (
    REQUEST_URI,
    AuthorizationRequest,
    check_request,
)
from shared.provider.authorization_response import AuthorizationResponse, EmailForm, ErrorPage, Remembering, Responses
from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.errors import invalid_request
from shared.provider.parameters import Parameters, one
from shared.provider.requesting_client import client_id_of, find_client


class PushedRequest(Flow):
    """A request that was pushed, or is repeated by a page of ours: that one lives as long as a sign-in.

    `asked` is the one of the page that asks for the address, which comes beside it.
    """

    kind: ClassVar[str] = "pushed-request"
    lifetime: ClassVar[timedelta] = timedelta(seconds=90)
    start: ClassVar[str] = "Go back to the application and sign in again."

    request: AuthorizationRequest
    asked: bool = False


_ON_OUR_PAGE = SignInState.lifetime
"""How long a person may think before they go on from a page of ours."""

_KEPT_LONGER = _ON_OUR_PAGE + SignInState.lifetime
"""For the page that asks, and the sign-in that follows."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The response to a pushed request (RFC 9126, section 2.2); `expires_in` is in seconds."""

    request_uri: str
    expires_in: int


def is_pushed(request_uris: tuple[str, ...]) -> bool:
    """Whether one of these names a request that was pushed here."""
    return any(uri.startswith(REQUEST_URI) for uri in request_uris)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRequests:
    """Keeps pushed requests."""

    applications: RowReader
    """The registered clients; may be some seconds old."""
    flows: Flows
    """Stores them."""
    responses: Responses
    """Has the address to which a request is repeated."""

    async def push(self, client: AuthenticatedClient, parameters: Parameters) -> Pushed:
        """Check a request as the authorization endpoint does, and keep it.

        Args:
            client: the client that sends it. A public client has only said its name: whatever it pushes proves nothing.
            parameters: the parameters of the body.

        Raises:
            Malformed: the redirect URI is not registered for the client.
            OAuthError: a parameter is missing, repeated, malformed or not supported.
            Unavailable: the store does not respond.
        """
        if "request_uri" in parameters:
            raise invalid_request("request_uri cannot be pushed (RFC 9126, section 2.1).")
        asked = {**parameters, "client_id": (client.client_id,)}
        application, redirect_uri = await find_client(self.applications, asked)
        request = check_request(asked, application, redirect_uri).model_copy(update={"pushed": True})
        kept = PushedRequest(expires_at=self.flows.expiry(PushedRequest), request=request)
        handle = await self.flows.issue(kept, self.flows.new_handle(PushedRequest, _KEPT_LONGER))
        return Pushed(REQUEST_URI + handle, int(PushedRequest.lifetime.total_seconds()))

    async def open(self, parameters: Parameters) -> tuple[AuthorizationRequest, Application]:
        """The request that the parameters name, and its client. Everything beside its name and `client_id` is ignored.

        Raises:
            FlowSpent: it is unknown, has expired, or is another client's.
            Malformed: the client, its redirect URI or a parameter is not what it must be.
            Unavailable: the store does not respond.
        """
        client_id = client_id_of(parameters)
        handle = handle_in((one(parameters, "request_uri") or "").removeprefix(REQUEST_URI))
        found = await self.flows.look(handle, PushedRequest)
        request = found.request
        if request.client_id != client_id:
            raise FlowSpent(spent(PushedRequest))
        named = {"client_id": (client_id,), "redirect_uri": (request.redirect_uri,)}
        application, _ = await find_client(self.applications, named)
        if not found.asked:
            return request.model_copy(update={"handle": following(handle, PushedRequest)}), application
        typed = one(parameters, "login_hint") or request.login_hint
        return request.model_copy(update={"handle": handle, "login_hint": typed}), application

    async def kept(self, response: AuthorizationResponse) -> AuthorizationResponse:
        """The response, after a pushed request that it repeats was kept; others do not change.

        Raises:
            Unavailable: the store does not respond. A page that says what was refused only loses its link.
        """
        match response:
            case EmailForm(request=request) if request.pushed:
                return replace(response, request=await self._keep(request, asked=True))
            case ErrorPage(again=AuthorizationRequest() as again):
                try:
                    repeated = await self._keep(again.model_copy(update={"handle": None}), asked=False)
                except Unavailable:
                    return response
                return replace(response, again_url=self.responses.authorize_url(repeated))
            case Remembering(response=inner, note=note):
                return Remembering(await self.kept(inner), note)
            case _:
                return response

    async def _keep(self, request: AuthorizationRequest, *, asked: bool) -> AuthorizationRequest:
        """Keep a request for a page of ours, under its handle if it has one: then the page may be reloaded."""
        flow = PushedRequest(expires_at=self.flows.clock.now() + _ON_OUR_PAGE, request=request, asked=asked)
        handle = request.handle or self.flows.new_handle(PushedRequest, _ON_OUR_PAGE + _KEPT_LONGER)
        await self.flows.put(flow, handle)
        return request.model_copy(update={"handle": handle})

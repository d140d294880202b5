"""Authorization requests: their grammar, read strictly.

`read_request` finds the client and its redirect URI first. Until they are known to belong together, an error is shown
to the person, since a redirect to an unregistered address would help an attacker (RFC 9700, section 4.11).
Every other check is a row of `_CHECKS`, and the first error is returned to the client.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from shared.applications.application import Application, CodeBinding
from shared.kernel.addresses import is_private_use
from shared.kernel.names import ClientId
from shared.ports.record import Record
from shared.ports.table import RowReader
from shared.provider.errors import OAuthError, RequestError, invalid_request
from shared.provider.parameters import LONGEST_TOKEN, Parameters, one
from shared.provider.requesting_client import find_client
from shared.provider.scopes import OFFLINE_ACCESS, SCOPES

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
"""How the `request_uri` of a pushed request begins (RFC 9126, section 2.2); its handle follows."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_PROMPTS = frozenset({"none", "login", "select_account", "consent"})
_SECONDS = re.compile(r"[0-9]{1,9}")

type Check = Callable[[Parameters], Mapping[str, Any]]
"""Checks one thing in a request, and returns the fields that it has read. Raises `OAuthError`."""


class Prompt(StrEnum):
    """How much the person is asked (OpenID Connect Core, section 3.1.2.1)."""

    NONE = "none"
    LOGIN = "login"
    SELECT_ACCOUNT = "select_account"


class ResponseMode(StrEnum):
    """How the response reaches the client (OAuth 2.0 Multiple Response Types, section 2.1; Form Post Response Mode)."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"


class AuthorizationRequest(Record):
    """A request that has passed every check. Names and meanings are the standards'.

    A `pushed` one never passes through a browser. Its `handle`, which is not stored, stands for it there, and begins
    one sign-in.
    """

    client_id: ClientId
    redirect_uri: str
    scope: tuple[str, ...]
    code_challenge: str | None
    state: str | None = None
    nonce: str | None = None
    prompt: Prompt | None = None
    max_age: int | None = None
    login_hint: str | None = None
    id_token_hint: str | None = None
    """As it was sent, still to be verified; it is stored only with a request that was pushed."""
    acr_values: tuple[str, ...] = ()
    response_mode: ResponseMode = ResponseMode.QUERY
    pushed: bool = False
    handle: Annotated[str | None, Field(exclude=True)] = None

    @property
    def asks_for_login(self) -> bool:
        """Whether a login is required; `max_age=0` means the same (OpenID Connect Core, section 3.1.2.1)."""
        return self.prompt is Prompt.LOGIN or self.max_age == 0

    @property
    def names_its_person(self) -> bool:
        """Whether there is an address, and no ID token that demands more."""
        return self.login_hint is not None and self.id_token_hint is None

    @property
    def asks_who_it_is(self) -> bool:
        """Whether the person is to be asked anew, whoever is remembered."""
        return self.prompt in {Prompt.LOGIN, Prompt.SELECT_ACCOUNT}

    def parameters(self) -> dict[str, str]:
        """The parameters as a client sends them, to repeat the request."""
        if self.handle is not None:
            return {"client_id": self.client_id, "request_uri": REQUEST_URI + self.handle}
        given = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "response_mode": None if self.response_mode is ResponseMode.QUERY else self.response_mode,
            "scope": " ".join(self.scope),
            "code_challenge": self.code_challenge,
            "code_challenge_method": "S256" if self.code_challenge else None,
            "state": self.state,
            "nonce": self.nonce,
            "prompt": self.prompt,
            "max_age": None if self.max_age is None else str(self.max_age),
            "login_hint": self.login_hint,
            "id_token_hint": self.id_token_hint,
            "acr_values": " ".join(self.acr_values) or None,
        }
        return {name: value for name, value in given.items() if value is not None}


def state_of(parameters: Parameters) -> str | None:
    """The state that an error response returns, however long; None if it was repeated (RFC 6749, section 4.1.2.1)."""
    values = parameters.get("state", ())
    return values[0] or None if len(values) == 1 else None


def response_mode_of(parameters: Parameters) -> ResponseMode:
    """The mode in which an error response is sent: the one that was asked for, or the default if that is the error."""
    try:
        return ResponseMode(_response_mode(parameters)["response_mode"])
    except OAuthError:
        return ResponseMode.QUERY


def _response_type(parameters: Parameters) -> Mapping[str, Any]:
    """Accept the code flow only (RFC 6749, section 3.1.1; RFC 9700, section 2.1.2)."""
    asked = one(parameters, "response_type")
    if asked is None:
        raise invalid_request("response_type is missing: send response_type=code.")
    if asked != "code":
        raise OAuthError("unsupported_response_type", "Only response_type=code is supported.")
    return {}


def _response_mode(parameters: Parameters) -> Mapping[str, Any]:
    """Read how to respond; `query` is the default of the code flow (Multiple Response Types, section 2.1).

    No browser posts to a scheme of a native application's own.
    """
    try:
        mode = ResponseMode(one(parameters, "response_mode") or ResponseMode.QUERY)
    except ValueError:
        raise invalid_request("response_mode must be query, fragment or form_post.") from None
    if mode is ResponseMode.FORM_POST and any(map(is_private_use, parameters.get("redirect_uri", ()))):
        raise invalid_request("response_mode form_post needs a redirect_uri of https.")
    return {"response_mode": mode}


def _request_object(parameters: Parameters) -> Mapping[str, Any]:
    """Refuse request objects, by value or by reference (OpenID Connect Core, sections 3.1.2.6, 6.1 and 6.2)."""
    if one(parameters, "request") is not None:
        raise OAuthError("request_not_supported", "Request objects are not supported.")
    if one(parameters, "request_uri") is not None:
        raise OAuthError("request_uri_not_supported", "Request objects are not supported.")
    return {}


def _scope(parameters: Parameters) -> Mapping[str, Any]:
    """Require `openid`; keep the scopes that we know, ignore others (OpenID Connect Core, section 3.1.2.1)."""
    asked = (one(parameters, "scope") or "").split()
    if "openid" not in asked:
        raise OAuthError("invalid_scope", "scope must include 'openid'.")
    return {"scope": tuple(scope for scope in SCOPES if scope in asked)}


def _code_challenge(parameters: Parameters) -> Mapping[str, Any]:
    """Read the challenge of PKCE, by S256 alone (RFC 7636, section 4.3). `plain` is no protection."""
    challenge, method = one(parameters, "code_challenge"), one(parameters, "code_challenge_method")
    if challenge is None and method is None:
        return {"code_challenge": None}
    if method != "S256" or not _CHALLENGE.fullmatch(challenge or ""):
        raise invalid_request("code_challenge_method must be S256, and code_challenge 43 base64url characters.")
    return {"code_challenge": challenge}


def _state(parameters: Parameters) -> Mapping[str, Any]:
    """Read the state, which is returned unchanged (RFC 6749, section 4.1.1)."""
    return {"state": one(parameters, "state")}


def _nonce(parameters: Parameters) -> Mapping[str, Any]:
    """Read the nonce, which the ID token contains unchanged (OpenID Connect Core, section 3.1.2.1)."""
    return {"nonce": one(parameters, "nonce")}


def _prompt(parameters: Parameters) -> Mapping[str, Any]:
    """Read the prompt (OpenID Connect Core, section 3.1.2.1). `none` allows no other beside it; unknown words none.

    Microsoft takes one: of `login` and `select_account` the login, which also lets people choose an account. `consent`
    has no effect here, since an administrator has consented for the organisation.
    """
    asked = {*(one(parameters, "prompt") or "").split()} & _PROMPTS
    if Prompt.NONE in asked and len(asked) > 1:
        raise invalid_request("prompt=none allows no other prompt beside it.")
    return {"prompt": next((prompt for prompt in Prompt if prompt in asked), None)}


def _max_age(parameters: Parameters) -> Mapping[str, Any]:
    """Read the maximum seconds since the person signed in (OpenID Connect Core, section 3.1.2.1)."""
    text = one(parameters, "max_age")
    if text is not None and not _SECONDS.fullmatch(text):
        raise invalid_request("max_age must be a number of seconds.")
    return {"max_age": None if text is None else int(text)}


def _login_hint(parameters: Parameters) -> Mapping[str, Any]:
    """Read the hint about the expected person, unchanged (OpenID Connect Core, section 3.1.2.1)."""
    return {"login_hint": one(parameters, "login_hint")}


def _id_token_hint(parameters: Parameters) -> Mapping[str, Any]:
    """Read the ID token of the expected person, unchanged (OpenID Connect Core, section 3.1.2.1)."""
    return {"id_token_hint": one(parameters, "id_token_hint", LONGEST_TOKEN)}


def _acr_values(parameters: Parameters) -> Mapping[str, Any]:
    """Read which contexts the client prefers; it has to check the answer (OpenID Connect Core, section 3.1.2.1)."""
    return {"acr_values": tuple((one(parameters, "acr_values") or "").split())}


def _silent_request(parameters: Parameters) -> Mapping[str, Any]:
    """Refuse `prompt=none` where a login must be asked for (OpenID Connect Core, section 3.1.2.6)."""
    if _prompt(parameters)["prompt"] is Prompt.NONE and _max_age(parameters)["max_age"] == 0:
        raise OAuthError("login_required", "max_age=0 requires the user to sign in, which prompt=none does not allow.")
    return {}


_CHECKS: tuple[Check, ...] = (
    _response_type,
    _response_mode,
    _request_object,
    _scope,
    _code_challenge,
    _state,
    _nonce,
    _prompt,
    _max_age,
    _login_hint,
    _id_token_hint,
    _acr_values,
    _silent_request,
)
"""In this order; the first that fails is the error that the client gets."""


def check_request(parameters: Parameters, application: Application, redirect_uri: str) -> AuthorizationRequest:
    """Check the request of a client whose redirect URI has been checked.

    Raises:
        OAuthError: a parameter is missing, repeated, malformed or not supported.
    """
    fields: dict[str, Any] = {}
    for check in _CHECKS:
        fields |= check(parameters)
    if not application.profile.refresh_tokens:
        fields["scope"] = tuple(scope for scope in fields["scope"] if scope != OFFLINE_ACCESS)
    request = AuthorizationRequest(client_id=application.client_id, redirect_uri=redirect_uri, **fields)
    _prove_binding(request, application.profile.binding)
    return request


def _prove_binding(request: AuthorizationRequest, binding: CodeBinding) -> None:
    """Demand what binds the code to the browser, as the application is registered (RFC 9700, section 2.1.1)."""
    if request.code_challenge is not None or binding is CodeBinding.NONE:
        return
    if binding is CodeBinding.PKCE:
        raise invalid_request("PKCE is required: send code_challenge with code_challenge_method=S256.")
    if request.nonce is None:
        raise invalid_request(
            "Send code_challenge with code_challenge_method=S256 (PKCE), or a nonce. An Operator can register the "
            "application with codeBinding 'none' if its library can do neither."
        )


async def read_request(applications: RowReader, parameters: Parameters) -> tuple[AuthorizationRequest, Application]:
    """Read a request, and find the client that sent it.

    Raises:
        Malformed: client and redirect URI are not known to belong together, so nothing may be sent anywhere.
        RequestError: there is any other error, which the client must fix.
        Unavailable: the store does not respond.
    """
    application, redirect_uri = await find_client(applications, parameters)
    try:
        if application.profile.require_pushed_authorization_requests:
            raise invalid_request("This application must push its requests to /oauth2/par (RFC 9126).")
        return check_request(parameters, application, redirect_uri), application
    except OAuthError as found:
        raise RequestError(
            found,
            client_id=application.client_id,
            redirect_uri=redirect_uri,
            state=state_of(parameters),
            response_mode=response_mode_of(parameters),
        ) from None

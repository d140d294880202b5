"""What applications ask: the grammar of authorization requests, read strictly.

Until client and redirect URI are known to belong together, a fault is told to the person on a page; from then on it
goes back to the client, for a redirect to an address that nobody registered would serve an attacker (RFC 9700, 4.11).
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlencode, urlsplit

from shared.applications.register import Application
from shared.kernel.names import ClientId
from shared.kernel.refusals import Malformed
from shared.ports.record import Record
from shared.provider.errors import OAuthError, invalid_request

SCOPES = ("openid", "email", "profile")

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_LONGEST = 2_000

LONGEST_TOKEN = 16_000
"""Characters of a parameter that is a token: it may hold a long nonce or a chain of certificates."""

type Parameters = Mapping[str, tuple[str, ...]]
"""Each parameter with every value that it was sent with."""


class Prompt(StrEnum):
    """How much the person is asked (OpenID Connect Core, section 3.1.2.1)."""

    NONE = "none"
    LOGIN = "login"
    SELECT_ACCOUNT = "select_account"


class AuthorizationRequest(Record):
    """A request of which every part has been checked. Names and meanings are the standards'."""

    client_id: ClientId
    redirect_uri: str
    scope: tuple[str, ...]
    code_challenge: str
    state: str | None = None
    nonce: str | None = None
    prompt: Prompt | None = None
    max_age: int | None = None
    login_hint: str | None = None

    @property
    def asks_for_login(self) -> bool:
        """Whether the person must sign in anew; `max_age=0` says the same (OpenID Connect Core, section 3.1.2.1)."""
        return self.prompt is Prompt.LOGIN or self.max_age == 0

    def parameters(self) -> dict[str, str]:
        """The same as the client sent it, for asking again."""
        given = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": " ".join(self.scope),
            "code_challenge": self.code_challenge,
            "code_challenge_method": "S256",
            "state": self.state,
            "nonce": self.nonce,
            "prompt": self.prompt,
            "max_age": None if self.max_age is None else str(self.max_age),
            "login_hint": self.login_hint,
        }
        return {name: value for name, value in given.items() if value is not None}


def one(parameters: Parameters, name: str, longest: int = _LONGEST) -> str | None:
    """The parameter's value; an empty one counts as missing (RFC 6749, section 3.1).

    Raises:
        OAuthError: it was sent more than once, or is longer than any honest one.
    """
    values = parameters.get(name, ())
    if len(values) > 1:
        raise invalid_request(f"'{name}' was sent more than once.")
    if values and len(values[0]) > longest:
        raise invalid_request(f"'{name}' is longer than {longest} characters.")
    return values[0] or None if values else None


def state_of(parameters: Parameters) -> str | None:
    """The state that an error answer carries, for a request that is refused; none that no honest client sends."""
    try:
        return one(parameters, "state")
    except OAuthError:
        return None


def client_id_of(parameters: Parameters) -> ClientId:
    """Which client asks, still to be looked up.

    Raises:
        Malformed: it does not say so.
    """
    try:
        return ClientId(one(parameters, "client_id") or "")
    except (ValueError, OAuthError):
        raise Malformed("The application did not send its client_id. Its developers must fix this.") from None


def redirect_uri_of(parameters: Parameters, application: Application) -> str:
    """Where the answer goes: an address that is registered, to the letter (RFC 9700, section 2.1).

    Raises:
        Malformed: it is missing or not registered.
    """
    values = parameters.get("redirect_uri", ())
    if len(values) != 1 or values[0] not in application.profile.redirect_uris:
        raise Malformed(
            "The application asked to return to an address that is not registered for it (redirect_uri). "
            "Its developers must fix this."
        )
    return values[0]


def read_request(parameters: Parameters, application: Application, redirect_uri: str) -> AuthorizationRequest:
    """Check the request of a client whose redirect URI has been checked.

    Raises:
        OAuthError: a parameter is missing, repeated, malformed or not supported.
    """
    if one(parameters, "response_type") != "code":
        raise OAuthError("unsupported_response_type", "Only response_type=code is supported.")
    if one(parameters, "response_mode") not in {None, "query"}:
        raise invalid_request("Only response_mode=query is supported.")
    if one(parameters, "request") is not None:
        raise OAuthError("request_not_supported", "Request objects are not supported.")
    if one(parameters, "request_uri") is not None:
        raise OAuthError("request_uri_not_supported", "Request objects are not supported.")
    return AuthorizationRequest(
        client_id=application.client_id,
        redirect_uri=redirect_uri,
        scope=_scope(one(parameters, "scope")),
        code_challenge=_challenge(parameters),
        state=one(parameters, "state"),
        nonce=one(parameters, "nonce"),
        prompt=_prompt(one(parameters, "prompt")),
        max_age=_max_age(one(parameters, "max_age")),
        login_hint=one(parameters, "login_hint"),
    )


def _scope(text: str | None) -> tuple[str, ...]:
    """The scopes that we know; others are ignored, as OpenID Connect Core, section 3.1.2.1, has it."""
    asked = (text or "").split()
    if "openid" not in asked:
        raise OAuthError("invalid_scope", "scope must include 'openid'.")
    return tuple(scope for scope in SCOPES if scope in asked)


def _challenge(parameters: Parameters) -> str:
    """PKCE with S256, always (RFC 7636; RFC 9700, section 2.1.1). `plain` is no protection."""
    challenge = one(parameters, "code_challenge")
    if challenge is None:
        raise invalid_request("PKCE is required: send code_challenge with code_challenge_method=S256.")
    if one(parameters, "code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise invalid_request("code_challenge_method must be S256, and code_challenge 43 base64url characters.")
    return challenge


def _prompt(text: str | None) -> Prompt | None:
    """One prompt; `consent` asks for nothing here, since an organisation has consented for all. `none` stands alone."""
    words = {*(text or "").split()}
    asked = words if Prompt.NONE in words else words - {"consent"}
    if not asked:
        return None
    try:
        (prompt,) = map(Prompt, asked)
    except ValueError:
        raise invalid_request("prompt must be one of none, login and select_account.") from None
    return prompt


def _max_age(text: str | None) -> int | None:
    if text is not None and not _SECONDS.fullmatch(text):
        raise invalid_request("max_age must be a number of seconds.")
    return None if text is None else int(text)


def with_query(url: str, **added: str | None) -> str:
    """The address with these parameters added to the query that it has, which stays to the letter."""
    split = urlsplit(url)
    more = urlencode({name: value for name, value in added.items() if value is not None})
    return split._replace(query="&".join(filter(None, (split.query, more)))).geturl()

"""What the bench needs of another product: what to call it, what to count, and where to sign in and to look people up.

All of them speak OpenID Connect, as the service does, so one browser and one application sign in at each; a peer only
names its endpoints. Load comes from other processes, which get these values as JSON.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from local.cast.application import AuthorizationRequest
from local.cast.stack import Entra


class PeerMissingError(Exception):
    """A peer cannot run on this machine; the message says what is missing. The run goes on without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What runs already when a peer starts: the local Entra, the people who sign in there, and the application.

    Local Entra knows one app registration with redirect URIs of one service. A peer that needs other ones starts
    another local Entra for itself, with a directory file of its own, and asks `bench.people.hire` for the same people.
    """

    entra: Entra
    people: Sequence[str]
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A public client with PKCE at an OpenID Provider, both on this machine and over plain http.

    `parameters` are added to the authorization request, for instance to choose the upstream. On each page, the person
    does what `local.cast.browser` knows: fills in `email` and `password`, or presses `action=continue` or `accept`.
    """

    authorization_endpoint: str
    token_endpoint: str
    client_id: str
    redirect_uri: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])

    def request_of(self, email: str) -> AuthorizationRequest:
        """A new authorization request of the application, for this person."""
        return AuthorizationRequest(self.client_id, self.redirect_uri, email)

    def address(self, request: AuthorizationRequest) -> str:
        """Where the application sends the browser."""
        return f"{self.authorization_endpoint}?{urlencode(request.parameters() | dict(self.parameters))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """How an application asks which provider an email address belongs to.

    `request` makes the raw HTTP request (`bench.load.request`) for an address; the answer must have the status 200.
    Each address in `domain` leads to SSO; the bench makes them up.
    """

    port: int
    request: Callable[[str], str]
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A running product, and what it can be asked; what it cannot do is None.

    `pids` are the processes whose CPU and memory are its own, `database_pids` those of its store, and `entra_pids`
    those of a local Entra of its own, if it has one. `note` stands in the tables behind its name, such as "no
    upstream". `started_in` is how many seconds it took from the start of its process to its first answer, and
    `slow_to_warm` how many times as many sign-ins and look-ups as others it needs until it is warm.
    """

    name: str
    version: str
    pids: Sequence[int]
    database_pids: Sequence[int] = ()
    entra_pids: Sequence[int] = ()
    note: str = ""
    provider: Provider | None = None
    look_up: LookUp | None = None
    started_in: float | None = None
    slow_to_warm: int = 1

    @property
    def title(self) -> str:
        """Its name for a table."""
        return f"{self.name} {self.version}{f', {self.note}' if self.note else ''}"


type Run = Callable[[Surroundings], AbstractContextManager[Peer]]
"""Runs a peer for the length of a `with` block. Raises PeerMissingError before anything has started."""

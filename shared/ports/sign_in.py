"""Signing a person in at Microsoft Entra ID, and out again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Protocol

from pydantic import BeforeValidator

from shared.kernel.documents import Foreign, Readable
from shared.kernel.names import TenantId


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """A sign-in that has begun.

    `url` is where the browser goes; `code_verifier` (RFC 7636) and `nonce` (OpenID Connect Core, section 3.1.2.1) are
    kept until Entra responds.
    """

    url: str
    code_verifier: str
    nonce: str


def _is_yes(claim: object) -> bool:
    """Read `xms_edov`, which Entra has been seen to write as a boolean, a number and a string."""
    return claim in (True, "1", "true")


_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


def _time_of(claim: object) -> datetime | None:
    """A claim in whole seconds since 1970, as Entra writes them.

    The type is checked here, because pydantic would also accept text and booleans, and read large numbers as
    milliseconds.
    """
    if claim is None or isinstance(claim, datetime):
        return claim
    if type(claim) is not int or not 0 < claim <= _LATEST:
        message = "not a time in seconds since 1970"
        raise ValueError(message)
    return datetime.fromtimestamp(claim, UTC)


_MOST_TEXTS = 20
_LONGEST_TEXT = 100


def _texts_of(claim: object) -> tuple[str, ...]:
    """A claim that is one text or several. One that cannot be read counts as missing."""
    texts = claim if isinstance(claim, list | tuple) else (claim,)
    if not all(isinstance(text, str) and 0 < len(text) <= _LONGEST_TEXT and text.isprintable() for text in texts):
        return ()
    return tuple(texts[:_MOST_TEXTS])


type Texts = Annotated[tuple[str, ...], BeforeValidator(_texts_of)]
"""Some words, on which no check depends."""


class VerifiedIdentity(Foreign):
    """The person who signed in, from an ID token that passed every check. Only an `EntraSignIn` makes one.

    A claim that describes the person and is malformed counts as missing; one that proves something is refused.
    `auth_time` is when they last proved to Entra who they are; None if the app registration does not ask for the claim
    (https://learn.microsoft.com/entra/identity-platform/optional-claims-reference). `acrs` are the authentication
    contexts of Conditional Access that they satisfy, and `amr` how they proved who they are, which Entra's tokens of
    version 2.0 have not been seen to say (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
    """

    tid: TenantId
    oid: str
    name: Readable = None
    preferred_username: Readable = None
    given_name: Readable = None
    family_name: Readable = None
    wids: tuple[str, ...] = ()
    email: Readable = None
    xms_edov: Annotated[bool, BeforeValidator(_is_yes)] = False
    acct: int | None = None
    auth_time: Annotated[datetime | None, BeforeValidator(_time_of)] = None
    acrs: Texts = ()
    amr: Texts = ()
    sid: Readable = None
    login_hint: Readable = None


class EntraSignIn(Protocol):
    """Signs people in on behalf of the one app registration of this service.

    Every async method may raise `Unavailable`: Entra does not respond in time, or refuses this service's own
    credential. The latter is the operator's to fix, and must not look as if a customer had refused.
    """

    async def begin_sign_in(
        self, tenant_id: TenantId, redirect_uri: str, state: str, *, prompt: str | None, login_hint: str | None = None
    ) -> SignInRequest:
        """Prepare an authorization code sign-in with PKCE and nonce at `/{tenant}/`.

        Args:
            tenant_id: the tenant to sign in at.
            redirect_uri: the address to which Entra returns.
            state: our `state`.
            prompt: how much Entra asks the person: `none`, `login`, `select_account`, or None, and Entra decides.
            login_hint: the person whom Entra should expect; it refuses a hint beside `select_account`.

        Raises:
            ConsentMissing: there is no such tenant.
        """
        ...

    def sign_out_url(self, post_logout_redirect_uri: str, logout_hint: str | None) -> str:
        """The URL at which a person signs out of Entra (OpenID Connect RP-Initiated Logout 1.0).

        Args:
            post_logout_redirect_uri: our address, to which Entra returns.
            logout_hint: the `login_hint` claim of the ID token, so that Entra need not ask which account to sign out.
        """
        ...

    async def finish_sign_in(
        self, tenant_id: TenantId, redirect_uri: str, code: str, code_verifier: str, nonce: str
    ) -> VerifiedIdentity:
        """Redeem the code and verify the ID token: signature, issuer, audience, times, nonce and tenant.

        Raises:
            ProviderRefused: Entra does not redeem the code.
            ProofFailed: a check of the ID token fails.
        """
        ...

    async def probe(self) -> None:
        """Read Entra's discovery document.

        Raises:
            Unavailable: it cannot be read.
        """
        ...

    def explain(self, error: str, description: str) -> str:
        """Explain Entra's error response to a sign-in: who must do what.

        Args:
            error: OAuth's error code.
            description: Entra's text, which may contain an AADSTS number. It is not repeated.
        """
        ...

    def reason(self, error: str, description: str) -> str:
        """The one word that counters use for an error: `AADSTS` and a known number, a known error, or `unknown`.

        The set of words is small, whatever a browser sends.
        """
        ...

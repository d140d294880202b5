"""OAuth errors, ours and Entra's: a registered code, and a sentence for the person who can act."""

from shared.kernel.names import ClientId
from shared.kernel.refusals import Malformed, NotAuthenticated
from shared.users.link import SignInRefused

SSO_DOES_NOT_APPLY = "sso_does_not_apply"
"""The error for a person who signs in by password, at the application: nobody was refused.

A code of our own, since every registered one means that something failed. A request with `prompt=none` gets
`login_required`, which libraries handle. `error_uri` tells both from a refusal.
"""

SSO_DOES_NOT_APPLY_PATH = "/errors/sso-does-not-apply"
"""The page that explains it, which is the `error_uri`, below the issuer."""


class OAuthError(Malformed):
    """An error that a client can act upon (RFC 6749, sections 4.1.2.1 and 5.2; OpenID Connect Core, section 3.1.2.6).

    Args:
        error: the registered code.
        detail: a sentence for the client's developer. It repeats nothing that was sent.
    """

    slug = "oauth"
    title = "The sign-in request was refused"

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error

    @property
    def reason(self) -> str:
        """The registered code, since all OAuth errors share one slug."""
        return self.error


class RequestError(OAuthError):
    """An error in an authorization request that is returned to the client (RFC 6749, section 4.1.2.1).

    Only `read_request` raises it, once client and redirect URI are known to belong together.
    """

    def __init__(
        self, found: OAuthError, *, client_id: ClientId, redirect_uri: str, state: str | None, response_mode: str
    ) -> None:
        super().__init__(found.error, found.detail)
        self.client_id = client_id
        self.redirect_uri = redirect_uri
        self.state = state
        self.response_mode = response_mode


class RefreshTokenReusedError(OAuthError):
    """A refresh token was shown that had been used, or by another client: somebody has copied it."""

    def __init__(self) -> None:
        super().__init__(
            "invalid_grant", "The refresh token was used before, or is another client's. All tokens of it have ended."
        )

    @property
    def reason(self) -> str:
        """Counted apart: operators should look into it."""
        return "refresh_token_reused"


class RefusedAtEntra(SignInRefused):
    """Entra sent the browser back with an error.

    Args:
        error: the OAuth error code.
        reason: the one word that counters use for it.
        detail: a sentence on who must do what.
    """

    def __init__(self, error: str, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self._reason = reason

    @property
    def reason(self) -> str:
        """Entra's number, a known error, or `unknown`."""
        return self._reason


class InvalidClientError(NotAuthenticated):
    """The client is unknown, or did not prove who it is.

    Args:
        detail: a sentence for the client's developer.
        in_header: whether it sent its credentials in the Authorization header, and so is challenged (RFC 6749, 5.2).
    """

    slug = "invalid-client"
    error = "invalid_client"

    def __init__(self, detail: str, *, in_header: bool) -> None:
        super().__init__(detail)
        self.in_header = in_header


def invalid_request(detail: str) -> OAuthError:
    """A parameter is missing, repeated or malformed."""
    return OAuthError("invalid_request", detail)


def invalid_grant(detail: str) -> OAuthError:
    """The code is invalid, or was not issued for this client, address or verifier."""
    return OAuthError("invalid_grant", detail)

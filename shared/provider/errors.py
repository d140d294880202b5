"""Refusals in OAuth's own words: an error code from a registry, and a sentence for the developer."""

from shared.kernel.refusals import NotAuthenticated, Refusal


class OAuthError(Refusal):
    """A refusal that a client can act upon (RFC 6749, sections 4.1.2.1 and 5.2; OpenID Connect Core, section 3.1.2.6).

    Args:
        error: the registered code.
        detail: a sentence for the client's developer. It holds nothing of what was sent.
    """

    slug = "oauth"
    title = "The sign-in request was refused"

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error

    @property
    def reason(self) -> str:
        """The registered code: one slug stands for all of them."""
        return self.error


class InvalidClientError(NotAuthenticated):
    """The client is not who it says it is, or does not say."""

    slug = "invalid-client"
    error = "invalid_client"


def invalid_request(detail: str) -> OAuthError:
    """A parameter is missing, repeated or malformed."""
    return OAuthError("invalid_request", detail)


def invalid_grant(detail: str) -> OAuthError:
    """The code is not good, or not good for this."""
    return OAuthError("invalid_grant", detail)

"""Asking an organisation for its consent."""

from typing import Protocol


class Consent(Protocol):
    """Knows the page on which an administrator consents to what this service asks for."""

    def admin_consent_url(self, redirect_uri: str, state: str) -> str:
        """Where an administrator consents for a whole organisation, whichever it is.

        Source: https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
        """
        ...

    def explain_consent(self, error: str, description: str) -> str:
        """What Entra's error response means, in words that say who must do what.

        Args:
            error: OAuth's error code.
            description: Entra's text, in which an AADSTS number may stand. It is not repeated.
        """
        ...

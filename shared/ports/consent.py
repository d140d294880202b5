"""Consent of an organisation at Microsoft Entra ID."""

from typing import Protocol


class Consent(Protocol):
    """Knows the page on which an administrator consents to the permissions of this service."""

    def admin_consent_url(self, redirect_uri: str, state: str) -> str:
        """The page on which an administrator consents for a whole organisation, whichever it is.

        Source: https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
        """
        ...

    def explain_consent(self, error: str, description: str) -> str:
        """Explain Entra's error response: who must do what.

        Args:
            error: OAuth's error code.
            description: Entra's text, which may contain an AADSTS number. It is not repeated.
        """
        ...

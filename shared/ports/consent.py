"""Consent of an organisation at Microsoft Entra ID."""

from typing import Protocol

from shared.kernel.names import DomainName, TenantId


class Consent(Protocol):
    """Knows the page on which an administrator consents to the permissions of this service."""

    def admin_consent_url(self, redirect_uri: str, state: str, tenant_id: TenantId | None = None) -> str:
        """The page on which an administrator consents for a whole organisation.

        Args:
            redirect_uri: the address to which Entra returns.
            state: our `state`.
            tenant_id: the organisation; None for the home organisation of whoever signs in, which for a guest is not
                the one that they administer.

        Source: https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
        """
        ...

    async def find_tenant(self, name: TenantId | DomainName) -> TenantId | None:
        """The organisation of this id, or with this verified domain; None if there is none.

        Raises:
            Unavailable: Entra does not respond.
        """
        ...

    def explain_consent(self, error: str, description: str) -> str:
        """Explain Entra's error response: who must do what.

        Args:
            error: OAuth's error code.
            description: Entra's text, which may contain an AADSTS number. It is not repeated.
        """
        ...

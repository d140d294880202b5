"""What an organisation says of itself, to a service that it has consented to."""

from typing import Protocol

from shared.kernel.documents import Foreign
from shared.kernel.names import DomainName, TenantId


class Organization(Foreign):
    """What Microsoft Graph says of a tenant (https://learn.microsoft.com/graph/api/resources/organization).

    `verified_domains` are those that DNS can have; Entra knows a few that it cannot.
    """

    tenant_id: TenantId
    display_name: str
    verified_domains: tuple[DomainName, ...]


class Organizations(Protocol):
    """Reads organisations with this service's own credential.

    Every method may raise `Unavailable`: Entra or Graph does not answer in time, or refuses the credential, which is
    nobody's fault but the operator's and must not look as if a customer had revoked its consent.
    """

    async def read_organization(self, tenant_id: TenantId) -> Organization:
        """Ask for a fresh app-only token of that tenant and read what Graph says of it.

        Raises:
            ConsentMissing: no token is issued, or Graph refuses it: there is no consent, or no longer.
        """
        ...

    async def probe_credential(self, tenant_id: TenantId) -> None:
        """Ask for a fresh app-only token of the tenant that this service's own registration is in, and drop it.

        It proves the service's credential and nothing of any customer.

        Raises:
            Unavailable: no token is issued. The log says why.
        """
        ...

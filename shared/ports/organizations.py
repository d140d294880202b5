"""Reads an organisation that has consented to this service."""

from typing import Annotated, Protocol

from pydantic import StringConstraints

from shared.kernel.documents import Foreign
from shared.kernel.names import DomainName, TenantId

type Guid = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]


class ServicePrincipal(Foreign):
    """This service in a tenant, by its object id there and by its client id: links to its pages in Entra need both."""

    object_id: Guid
    app_id: Guid


class Organization(Foreign):
    """A tenant as Microsoft Graph returns it (https://learn.microsoft.com/graph/api/resources/organization).

    `verified_domains` has only names that are valid in DNS; Entra allows a few others. `service_principal` is None if
    Entra did not say which it is.
    """

    tenant_id: TenantId
    display_name: str
    verified_domains: tuple[DomainName, ...]
    service_principal: ServicePrincipal | None = None


class Organizations(Protocol):
    """Reads organisations with this service's own credential.

    Every method may raise `Unavailable`: Entra or Graph does not respond in time, or refuses the credential. The latter
    is the operator's to fix, and must not look as if a customer had revoked its consent.
    """

    async def read_organization(self, tenant_id: TenantId) -> Organization:
        """Get a fresh app-only token of that tenant, and read the tenant from Graph.

        Raises:
            ConsentMissing: no token is issued, or Graph refuses it, because there is no consent, or no longer.
        """
        ...

    async def probe_credential(self, tenant_id: TenantId) -> None:
        """Get a fresh app-only token of the tenant of this service's own registration, and discard it.

        This proves that the service's credential is valid, and nothing about any customer.

        Raises:
            Unavailable: no token is issued. The log has the reason.
        """
        ...

"""The domains of an account's tenant, and which of them route."""

from pydantic import ConfigDict

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import IfMatch, MergePatch, Path
from functions.http.responses import Ok
from shared.access.roles import AccountAdministrator, AccountReader
from shared.connection.connected_domains import DomainList
from shared.domains.tenant_domains import DomainState, DomainSwitch
from shared.kernel.names import DomainName
from shared.services import Services

_DOMAINS = "/v1/accounts/{accountId}/domains"


class SwitchBody(DomainSwitch):
    """The switch that lets a domain route to the account."""

    model_config = ConfigDict(extra="forbid")


class DomainDocument(Document):
    """One verified domain."""

    domain: str
    state: DomainState


class DomainsDocument(Document):
    """The tenant's verified domains, as they were at `readAt`."""

    items: tuple[DomainDocument, ...]
    read_at: Moment | None


def domain_routes(services: Services) -> Routes:
    """The endpoints for an account's domains."""
    routes = Routes("domains", services.edge)

    @routes.get(_DOMAINS)
    async def list_domains(reader: AccountReader) -> Ok[DomainsDocument]:
        """List the tenant's verified domains and their states."""
        return _versioned(await services.domains.list(reader))

    @routes.patch(_DOMAINS + "/{domain}")
    async def switch_domain(
        administrator: AccountAdministrator, change: MergePatch[SwitchBody], domain: Path[DomainName], expected: IfMatch
    ) -> Ok[DomainsDocument]:
        """Let a domain route to the account, or stop it."""
        return _versioned(await services.domains.switch(administrator, domain, expected, change))

    @routes.post(_DOMAINS + "/refresh")
    async def refresh_domains(administrator: AccountAdministrator) -> Ok[DomainsDocument]:
        """Read the tenant's domains again."""
        return _versioned(await services.domains.refresh(administrator))

    return routes


def _versioned(found: DomainList) -> Ok[DomainsDocument]:
    items = tuple(DomainDocument(domain=name, state=state) for name, state in found.states.items())
    return Ok(DomainsDocument(items=items, read_at=found.read_at), version=found.version)

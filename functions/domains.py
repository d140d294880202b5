"""The domains of an account's tenant, and which of them route."""

from azure.functions import HttpRequest, HttpResponse

from functions.edge.answers import document
from functions.edge.callers import Callers
from functions.edge.models import Document, Moment
from functions.edge.requests import JSON, MERGE_PATCH, domain_name, if_match, json_body
from functions.edge.routing import Routes
from shared.assembly import Services
from shared.connection.connected_domains import DomainList
from shared.domains.tenant_domains import DomainState
from shared.kernel.documents import Asked

_DOMAINS = "/v1/accounts/{accountId}/domains"


class SwitchBody(Asked):
    """Whether the domain routes to the account."""

    enabled: bool


class DomainDocument(Document):
    """One verified domain."""

    domain: str
    state: DomainState


class DomainsDocument(Document):
    """The verified domains of the tenant, as they were at `readAt`."""

    items: tuple[DomainDocument, ...]
    read_at: Moment | None


def domain_routes(services: Services) -> Routes:
    """The calls on an account's domains."""
    routes = Routes("domains", services.edge.telemetry)
    callers = Callers(services.edge.access_tokens)

    @routes.add("GET", _DOMAINS, gives={200: DomainsDocument})
    async def list_domains(req: HttpRequest) -> HttpResponse:
        """List the tenant's verified domains and how they stand."""
        administrator = await callers.administrator(req)
        return _told(await services.domains.list(administrator.account_id))

    @routes.add(
        "PATCH",
        _DOMAINS + "/{domain}",
        takes={MERGE_PATCH: SwitchBody, JSON: SwitchBody},
        gives={200: DomainsDocument},
        if_match="required",
    )
    async def switch_domain(req: HttpRequest) -> HttpResponse:
        """Let a domain route to the account, or stop it."""
        administrator = await callers.administrator(req)
        enabled = json_body(req, SwitchBody, MERGE_PATCH, JSON).enabled
        return _told(
            await services.domains.switch(administrator, domain_name(req), enabled=enabled, expected=if_match(req))
        )

    @routes.add("POST", _DOMAINS + "/refresh", gives={200: DomainsDocument})
    async def refresh_domains(req: HttpRequest) -> HttpResponse:
        """Read the tenant's domains again."""
        administrator = await callers.administrator(req)
        return _told(await services.domains.refresh(administrator))

    return routes


def _told(found: DomainList) -> HttpResponse:
    items = tuple(DomainDocument(domain=name, state=state) for name, state in found.states.items())
    return document(DomainsDocument(items=items, read_at=found.read_at), version=found.version)

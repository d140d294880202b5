"""The domains of an account's tenant, and which of them route."""

from typing import Annotated

from azure.functions import HttpRequest
from pydantic import ConfigDict

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import PAGE_PARAMETERS, IfMatch, MergePatch, Path, Source
from functions.http.requests import page_of, query_of
from functions.http.responses import Ok
from shared.access.roles import AccountAdministrator, AccountReader
from shared.connection.connected_domains import DomainList
from shared.domains.tenant_domains import DomainState, DomainSwitch
from shared.kernel.encoding import base64url, from_base64url
from shared.kernel.names import DomainName
from shared.kernel.refusals import Invalid
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
    """The tenant's verified domains by name, as they were at `readAt`.

    `continuationToken` gets the next page, if a page was asked for.
    """

    items: tuple[DomainDocument, ...]
    read_at: Moment | None
    continuation_token: str | None = None


def _page_if_asked(req: HttpRequest) -> tuple[int, str | None] | None:
    """Read which page is requested; None means the whole list, as callers expect who have known no pages."""
    return page_of(req) if query_of(req).keys() & {*PAGE_PARAMETERS} else None


type PageIfAsked = Annotated[tuple[int, str | None] | None, Source(read=_page_if_asked, query=PAGE_PARAMETERS)]


def domain_routes(services: Services) -> Routes:
    """The endpoints for an account's domains."""
    routes = Routes("domains", services.edge)

    @routes.get(_DOMAINS)
    async def list_domains(reader: AccountReader, page: PageIfAsked) -> Ok[DomainsDocument]:
        """List the tenant's verified domains and their states: all of them, or in pages."""
        return _versioned(await services.connection.domains.list(reader), page)

    @routes.patch(_DOMAINS + "/{domain}")
    async def switch_domain(
        administrator: AccountAdministrator, change: MergePatch[SwitchBody], domain: Path[DomainName], expected: IfMatch
    ) -> Ok[DomainsDocument]:
        """Let a domain route to the account, or stop it."""
        return _versioned(await services.connection.domains.switch(administrator, domain, expected, change))

    @routes.post(_DOMAINS + "/refresh")
    async def refresh_domains(administrator: AccountAdministrator) -> Ok[DomainsDocument]:
        """Read the tenant's domains again."""
        return _versioned(await services.connection.domains.refresh(administrator))

    return routes


def _versioned(found: DomainList, page: tuple[int, str | None] | None = None) -> Ok[DomainsDocument]:
    size, continuation = page or (len(found.states), None)
    after = _opened(continuation)
    names = sorted(name for name in found.states if name > after)
    items = tuple(DomainDocument(domain=name, state=found.states[name]) for name in names[:size])
    more = base64url(items[-1].domain.encode()) if len(names) > size else None
    return Ok(DomainsDocument(items=items, read_at=found.read_at, continuation_token=more), version=found.version)


def _opened(continuation: str | None) -> str:
    """The domain after which a page starts; the next page follows it whatever has changed in between."""
    if continuation is None:
        return ""
    try:
        return DomainName(from_base64url(continuation).decode())
    except ValueError:
        raise Invalid("This service did not issue this continuationToken. Start again without one.") from None

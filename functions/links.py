"""Links: which Entra identity each user of an account is linked to. A Security Manager can release them."""

from typing import Self

from pydantic import model_validator

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import Body, Page, Path
from functions.http.responses import NoContent, Ok
from shared.access.roles import AccountAdministrator, AccountReader
from shared.kernel.documents import Asked
from shared.kernel.names import DomainName, EmailAddress, TenantId
from shared.services import Services
from shared.users.link import Link
from shared.users.links import Chosen
from shared.users.user_key import UserKey

_LINKS = "/v1/accounts/{accountId}/links"


class LinkDocument(Document):
    """One user's link to an Entra identity: `tid` and `oid` as in Entra's tokens. `lastUsedAt` is a day, in UTC."""

    link_id: str
    email: str
    tid: str
    oid: str
    linked_at: Moment
    last_used_at: Moment | None


class LinksDocument(Document):
    """A page of the links. `continuationToken` gets the next page."""

    items: tuple[LinkDocument, ...]
    continuation_token: str | None


class LinkSearchBody(Asked):
    """The address whose link to look for."""

    email: EmailAddress


class ReleaseBody(Asked):
    """The links to release: those to a tenant, those of a domain's addresses, or `all`.

    `continuationToken` is that of the call before, if it has not looked at all links.
    """

    tenant_id: TenantId | None = None
    domain: DomainName | None = None
    all: bool = False
    continuation_token: str | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if (self.tenant_id is not None) + (self.domain is not None) + self.all != 1:
            raise ValueError("Give one of tenantId, domain, and all with the value true.")
        return self


class ReleasedDocument(Document):
    """How many links this call has released. With a `continuationToken`, call again with it: there may be more."""

    released: int
    continuation_token: str | None


def link_routes(services: Services) -> Routes:
    """The endpoints for an account's links."""
    routes = Routes("links", services.edge)
    links = services.users.links

    def listed(found: tuple[Link, ...], continuation: str | None = None) -> Ok[LinksDocument]:
        items = tuple(map(LinkDocument.model_validate, found))
        return Ok(LinksDocument(items=items, continuation_token=continuation))

    @routes.get(_LINKS)
    async def list_links(reader: AccountReader, page: Page) -> Ok[LinksDocument]:
        """List the links of the account's users, in pages."""
        return listed(*await links.page(reader, *page))

    @routes.post(_LINKS + "/search")
    async def search_links(reader: AccountReader, wanted: Body[LinkSearchBody]) -> Ok[LinksDocument]:
        """Look for the link of one address."""
        return listed(await links.find(reader, wanted.email))

    @routes.post(_LINKS + "/release")
    async def release_links(administrator: AccountAdministrator, chosen: Body[ReleaseBody]) -> Ok[ReleasedDocument]:
        """Release the links of a tenant, of a domain, or all: 5,000 are looked at in one call."""
        choice = Chosen(tenant_id=chosen.tenant_id, domain=chosen.domain)
        released = await links.release_many(administrator, choice, chosen.continuation_token)
        return Ok(ReleasedDocument(released=released.count, continuation_token=released.continuation))

    @routes.delete(_LINKS + "/{linkId}")
    async def release_link(administrator: AccountAdministrator, link_id: Path[UserKey]) -> NoContent:
        """Release a user's link. Their next sign-in makes a new one."""
        await links.release(administrator, link_id)
        return NoContent()

    return routes

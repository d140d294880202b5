"""Links: which Entra identity each user of an account is linked to. A Security Manager can release them."""

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import Page, Path
from functions.http.responses import NoContent, Ok
from shared.access.roles import AccountAdministrator, AccountReader
from shared.services import Services
from shared.users.user_key import UserKey

_LINKS = "/v1/accounts/{accountId}/links"


class LinkDocument(Document):
    """One user's link to an Entra identity: `tid` and `oid` as in Entra's tokens."""

    link_id: str
    email: str
    tid: str
    oid: str
    linked_at: Moment


class LinksDocument(Document):
    """A page of the links. `continuationToken` gets the next page."""

    items: tuple[LinkDocument, ...]
    continuation_token: str | None


def link_routes(services: Services) -> Routes:
    """The endpoints for an account's links."""
    routes = Routes("links", services.edge)

    @routes.get(_LINKS)
    async def list_links(reader: AccountReader, page: Page) -> Ok[LinksDocument]:
        """List the links of the account's users, in pages."""
        links, continuation = await services.users.links.page(reader, *page)
        items = tuple(map(LinkDocument.model_validate, links))
        return Ok(LinksDocument(items=items, continuation_token=continuation))

    @routes.delete(_LINKS + "/{linkId}")
    async def release_link(administrator: AccountAdministrator, link_id: Path[UserKey]) -> NoContent:
        """Release a user's link. Their next sign-in makes a new one."""
        await services.users.links.release(administrator, link_id)
        return NoContent()

    return routes

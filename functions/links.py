"""Links: which Entra identity each user of an account is tied to. A Security Manager can release them."""

from azure.functions import HttpRequest, HttpResponse

from functions.edge.answers import document, no_content
from functions.edge.callers import Callers
from functions.edge.models import Document, Moment
from functions.edge.requests import page_of, path_name
from functions.edge.routing import Routes
from shared.assembly import Services
from shared.users.user_key import UserKey

_LINKS = "/v1/accounts/{accountId}/links"


class LinkDocument(Document):
    """One user's tie to an Entra identity: `tid` and `oid` as in Entra's tokens."""

    link_id: str
    email: str
    tid: str
    oid: str
    linked_at: Moment


class LinksDocument(Document):
    """A page of the ties; `continuationToken` asks for the next one."""

    items: tuple[LinkDocument, ...]
    continuation_token: str | None


def link_routes(services: Services) -> Routes:
    """The calls on an account's links."""
    routes = Routes("links", services.edge.telemetry)
    callers = Callers(services.edge.access_tokens)

    @routes.add("GET", _LINKS, gives={200: LinksDocument}, parameters=("pageSize", "continuationToken"))
    async def list_links(req: HttpRequest) -> HttpResponse:
        """Page through the ties of the account's users."""
        administrator = await callers.administrator(req)
        links, continuation = await services.users.links.page(administrator, *page_of(req))
        items = tuple(map(LinkDocument.model_validate, links))
        return document(LinksDocument(items=items, continuation_token=continuation))

    @routes.add("DELETE", _LINKS + "/{linkId}", gives={204: None})
    async def release_link(req: HttpRequest) -> HttpResponse:
        """Untie a user, whose next sign-in makes a new tie."""
        administrator = await callers.administrator(req)
        await services.users.links.release(administrator, path_name(req, "linkId", UserKey))
        return no_content()

    return routes

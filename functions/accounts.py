"""Accounts: the vendor's operators register its customers here."""

from typing import Annotated

from azure.functions import HttpRequest, HttpResponse
from pydantic import Field, StringConstraints

from functions.edge.answers import document, no_content, put_document
from functions.edge.callers import Callers
from functions.edge.models import Document, Moment
from functions.edge.requests import JSON, account_id, if_match, json_body, optional_if_match
from functions.edge.routing import Routes
from shared.accounts.register import Profile
from shared.assembly import Services
from shared.kernel.documents import Asked
from shared.kernel.names import AccountId, DomainName, Product

_ACCOUNT = "/v1/accounts/{accountId}"

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class AccountBody(Asked):
    """What is said of an account."""

    name: Title
    products: Annotated[tuple[Product, ...], Field(max_length=100)] = ()
    domains: Annotated[tuple[DomainName, ...], Field(max_length=5_000)] | None = None

    def profile(self) -> Profile:
        """The same in the product's words."""
        return Profile(self.name, self.products, self.domains)


class AccountDocument(Document):
    """An account."""

    account_id: AccountId
    name: str
    products: tuple[str, ...]
    domains: tuple[str, ...] | None
    created_at: Moment
    updated_at: Moment


_REGISTERED = {200: AccountDocument, 201: AccountDocument}


def account_routes(services: Services) -> Routes:
    """The calls on accounts."""
    routes = Routes("accounts", services.edge.telemetry)
    callers = Callers(services.edge.access_tokens)

    @routes.add("PUT", _ACCOUNT, takes={JSON: AccountBody}, gives=_REGISTERED, if_match="optional")
    async def put_account(req: HttpRequest) -> HttpResponse:
        """Register an account, or change what is said of it."""
        operator = await callers.operator(req)
        profile = json_body(req, AccountBody).profile()
        stored, created = await services.accounts.register.put(
            operator, account_id(req), profile, optional_if_match(req)
        )
        return put_document(AccountDocument.model_validate(stored.record), stored.version, created=created)

    @routes.add("GET", _ACCOUNT, gives={200: AccountDocument})
    async def get_account(req: HttpRequest) -> HttpResponse:
        """Read an account."""
        await callers.operator(req)
        stored = await services.accounts.register.read(account_id(req))
        return document(AccountDocument.model_validate(stored.record), version=stored.version)

    @routes.add("DELETE", _ACCOUNT, gives={204: None}, if_match="required")
    async def delete_account(req: HttpRequest) -> HttpResponse:
        """Disconnect an account and remove everything that belongs to it."""
        operator = await callers.operator(req)
        await services.connection.disconnection.close(operator, account_id(req), if_match(req))
        return no_content()

    return routes
